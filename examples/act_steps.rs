//! How long a network thinks about easy and hard rows:
//! `cargo run --release --example act_steps`
//!
//! Rows are eight signs and a switch. With the switch off the answer is the first sign; with it on, the
//! product of the first five. Nothing tells the network which rows are hard but its own mistakes and what a
//! step costs it.

#![allow(clippy::print_stdout, reason = "examples talk")]

use volatilityforge::burn::module::Module;
use volatilityforge::burn::optim::{AdamConfig, GradientsParams};
use volatilityforge::burn::tensor::activation::log_sigmoid;
use volatilityforge::burn::tensor::{Device, Distribution, Tensor};
use volatilityforge::models::{ActMlpConfig, TabularInput};
use volatilityforge::nn::{ModuleConfig, Network, Want, on_worker};

const ROWS: usize = 256;
const STEPS: usize = 2_500;

/// Rows `[N, 9]` and the sign of the right answer `[N, 1]`; the switch is the last column.
fn rows(n: usize, device: &Device) -> (Tensor<2>, Tensor<2>) {
    let draw = |columns| {
        let coins = Tensor::<2>::random([n, columns], Distribution::Default, device);
        coins.greater_elem(0.5).float() * 2.0 - 1.0
    };
    let (signs, switch) = (draw(8), draw(1));
    let product = (1..5).fold(signs.clone().narrow(1, 0, 1), |product, i| {
        product * signs.clone().narrow(1, i, 1)
    });
    let easy = signs.clone().narrow(1, 0, 1);
    let on = switch.clone().greater_elem(0.0);
    (
        Tensor::cat(vec![signs, switch], 1),
        easy.mask_where(on, product),
    )
}

fn main() -> Result<(), volatilityforge::Error> {
    on_worker(&Device::flex(), run)
}

fn run() -> Result<(), volatilityforge::Error> {
    println!("| seed | rows | right | steps |\n|---|---|---:|---:|");
    for seed in 0..3 {
        let device = Device::flex();
        device.seed(seed);
        let learning = device.clone().autodiff();
        let config = ActMlpConfig {
            d_in: 9,
            d_hidden: 24,
            n_basis: Some(2),
            max_steps: 12,
            ponder_cost: 3e-3,
            ..ActMlpConfig::default()
        };
        let mut model = config.try_init(&learning)?;
        let mut optimizer = AdamConfig::new().init();
        for step in 0..STEPS {
            let (x, sign) = rows(ROWS, &learning);
            let said = model.run(TabularInput::numeric(x), Want::PREDICTIONS);
            let mut loss = log_sigmoid(said.y * sign).mean().neg();
            if let Some(ponder) = said.penalty {
                loss = loss + ponder;
            }
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            let rate = 3e-3 * (1.0 - step as f64 / STEPS as f64);
            model = optimizer.step(rate, model, gradients);
        }
        let (x, sign) = rows(4_000, &device);
        let hard = x.clone().narrow(1, 8, 1).greater_elem(0.0).float();
        let pondered = model.valid().pondered(TabularInput::numeric(x));
        let right = (pondered.output.squeeze_dim::<2>(1) * sign).greater_elem(0.0);
        let steps = pondered.n_steps.float();
        for (name, these) in [("easy", hard.clone().neg() + 1.0), ("hard", hard)] {
            let mean = |of: Tensor<2>| -> f32 {
                ((of * these.clone()).sum() / these.clone().sum()).into_scalar()
            };
            let (right, steps) = (mean(right.clone().float()), mean(steps.clone()));
            println!("| {seed} | {name} | {:.1} % | {steps:.2} |", 100.0 * right);
        }
    }
    Ok(())
}
