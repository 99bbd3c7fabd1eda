//! Backbones in f32 beside the same weights in f64: over 16,384 tokens, and with gates of ±1000.

use forge_models::{
    AttentionKind, Backbone, Mamba2BackboneConfig, MambaBackboneConfig, ModernTransformerConfig,
    TttLinearBackboneConfig, TttMlpBackboneConfig, XlstmBackboneConfig,
};
use forge_nn::ModuleConfig;
use forge_nn::burn::module::Param;
use forge_nn::burn::tensor::{DType, Device, Tensor};
use forge_nn::parameters::{ParameterMapper, ParameterPath, map_parameters, replace_value};
use forge_testkit::Noise;

const LONG: usize = 16_384;
const WIDTH: usize = 8;

struct Cast(DType);

impl ParameterMapper for Cast {
    fn map<const D: usize>(&mut self, _: &ParameterPath, p: Param<Tensor<D>>) -> Param<Tensor<D>> {
        replace_value(p, |value| value.cast(self.0))
    }
}

/// Outputs and the gradient of the tokens.
fn run<B: Backbone>(backbone: &B, time: usize, dtype: DType) -> [Vec<f64>; 2] {
    let device = Device::flex().autodiff();
    let mut noise = Noise::new(3);
    let [x, cotangent] = [(); 2].map(|()| {
        let values = noise.tensor(&[1, time, WIDTH]);
        // In f32 first, so that both see the same numbers.
        Tensor::<3>::from_data(values, (&device, DType::F32)).cast(dtype)
    });
    let x = x.detach().require_grad();
    let y = backbone.forward(x.clone(), None);
    let gradients = (y.clone() * cotangent).sum().backward();
    let gradient = x.grad(&gradients).unwrap();
    [y.inner(), gradient].map(|values| values.into_data().iter::<f64>().collect())
}

/// Both of f32 are those of f64 within `tolerance` of the largest.
fn assert_exact<B: Backbone>(name: &str, backbone: B, time: usize, tolerance: f64) {
    let single = run(&backbone, time, DType::F32);
    let double = run(
        &map_parameters(backbone, &mut Cast(DType::F64)),
        time,
        DType::F64,
    );
    for (part, (single, double)) in ["outputs", "gradient"]
        .iter()
        .zip(single.iter().zip(&double))
    {
        let largest = double
            .iter()
            .fold(0.0f64, |largest, x| largest.max(x.abs()));
        assert!(largest > 0.0, "{name}: {part}");
        let errors = single
            .iter()
            .zip(double)
            .map(|(a, b)| (a - b).abs() / largest);
        // A NaN is the largest of all.
        let worst = errors.max_by(f64::total_cmp).unwrap();
        assert!(worst < tolerance, "{name}: {part} are off by {worst:e}");
    }
}

fn assert_exact_over_long<C: ModuleConfig<Module: Backbone>>(name: &str, config: &C) {
    assert_exact(name, started(config), LONG, 1e-4);
}

fn started<C: ModuleConfig>(config: &C) -> C::Module {
    let device = Device::flex().autodiff();
    device.seed(5);
    config.try_init(&device).unwrap()
}

#[test]
fn long_sequences_through_state_space_models_are_exact_in_f32() {
    let config = MambaBackboneConfig {
        d_model: WIDTH,
        n_layers: 1,
        d_state: 4,
        ..MambaBackboneConfig::default()
    };
    assert_exact_over_long("mamba", &config);
    let config = Mamba2BackboneConfig {
        hidden_size: WIDTH,
        num_hidden_layers: 1,
        head_dim: 8,
        state_size: 4,
        ..Mamba2BackboneConfig::default()
    };
    assert_exact_over_long("mamba2", &config);
}

/// One block; blocks of the kinds in `slstm_at`.
fn xlstm(slstm_at: Vec<usize>) -> XlstmBackboneConfig {
    let mut config = XlstmBackboneConfig {
        embedding_dim: WIDTH,
        num_blocks: 1,
        slstm_at,
        ..XlstmBackboneConfig::default()
    };
    config.mlstm.num_heads = 2;
    config.mlstm.round_proj_up_to_multiple_of = 8;
    config.slstm.num_heads = 2;
    config.slstm.feedforward = None;
    config
}

#[test]
fn long_sequences_through_xlstm_are_exact_in_f32() {
    assert_exact_over_long("mlstm", &xlstm(vec![]));
    assert_exact_over_long("slstm", &xlstm(vec![0]));
}

#[test]
fn long_sequences_through_test_time_training_are_exact_in_f32() {
    let linear = TttLinearBackboneConfig {
        hidden_size: WIDTH,
        intermediate_size: WIDTH,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        ..TttLinearBackboneConfig::default()
    };
    assert_exact_over_long("ttt_linear", &linear);
    let mlp = TttMlpBackboneConfig {
        hidden_size: WIDTH,
        intermediate_size: WIDTH,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        ..TttMlpBackboneConfig::default()
    };
    // Its updates of two layers, each through the other, amplify roundings: over noise with first weights a
    // gradient is off by 1e-4 after 2,048 tokens and by 3e-2 after 4,096.
    assert_exact("ttt_mlp", started(&mlp), 1_024, 1e-4);
}

#[test]
fn long_sequences_through_linear_and_windowed_attention_are_exact_in_f32() {
    for (attention, window) in [
        (AttentionKind::Linear, None),
        (AttentionKind::SlidingWindow, Some(31)),
    ] {
        let config = ModernTransformerConfig {
            d_model: WIDTH,
            n_layers: 1,
            n_heads: 2,
            d_hidden: WIDTH,
            attention,
            window,
            causal: true,
            ..ModernTransformerConfig::default()
        };
        assert_exact_over_long(&format!("{attention:?}"), &config);
    }
}

/// Sets what makes the exponential gates of a block.
struct LargeGates(Noise);

impl ParameterMapper for LargeGates {
    fn map<const D: usize>(
        &mut self,
        path: &ParameterPath,
        p: Param<Tensor<D>>,
    ) -> Param<Tensor<D>> {
        let path = path.join();
        if !["gate.weight", "gate.bias"]
            .iter()
            .any(|end| path.ends_with(end))
        {
            return p;
        }
        replace_value(p, |value| {
            let noise = self.0.tensor(&value.dims());
            Tensor::from_data(noise, (&value.device(), value.dtype())) * 1e3
        })
    }
}

#[test]
fn exponential_gates_of_a_thousand_are_exact_in_f32() {
    let device = Device::flex().autodiff();
    for (name, slstm_at) in [("mlstm", vec![]), ("slstm", vec![0])] {
        device.seed(7);
        let backbone = xlstm(slstm_at).try_init(&device).unwrap();
        let backbone = map_parameters(backbone, &mut LargeGates(Noise::new(11)));
        // 1000 has a rounding of 6e-5 in f32, which the exponential turns into a relative one.
        assert_exact(name, backbone, 67, 2e-3);
    }
}
