//! Outputs of a model that is an ensemble in itself.

use forge_nn::{ForgeError, check};

use super::outputs::Outputs;
use super::{Objective, Predictions, Scale};

/// Rows decoded at a time: what is held beside outputs and result stays small.
const ROWS: usize = 1024;

/// What [`Objective::decode_each`] says.
pub(super) fn decode_each<O: Objective + ?Sized>(
    objective: &O,
    outputs: &[f64],
    members: usize,
    scales: &[Scale],
) -> Result<Vec<Predictions>, ForgeError> {
    check::at_least_one("members", members)?;
    let d_out = objective.d_out();
    let row = d_out * members;
    Outputs::new(outputs, members * objective.slots(), objective.width())?;
    let of = |member: usize| {
        let rows = outputs.chunks_exact(row);
        let own = rows.flat_map(|row| &row[member * d_out..][..d_out]);
        objective.decode(&own.copied().collect::<Vec<_>>(), scales)
    };
    (0..members).map(of).collect()
}

/// What [`Objective::decode_members`] says.
pub(super) fn decode_members<O: Objective + ?Sized>(
    objective: &O,
    outputs: &[f64],
    members: usize,
    scales: &[Scale],
) -> Result<Predictions, ForgeError> {
    check::at_least_one("members", members)?;
    // Here, where rows have their numbers: a block knows only its own.
    Outputs::new(outputs, members * objective.slots(), objective.width())?;
    let mut all = objective.decode(&[], scales)?;
    for block in outputs.chunks(ROWS * objective.d_out() * members) {
        let each = decode_each(objective, block, members, scales)?;
        all.append(Predictions::average(&each)?)?;
    }
    Ok(all)
}
