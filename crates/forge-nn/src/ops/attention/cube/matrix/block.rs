//! Which scores are taken together.

use std::ops::Range;

use super::super::super::AttentionParams;
use super::super::call::Call;

/// Samples, groups of heads, queries and keys of a block of scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) batch: Range<usize>,
    /// Key/value heads.
    pub(super) groups: Range<usize>,
    pub(super) queries: Range<usize>,
    pub(super) keys: Range<usize>,
}

/// How many there are of everything.
#[derive(Clone, Copy, Debug)]
struct Counts {
    batch: usize,
    groups: usize,
    /// Query heads of a group.
    sharing: usize,
    queries: usize,
    keys: usize,
}

/// Blocks of at most `most` scores (or sixteen rows of a group, if those are more) that cover the
/// scores of `call`, in order: whole samples where several fit, or else whole heads, or else rows of
/// a group of heads.
pub(super) fn blocks(call: &Call, most: usize) -> Vec<Block> {
    let [batch, heads, queries, _] = call.q.dims;
    let [_, groups, keys, _] = call.k.dims;
    let counts = Counts {
        batch,
        groups,
        sharing: heads / groups,
        queries,
        keys,
    };
    covering(counts, &call.params, most)
}

fn covering(counts: Counts, params: &AttentionParams, most: usize) -> Vec<Block> {
    let Counts {
        batch,
        groups,
        sharing,
        queries,
        keys,
    } = counts;
    let group = sharing * queries * keys;
    // Rows that look at a part of the keys are cut: what nobody sees is then not computed.
    let longest = if params.is_structured() {
        queries.min(1024)
    } else {
        queries
    };
    let (samples, together, rows) = if longest == queries && group * groups <= most {
        ((most / (group * groups)).clamp(1, batch), groups, queries)
    } else {
        let fit = (most / (sharing * keys)).max(16) / 16 * 16;
        let rows = fit.min(longest);
        let together = (most / (sharing * rows * keys)).clamp(1, groups);
        (1, together, rows)
    };
    let mut blocks = Vec::new();
    for batch in ranges(batch, samples) {
        for groups in ranges(groups, together) {
            for queries in ranges(queries, rows) {
                blocks.push(Block {
                    batch: batch.clone(),
                    groups: groups.clone(),
                    keys: seen_by(&queries, counts, params),
                    queries,
                });
            }
        }
    }
    blocks
}

/// The keys that some of `rows` may see, in whole vectors; at least one vector.
fn seen_by(rows: &Range<usize>, counts: Counts, params: &AttentionParams) -> Range<usize> {
    let Counts { queries, keys, .. } = counts;
    let limit = |window: Option<usize>| window.unwrap_or(usize::MAX / 4);
    let right = if params.causal {
        0
    } else {
        limit(params.window_right)
    };
    let step = vector(keys);
    // Positions are counted from `queries` on, which keeps them above 0.
    let own = |row: usize| row + keys;
    let start = own(rows.start).saturating_sub(queries + limit(params.window_left));
    let end = (own(rows.end) + right).saturating_sub(queries).min(keys);
    let start = start.min(keys - step) / step * step;
    let end = end.max(start + 1).next_multiple_of(step);
    start..end
}

/// Keys that are read at once: what divides all of them.
pub(super) fn vector(keys: usize) -> usize {
    let divides = |n: &usize| keys.is_multiple_of(*n);
    [4, 2, 1].into_iter().find(divides).unwrap_or(1)
}

fn ranges(total: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
    let end = move |start: usize| (start + step).min(total);
    (0..total).step_by(step).map(move |start| start..end(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: AttentionParams = AttentionParams {
        scale: 1.0,
        causal: false,
        window_left: None,
        window_right: None,
        softcap: None,
        dropout: 0.0,
        seed: 0,
    };

    fn sees(query: usize, key: usize, counts: Counts, params: &AttentionParams) -> bool {
        let behind = (query + counts.keys) as i64 - (counts.queries + key) as i64;
        let left = params.window_left.is_none_or(|left| behind <= left as i64);
        let right = params
            .window_right
            .is_none_or(|right| -behind <= right as i64);
        left && right && (!params.causal || behind >= 0)
    }

    /// Every query of every head is in one block, with all that it sees.
    fn check(counts: Counts, params: &AttentionParams, most: usize) {
        let mut taken = vec![0; counts.batch * counts.groups * counts.queries];
        for block in covering(counts, params, most) {
            let scores = block.batch.len()
                * block.groups.len()
                * counts.sharing
                * block.queries.len()
                * block.keys.len();
            let least = counts.sharing * 16 * counts.keys;
            assert!(scores <= most.max(least), "{block:?} of {counts:?}");
            assert!(block.keys.len().is_multiple_of(vector(counts.keys)));
            assert!(
                !block.keys.is_empty() && block.keys.end <= counts.keys,
                "{block:?}"
            );
            for query in block.queries.clone() {
                for key in 0..counts.keys {
                    let inside = block.keys.contains(&key);
                    assert!(
                        inside || !sees(query, key, counts, params),
                        "{block:?} {key}"
                    );
                }
                for batch in block.batch.clone() {
                    for group in block.groups.clone() {
                        taken[(batch * counts.groups + group) * counts.queries + query] += 1;
                    }
                }
            }
        }
        assert!(taken.iter().all(|n| *n == 1), "{counts:?} {params:?}");
    }

    #[test]
    fn blocks_cover_all_that_is_seen() {
        let windows = [None, Some(0), Some(3), Some(1500)];
        for (batch, groups, sharing) in [(3, 2, 1), (1, 1, 4), (2, 3, 2)] {
            for (queries, keys) in [(5, 7), (64, 64), (40, 1), (1, 40), (1100, 96), (7, 1200)] {
                for (causal, window_left, window_right) in windows
                    .iter()
                    .flat_map(|l| windows.iter().map(move |r| (*l, *r)))
                    .flat_map(|(l, r)| [(false, l, r), (true, l, r)])
                {
                    let params = AttentionParams {
                        causal,
                        window_left,
                        window_right,
                        ..PLAIN
                    };
                    let counts = Counts {
                        batch,
                        groups,
                        sharing,
                        queries,
                        keys,
                    };
                    for most in [1, 5000, 1 << 20] {
                        check(counts, &params, most);
                    }
                }
            }
        }
    }
}
