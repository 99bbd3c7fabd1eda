//! Every model of the registry against its authors' code.

use std::path::Path;

use forge_models::ModelConfig;
use forge_testkit::oracle::assert_cases;

/// A model without cases fails: there is no folder of its name. Those of `modern_tcn` are of its
/// forecaster: see `forecast_oracle`.
#[test]
fn every_model_agrees_with_its_reference() {
    for name in ModelConfig::NAMES
        .iter()
        .filter(|name| **name != "modern_tcn")
    {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
        assert_cases(folder.join(name));
    }
}

/// Blocks of stacks that have cases of their own.
#[test]
fn single_blocks_agree_with_their_reference() {
    for name in ["xlstm_mlstm", "xlstm_slstm"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
        assert_cases(folder.join(name));
    }
}
