//! One layer of each backbone over tokens.

use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor};
use forge_models::{
    AttentionKind, Backbone, HybridTransformerConfig, HyperMixerConfig, Mamba2BackboneConfig,
    MambaBackboneConfig, ModernTcnConfig, ModernTransformerConfig, ParallelTransformerConfig,
    TttLinearBackboneConfig, TttMlpBackboneConfig, XlstmBackboneConfig,
};
use forge_nn::ModuleConfig;
use forge_testkit::bench::{Work, device};
use forge_train::optimizer::OptimizerConfig;

/// Sequences, and tokens of each.
const SHAPE: [usize; 2] = [8, 512];

type Item = (&'static str, fn() -> Work);

/// An optimiser step of one layer at its default width, and what makes it.
pub(crate) const ITEMS: [Item; 12] = [
    ("mamba_block", mamba),
    ("mamba2_block", mamba2),
    ("xlstm_mlstm_block", || xlstm(vec![])),
    ("xlstm_slstm_block", || xlstm(vec![0])),
    ("ttt_linear_block", ttt_linear),
    ("ttt_mlp_block", ttt_mlp),
    ("hyper_mixer_block", hyper_mixer),
    ("modern_tcn_block", modern_tcn),
    ("modern_transformer_block", || {
        modern(AttentionKind::MultiHead)
    }),
    ("linear_transformer_block", || modern(AttentionKind::Linear)),
    ("parallel_transformer_block", parallel),
    ("hybrid_transformer_block", hybrid),
];

fn mamba() -> Work {
    let config = MambaBackboneConfig {
        n_layers: 1,
        ..MambaBackboneConfig::default()
    };
    step(&config, config.d_model)
}

fn mamba2() -> Work {
    let config = Mamba2BackboneConfig {
        num_hidden_layers: 1,
        ..Mamba2BackboneConfig::default()
    };
    step(&config, config.hidden_size)
}

fn xlstm(slstm_at: Vec<usize>) -> Work {
    let config = XlstmBackboneConfig {
        num_blocks: 1,
        slstm_at,
        add_post_blocks_norm: false,
        ..XlstmBackboneConfig::default()
    };
    step(&config, config.embedding_dim)
}

fn ttt_linear() -> Work {
    let config = TttLinearBackboneConfig {
        num_hidden_layers: 1,
        ..TttLinearBackboneConfig::default()
    };
    step(&config, config.hidden_size)
}

fn ttt_mlp() -> Work {
    let config = TttMlpBackboneConfig {
        num_hidden_layers: 1,
        ..TttMlpBackboneConfig::default()
    };
    step(&config, config.hidden_size)
}

fn hyper_mixer() -> Work {
    let config = HyperMixerConfig {
        n_layers: 1,
        ..HyperMixerConfig::default()
    };
    step(&config, config.d_model)
}

fn modern_tcn() -> Work {
    let config = ModernTcnConfig::default();
    step(&config, config.d_model)
}

fn modern(attention: AttentionKind) -> Work {
    let config = ModernTransformerConfig {
        n_layers: 1,
        attention,
        causal: true,
        ..ModernTransformerConfig::default()
    };
    step(&config, config.d_model)
}

fn parallel() -> Work {
    let config = ParallelTransformerConfig {
        n_layers: 1,
        causal: true,
        ..ParallelTransformerConfig::default()
    };
    step(&config, config.d_model)
}

/// Two layers: one of each kind of its pattern.
fn hybrid() -> Work {
    let config = HybridTransformerConfig {
        n_layers: 2,
        causal: true,
        ..HybridTransformerConfig::default()
    };
    step(&config, config.d_model)
}

fn random(width: usize, device: &Device) -> Tensor<3> {
    let [batch, time] = SHAPE;
    Tensor::random([batch, time, width], Distribution::Normal(0.0, 1.0), device)
}

fn step<C>(config: &C, width: usize) -> Work
where
    C: ModuleConfig<Module: Backbone + 'static>,
{
    let device = device().autodiff();
    let (x, target) = (random(width, &device), random(width, &device));
    let mut optimizer = OptimizerConfig::default().build().unwrap();
    let mut backbone = Some(config.try_init(&device).unwrap());
    Box::new(move || {
        let current = backbone.take().unwrap();
        let error = current.forward(x.clone(), None) - target.clone();
        let gradients = error.square().mean().backward();
        let gradients = GradientsParams::from_grads(gradients, &current);
        backbone = Some(optimizer.step(1e-4, current, gradients));
    })
}
