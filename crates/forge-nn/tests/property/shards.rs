//! Layers take sizes and values from what a parameter is worth, not from how it is stored.

use burn::module::Module;
use burn::tensor::{DType, Int, Tensor};
use forge_nn::activation::{
    AconAConfig, AconBConfig, AconCConfig, FRelu1dConfig, GatedFeedForwardConfig, MetaAconConfig,
    StarReluConfig,
};
use forge_nn::adaptive_computation::AdaptiveComputationTimeConfig;
use forge_nn::attention::{
    CrossAttentionConfig, GroupedQueryAttentionConfig, LinearAttentionConfig,
    MultiHeadAttentionConfig,
};
use forge_nn::gating::{GatedInstanceNormConfig, LiteGateUnitConfig, SqueezeExcitationConfig};
use forge_nn::norm::{
    AdaptiveLayerNormConfig, BatchNormConfig, ClassConditionalLayerNormConfig,
    ConditionalLayerNormConfig, GroupNorm1dConfig, LayerNormConfig, LayerScaleConfig, QkNormKind,
    RevInConfig, RmsNormConfig,
};
use forge_nn::ops::AttentionMask;
use forge_nn::pooling::AttentionPoolingConfig;
use forge_nn::position::{LearnedPositionsConfig, RotaryEmbeddingConfig, Time2VecConfig};
use forge_nn::{
    CategoricalTokenizerConfig, LinearConfig, ModuleConfig, NumericTokenizerConfig,
    QuantumInspiredLinearConfig, burn,
};
use forge_testkit::with_padded_parameters;

use crate::checks::{close, device, in_f64, normal};

fn check<M: Module, const D: usize>(module: M, forward: impl Fn(&M) -> Tensor<D>) {
    let module = in_f64(module);
    let stored = module.num_params();
    let padded = with_padded_parameters(module.clone());
    assert!(padded.num_params() > stored, "nothing is padded");
    close(forward(&padded), forward(&module), 1e-14);
}

/// `[B, T, D]` = `[2, 5, 6]`; channels are axis 1.
fn x() -> Tensor<3> {
    let values: Vec<f64> = (0..60)
        .map(|i| f64::from(i * 37 % 61) / 20.0 - 1.5)
        .collect();
    let data = burn::tensor::TensorData::new(values, [2, 5, 6]);
    Tensor::from_data(data, (&device(), DType::F64))
}

#[test]
fn layers_of_features() {
    let d = device();
    check(LinearConfig::new(6, 3).init(&d), |m| m.forward(x()));
    check(QuantumInspiredLinearConfig::new(6, 3).init(&d), |m| {
        m.forward(x())
    });
    check(GatedFeedForwardConfig::new(6, 7).init(&d), |m| {
        m.forward(x())
    });
    check(LiteGateUnitConfig::new(6).init(&d), |m| {
        m.forward(x(), x() * 2.0)
    });
    check(GatedInstanceNormConfig::new(6).init(&d), |m| {
        m.forward(x(), x() * 2.0)
    });
    check(LayerScaleConfig::new(6).init(&d), |m| m.forward(x()));
    check(StarReluConfig::new().init(&d), |m| m.forward(x()));
}

#[test]
fn layers_of_channels() {
    let d = device();
    check(AconAConfig::new(5).init(&d), |m| m.forward(x()));
    check(AconBConfig::new(5).init(&d), |m| m.forward(x()));
    check(AconCConfig::new(5).init(&d), |m| m.forward(x()));
    check(MetaAconConfig::new(5).init(&d), |m| m.forward(x()));
    check(FRelu1dConfig::new(5).init(&d), |m| m.forward(x()));
    check(SqueezeExcitationConfig::new(5, 3).init(&d), |m| {
        m.forward(x())
    });
}

#[test]
fn norms() {
    let (d, cond) = (device(), normal::<2>([2, 3]));
    check(LayerNormConfig::new(6).init(&d), |m| m.forward(x()));
    check(RmsNormConfig::new(6).init(&d), |m| m.forward(x()));
    check(BatchNormConfig::new(5).init(&d), |m| m.forward(x()));
    check(GroupNorm1dConfig::new(5, 5).init(&d), |m| m.forward(x()));
    check(RevInConfig::new(6).init(&d), |m| m.normalize(x()).0);
    check(AdaptiveLayerNormConfig::new(6, 3).init(&d), |m| {
        m.forward(x(), cond.clone())
    });
    check(ConditionalLayerNormConfig::new(6, 3).init(&d), |m| {
        m.forward(x(), cond.clone())
    });
    check(ClassConditionalLayerNormConfig::new(6, 3).init(&d), |m| {
        m.forward(x(), Tensor::<1, Int>::from_ints([2, 0], &device()))
    });
}

#[test]
fn attention() {
    let (d, none) = (device(), AttentionMask::none);
    check(MultiHeadAttentionConfig::new(6, 2).init(&d), |m| {
        m.forward(x(), none(), None)
    });
    check(MultiHeadAttentionConfig::new(6, 2).init(&d), |m| {
        m.forward_first(x(), none())
    });
    check(LinearAttentionConfig::new(6, 2).init(&d), |m| {
        m.forward(x(), None)
    });
    check(CrossAttentionConfig::new(6, 6, 2).init(&d), |m| {
        m.forward(x(), x(), none(), None)
    });
    check(AttentionPoolingConfig::new(6).init(&d), |m| {
        m.forward(x(), None)
    });
    let grouped = GroupedQueryAttentionConfig::new(6, 2, 1)
        .with_head_dim(Some(4))
        .with_rotary(Some(RotaryEmbeddingConfig::new(4)))
        .with_qk_norm(Some(QkNormKind::Rms));
    check(grouped.init(&d), |m| m.forward(x(), none(), None));
    check(GroupedQueryAttentionConfig::new(6, 2, 1).init(&d), |m| {
        m.forward(x(), none(), None)
    });
}

#[test]
fn positions_tokens_and_pondering() {
    let d = device();
    check(LearnedPositionsConfig::new(9, 6).init(&d), |m| {
        m.forward(x(), 2)
    });
    check(Time2VecConfig::new(4).init(&d), |m| {
        m.forward(x().narrow(2, 0, 1))
    });
    check(AdaptiveComputationTimeConfig::new(6, 4, 3).init(&d), |m| {
        m.forward(x(), None).output
    });
    let numeric = NumericTokenizerConfig {
        n_features: 6,
        d_token: 4,
        bias: true,
        missing: true,
    };
    let rows = || x().reshape([10, 6]);
    let present = || rows().greater_scalar(0.0);
    check(numeric.init(&d), |m| m.forward(rows(), Some(present())));
    let categorical = CategoricalTokenizerConfig {
        cardinalities: vec![3, 2],
        d_token: 4,
        bias: true,
        missing: false,
    };
    check(categorical.init(&d), |m| {
        m.forward(
            Tensor::<2, Int>::from_ints([[2, 1], [0, 0], [1, 1]], &device()),
            None,
        )
    });
}
