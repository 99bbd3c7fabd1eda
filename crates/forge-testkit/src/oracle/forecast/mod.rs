//! Cases of forecasting models.

mod covariates;
mod fields;
mod io;
mod references;
mod stocks;

use burn::tensor::Tensor;
use forge_models::{ForecastModel, SeriesInput, SeriesModel, SeriesModelConfig, SeriesSpec};
use forge_nn::{Forward, Want};

use super::{OracleError, Session};
use fields::Field;
pub(crate) use stocks::calendar;

/// How the cases of a model are read, where they are not as most are.
pub(super) struct Reference {
    /// The model's name here, if another.
    model: Option<&'static str>,
    /// Fields that are not of the same name here, beside those of [`fields::COMMON`].
    fields: &'static [Field],
    /// Our fields that have no counterpart: they keep their default.
    spared: &'static [&'static str],
    /// What no table says of our fields, and of those of the windows.
    adjust: fn(&Session<'_>, &mut Fields, &mut Fields) -> Outcome<()>,
    /// The inputs.
    inputs: fn(&Session<'_>, &SeriesSpec) -> Outcome<SeriesInput>,
    /// What is wanted besides `y`.
    want: Want,
    /// Hands in the outputs besides `y`.
    outputs: fn(&Session<'_>, &SeriesModel, &SeriesInput, &Forward) -> Outcome<()>,
    /// Hands in `y`.
    y: fn(&Session<'_>, &SeriesSpec, Tensor<2>) -> Outcome<()>,
}

type Outcome<T> = Result<T, OracleError>;
type Fields = serde_json::Map<String, serde_json::Value>;

impl Reference {
    /// As most are.
    pub(super) const PLAIN: Self = Self {
        model: None,
        fields: &[],
        spared: &[],
        adjust: |_, _, _| Ok(()),
        inputs: io::inputs,
        want: Want::PREDICTIONS,
        outputs: |_, _, _, _| Ok(()),
        y: output,
    };
}

/// Whether `model` is one.
pub(super) fn knows(model: &str) -> bool {
    let name = references::of(model).model.unwrap_or(model);
    SeriesModelConfig::NAMES.contains(&name)
}

pub(super) fn run(session: &Session<'_>) -> Outcome<()> {
    let reference = references::of(&session.case().model);
    let config = fields::config(session, &reference)?;
    let model = config.load_reference(&session.params(), session.device())?;
    let model = session.track(model, config.key_map());
    let spec = config.spec();
    let input = (reference.inputs)(session, &spec)?;
    let forward = model.try_run(input.clone(), reference.want)?;
    (reference.outputs)(session, &model, &input, &forward)?;
    (reference.y)(session, &spec, forward.y)
}

/// `y` with the axes that the case has: `[B, H, N]`, `[B, H, W]` of one target, or `[B, …]`.
fn output(session: &Session<'_>, spec: &SeriesSpec, y: Tensor<2>) -> Outcome<()> {
    let [batch, outputs] = y.dims();
    match session.shape("output/y")?.len() {
        2 => session.output("y", y),
        _ => session.output(
            "y",
            y.reshape([batch, spec.horizon, outputs / spec.horizon]),
        ),
    }
}
