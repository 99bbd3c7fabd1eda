//! Backbones over long sequences: time, peak memory, and a step's time.

use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use forge_models::{
    AttentionKind, Backbone, BackboneConfig, CarriesState, HybridTransformerConfig,
    Mamba2BackboneConfig, MambaBackboneConfig, ModernTransformerConfig, NtmConfig,
    ParallelTransformerConfig, Strategy, TttLinearBackboneConfig, TttMlpBackboneConfig,
    XlstmBackboneConfig,
};
use forge_testkit::bench::{device, peak_mib};

/// Steps that are timed together.
const STEPS: usize = 64;

/// Tokens before it that a token sees where its sight is limited.
const WINDOW: usize = 128;

/// What can be asked for.
const NAMES: [&str; 13] = [
    "mamba",
    "mamba2",
    "xlstm",
    "xlstm_mlstm",
    "xlstm_slstm",
    "ttt_linear",
    "ttt_mlp",
    "linear_attention",
    "sliding_window",
    "hybrid_transformer",
    "modern_transformer",
    "parallel_transformer",
    "ntm",
];

/// Prints the figures of the backbone `name` at its balanced preset over one sequence of `tokens`.
///
/// `linear_attention` and `sliding_window` are `modern_transformer` with that attention,
/// `hybrid_transformer` alternates the two, `xlstm_mlstm` and `xlstm_slstm` are xLSTM with blocks of one kind.
pub(crate) fn report(name: &str, tokens: usize) {
    let modern = |attention, window| ModernTransformerConfig {
        attention,
        window,
        causal: true,
        ..preset()
    };
    match name {
        "mamba" => run::<MambaBackboneConfig>(name, &preset(), tokens),
        "mamba2" => run::<Mamba2BackboneConfig>(name, &preset(), tokens),
        "xlstm" => run::<XlstmBackboneConfig>(name, &preset(), tokens),
        "xlstm_mlstm" | "xlstm_slstm" => {
            let mut config: XlstmBackboneConfig = preset();
            config.slstm_at = match name {
                "xlstm_slstm" => (0..config.num_blocks).collect(),
                _ => vec![],
            };
            run(name, &config, tokens);
        }
        "ttt_linear" => run::<TttLinearBackboneConfig>(name, &preset(), tokens),
        "ttt_mlp" => run::<TttMlpBackboneConfig>(name, &preset(), tokens),
        "linear_attention" => run(name, &modern(AttentionKind::Linear, None), tokens),
        "sliding_window" => {
            let config = modern(AttentionKind::SlidingWindow, Some(WINDOW));
            run(name, &config, tokens);
        }
        "hybrid_transformer" => {
            let config = HybridTransformerConfig {
                layer_attention: vec![AttentionKind::SlidingWindow, AttentionKind::Linear],
                window: Some(WINDOW),
                causal: true,
                ..preset()
            };
            run(name, &config, tokens);
        }
        "modern_transformer" => run(name, &modern(AttentionKind::MultiHead, None), tokens),
        "parallel_transformer" => {
            let config = ParallelTransformerConfig {
                causal: true,
                ..preset()
            };
            run(name, &config, tokens);
        }
        "ntm" => run::<NtmConfig>(name, &preset(), tokens),
        _ => panic!("{name} is none of {}", NAMES.join(", ")),
    }
}

fn preset<C: BackboneConfig>() -> C {
    C::preset(Strategy::Balanced).config
}

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

fn run<C: BackboneConfig<Module: CarriesState>>(name: &str, config: &C, tokens: usize) {
    let (width, device) = (config.d_token(), device());
    let learning = device.clone().autodiff();
    let backbone = config.try_init(&learning).unwrap();
    let x = random([1, tokens, width], &learning).require_grad();
    let cotangent = random([1, tokens, width], &learning);
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        let y = backbone.forward(x.clone(), None);
        let gradients = (y * cotangent.clone()).sum().backward();
        drop(x.grad(&gradients));
        device.sync().unwrap();
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    let peak = peak_mib();
    let backbone = backbone.valid();
    let history = random([1, tokens, width], &device);
    let mut state = backbone.start(1, &device);
    let start = Instant::now();
    if tokens > STEPS {
        (_, state) = backbone.steps(history.narrow(1, 0, tokens - STEPS), state);
    }
    device.sync().unwrap();
    let read = start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    for _ in 0..STEPS.min(tokens) {
        let (y, next) = backbone.step(random([1, width], &device), state);
        state = next;
        drop(y);
    }
    device.sync().unwrap();
    let step = start.elapsed().as_secs_f64() * 1e3 / STEPS.min(tokens) as f64;
    println!(
        "{name}_{tokens} {best:.1} ms, peak {peak} MiB; all but {STEPS} tokens read in {read:.1} ms, then \
         {step:.3} ms per step"
    );
}
