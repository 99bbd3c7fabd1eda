//! Normalisation layers.

mod adaptive_layer_norm;
mod batch_norm;
mod class_conditional_layer_norm;
mod conditional_layer_norm;
mod group_norm_1d;
mod layer_norm;
mod layer_scale;
mod qk_norm;
mod rev_in;
mod rms_norm;
mod running_statistic;

pub use adaptive_layer_norm::{AdaptiveLayerNorm, AdaptiveLayerNormConfig, CondActivation};
pub use batch_norm::{BatchNorm, BatchNormConfig};
pub use class_conditional_layer_norm::{
    ClassConditionalLayerNorm, ClassConditionalLayerNormConfig,
};
pub use conditional_layer_norm::{ConditionalLayerNorm, ConditionalLayerNormConfig};
pub use group_norm_1d::{GroupNorm1d, GroupNorm1dConfig};
pub use layer_norm::{LayerNorm, LayerNormConfig};
pub use layer_scale::{LayerScale, LayerScaleConfig};
pub use qk_norm::{HeadNorm, QkNorm, QkNormConfig, QkNormKind};
pub use rev_in::{RevIn, RevInConfig, RevInStatistics};
pub use rms_norm::{RmsNorm, RmsNormConfig};
pub use running_statistic::RunningStatistic;
