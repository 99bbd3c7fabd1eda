//! The forecaster of every backbone.

use super::{PatchConfig, PatchModel};
use crate::tabular::{
    HybridTransformerBackbone, HybridTransformerConfig, HyperMixerBackbone, HyperMixerConfig,
    Mamba2Backbone, Mamba2BackboneConfig, MambaBackbone, MambaBackboneConfig,
    ModernTransformerBackbone, ModernTransformerConfig, NtmBackbone, NtmConfig,
    ParallelTransformerBackbone, ParallelTransformerConfig, TttBackbone, TttLinearBackboneConfig,
    TttMlpBackboneConfig, XlstmBackbone, XlstmBackboneConfig,
};

macro_rules! forecasters {
    ($($model:ident, $config:ident: $backbone:ident, $backbone_config:ident;)+) => {$(
        #[doc = concat!("Patches, [`", stringify!($backbone), "`] and head.")]
        pub type $model = PatchModel<$backbone>;

        #[doc = concat!("The config of [`", stringify!($model), "`].")]
        pub type $config = PatchConfig<$backbone_config>;
    )+};
}

forecasters! {
    MambaForecaster, MambaForecasterConfig: MambaBackbone, MambaBackboneConfig;
    Mamba2Forecaster, Mamba2ForecasterConfig: Mamba2Backbone, Mamba2BackboneConfig;
    XlstmForecaster, XlstmForecasterConfig: XlstmBackbone, XlstmBackboneConfig;
    TttLinearForecaster, TttLinearForecasterConfig: TttBackbone, TttLinearBackboneConfig;
    TttMlpForecaster, TttMlpForecasterConfig: TttBackbone, TttMlpBackboneConfig;
    ModernTransformerForecaster, ModernTransformerForecasterConfig:
        ModernTransformerBackbone, ModernTransformerConfig;
    HybridTransformerForecaster, HybridTransformerForecasterConfig:
        HybridTransformerBackbone, HybridTransformerConfig;
    ParallelTransformerForecaster, ParallelTransformerForecasterConfig:
        ParallelTransformerBackbone, ParallelTransformerConfig;
    HyperMixerForecaster, HyperMixerForecasterConfig: HyperMixerBackbone, HyperMixerConfig;
    NtmForecaster, NtmForecasterConfig: NtmBackbone, NtmConfig;
}
