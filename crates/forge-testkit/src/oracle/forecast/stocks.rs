//! Cases of models of stocks and futures: prices, a foundation model's vector, a context.

use burn::tensor::{Int, Tensor};
use forge_models::{CalendarSteps, SeriesInput, SeriesModel, SeriesSpec};
use forge_nn::Forward;
use forge_nn::activation::sigmoid;
use forge_nn::ops::Axes;
use serde_json::Value;

use super::covariates::TFT;
use super::fields::Is;
use super::{Fields, Outcome, Reference};
use crate::oracle::{OracleError, Session};

pub(super) const STOCK_FORMER: Reference = Reference {
    fields: &[
        ("lookback", Is::Window("lookback")),
        ("num_horizons", Is::Window("horizon")),
        ("price_dim", Is::Window("n_past")),
        ("kronos_dim", Is::Window("d_embedding")),
        ("context_dim", Is::Window("n_fixed")),
    ],
    adjust: |_, _, windows| returns_and_directions(windows),
    inputs: prices,
    y: side_by_side,
    ..Reference::PLAIN
};

pub(super) const TFT_XL: Reference = Reference {
    model: Some("tft"),
    fields: &[
        ("lookback", Is::Window("lookback")),
        ("num_horizons", Is::Window("horizon")),
        ("price_dim", Is::Window("n_past")),
        ("kronos_dim", Is::Window("d_embedding")),
        ("context_dim", Is::Window("n_fixed")),
        ("n_known", Is::Window("n_known")),
        ("n_heads", Is::Field("n_head")),
    ],
    spared: &["attn_dropout"],
    adjust: |_, ours, windows| {
        ours.insert("targets_first".into(), true.into());
        returns_and_directions(windows)
    },
    inputs: prices,
    ..TFT
};

pub(super) const MIGT_TVDT: Reference = Reference {
    fields: &[
        ("n_variables", Is::Window("n_past")),
        ("max_seq_len", Is::Window("lookback")),
        ("n_horizons", Is::Window("horizon")),
        ("n_quantiles", Is::Window("n_outputs")),
        ("bars_per_day", Is::Window("bars_per_day")),
    ],
    adjust: |_, _, windows| one_is_the_target(windows),
    inputs: variables,
    outputs: scale,
    ..Reference::PLAIN
};

/// The first price is the target's past.
fn one_is_the_target(windows: &mut Fields) -> Outcome<()> {
    let all = windows.get("n_past").and_then(Value::as_u64);
    let others = all.and_then(|all| all.checked_sub(1));
    let others = others.ok_or_else(|| OracleError::new("'config' has no variable"))?;
    windows.insert("n_past".into(), others.into());
    Ok(())
}

/// Two outputs per step.
fn returns_and_directions(windows: &mut Fields) -> Outcome<()> {
    windows.insert("n_outputs".into(), 2.into());
    one_is_the_target(windows)
}

/// The variables of a window: the target, and the others where there are any.
fn target_and_others(x: &Tensor<3>) -> SeriesInput {
    let variables = x.dims()[2];
    let others = (variables > 1).then(|| x.clone().narrow(2, 1, variables - 1));
    SeriesInput {
        past_covariates: others,
        ..x.clone().narrow(2, 0, 1).into()
    }
}

/// `price`, `kronos`, `context`, `known`.
fn prices(session: &Session<'_>, _: &SeriesSpec) -> Outcome<SeriesInput> {
    Ok(SeriesInput {
        embedding: session.optional_input("kronos")?,
        fixed: session.optional_input("context")?,
        known: session.optional_input("known")?,
        ..target_and_others(&session.input("price")?)
    })
}

/// Returns of all horizons, then directions of all, in `y` and apart.
fn side_by_side(session: &Session<'_>, spec: &SeriesSpec, y: Tensor<2>) -> Outcome<()> {
    let [batch, outputs] = y.dims();
    let horizon = spec.horizon;
    let y = y.reshape([batch, horizon, outputs / horizon]);
    let y = y.swapped(1, 2).reshape([batch, outputs]);
    let [returns, directions] = [0, horizon].map(|first| y.clone().narrow(1, first, horizon));
    session.output("ret", returns)?;
    session.output("up_logits", directions.clone())?;
    session.output("up_prob", sigmoid(directions))?;
    session.output("y", y)
}

/// `x`, `valid`, and the clocks, of which the reference has all but the first once per window.
fn variables(session: &Session<'_>, spec: &SeriesSpec) -> Outcome<SeriesInput> {
    Ok(SeriesInput {
        valid: session.optional_mask("valid")?,
        calendar: Some(calendar(session, spec.horizon)?),
        ..target_and_others(&session.input("x")?)
    })
}

/// The clocks over the steps of the case and `ahead` more, of which no result depends.
pub(crate) fn calendar(session: &Session<'_>, ahead: usize) -> Outcome<CalendarSteps> {
    let missing = |name: &str| OracleError::new(format!("input/{name} is missing"));
    let bars = session.optional_int::<2>("bar_in_day")?;
    let bars = bars.ok_or_else(|| missing("bar_in_day"))?;
    let [batch, steps] = bars.dims();
    let shape = [batch, steps + ahead];
    let after = Tensor::<2, Int>::zeros([batch, ahead], &bars.device());
    let day = |name: &str| -> Outcome<Tensor<2, Int>> {
        let day = session.optional_int::<1>(name)?;
        let day = day.ok_or_else(|| missing(name))?;
        Ok(day.unsqueeze_dim::<2>(1).expand(shape))
    };
    Ok(CalendarSteps {
        bar_in_day: match ahead {
            0 => bars,
            _ => Tensor::cat(vec![bars, after], 1),
        },
        day_of_week: day("day_of_week")?,
        day_of_month: day("day_of_month")?,
        day_of_year: day("day_of_year")?,
    })
}

/// What was taken out of the windows.
fn scale(
    session: &Session<'_>,
    model: &SeriesModel,
    input: &SeriesInput,
    _: &Forward,
) -> Outcome<()> {
    let SeriesModel::MigtTvdt(model) = model else {
        return Ok(());
    };
    let statistics = model.scale_of(input);
    session.output("mean", statistics.mean)?;
    session.output("std", statistics.std)
}
