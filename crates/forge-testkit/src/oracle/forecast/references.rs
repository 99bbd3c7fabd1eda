//! What is particular to the cases of each model.

use forge_nn::Want;
use serde_json::Value;

use super::fields::{Field, Is};
use super::{Fields, Outcome, Reference, covariates, io, stocks};
use crate::oracle::Session;

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
        "timemixer" => Reference {
            fields: TIMEMIXER,
            adjust: io::marks,
            ..Reference::PLAIN
        },
        "modern_tcn" => Reference {
            fields: MODERN_TCN,
            adjust: used_stages,
            ..Reference::PLAIN
        },
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

const TIMEMIXER: &[Field] = &[
    ("c_out", Is::Window("n_targets")),
    ("channel_independence", Is::Switch("channel_independence")),
    ("use_norm", Is::Switch("use_norm")),
    ("decomp_method", Is::Only("\"moving_avg\"")),
    ("freq", Is::Unused),
];

const MODERN_TCN: &[Field] = &[
    ("num_blocks", Is::Field("n_blocks")),
    ("revin", Is::Switch("revin")),
    ("affine", Is::Switch("affine")),
    ("subtract_last", Is::Switch("subtract_last")),
    ("small_kernel_merged", Is::Only("false")),
    ("use_multi_scale", Is::Only("false")),
    // Unused by what the authors run.
    ("head_dropout", Is::Only("0.0")),
    ("freq", Is::Unused),
];

/// The widths of the stages that there are: the reference is given four whatever their number.
fn used_stages(_: &Session<'_>, ours: &mut Fields, _: &mut Fields) -> Outcome<()> {
    let stages = ours.get("n_blocks").and_then(Value::as_array).map(Vec::len);
    if let (Some(stages), Some(Value::Array(dims))) = (stages, ours.get_mut("dims")) {
        dims.truncate(stages);
    }
    Ok(())
}
