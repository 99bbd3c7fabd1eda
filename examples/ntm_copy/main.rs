//! A Neural Turing Machine learns to copy what it was shown, and a picture shows where it puts it:
//! `cargo run --release --example ntm_copy`
//!
//! Graves, Wayne & Danihelka 2014 (arXiv 1410.5401), section 4.1: one to twenty vectors of eight random
//! bits, an end mark, and then the machine says them again, seeing nothing. It prints the share of wrong
//! bits at twenty vectors and at forty, which it was never shown, and writes `ntm_copy.svg`.

#![allow(clippy::print_stdout, reason = "examples talk")]

mod picture;
mod task;

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use volatilityforge::burn::module::Module;
use volatilityforge::burn::optim::GradientsParams;
use volatilityforge::burn::tensor::activation::softplus;
use volatilityforge::burn::tensor::{Device, Tensor};
use volatilityforge::models::{Backbone, CarriesState, NtmBackbone, NtmConfig};
use volatilityforge::nn::{ModuleConfig, on_worker};
use volatilityforge::train::optimizer::{AdamWConfig, OptimizerConfig, clip_global_norm};

use task::{CHANNELS, Sequence};

const LONGEST: usize = 20;

#[derive(Debug, Parser)]
#[command(about = "A Neural Turing Machine learns the copy task")]
struct Arguments {
    /// Most training steps.
    #[arg(long, default_value_t = 6_000)]
    steps: usize,
    /// Seconds after which training ends.
    #[arg(long, default_value_t = 165.0)]
    seconds: f64,
    /// Sequences per step, all of one length.
    #[arg(long, default_value_t = 16)]
    batch: usize,
    /// Learning rate.
    #[arg(long, default_value_t = 3e-3)]
    rate: f64,
    /// Slots of the memory; the paper has 128.
    #[arg(long, default_value_t = 32)]
    slots: usize,
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where the picture goes.
    #[arg(long, default_value = "ntm_copy.svg")]
    picture: PathBuf,
}

/// Share of wrong bits in 64 sequences of `length` vectors.
fn bit_error(machine: &NtmBackbone, length: usize, device: &Device) -> f64 {
    let sequence = Sequence::draw(64, length, device);
    let outputs = machine.forward(sequence.tokens.clone(), None);
    sequence.bit_error(sequence.answer(outputs))
}

/// Where the heads write and read while one sequence is copied.
fn picture(machine: &NtmBackbone, device: &Device) -> String {
    let tokens = Sequence::draw(1, LONGEST, device).tokens;
    let mut state = machine.start(1, device);
    let (mut writes, mut reads) = (vec![], vec![]);
    for t in 0..tokens.dims()[1] {
        let token = tokens.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
        (_, state) = machine.step(token, state);
        for [read, write] in state.addresses() {
            reads.push(read.weights.clone().squeeze_dim::<1>(0));
            writes.push(write.weights.clone().squeeze_dim::<1>(0));
        }
    }
    picture::addresses(&[("writing", writes), ("reading", reads)])
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    on_worker(&Device::flex(), run)
}

fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments = Arguments::parse();
    let device = Device::flex();
    device.seed(arguments.seed);
    let learning = device.clone().autodiff();
    let config = NtmConfig {
        d_model: CHANNELS,
        n_slots: arguments.slots,
        ..NtmConfig::default()
    };
    let mut machine = config.try_init(&learning)?;
    let adam = AdamWConfig {
        weight_decay: 0.0,
        ..AdamWConfig::default()
    };
    let mut optimizer = OptimizerConfig::AdamW(adam).build()?;
    let mut lengths = ChaCha8Rng::seed_from_u64(arguments.seed);
    let start = Instant::now();
    println!(
        "| step | seconds | loss per bit | wrong bits, {LONGEST} vectors |\n|---:|---:|---:|---:|"
    );
    for step in 1..=arguments.steps {
        // The rate falls with whatever ends first, steps or time.
        let share = step as f64 / arguments.steps as f64;
        let share = share.max(start.elapsed().as_secs_f64() / arguments.seconds);
        let sequence = Sequence::draw(
            arguments.batch,
            lengths.random_range(1..=LONGEST),
            &learning,
        );
        let logits = sequence.answer(machine.forward(sequence.tokens.clone(), None));
        // Binary cross-entropy of logits.
        let loss: Tensor<1> =
            (softplus(logits.clone(), 1.0) - logits * sequence.vectors.clone()).mean();
        let printed = loss.clone();
        let gradients = GradientsParams::from_grads(loss.backward(), &machine);
        let (gradients, _) = clip_global_norm(&machine, gradients, 1.0);
        let rate = arguments.rate * (1.0 - share).clamp(0.02, 1.0);
        machine = optimizer.step(rate, machine, gradients);
        let last = share >= 1.0;
        if step % 250 == 0 || last {
            println!(
                "| {step} | {:.0} | {:.4} | {:.2} % |",
                start.elapsed().as_secs_f64(),
                printed.into_scalar::<f32>(),
                100.0 * bit_error(&machine.valid(), LONGEST, &device)
            );
        }
        if last {
            break;
        }
    }
    let machine = machine.valid();
    for length in [1, 10, LONGEST, 2 * LONGEST] {
        let error = 100.0 * bit_error(&machine, length, &device);
        println!("{length} vectors: {error:.2} % of the bits wrong");
    }
    std::fs::write(&arguments.picture, picture(&machine, &device))?;
    println!("Where it wrote and read: {}", arguments.picture.display());
    Ok(())
}
