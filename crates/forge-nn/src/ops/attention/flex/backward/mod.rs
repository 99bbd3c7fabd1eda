//! The backward pass: weights are recomputed tile by tile from the saved row statistics (Dao et al.
//! 2022, Algorithm 4).

mod part;
mod scratch;
mod tile;

use rayon::prelude::*;

use self::part::Part;
use self::scratch::Scratch;
use super::scores::Call;
use super::{Heads, Shared, Sizes};
use crate::ops::flex::Real;

/// What the forward pass left.
pub(super) struct Saved<'a, E> {
    pub(super) output: Heads<*const E>,
    /// Maximum and inverse sum of each row, as the forward pass stores them.
    pub(super) statistics: &'a [E],
    pub(super) dy: Heads<*const E>,
}

/// Where the gradients go. With causality or a window `dq` must be zeros, since not every tile is
/// visited; otherwise whatever is there is overwritten.
pub(super) struct Gradients<E> {
    pub(super) dq: Heads<*mut E>,
    pub(super) dk: Heads<*mut E>,
    pub(super) dv: Heads<*mut E>,
}

/// Fills the gradients. A task owns key/value heads, so that all its sums are its own; with a
/// bias, whose gradient sums over the batch, it owns a key/value head of every sample.
pub(super) fn run<E: Real>(
    call: &Call<'_, E>,
    saved: &Saved<'_, E>,
    gradients: &Gradients<E>,
    dbias: Option<&mut [E]>,
) {
    let Sizes { batch, groups, .. } = call.sizes;
    let sharing = call.sizes.sharing();
    let dbias = dbias.map(|dbias| Shared(dbias.as_mut_ptr()));
    // The units of a task follow each other: samples of a head with a bias, else heads.
    let (units, per_task) = match &dbias {
        None => (batch * groups, (batch * groups / 64).clamp(1, 16)),
        Some(_) => (batch * groups, batch),
    };
    (0..units.div_ceil(per_task))
        .into_par_iter()
        .for_each(|task| {
            let mut scratch = Scratch::new(call);
            for unit in task * per_task..((task + 1) * per_task).min(units) {
                let (sample, group) = match &dbias {
                    None => (unit / groups, unit % groups),
                    Some(_) => (unit % batch, unit / batch),
                };
                let part = Part {
                    batch: sample,
                    group,
                    heads: group * sharing..(group + 1) * sharing,
                };
                let dbias = dbias.as_ref().map(Shared::get);
                // SAFETY: this task alone writes to the group's heads of this sample, and with a
                // bias to those of any sample.
                unsafe { part.run(call, saved, gradients, dbias, &mut scratch) };
            }
        });
}
