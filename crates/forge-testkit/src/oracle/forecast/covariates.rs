//! Cases of models that take covariates of every kind.

use forge_models::{SeriesInput, SeriesModel};
use forge_nn::{Forward, Want};

use super::fields::Is;
use super::{Outcome, Reference};
use crate::oracle::{OracleError, Session};

pub(super) const NHITS: Reference = Reference {
    adjust: |_, ours, _| {
        ours.insert("keep_padding".into(), true.into());
        Ok(())
    },
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
    adjust: |_, ours, _| {
        ours.insert("targets_first".into(), false.into());
        Ok(())
    },
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
