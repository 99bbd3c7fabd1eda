//! A Burn module and a loop of your own with pieces of ours: `cargo run --release --example custom_loop`

#![allow(clippy::print_stdout, reason = "examples talk")]

use volatilityforge::burn;
use volatilityforge::burn::module::Module;
use volatilityforge::burn::nn::{Linear, LinearConfig};
use volatilityforge::burn::optim::GradientsParams;
use volatilityforge::burn::tensor::{Device, Distribution, Tensor, activation::tanh};
use volatilityforge::nn::on_worker;
use volatilityforge::train::averaging::{Ema, EmaConfig};
use volatilityforge::train::loss::{LossConfig, RegressionLoss};
use volatilityforge::train::optimizer::{OptimizerConfig, clip_global_norm};
use volatilityforge::train::schedule::{OneCycle, ScheduleConfig};

#[derive(Module, Debug)]
struct Net {
    hidden: Linear,
    last: Linear,
}

impl Net {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.last.forward(tanh(self.hidden.forward(x)))
    }
}

fn rmse(net: &Net, x: Tensor<2>) -> f32 {
    let miss = net.forward(x.clone()) - (x * 3.0).sin();
    miss.square().mean().sqrt().into_scalar()
}

fn main() -> Result<(), volatilityforge::Error> {
    on_worker(&Device::flex(), run)
}

fn run() -> Result<(), volatilityforge::Error> {
    let device = Device::flex();
    device.seed(1);
    let training = device.clone().autodiff();
    let mut net = Net {
        hidden: LinearConfig::new(1, 32).init(&training),
        last: LinearConfig::new(32, 1).init(&training),
    };
    let (steps, loss) = (600, LossConfig::default());
    let rates = ScheduleConfig::OneCycle(OneCycle::default()).with_peak_lr(0.03);
    let rates = rates.build(steps)?;
    let mut optimizer = OptimizerConfig::default().build()?;
    let mut ema = Ema::new(EmaConfig::default(), &net);
    for step in 0..steps {
        let x = Tensor::random([64, 1], Distribution::Uniform(-1.0, 1.0), &training);
        let loss = loss.mean(net.forward(x.clone()), (x * 3.0).sin());
        let grads = GradientsParams::from_grads(loss.backward(), &net);
        let (grads, _) = clip_global_norm(&net, grads, 1.0);
        net = optimizer.step(rates.lr(step), net, grads);
        ema.update(&net)?;
    }
    let x = Tensor::random([500, 1], Distribution::Uniform(-1.0, 1.0), &device);
    let (last, average) = (rmse(&net.valid(), x.clone()), rmse(&ema.module(), x));
    println!("RMSE of sin 3x after {steps} steps: weights {last:.4}, their average {average:.4}");
    Ok(())
}
