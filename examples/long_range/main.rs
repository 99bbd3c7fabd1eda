//! What a causal backbone finds again far back in a sequence:
//! `cargo run --release --example long_range -- --task selective-copying --backbones mamba ttt_linear`
//!
//! Selective copying and induction heads of Gu & Dao 2023, for every causal backbone: accuracy on new
//! sequences and the seconds that training took.

#![allow(clippy::print_stdout, reason = "examples talk")]

mod learner;
mod tasks;

use clap::Parser;
use volatilityforge::burn::tensor::Device;
use volatilityforge::models::{
    AttentionKind, BackboneConfig, HybridTransformerConfig, Mamba2BackboneConfig,
    MambaBackboneConfig, ModernTransformerConfig, NtmConfig, ParallelTransformerConfig, Strategy,
    TttLinearBackboneConfig, TttMlpBackboneConfig, XlstmBackboneConfig,
};
use volatilityforge::nn::on_worker;

use learner::accuracy;
use tasks::Task;

const BACKBONES: [&str; 10] = [
    "mamba",
    "mamba2",
    "xlstm",
    "ttt_linear",
    "ttt_mlp",
    "modern_transformer",
    "linear_attention",
    "hybrid_transformer",
    "parallel_transformer",
    "ntm",
];

#[derive(Debug, Parser)]
#[command(about = "Long-range tasks for causal backbones")]
pub(crate) struct Arguments {
    /// All of them, if none is named.
    #[arg(long, num_args = 1.., value_parser = BACKBONES)]
    backbones: Vec<String>,
    #[arg(long, value_enum, default_value_t = Task::SelectiveCopying)]
    task: Task,
    /// Tokens of a sequence; the paper has 4,096 in selective copying, 256 in induction heads.
    #[arg(long, default_value_t = 256)]
    time: usize,
    /// Tokens of the first sequences, if not as many: they double, and there are half as many per step, whenever
    /// the mean loss of twenty steps is below 0.2.
    #[arg(long)]
    from: Option<usize>,
    /// Lengths besides that new sequences are asked at, with no training there.
    #[arg(long, num_args = 1..)]
    also: Vec<usize>,
    /// Tokens to be copied; the paper has 16.
    #[arg(long, default_value_t = 16)]
    kept: usize,
    /// Most training steps.
    #[arg(long, default_value_t = 5_000)]
    steps: usize,
    /// Seconds per backbone after which training ends.
    #[arg(long, default_value_t = 180.0)]
    seconds: f64,
    /// Sequences per step, at first.
    #[arg(long, default_value_t = 16)]
    batch: usize,
    /// Highest learning rate.
    #[arg(long, default_value_t = 3e-3)]
    rate: f64,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl Arguments {
    /// The lengths that questions are asked at, that of training first.
    fn lengths(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.time).chain(self.also.iter().copied())
    }
}

/// The backbone of the balanced preset, 64 wide in two layers.
fn preset<C: BackboneConfig>() -> C {
    C::preset(Strategy::Balanced).config
}

fn run(name: &str, arguments: &Arguments) -> Result<(), volatilityforge::Error> {
    let causal = ModernTransformerConfig {
        causal: true,
        ..preset()
    };
    let outcome = match name {
        "mamba" => accuracy(&preset::<MambaBackboneConfig>(), arguments),
        "mamba2" => accuracy(&preset::<Mamba2BackboneConfig>(), arguments),
        "xlstm" => accuracy(&preset::<XlstmBackboneConfig>(), arguments),
        "ttt_linear" => accuracy(&preset::<TttLinearBackboneConfig>(), arguments),
        "ttt_mlp" => accuracy(&preset::<TttMlpBackboneConfig>(), arguments),
        "modern_transformer" => accuracy(&causal, arguments),
        "linear_attention" => accuracy(
            &ModernTransformerConfig {
                attention: AttentionKind::Linear,
                ..causal
            },
            arguments,
        ),
        "hybrid_transformer" => accuracy(
            &HybridTransformerConfig {
                causal: true,
                ..preset()
            },
            arguments,
        ),
        "parallel_transformer" => accuracy(
            &ParallelTransformerConfig {
                causal: true,
                ..preset()
            },
            arguments,
        ),
        _ => accuracy(
            &NtmConfig {
                d_model: 64,
                ..NtmConfig::default()
            },
            arguments,
        ),
    }?;
    let shares: String = outcome
        .accuracies
        .iter()
        .map(|share| format!(" {:.1} % |", 100.0 * share))
        .collect();
    println!(
        "| `{name}` |{shares} {} | {} | {:.0} |",
        outcome.reached, outcome.steps, outcome.seconds
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    // Two tokens of the induction heads besides one to be found; room for what is kept and asked.
    let least = match arguments.task {
        Task::SelectiveCopying => 2 * arguments.kept,
        Task::InductionHeads => 3,
    };
    let mut lengths = arguments.lengths().chain(arguments.from);
    if lengths.any(|time| time < least) || arguments.kept == 0 || arguments.batch == 0 {
        let message = format!(
            "--time, --from and --also must be at least {least}, --kept and --batch at least 1"
        );
        return Err(message.into());
    }
    let asked: String = arguments
        .lengths()
        .map(|time| format!(" right at {time} |"))
        .collect();
    println!("| backbone |{asked} trained at | steps | seconds |");
    println!(
        "|---|{}---:|---:|---:|",
        "---:|".repeat(arguments.lengths().count())
    );
    for name in BACKBONES {
        let wanted = &arguments.backbones;
        if wanted.is_empty() || wanted.iter().any(|one| one == name) {
            on_worker(&Device::flex(), || run(name, &arguments))?;
        }
    }
    Ok(())
}
