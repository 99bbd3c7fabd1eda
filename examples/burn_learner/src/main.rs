//! Burn's own `Learner` with a model and an objective of ours:
//! `cargo run --manifest-path examples/burn_learner/Cargo.toml`

mod forecast;
mod rows;

use burn::data::dataloader::{DataLoaderBuilder, Dataset, batcher::Batcher};
use burn::optim::{AdamWConfig, lr_scheduler::constant::ConstantLr};
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn::train::{InferenceStep, Learner, SupervisedTraining};
use volatilityforge::models::{ModelConfig, TabularSpec};
use volatilityforge::nn::ModuleConfig;
use volatilityforge::train::objective::{Objective, Quantiles, Scale, Targets};

use forecast::Forecast;
use rows::{Rows, rows};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (device, quantiles) = (Device::flex(), Quantiles::default());
    device.seed(1);
    let table = TabularSpec {
        n_num_features: 2,
        cat_cardinalities: vec![],
        d_out: quantiles.d_out(),
    };
    let config = ModelConfig::named("tabular_mlp")?.sized_for(&table)?;
    let model = Forecast {
        model: config.try_init(&device.clone().autodiff())?,
    };
    let loader = |n, seed| {
        let builder = DataLoaderBuilder::new(Rows).batch_size(128);
        builder.shuffle(seed).build(rows(n, seed))
    };
    let folder = std::env::temp_dir().join("volatilityforge-burn-learner");
    let learner = Learner::new(model, AdamWConfig::new().init(), ConstantLr::new(1e-3));
    let trained = SupervisedTraining::new(&folder, loader(8_192, 1), loader(2_048, 2))
        .metric_train_numeric(LossMetric::new())
        .metric_valid_numeric(LossMetric::new())
        .num_epochs(8)
        .launch(learner)
        .model;
    // Ours again: 80 % of what comes should lie between the outer two of the quantiles.
    let test = rows(2_048, 3).iter().collect::<Result<_, _>>()?;
    let outcome = trained.step(Rows.batch(test, &device));
    let outputs: Vec<f64> = outcome.output.into_data().iter().collect();
    let truth = outcome.targets.into_data().iter().collect();
    let said = quantiles.decode(&outputs, &[Scale::IDENTITY])?;
    let scores = quantiles.scores(&said, &Targets::new(1, truth)?)?;
    for score in scores.iter() {
        println!("{} of 2048 new rows: {:.3}", score.name, score.value);
    }
    Ok(())
}
