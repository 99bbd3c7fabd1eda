//! What is particular to the cases of each model.

use forge_models::{SeriesInput, SeriesModel};
use forge_nn::{Forward, Want};

use super::fields::Is;
use super::{Outcome, Reference, stocks};
use crate::oracle::{OracleError, Session};

/// How the cases of `model` are read.
pub(super) fn of(model: &str) -> Reference {
    match model {
        "migt_tvdt" => stocks::MIGT_TVDT,
        "nhits" => NHITS,
        "stock_former" | "stock_former_student" => stocks::STOCK_FORMER,
        "tft" => TFT,
        "tft_xl" => stocks::TFT_XL,
        _ => Reference::PLAIN,
    }
}

const NHITS: Reference = Reference {
    set: &[("keep_padding", "true")],
    outputs: decomposition,
    ..Reference::PLAIN
};

/// The last value and what each block adds, where the case has them.
fn decomposition(
    session: &Session<'_>,
    model: &SeriesModel,
    input: &SeriesInput,
    _: &Forward,
) -> Outcome<()> {
    match model {
        SeriesModel::NHits(model) if session.has("output/block_forecasts") => {
            let parts = model.decomposition(input.clone());
            session.output("block_forecasts", parts.squeeze_dim::<3>(3))
        }
        _ => Ok(()),
    }
}

pub(super) const TFT: Reference = Reference {
    fields: &[
        ("tgt_size", Is::Only("1")),
        ("rnn_type", Is::Only("\"lstm\"")),
        ("grn_activation", Is::Only("\"ELU\"")),
    ],
    set: &[("targets_first", "false")],
    want: Want {
        attention: true,
        features: true,
    },
    outputs: weights,
    ..Reference::PLAIN
};

/// The weights of attention and of the variables.
fn weights(
    session: &Session<'_>,
    _: &SeriesModel,
    _: &SeriesInput,
    forward: &Forward,
) -> Outcome<()> {
    let [attention] = forward.maps.attention.as_slice() else {
        return Err(OracleError::new("no attention"));
    };
    session.output("attention", attention.clone())?;
    for map in &forward.maps.variables {
        let weights = map.weights.clone();
        match map.name {
            "past" => session.output("history_weights", weights)?,
            "future" => session.output("future_weights", weights)?,
            _ => session.output("static_weights", weights.squeeze_dim::<2>(1))?,
        }
    }
    Ok(())
}
