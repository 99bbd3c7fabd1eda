//! Drawn tables as something to train on.

use burn::tensor::{Device, Tensor, TensorData};
use forge_data::{DrawnTable, TablePriorConfig};
use forge_models::{Context, Model, TabularInput, TabularModel};
use forge_nn::{ForgeError, Want};
use forge_train::loss::{LossConfig, Mse};
use forge_train::metric::Scores;
use forge_train::objective::{Multiclass, Objective, ObjectiveConfig, Regression};
use forge_train::{StepContext, TrainTask};

use super::PriorFittingConfig;
use super::validation::Sums;
use crate::Error;
use crate::estimator::without_gradients;

/// Keeps the tables to validate on apart from those to train on.
const VALIDATION: u64 = 0x7661_6c69_6461_7465;

/// Tables drawn from a prior: the loss is the mean over tables of that of their rows to predict.
pub struct PriorTask {
    prior: TablePriorConfig,
    tables: usize,
    seed: u64,
    objective: ObjectiveConfig,
    validation: Vec<DrawnTable>,
    device: Device,
}

impl std::fmt::Debug for PriorTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PriorTask")
            .field("prior", &self.prior)
            .field("tables", &self.tables)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

impl PriorTask {
    /// The tables of a fitting; `device` is what is validated on.
    ///
    /// # Errors
    /// What the prior finds wrong.
    pub fn new(config: &PriorFittingConfig, device: &Device) -> Result<Self, Error> {
        let (prior, seed) = (config.prior.clone(), config.trainer.seed);
        let validation = 0..config.validation_tables as u64;
        let validation = validation.map(|i| prior.draw(seed ^ VALIDATION, i));
        Ok(Self {
            validation: validation.collect::<Result<_, _>>()?,
            objective: match prior.max_classes {
                0 => ObjectiveConfig::Regression(Regression {
                    loss: LossConfig::Mse(Mse {}),
                    ..Regression::default()
                }),
                n_classes => ObjectiveConfig::Multiclass(Multiclass {
                    n_classes,
                    ..Multiclass::default()
                }),
            },
            prior,
            tables: config.tables,
            seed,
            device: without_gradients(device),
        })
    }
}

impl PriorTask {
    /// How well a model in inference mode predicts tables, each as much as any other: `log_loss`,
    /// `accuracy` and, to compare, `majority_accuracy`, that of the most frequent labelled class; of
    /// numbers `rmse` in deviations of the labelled ones.
    ///
    /// # Errors
    /// An unsupported error for tables that the model does not take; a device error if its outputs
    /// cannot be read back.
    pub fn scores(&self, module: &Model, tables: &[DrawnTable]) -> Result<Scores, ForgeError> {
        let mut sums = Sums::default();
        for table in tables {
            let (input, _) = input(table, &self.device);
            let outputs = module.run_narrow(input, Want::PREDICTIONS)?.y;
            let outputs = outputs.try_into_vec_as::<f64>();
            let outputs = outputs
                .map_err(|e| ForgeError::device(format!("outputs cannot be read back: {e}")))?;
            sums.add(table, &outputs);
        }
        Ok(sums.scores())
    }
}

impl TrainTask for PriorTask {
    type Module = Model;

    /// Tables of an epoch.
    fn n_rows(&self) -> usize {
        self.tables
    }

    fn loss(
        &mut self,
        module: &Model,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        let mut sum: Option<Tensor<1>> = None;
        for row in rows {
            // By its number in the run, whatever batch it is in.
            let number = at.epoch as u64 * self.tables as u64 + *row as u64;
            let table = self.prior.draw(self.seed, number);
            let table = table.map_err(|e| ForgeError::training(e.to_string()))?;
            let (input, target) = input(&table, at.device);
            let forward = module.run_narrow(input, Want::PREDICTIONS)?;
            let loss = self.objective.loss(&forward, target, None);
            sum = Some(match sum {
                Some(sum) => sum + loss,
                None => loss,
            });
        }
        let none = || ForgeError::training("a batch without tables");
        Ok(sum.ok_or_else(none)? / rows.len() as f64)
    }

    fn validate(&self, module: &Model) -> Result<Option<Scores>, ForgeError> {
        match self.validation.is_empty() {
            true => Ok(None),
            false => self.scores(module, &self.validation).map(Some),
        }
    }
}

/// A table as a model is given it, and the targets of the rows to predict.
fn input(table: &DrawnTable, device: &Device) -> (TabularInput, Tensor<2>) {
    let (rows, known) = (table.n_rows(), table.labelled);
    let tensor = |values: &[f32], shape: [usize; 2]| -> Tensor<2> {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
    };
    let x = tensor(&table.features, [rows, table.n_features]);
    let y = tensor(&table.target, [rows, 1]);
    let of = |part: &Tensor<2>, from, length| part.clone().narrow(0, from, length);
    let labelled = TabularInput::numeric(of(&x, 0, known)).rows;
    let context = Context::labelled(labelled, of(&y, 0, known));
    let asked = TabularInput::numeric(of(&x, known, rows - known));
    (asked.with_context(context), of(&y, known, rows - known))
}
