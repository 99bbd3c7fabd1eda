//! Steps by hand: the engine keeps module, optimiser, clipping and average, and you the loop:
//! `cargo run --release --example engine_step`

#![allow(clippy::print_stdout, reason = "examples talk")]

use volatilityforge::burn::module::Module;
use volatilityforge::burn::nn::LinearConfig;
use volatilityforge::burn::tensor::{Device, Distribution, Tensor};
use volatilityforge::nn::on_worker;
use volatilityforge::train::averaging::{Ema, EmaConfig};
use volatilityforge::train::rule::ClipNorm;
use volatilityforge::train::schedule::{Polynomial, ScheduleConfig};
use volatilityforge::train::{Engine, EngineConfig};

/// What is to be found: `y = 2 x₀ - x₁ + 0.5`.
fn truth(x: Tensor<2>) -> Tensor<2> {
    let coefficients = Tensor::<2>::from_data([[2.0], [-1.0]], &x.device());
    x.matmul(coefficients) + 0.5
}

fn main() -> Result<(), volatilityforge::Error> {
    on_worker(&Device::flex(), run)
}

fn run() -> Result<(), volatilityforge::Error> {
    let device = Device::flex();
    device.seed(1);
    let settings = EngineConfig {
        schedule: ScheduleConfig::Polynomial(Polynomial {
            base_lr: 0.05,
            ..Polynomial::default()
        }),
        steps: 400,
        ..EngineConfig::default()
    };
    let steps = settings.steps;
    let mut engine = Engine::new(LinearConfig::new(2, 1).init(&device), settings)?
        .with_rule(ClipNorm::new(1.0)?);
    let ema = Ema::new(EmaConfig::default(), engine.module());
    engine = engine.with_averaging(ema);
    for step in 0..steps {
        // The random numbers of a step are those of its number, whatever was drawn before.
        let outcome = engine.step(|line, at| {
            let x = Tensor::random([32, 2], Distribution::Default, at.device);
            Ok((line.forward(x.clone()) - truth(x)).square().mean())
        })?;
        if step % 100 == 0 {
            let loss: f32 = outcome.loss.into_scalar();
            println!("step {step}: loss {loss:.5}, rate {:.4}", engine.lr(step));
        }
    }
    let weights = engine.module().valid().weight.val().to_data();
    for (name, candidate, _) in engine.candidates() {
        let x = Tensor::random([500, 2], Distribution::Default, &device);
        let miss = candidate.forward(x.clone()) - truth(x);
        let rmse: f32 = miss.square().mean().sqrt().into_scalar();
        println!("{name}: RMSE {rmse:.5}; weights in training {weights}");
    }
    Ok(())
}
