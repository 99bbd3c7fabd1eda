//! All that is decided before anything is put on a device or trained.

use burn::tensor::Device;
use forge_data::{
    Augmentation, CategoricalEncoding, FeatureSelection, Features, InferredTask, PreprocessReport,
    Preprocessor, Split, Table, TargetEncoder, TaskKind, sample_weights,
};
use forge_models::{
    Capabilities, ModelConfig, Pretrained, RowContext, TabularSpec, TargetKind, TrainingRows,
};
use forge_nn::ForgeError;
use forge_train::TrainerConfig;
use forge_train::objective::{Objective, ObjectiveConfig};
use forge_train::sampler::{KeyOf, RowKeys, SamplerConfig};

use super::TabularEstimator;
use super::rows::Rows;
use crate::Error;
use crate::estimator::context::{check_size, labels};
use crate::estimator::fitted_model::scales;
use crate::estimator::row_keys::row_keys;
use crate::estimator::{FittedModel, StoredContext};

/// What a fit makes of its settings and its table.
pub(super) struct Prepared {
    /// What the target was taken for, where nobody had said.
    pub(super) task: Option<InferredTask>,
    pub(super) target: TargetKind,
    pub(super) training: TrainerConfig,
    pub(super) capabilities: Capabilities,
    pub(super) preprocessor: Preprocessor,
    pub(super) preprocessing: PreprocessReport,
    pub(super) encoder: TargetEncoder,
    pub(super) objective: ObjectiveConfig,
    pub(super) model: ModelConfig,
    pub(super) pretrained: Option<Pretrained>,
    pub(super) context: Option<StoredContext>,
    pub(super) weights: Vec<f32>,
    pub(super) keys: Option<(KeyOf, RowKeys)>,
    pub(super) augmentation: Option<Augmentation>,
    pub(super) train: Rows,
    pub(super) validation: Option<Rows>,
}

impl Prepared {
    /// Rows of the table as the model takes them.
    pub(super) fn read(&self, table: &Table, rows: &[usize]) -> Result<Rows, Error> {
        read(
            &self.preprocessor,
            &self.encoder,
            self.capabilities,
            table,
            rows,
        )
    }
}

/// Rows of `table`, preprocessed, and their encoded targets.
pub(super) fn read(
    preprocessor: &Preprocessor,
    encoder: &TargetEncoder,
    capabilities: Capabilities,
    table: &Table,
    rows: &[usize],
) -> Result<Rows, Error> {
    Ok(Rows {
        targets: encoder.encode(table, Some(rows))?,
        features: preprocessor.transform_with(table, Some(rows), capabilities.missing)?,
    })
}

