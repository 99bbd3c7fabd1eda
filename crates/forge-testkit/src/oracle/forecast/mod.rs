//! Cases of forecasting models.

mod fields;
mod io;
mod references;

use burn::tensor::Tensor;
use forge_models::{ForecastModel, SeriesInput, SeriesModelConfig, SeriesSpec};
use forge_nn::{Forward, Want};

use super::{OracleError, Session};
use fields::Field;

/// How the cases of a model are read, where they are not as most are.
pub(super) struct Reference {
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
    outputs: fn(&Session<'_>, &Forward) -> Outcome<()>,
}

type Outcome<T> = Result<T, OracleError>;
type Fields = serde_json::Map<String, serde_json::Value>;

impl Reference {
    /// As most are.
    pub(super) const PLAIN: Self = Self {
        fields: &[],
        spared: &[],
        adjust: |_, _, _| Ok(()),
        inputs: io::inputs,
        want: Want::PREDICTIONS,
        outputs: |_, _| Ok(()),
    };
}

/// Whether `model` is one.
pub(super) fn knows(model: &str) -> bool {
    SeriesModelConfig::NAMES.contains(&model)
}

pub(super) fn run(session: &Session<'_>) -> Outcome<()> {
    let reference = references::of(&session.case().model);
    let config = fields::config(session, &reference)?;
    let model = config.load_reference(&session.params(), session.device())?;
    let model = session.track(model, config.key_map());
    let spec = config.spec();
    let input = (reference.inputs)(session, &spec)?;
    let forward = model.try_run(input, reference.want)?;
    (reference.outputs)(session, &forward)?;
    output(session, &spec, forward.y)
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
