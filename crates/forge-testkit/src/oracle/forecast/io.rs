//! Their names of our inputs.

use burn::tensor::Tensor;
use forge_models::{SeriesInput, SeriesSpec};
use forge_nn::Forward;

use super::{Fields, Outcome};
use crate::oracle::Session;

/// The inputs of most cases.
///
/// `x` or `insample_y` (the targets' past), `insample_mask`, `hist_exog`, `futr_exog`, `stat_exog`;
/// `x_mark` are covariates of the past.
pub(super) fn inputs(session: &Session<'_>, _: &SeriesSpec) -> Outcome<SeriesInput> {
    let past = match session.optional_input::<3>("x")? {
        Some(past) => past,
        None => session.input("insample_y")?,
    };
    let mask = session.optional_mask::<3>("insample_mask")?;
    let covariates = match session.optional_input::<3>("hist_exog")? {
        Some(covariates) => Some(covariates),
        None => session.optional_input("x_mark")?,
    };
    Ok(SeriesInput {
        valid: mask.map(|mask| mask.squeeze_dim::<2>(2)),
        past_covariates: covariates,
        known: session.optional_input("futr_exog")?,
        fixed: session.optional_input("stat_exog")?,
        ..past.into()
    })
}

/// The number of calendar features in `x_mark`, as covariates of the past.
pub(super) fn marks(session: &Session<'_>, _: &mut Fields, windows: &mut Fields) -> Outcome<()> {
    if session.has("input/x_mark") {
        let shape = session.shape("input/x_mark")?;
        windows.insert("n_past".into(), shape.last().copied().into());
    }
    Ok(())
}

/// Maps of all layers as one output, `[layers, B, H, Tq, Tk]`.
pub(super) fn attention(session: &Session<'_>, forward: &Forward) -> Outcome<()> {
    let maps = forward.maps.attention.clone();
    session.output("attention", Tensor::<4>::stack::<5>(maps, 0))
}
