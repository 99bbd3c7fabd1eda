//! What is particular to the cases of each model.

use forge_nn::Want;

use super::fields::{Field, Is};
use super::{Reference, covariates, io, stocks};

/// How the cases of `model` are read.
pub(super) fn of(model: &str) -> Reference {
    match model {
        "patch_tst" => Reference {
            fields: PATCH_TST,
            adjust: |_, ours, _| {
                let end = ours.get("pad_end").is_some_and(|value| value == "end");
                ours.insert("pad_end".into(), end.into());
                Ok(())
            },
            ..Reference::PLAIN
        },
        "itransformer" => Reference {
            adjust: io::marks,
            want: Want {
                attention: true,
                features: false,
            },
            outputs: |session, _, _, forward| io::attention(session, forward),
            ..Reference::PLAIN
        },
        "tsmixer" => Reference {
            fields: TSMIXER,
            ..Reference::PLAIN
        },
        "migt_tvdt" => stocks::MIGT_TVDT,
        "nhits" => covariates::NHITS,
        "stock_former" | "stock_former_student" => stocks::STOCK_FORMER,
        "tft" => covariates::TFT,
        "tft_xl" => stocks::TFT_XL,
        _ => Reference::PLAIN,
    }
}

const PATCH_TST: &[Field] = &[
    // "end" or null.
    ("padding_patch", Is::Field("pad_end")),
    ("individual", Is::Switch("individual")),
    ("revin", Is::Switch("revin")),
    ("affine", Is::Switch("affine")),
    ("subtract_last", Is::Switch("subtract_last")),
    ("fc_dropout", Is::Unused),
];

const TSMIXER: &[Field] = &[
    ("norm_type", Is::Only("\"B\"")),
    ("activation", Is::Only("\"relu\"")),
];
