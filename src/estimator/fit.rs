//! Training on a table.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use burn::module::Module;
use burn::tensor::Device;
use forge_data::{
    CategoricalEncoding, FeatureSelection, PreprocessReport, Preprocessor, Split, SplitConfig,
    Table, TabularDataset, TargetTransform,
};
use forge_models::{ModelConfig, TabularSpec};
use forge_nn::ModuleConfig;
use forge_train::{EpochRecord, Observer, Start, StopReason, Trainer};
use serde::Serialize;

use super::task::{TableTask, Validation, without_gradients};
use super::{FittedRegressor, RegressorConfig, Strategy};
use crate::Error;

/// A regressor to be: a target column and how to learn it.
///
/// ```no_run
/// use volatilityforge::{DeviceName, TabularRegressor, read_table};
///
/// let (chain, _) = read_table("chain.csv", &Default::default())?;
/// let device = DeviceName::Flex.open()?;
/// let model = TabularRegressor::new("implied_vol").fit(&chain, &device)?;
/// model.save("model.safetensors")?;
/// # Ok::<(), volatilityforge::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TabularRegressor {
    target: String,
    ignore: Vec<String>,
    config: Recipe,
}

/// Settings as given, or by the table's length once it is known.
#[derive(Debug, Clone, PartialEq)]
enum Recipe {
    Given(Box<RegressorConfig>),
    Preset(Strategy),
}

/// The model of [`TabularRegressor::new`].
const DEFAULT_MODEL: &str = "ft_transformer";

/// Beside the data: who watches, and where a killed run goes on.
#[derive(Default)]
pub struct FitOptions {
    /// Hear of every batch and epoch.
    pub observers: Vec<Box<dyn Observer>>,
    /// Where checkpoints go. Absent: none are written.
    pub checkpoints: Option<PathBuf>,
    /// Go on from the newest checkpoint there, if there is one.
    pub resume: bool,
    /// Set from outside (Ctrl-C, say) to end after the step in progress with a checkpoint.
    pub stop: Option<Arc<AtomicBool>>,
}

impl std::fmt::Debug for FitOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FitOptions")
            .field("observers", &self.observers.len())
            .field("checkpoints", &self.checkpoints)
            .field("resume", &self.resume)
            .finish_non_exhaustive()
    }
}

/// How a fit went.
#[derive(Debug, Clone)]
pub struct FitReport {
    /// What preprocessing found and left out.
    pub preprocessing: PreprocessReport,
    /// Losses by epoch.
    pub history: Vec<EpochRecord>,
    /// Why it ended.
    pub stopped: StopReason,
    /// Seconds of training, those before a resumption included.
    pub seconds: f64,
    /// Trainable parameters.
    pub parameters: usize,
}

/// What must be the same for a killed run to go on, beside the training settings.
#[derive(Serialize)]
struct Identity<'a> {
    model: &'a ModelConfig,
    loss: &'a forge_train::loss::LossConfig,
    data: String,
}

impl TabularRegressor {
    /// An FT-Transformer of balanced size that learns `target` from all other columns, trained as
    /// long as the table's length asks for.
    #[must_use]
    pub fn new(target: &str) -> Self {
        Self {
            target: target.into(),
            ignore: Vec::new(),
            config: Recipe::Preset(Strategy::Balanced),
        }
    }

