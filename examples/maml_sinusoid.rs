//! Learns to learn sine curves from ten points (Finn, Abbeel & Levine, arXiv 1703.03400, §5.1).
//!
//! Run with `cargo run --release --example maml_sinusoid`. It trains the paper's network (two layers
//! of 40) once by MAML and once, with as many steps, on the same curves without adaptation, and
//! prints the squared error on 600 new curves after 0, 1, 5 and 10 gradient steps on ten points.

#![allow(clippy::print_stdout, reason = "examples talk")]

use volatilityforge::burn::module::Module;
use volatilityforge::burn::nn::{Linear, LinearConfig};
use volatilityforge::burn::optim::{AdamConfig, GradientsParams};
use volatilityforge::burn::tensor::activation::relu;
use volatilityforge::burn::tensor::{Device, Tensor};
use volatilityforge::meta::adaptation::{Maml, MamlConfig, Sinusoids, TaskDistribution};
use volatilityforge::meta::functional::{Functional, Params};
use volatilityforge::nn::{ForgeError, on_worker};

/// Meta-steps; the paper has 70,000. `MAML_STEPS` sets another number.
const STEPS: usize = 8_000;
/// Tasks per meta-step; the paper has 25. Fewer give more steps in the same time.
const TASKS: usize = 5;
/// Curves that are tested on.
const TESTS: u64 = 600;

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    second: Linear,
    last: Linear,
}

impl Net {
    fn new(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(1, 40).init(device),
            second: LinearConfig::new(40, 40).init(device),
            last: LinearConfig::new(40, 1).init(device),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = relu(self.first.forward(x));
        self.last.forward(relu(self.second.forward(x)))
    }
}

type Batch = (Tensor<2>, Tensor<2>);

fn loss(net: &Net, (x, y): Batch) -> Tensor<1> {
    (net.forward(x) - y).square().mean()
}

/// The mean error on new curves after each number of steps.
fn test(maml: &Maml<Batch>, net: &Net, device: &Device) -> Result<Vec<f64>, ForgeError> {
    let tasks = Sinusoids {
        n_support: 10,
        n_query: 100,
    };
    let params = Params::of(net);
    let rates = maml.rates(&params)?;
    let mut sums = vec![0.0; 11];
    for seed in 0..TESTS {
        // Far from the seeds of training.
        let task = tasks.task(u64::MAX - seed, device)?;
        let mut adapted = params.clone();
        for (step, sum) in sums.iter_mut().enumerate() {
            if step > 0 {
                adapted = maml.adapt_by(&adapted, &rates, task.support.clone(), 1)?;
            }
            let error = maml.loss().call(&adapted, task.query.clone())?;
            *sum += error.into_scalar::<f64>() / TESTS as f64;
        }
    }
    Ok(sums)
}

fn main() -> Result<(), ForgeError> {
    on_worker(&Device::flex(), run)
}

fn run() -> Result<(), ForgeError> {
    let steps = std::env::var("MAML_STEPS").ok();
    let steps = steps.and_then(|steps| steps.parse().ok()).unwrap_or(STEPS);
    let device = Device::flex();
    device.seed(1);
    let start = Net::new(&device.clone().autodiff()).materialize();
    let tasks = Sinusoids::default();
    let maml = Maml::new(MamlConfig::default(), Functional::capture(&start, loss))?;

    let began = std::time::Instant::now();
    let (mut net, mut optimizer) = (start.clone(), AdamConfig::new().init());
    for step in 0..steps {
        let seeds = (step * TASKS) as u64..((step + 1) * TASKS) as u64;
        let batch = seeds.map(|seed| tasks.task(seed, &device));
        let batch = batch.collect::<Result<Vec<_>, _>>()?;
        let meta = maml.meta_gradient(&Params::of(&net), None, batch)?;
        if step % 500 == 0 {
            println!("step {step}: {:.3} after one inner step", meta.loss);
        }
        net = optimizer.step(1e-3, net.clone(), meta.gradient.as_gradients(&net)?);
    }
    println!(
        "MAML: {steps} steps in {:.0} s",
        began.elapsed().as_secs_f64()
    );

    // Pre-training: one network for all curves at once.
    let (mut pretrained, mut optimizer) = (start, AdamConfig::new().init());
    for step in 0..steps {
        let seeds = (step * TASKS) as u64..((step + 1) * TASKS) as u64;
        let batch = seeds.map(|seed| tasks.task(seed, &device).map(|task| task.support));
        let batch = batch.collect::<Result<Vec<Batch>, _>>()?;
        let (x, y) = batch.into_iter().unzip();
        let device = device.clone().autodiff();
        let both = (Tensor::cat(x, 0), Tensor::cat(y, 0));
        let both = (both.0.to_device(&device), both.1.to_device(&device));
        let gradients = loss(&pretrained, both).backward();
        let gradients = GradientsParams::from_grads(gradients, &pretrained);
        pretrained = optimizer.step(1e-3, pretrained, gradients);
    }

    let (ours, theirs) = (
        test(&maml, &net, &device)?,
        test(&maml, &pretrained, &device)?,
    );
    println!("squared error on {TESTS} new curves, 10 points each");
    println!("{:>14} {:>8} {:>8} {:>8} {:>8}", "steps", 0, 1, 5, 10);
    for (name, errors) in [("MAML", &ours), ("pre-training", &theirs)] {
        let shown = [0, 1, 5, 10].map(|step| format!("{:>8.3}", errors[step]));
        println!("{name:>14} {}", shown.join(" "));
    }
    println!(
        "Published for MAML, one step, trained and tested with ten points: 0.77 ± 0.11 (Li et al., arXiv"
    );
    println!(
        "1707.09835, table 1). MAML's own paper has a plot (arXiv 1703.03400, figure 3), in which"
    );
    println!("pre-training gains little.");
    Ok(())
}
