//! How many rows are computed at once.

use crate::ops::flex::rows::ALONE;

/// Elements of a weight that no second-level cache holds.
const WIDE: usize = 1 << 18;

/// Elements of a weight whose packing costs more than blocks that leave the cache too.
const WIDER: usize = 1 << 19;

/// Rows that are worth a task of their own, although each packs the weight again.
const FEW: usize = 128;

/// Elements of input and output that one thread goes over sooner than it shares them.
const NARROW: usize = 1 << 16;

/// Parts of a batch over which the gradient of a weight is summed, at most.
pub(super) const PARTS: usize = 4;

/// Rows of one block: few enough that input and output of a block share the second-level cache. A product
/// packs its whole weight first: of a wide one, which leaves the cache anyway, many rows share that, and of
/// a still wider one as many as leave `tasks` blocks. The number of blocks is even, for two threads,
/// wherever there are rows for two.
fn block_rows([inputs, outputs]: [usize; 2], rows: usize, tasks: usize) -> usize {
    if rows * inputs * outputs < ALONE && rows * (inputs + outputs) < NARROW {
        return rows.max(1);
    }
    let most = match inputs * outputs {
        WIDER.. => rows.div_ceil(tasks).clamp(512, 1024),
        WIDE.. => 512,
        _ => ((160 << 10) / (inputs + outputs)).clamp(64, 384),
    };
    let blocks = match rows.div_ceil(most) {
        0 | 1 if rows < 2 * FEW => return most,
        blocks => blocks.next_multiple_of(2),
    };
    // A multiple of the products' own blocking.
    rows.div_ceil(blocks).next_multiple_of(16)
}

/// Rows of a block where each has a result of its own, which does not depend on the rows beside it: two
/// blocks for each thread.
pub(super) fn separate_rows(size: [usize; 2], rows: usize) -> usize {
    block_rows(size, rows, 2 * rayon::current_num_threads())
}

/// Rows of a block where the blocks' results are summed: from the shape alone, so that sums do not depend
/// on the machine.
pub(super) fn summed_rows(size: [usize; 2], rows: usize) -> usize {
    block_rows(size, rows, PARTS)
}