impl TabularEstimator {
    /// Everything up to the training. Weights from elsewhere are read to `place`, which records no
    /// gradients.
    ///
    /// # Errors
    /// Bad data, and settings that do not fit them.
    pub(super) fn prepared(
        &self,
        table: &Table,
        split: &Split,
        place: Option<&Device>,
    ) -> Result<Prepared, Error> {
        let (kind, task) = self.kind(table, &split.train)?;
        let target = match kind {
            TaskKind::Regression => TargetKind::Numbers,
            _ => TargetKind::Classes,
        };
        let mut training = self.config.trainer_for(split.train.len(), target)?;
        let settings = &self.config.training;
        if split.validation.is_empty() && settings.patience.is_none() && settings.config.is_none() {
            // The preset's: without validation rows there is nothing to stop by.
            training.early_stopping = None;
        }
        let capabilities = ModelConfig::capabilities_of(self.config.model.name())?;
        let (preprocessor, preprocessing) = self.preprocessor(capabilities, table, &split.train)?;
        let encoder = TargetEncoder::fit_as(kind, table, &self.targets, &split.train)?;
        let read = |rows: &[usize]| read(&preprocessor, &encoder, capabilities, table, rows);
        let train = read(&split.train)?;
        let mut objective = self.objective(target, &train.targets)?;
        if objective.is_scaled() {
            objective.fit_scales(&scales(&encoder))?;
        }
        if objective.rows_interact() && training.micro_batches > 1 {
            let allowed = "1: the loss of the worst rows takes the whole batch";
            return Err(
                ForgeError::config("micro_batches", training.micro_batches, allowed).into(),
            );
        }
        let spec = FittedModel::spec(&preprocessor, &objective);
        let pretrained = match place {
            Some(place) => (self.config.model).read_weights(&spec, labels(&objective), place)?,
            None => None,
        };
        let model = self.model(pretrained.as_ref(), &spec, target, &objective, &train)?;
        if self.config.trains() {
            let (rows, gigabytes) = (split.train.len(), settings.context_gigabytes());
            check_size(&model, rows, training.batch_size, gigabytes)?;
        }
        let context = match StoredContext::choose(&model, &split.train) {
            None => None,
            Some(rows) => {
                let Rows { features, targets } = read(&rows)?;
                let targets = (capabilities.rows == RowContext::Labelled).then_some(targets);
                Some(StoredContext { features, targets })
            }
        };
        let weights = match &self.weights {
            None => vec![],
            Some(column) => sample_weights(table, column, Some(&split.train))?,
        };
        let keys = match training.sampler.as_ref().and_then(SamplerConfig::key) {
            None => None,
            Some(by) => {
                let of_target = (&encoder, &train.targets);
                let keys = row_keys(by, table, &split.train, of_target, &weights)?;
                Some((by.clone(), keys))
            }
        };
        if let (Some(sampler), Some((_, keys))) = (&training.sampler, &keys) {
            // Refused before anything is written; the trainer builds its own.
            let (rows, batch_size) = (split.train.len(), training.batch_size);
            sampler.build(rows, batch_size, training.seed, |_| Ok(keys.clone()))?;
        }
        let augmentation = self.augmentation(&train.features, &model, capabilities)?;
        let validation = match split.validation.is_empty() {
            true => None,
            false => Some(read(&split.validation)?),
        };
        Ok(Prepared {
            task,
            target,
            training,
            capabilities,
            preprocessor,
            preprocessing,
            encoder,
            objective,
            model,
            pretrained,
            context,
            weights,
            keys,
            augmentation,
            train,
            validation,
        })
    }

    /// Statistics of the training rows, in the form that the model takes.
    fn preprocessor(
        &self,
        capabilities: Capabilities,
        table: &Table,
        train: &[usize],
    ) -> Result<(Preprocessor, PreprocessReport), Error> {
        for target in &self.targets {
            table.column(target)?;
        }
        let mut except = self.targets.clone();
        except.extend(self.weights.clone());
        for column in &self.ignore {
            if !except.contains(column) {
                except.push(column.clone());
            }
        }
        let mut config = self.config.preprocess.clone();
        config.categorical = if capabilities.categorical {
            CategoricalEncoding::Codes
        } else {
            CategoricalEncoding::OneHot
        };
        let selection = FeatureSelection::Except(except);
        Ok(Preprocessor::fit(table, &selection, train, &config)?)
    }

    /// The model's config, whole: of the size chosen, for these columns and training rows.
    fn model(
        &self,
        pretrained: Option<&Pretrained>,
        spec: &TabularSpec,
        target: TargetKind,
        objective: &ObjectiveConfig,
        train: &Rows,
    ) -> Result<ModelConfig, Error> {
        let model = match pretrained {
            Some(pretrained) => pretrained.config.clone(),
            None => {
                let (choice, strategy) = (&self.config.model, self.config.strategy);
                let model = choice.sized_for(strategy, spec, target)?;
                model.with_labels(labels(objective))?
            }
        };
        let model = model.fitted_to(&TrainingRows::new(
            &train.features.numeric,
            train.features.n_numeric,
            &train.targets.values,
            train.targets.slots,
            objective.n_classes(),
        )?)?;
        model.parameter_count()?;
        Ok(model)
    }

    /// What is done to the rows of a step, where anything is.
    fn augmentation(
        &self,
        train: &Features,
        model: &ModelConfig,
        capabilities: Capabilities,
    ) -> Result<Option<Augmentation>, Error> {
        let Some(config) = &self.config.training.augmentation else {
            return Ok(None);
        };
        let by = config.for_columns(train.n_numeric, train.n_categorical)?;
        let mixes = config.mixup.is_some() || config.cutmix.is_some();
        if mixes && capabilities.rows == RowContext::Labelled {
            let allowed = format!(
                "absent: {} looks at labelled rows, and a mixed row has no label",
                model.name()
            );
            let field = "augmentation.mixup or augmentation.cutmix";
            return Err(ForgeError::config(field, "set", allowed).into());
        }
        Ok(Some(by))
    }
}
