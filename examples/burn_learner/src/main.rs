//! Burn's own `Learner` with a model and an objective of ours:
//! `cargo run --manifest-path examples/burn_learner/Cargo.toml`

use burn::data::dataloader::{DataLoaderBuilder, Dataset, batcher::Batcher};
use burn::data::dataset::InMemDataset;
use burn::module::Module;
use burn::optim::{AdamWConfig, lr_scheduler::constant::ConstantLr};
use burn::tensor::{Device, Tensor, TensorData};
use burn::train::metric::LossMetric;
use burn::train::{
    InferenceStep, Learner, RegressionOutput, SupervisedTraining, TrainOutput, TrainStep,
};
use volatilityforge::models::{Model, ModelConfig, TabularInput, TabularSpec};
use volatilityforge::nn::{ModuleConfig, Network, Want};
use volatilityforge::train::objective::{Objective, Quantiles};

#[derive(Module, Debug)]
struct Forecast {
    model: Model,
}

type Batch = (Tensor<2>, Tensor<2>);

impl Forecast {
    fn outcome(&self, (x, y): Batch) -> RegressionOutput {
        let forward = self.model.run(TabularInput::numeric(x), Want::PREDICTIONS);
        let loss = Quantiles::default().loss(&forward, y.clone(), None);
        RegressionOutput::new(loss, forward.y, y)
    }
}

impl TrainStep for Forecast {
    type Input = Batch;
    type Output = RegressionOutput;

    fn step(&self, batch: Batch) -> TrainOutput<RegressionOutput> {
        let outcome = self.outcome(batch);
        TrainOutput::new(self, outcome.loss.backward(), outcome)
    }
}

impl InferenceStep for Forecast {
    type Input = Batch;
    type Output = RegressionOutput;

    fn step(&self, batch: Batch) -> RegressionOutput {
        self.outcome(batch)
    }
}

/// Rows of two numbers: `sin 3x` with noise whose size is `0.2 + |z|`.
struct Rows;

impl Batcher<[f32; 3], Batch> for Rows {
    fn batch(&self, rows: Vec<[f32; 3]>, device: &Device) -> Batch {
        let n = rows.len();
        let x = rows.iter().flat_map(|row| [row[0], row[1]]).collect();
        let y = rows.iter().map(|row| row[2]).collect();
        let tensor = |values: Vec<f32>, width| {
            Tensor::from_data(TensorData::new(values, [n, width]), device)
        };
        (tensor(x, 2), tensor(y, 1))
    }
}

fn rows(n: usize, mut state: u64) -> InMemDataset<[f32; 3]> {
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let row = |_| {
        let [x, z, noise] = [uniform(), uniform(), uniform()];
        [x, z, (3.0 * x).sin() + (0.2 + z.abs()) * noise]
    };
    InMemDataset::new((0..n).map(row).collect())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex();
    device.seed(1);
    let table = TabularSpec {
        n_num_features: 2,
        cat_cardinalities: vec![],
        d_out: Quantiles::default().d_out(),
    };
    let config = ModelConfig::named("tabular_mlp")?.sized_for(&table)?;
    let model = Forecast {
        model: config.try_init(&device.clone().autodiff())?,
    };
    let loader = |n, seed| {
        DataLoaderBuilder::new(Rows)
            .batch_size(128)
            .shuffle(seed)
            .build(rows(n, seed))
    };
    let folder = std::env::temp_dir().join("volatilityforge-burn-learner");
    let learner = Learner::new(model, AdamWConfig::new().init(), ConstantLr::new(1e-3));
    let trained = SupervisedTraining::new(&folder, loader(8_192, 1), loader(2_048, 2))
        .metric_train_numeric(LossMetric::new())
        .metric_valid_numeric(LossMetric::new())
        .num_epochs(8)
        .launch(learner)
        .model;
    // Ours to read again: 80 % of what comes should lie between the outer two of the quantiles.
    let test = rows(2_048, 3);
    let (x, y) = Rows.batch(test.iter().collect::<Result<_, _>>()?, &device);
    let forward = trained
        .model
        .run(TabularInput::numeric(x), Want::PREDICTIONS);
    let outputs: Vec<f64> = forward.y.into_data().iter::<f64>().collect();
    let scale = [volatilityforge::train::objective::Scale::IDENTITY];
    let said = Quantiles::default().decode(&outputs, &scale)?;
    let truth: Vec<f64> = y.into_data().iter::<f64>().collect();
    let inside = said
        .quantile(0.1)?
        .into_iter()
        .zip(said.quantile(0.9)?)
        .zip(&truth);
    let inside = inside
        .filter(|((low, high), y)| low <= *y && *y <= high)
        .count();
    println!(
        "{:.1} % of 2048 new rows within the 80 % band",
        inside as f64 / 20.48
    );
    Ok(())
}
