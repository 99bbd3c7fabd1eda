//! The batteries over backbones: padding, and token by token.

use forge_models::{BackboneConfig, CarriesState, FtTransformerConfig, TabularConfig, TabularSpec};
use forge_nn::ModuleConfig;
use forge_nn::burn::tensor::Device;
use forge_testkit::battery;

/// What a causal backbone with state must do.
fn check<C: BackboneConfig<Module: CarriesState>>() {
    let (config, device) = (C::narrow(), Device::flex());
    let backbone = config.try_init(&device).unwrap();
    let (name, width) = (C::NAME, config.d_token());
    battery::padding_changes_nothing(name, &backbone, width, &device);
    battery::steps_equal_the_sequence(name, &backbone, width, &device);
    battery::states_of_others_are_refused(name, &backbone, width, &device);
    let learning = device.autodiff();
    let backbone = config.try_init(&learning).unwrap();
    battery::large_tokens_stay_finite(name, &backbone, width, &learning);
}

macro_rules! streaming {
    ($($test:ident: $config:ident),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                check::<forge_models::$config>();
            }
        )*
    };
}

streaming! {
    mamba: MambaBackboneConfig,
    mamba2: Mamba2BackboneConfig,
    xlstm: XlstmBackboneConfig,
    ttt_linear: TttLinearBackboneConfig,
    ttt_mlp: TttMlpBackboneConfig,
}

#[test]
fn ft_transformer() {
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
