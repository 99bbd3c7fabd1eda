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
