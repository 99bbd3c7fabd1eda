//! Backbones over long sequences: time, peak memory, and a step's time.

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use forge_models::{
    AttentionKind, Backbone, BackboneConfig, CarriesState, HybridTransformerConfig,
    Mamba2BackboneConfig, MambaBackboneConfig, ModernTransformerConfig, NtmConfig,
    ParallelTransformerConfig, Strategy, TttLinearBackboneConfig, TttMlpBackboneConfig,
    XlstmBackboneConfig,
};
use forge_testkit::bench::{device, peak_mib};

/// Lengths between which growth is measured, each twice the one before.
const LENGTHS: [usize; 5] = [1_024, 2_048, 4_096, 8_192, 16_384];

/// Passes over each length, in turns: on a shared machine all of them have the same neighbours.
const ROUNDS: usize = 9;

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

/// Prints the figures of the backbone `name` at its balanced preset over one sequence of `tokens`; without
/// them the median times over sequences of all [`LENGTHS`], and how many times longer each takes than the one
/// before.
///
/// `linear_attention` and `sliding_window` are `modern_transformer` with that attention,
/// `hybrid_transformer` alternates the two, `xlstm_mlstm` and `xlstm_slstm` are xLSTM with blocks of one kind.
pub(crate) fn report(name: &str, tokens: Option<usize>) {
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

fn run<C: BackboneConfig<Module: CarriesState>>(name: &str, config: &C, tokens: Option<usize>) {
    match tokens {
        Some(tokens) => one_length(name, config, tokens),
        None => growth(name, config),
    }
}

/// Forward and backward over one sequence, in milliseconds.
fn pass<C: BackboneConfig>(config: &C, tokens: usize) -> impl FnMut() -> f64 {
    let device = device().autodiff();
    let backbone = config.try_init(&device).unwrap();
    let shape = [1, tokens, config.d_token()];
    let x = random(shape, &device).require_grad();
    let cotangent = random(shape, &device);
    move || {
        let start = Instant::now();
        let y = backbone.forward(x.clone(), None);
        let gradients = (y * cotangent.clone()).sum().backward();
        drop(x.grad(&gradients));
        device.sync().unwrap();
        start.elapsed().as_secs_f64() * 1e3
    }
}

fn growth<C: BackboneConfig>(name: &str, config: &C) {
    let mut passes = LENGTHS.map(|tokens| (pass(config, tokens), vec![]));
    for round in 0..=ROUNDS {
        for (pass, times) in &mut passes {
            let time = pass();
            // The first round warms up.
            if round > 0 {
                times.push(time);
            }
        }
    }
    let medians = passes.map(|(_, mut times)| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    for (i, (tokens, time)) in LENGTHS.iter().zip(medians).enumerate() {
        let grown = i.checked_sub(1).map(|before| time / medians[before]);
        let grown = grown.map_or_else(String::new, |grown| format!(", {grown:.2} times"));
        println!("{name}_{tokens} {time:.1} ms{grown}");
    }
    let all = (medians[LENGTHS.len() - 1] / medians[0]).powf(1.0 / (LENGTHS.len() - 1) as f64);
    println!("{name} {all:.2} times per doubling");
}

fn one_length<C: BackboneConfig<Module: CarriesState>>(name: &str, config: &C, tokens: usize) {
    let (width, device) = (config.d_token(), device());
    let mut pass = pass(config, tokens);
    let best = (0..3).map(|_| pass()).fold(f64::INFINITY, f64::min);
    let peak = peak_mib();
    drop(pass);
    let backbone = config.try_init(&device).unwrap();
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