    /// A regressor of this config.
    ///
    /// # Errors
    /// What [`RegressorConfig::validate`] finds.
    pub fn with_config(target: &str, config: RegressorConfig) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self {
            target: target.into(),
            ignore: Vec::new(),
            config: Recipe::Given(Box::new(config)),
        })
    }

    /// Columns that are not features.
    #[must_use]
    pub fn ignore<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.ignore.extend(columns.into_iter().map(Into::into));
        self
    }

    /// Trains on all rows of `table`, a random part of them held out for early stopping.
    ///
    /// # Errors
    /// Bad data (naming row and column), a config that does not fit the table, or training that
    /// cannot go on.
    pub fn fit(&self, table: &Table, device: &Device) -> Result<FittedRegressor, Error> {
        let config = self.config(table.n_rows())?;
        let split = SplitConfig::Random {
            fraction: 0.0,
            seed: config.training.seed,
            stratify: None,
        }
        .split(table, config.validation_fraction)?;
        let (fitted, _) = self.fit_split(table, &split, device, FitOptions::default())?;
        Ok(fitted)
    }

    /// Trains on `split.train`, stops early by `split.validation`, and never looks at
    /// `split.test`.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_split(
        &self,
        table: &Table,
        split: &Split,
        device: &Device,
        mut options: FitOptions,
    ) -> Result<(FittedRegressor, FitReport), Error> {
        let config = self.config(split.train.len())?;
        let (preprocessor, preprocessing) = self.preprocessor(&config, table, &split.train)?;
        let target = TargetTransform::fit(table, &self.target, &split.train)?;
        let model = config.model.size(&spec(&preprocessor))?;
        let (device, plain) = (device.clone().autodiff(), without_gradients(device));

        let mut fingerprint = blake3::Hasher::new();
        let mut dataset = |rows: &[usize], device: &Device| -> Result<_, Error> {
            let values = TargetTransform::read(table, &self.target, Some(rows))?;
            let scaled = target.transform(&values)?;
            let features = preprocessor.transform(table, Some(rows))?;
            hash(&mut fingerprint, &features.numeric, |v| v.to_le_bytes());
            hash(&mut fingerprint, &features.categorical, |v| v.to_le_bytes());
            hash(&mut fingerprint, &scaled, |v| v.to_le_bytes());
            let rows = TabularDataset::new(features, device).with_target_values(scaled, 1)?;
            Ok((rows, values))
        };
        let (train, _) = dataset(&split.train, &device)?;
        let validation = if split.validation.is_empty() {
            None
        } else {
            let (rows, values) = dataset(&split.validation, &plain)?;
            Some(Validation {
                rows,
                target: values,
                scale: target.clone(),
            })
        };
        let mut task = TableTask {
            train,
            validation,
            loss: config.loss.clone(),
        };

        device.seed(config.training.seed);
        // Burn draws initial weights when they are first used; drawn here, they depend on nothing
        // but the seed.
        let module = model.try_init(&device)?.materialize();
        let identity = Identity {
            model: &model,
            loss: &config.loss,
            data: fingerprint.finalize().to_hex().to_string(),
        };
        let mut trainer = Trainer::new(config.training.clone())?.with_identity(&identity)?;
        for observer in &mut options.observers {
            trainer = trainer.with_observer(observer.as_mut());
        }
        if let Some(stop) = options.stop {
            trainer = trainer.with_stop_flag(stop);
        }
        if let Some(folder) = options.checkpoints {
            let start = if options.resume {
                Start::ResumeOrFresh
            } else {
                Start::Fresh
            };
            trainer = trainer.with_checkpoints(folder, start);
        }
        let outcome = trainer.fit(&mut task, module)?;
        let report = FitReport {
            preprocessing,
            history: outcome.history,
            stopped: outcome.stop,
            seconds: outcome.seconds,
            parameters: model.parameter_count()?,
        };
        let fitted = FittedRegressor {
            model,
            module: outcome.module,
            preprocessor,
            target,
            device: plain,
        };
        Ok((fitted, report))
    }

    /// The settings for a table of this length.
    fn config(&self, rows: usize) -> Result<RegressorConfig, Error> {
        match &self.config {
            Recipe::Given(config) => Ok(RegressorConfig::clone(config)),
            Recipe::Preset(strategy) => RegressorConfig::preset_for(DEFAULT_MODEL, *strategy, rows),
        }
    }

    /// Statistics of the training rows, in the form that the model takes.
    fn preprocessor(
        &self,
        config: &RegressorConfig,
        table: &Table,
        train: &[usize],
    ) -> Result<(Preprocessor, PreprocessReport), Error> {
        table.column(&self.target)?;
        let mut except = vec![self.target.clone()];
        except.extend(self.ignore.iter().filter(|c| **c != self.target).cloned());
        let capabilities = ModelConfig::capabilities_of(config.model.name())?;
        let mut config = config.preprocess.clone();
        config.categorical = if capabilities.categorical {
            CategoricalEncoding::Codes
        } else {
            CategoricalEncoding::OneHot
        };
        Ok(Preprocessor::fit(
            table,
            &FeatureSelection::Except(except),
            train,
            &config,
        )?)
    }
}

/// In blocks: a call of the hasher for each number would take longer than the hashing.
fn hash<T>(hasher: &mut blake3::Hasher, values: &[T], bytes: impl Fn(&T) -> [u8; 4]) {
    for block in values.chunks(4096) {
        let block: Vec<u8> = block.iter().flat_map(&bytes).collect();
        hasher.update(&block);
    }
}

/// What the preprocessed table looks like to a model.
pub(super) fn spec(preprocessor: &Preprocessor) -> TabularSpec {
    TabularSpec {
        n_num_features: preprocessor.n_numeric(),
        cat_cardinalities: preprocessor.cardinalities(),
        d_out: 1,
    }
}
