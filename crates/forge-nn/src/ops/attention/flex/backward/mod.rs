//! The backward pass: weights are recomputed tile by tile from the saved row statistics (Dao et al.
//! 2022, Algorithm 4).

mod part;
mod scratch;
mod separate;
mod tile;

use rayon::prelude::*;

use self::part::Part;
use self::scratch::Scratch;
use self::separate::Separate;
use super::scores::Call;
use super::{Heads, Shared, Sizes};
use crate::ops::flex::Real;
use crate::ops::flex::rows::tasks_together;

/// What the forward pass left.
pub(super) struct Saved<'a, E> {
    pub(super) output: Heads<*const E>,
    /// Maximum and inverse sum of each row, as the forward pass stores them.
    pub(super) statistics: &'a [E],
    pub(super) dy: Heads<*const E>,
}

/// Where the gradients go; whatever is there is overwritten.
pub(super) struct Gradients<E> {
    pub(super) dq: Heads<*mut E>,
    pub(super) dk: Heads<*mut E>,
    pub(super) dv: Heads<*mut E>,
}

/// With fewer tasks than this, query heads that share a key/value head are split over tasks.
const FEW_TASKS: usize = 16;

/// Fills the gradients. A task owns key/value heads, so that all its sums are its own; with a
/// bias, whose gradient sums over the batch, it owns a key/value head of every sample.
///
/// If that makes few tasks, each query head gets its own gradients of keys and values, which are
/// then added up. Whether it does depends on the shape alone, as the results must.
pub(super) fn run<E: Real>(
    call: &Call<'_, E>,
    saved: &Saved<'_, E>,
    gradients: &Gradients<E>,
    dbias: Option<&mut [E]>,
) {
    let Sizes { batch, groups, .. } = call.sizes;
    let sharing = call.sizes.sharing();
    let tasks = if dbias.is_some() {
        groups
    } else {
        batch * groups
    };
    if sharing == 1 || tasks >= FEW_TASKS {
        run_parts(call, saved, gradients, dbias, groups);
    } else {
        let mut separate = Separate::new(&call.sizes);
        let own = separate.gradients(&call.sizes, gradients.dq);
        run_parts(call, saved, &own, dbias, call.sizes.heads);
        separate.sum(&call.sizes, gradients);
    }
}

/// Runs the query heads in `parts` equal parts, each with its own head of `dk` and `dv`.
fn run_parts<E: Real>(
    call: &Call<'_, E>,
    saved: &Saved<'_, E>,
    gradients: &Gradients<E>,
    dbias: Option<&mut [E]>,
    parts: usize,
) {
    let Sizes { batch, heads, .. } = call.sizes;
    let together = heads / parts;
    let dbias = dbias.map(|dbias| Shared(dbias.as_mut_ptr()));
    let units = batch * parts;
    // The units of a task follow each other: samples of a part with a bias, else parts.
    let per_task = match &dbias {
        None => (units / 64).clamp(1, 16),
        Some(_) => batch,
    };
    let queries = per_task * together * call.sizes.queries;
    let of_task = call.sizes.multiplications(queries) * 5 / 2;
    (0..units.div_ceil(per_task))
        .into_par_iter()
        .with_min_len(tasks_together(of_task))
        .for_each(|task| {
            let mut scratch = Scratch::new(call, together);
            for unit in task * per_task..((task + 1) * per_task).min(units) {
                let (sample, index) = match &dbias {
                    None => (unit / parts, unit % parts),
                    Some(_) => (unit % batch, unit / batch),
                };
                let part = Part {
                    batch: sample,
                    group: index * together / call.sizes.sharing(),
                    heads: index * together..(index + 1) * together,
                    target: index,
                };
                let dbias = dbias.as_ref().map(Shared::get);
                // SAFETY: this task alone writes to the part's heads of this sample, and with a
                // bias to those of any sample.
                unsafe { part.run(call, saved, gradients, dbias, &mut scratch) };
            }
        });
}
