//! The batteries over backbones: padding, and token by token.

use forge_models::{FtTransformerConfig, TabularConfig, TabularSpec};
use forge_nn::ModuleConfig;
use forge_nn::burn::tensor::Device;
use forge_testkit::battery;

#[test]
fn padding_changes_nothing_in_an_ft_transformer() {
    let table = TabularSpec {
        n_num_features: 1,
        cat_cardinalities: vec![],
        d_out: 1,
    };
    let device = Device::flex();
    let config = FtTransformerConfig::narrow().sized_for(&table).unwrap();
    let model = config.try_init(&device).unwrap();
    battery::padding_changes_nothing("ft_transformer", &model.backbone, config.d_block, &device);
}
