//! Every forecasting model against its authors' code.

use std::path::Path;

use forge_models::{ModelConfig, SeriesModelConfig};
use forge_testkit::oracle::assert_cases;

/// A model without cases fails: there is no folder of its name. The cases of a backbone, which has a
/// form for tables too, run there; those of `modern_tcn` are of its forecaster.
#[test]
fn every_model_agrees_with_its_reference() {
    let alone = |name: &&&str| **name == "modern_tcn" || !ModelConfig::NAMES.contains(*name);
    for name in SeriesModelConfig::NAMES.iter().filter(alone) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
        assert_cases(folder.join(name));
    }
}

/// Presets and parts of models that have cases of their own.
#[test]
fn presets_and_parts_agree_with_their_reference() {
    for name in [
        "tft_xl",
        "migt_calendar_encoding",
        "migt_gated_instance_norm",
        "migt_masked_revin",
        "migt_quantile_head",
        "migt_temporal_aggregation",
        "migt_temporal_block",
        "migt_variable_block",
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
        assert_cases(folder.join(name));
    }
}
