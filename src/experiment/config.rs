//! What a run is, as a file that reproduces it.

use std::path::{Path, PathBuf};

use forge_data::{ColumnRole, ReadOptions, SplitConfig, SyntheticMarketConfig, Table};
use forge_nn::{DeviceName, ForgeError};
use forge_train::checkpoint::check_same;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::TaskChoice;
use crate::baseline::BaselineChoice;
use crate::run_folder::{RunFolder, RunSettings, settings_text};
use crate::settings::{beside, set_by_place, text_or_table, toml_file};
use crate::{Error, EstimatorConfig, ModelChoice};

/// Data, split, models and training of one run. Every field has a default; unknown keys are
/// refused. `data` (or `market`) and `target` must be given.
///
/// ```
/// use volatilityforge::experiment::{Experiment, ExperimentConfig};
///
/// let config = ExperimentConfig::from_toml(
///     r#"
///     data = "clients.csv"
///     target = "churned"
///     models = ["tabular_mlp", { model = "tabular_resnet", n_blocks = 3 }]
///
///     [estimator]
///     strategy = "fast"
///     objective = { name = "binary", threshold = "f1" }
///     training = { epochs = 20, learning_rate = 1e-3 }
///     "#,
/// )?;
/// assert!(Experiment::new(config).is_ok());
/// # Ok::<(), volatilityforge::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExperimentConfig {
    /// CSV, Parquet or Excel file. A relative path in a file is relative to that file.
    pub data: Option<PathBuf>,
    /// A synthetic market instead of a file.
    pub market: Option<SyntheticMarketConfig>,
    /// The column to predict, or several columns of numbers. In a file: a text or a list.
    #[serde(serialize_with = "one_or_many", deserialize_with = "many_or_one")]
    pub target: Vec<String>,
    /// Numbers or classes. Default: what the target looks like.
    pub task: TaskChoice,
    /// Columns that are not features. They are not read, unless something else needs them.
    pub ignore: Vec<String>,
    /// Ignored columns that are read all the same, as labels, for who looks at the table beside the
    /// model, such as the sections of a report. One that the file lacks is no error. Default none.
    pub watch: Vec<String>,
    /// Whether rows without a target are passed over and counted, rather than refused. Default
    /// false.
    pub skip_missing_target: bool,
    /// A column of sample weights, at least 0: what each row counts in training. It is no feature,
    /// and scores do not use it.
    pub weights: Option<String>,
    /// Models to train, by registry name or config, or with [weights](ModelChoice::Pretrained) from a
    /// file (a relative path in a file is relative to that file); each name once. They take the place of
    /// `estimator.model`. Default `ft_transformer`, `tabm`.
    pub models: Vec<ModelChoice>,
    /// What the models are compared with. Default: all that suit the task.
    pub baselines: BaselineChoice,
    /// Which rows are held out for the leaderboard. Absent: 20 % at random. Classes are split
    /// at random so that every part has all of them, whether or not `stratify` says so. In a file:
    /// a table, or a text as on the command line, such as `"group:expiry"`.
    #[serde(deserialize_with = "text_or_table")]
    pub split: Option<SplitConfig>,
    /// Whether the column of a split by date or by group is a feature. By default it is not: what
    /// sets training rows and hold-out rows apart carries nothing over from one to the other.
    pub keep_split_column: bool,
    /// Where to compute. Default `flex`.
    pub device: DeviceName,
    /// How files are read.
    pub read: ReadOptions,
    /// Objective, preprocessing, training of every model. `validation_fraction` is the part of the
    /// rows left by the split that is held out for early stopping, by the same rule.
    pub estimator: EstimatorConfig,
}

impl Default for ExperimentConfig {
    fn default() -> Self {
        Self {
            data: None,
            market: None,
            target: Vec::new(),
            task: TaskChoice::Auto,
            ignore: Vec::new(),
            watch: Vec::new(),
            skip_missing_target: false,
            weights: None,
            models: vec![ModelChoice::default(), "tabm".into()],
            baselines: BaselineChoice::All,
            split: None,
            keep_split_column: false,
            device: DeviceName::Flex,
            read: ReadOptions::default(),
            estimator: EstimatorConfig::default(),
        }
    }
}

impl ExperimentConfig {
    /// Reads a TOML file. A relative `data` or `pretrained` in it is relative to the file's folder.
    ///
    /// # Errors
    /// An I/O error, or an artifact error with line and key for a file that does not fit.
    pub fn from_toml_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let mut config: Self = toml_file(path)?;
        config.data = config.data.map(|data| beside(path, &data));
        for model in &mut config.models {
            let joined = |weights: &Path| Ok::<_, Error>(beside(path, weights));
            model.move_weights(joined)?;
        }
        Ok(config)
    }

    /// Reads TOML text.
    ///
    /// # Errors
    /// A config error with line and key for text that does not fit.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|e| {
            let allowed = "settings of an experiment";
            ForgeError::config("TOML", e.to_string().trim_end(), allowed).into()
        })
    }

    /// The settings that the run in `folder` was started with, to go on with it.
    ///
    /// # Errors
    /// A config error if there is no run, saying what is missing; an artifact error if its
    /// `config.toml` is cut off or does not have every setting.
    pub fn of_run(folder: impl AsRef<Path>) -> Result<Self, Error> {
        RunFolder::settings(folder.as_ref())
    }

    /// As TOML text.
    ///
    /// # Errors
    /// If a path is not UTF-8.
    pub fn to_toml(&self) -> Result<String, Error> {
        settings_text(self)
    }

    /// Sets one field by its place in the TOML: `estimator.training.weight_decay=0.01`. The value is
    /// TOML too; what is none is taken for text.
    ///
    /// # Errors
    /// A config error for a place that there is not, or a value that does not fit it.
    pub fn set(&mut self, assignment: &str) -> Result<(), Error> {
        set_by_place(self, assignment)
    }

    /// Checks every field that does not depend on the table.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), Error> {
        let refuse = |field: &str, value: &dyn std::fmt::Display, allowed: &str| {
            Err(ForgeError::config(field, value, allowed).into())
        };
        if let (Some(path), Some(_)) = (&self.data, &self.market) {
            let allowed = "absent where there is a [market]: data are read or made";
            return refuse("data", &path.display(), allowed);
        }
        if self.data.is_none() && self.market.is_none() {
            return refuse("data", &"absent", "a file, or settings of a [market]");
        }
        if self.target.is_empty() {
            return refuse("target", &"[]", "the name of at least one column");
        }
        if self.models.is_empty() {
            return refuse("models", &"[]", "at least one model's name");
        }
        if self.estimator.model != EstimatorConfig::default().model {
            let allowed = "absent: an experiment takes its models from 'models'";
            return refuse("estimator.model", &self.estimator.model.name(), allowed);
        }
        for (i, model) in self.models.iter().enumerate() {
            self.estimator_of(model).validate()?;
            if self.models[..i].iter().any(|m| m.name() == model.name()) {
                return refuse("models", &model.name(), "named once");
            }
        }
        if let Some(split) = &self.split {
            split.validate()?;
            if split.fraction() == 0.0 {
                return refuse(
                    "split.fraction (--test-fraction)",
                    &0,
                    "above 0 and below 1, such as 0.2: models and baselines are compared on the rows \
                     held out. To keep nearly all rows for training set 0.01",
                );
            }
        }
        self.baselines.validate()?;
        if let (Some(chosen), Some(implied)) = (self.task.task(), self.estimator.implied_task())
            && chosen != implied
        {
            let allowed = format!("auto or {implied}: the objective is for that");
            return refuse("task", &chosen, &allowed);
        }
        Ok(())
    }

    /// The column that training and hold-out rows are set apart by, where it is no feature.
    pub(super) fn split_column(&self) -> Option<&str> {
        let split = self.split.as_ref().filter(|_| !self.keep_split_column);
        split.and_then(SplitConfig::keeps_together)
    }

    /// Columns of `table` that are neither features nor targets nor weights: those ignored, and the
    /// split's.
    pub(super) fn not_features(&self, table: &Table) -> Vec<String> {
        let mut names: Vec<&str> = self.ignore.iter().map(String::as_str).collect();
        names.extend(self.split_column());
        names.retain(|name| {
            let other =
                self.target.iter().any(|t| t == name) || self.weights.as_deref() == Some(*name);
            !other && table.column(name).is_ok()
        });
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(String::from).collect()
    }

    /// How the table is read: without the columns that are ignored and that nothing else needs.
    pub(super) fn read_options(&self) -> ReadOptions {
        let mut read = self.read.clone();
        let split = self.split.as_ref().and_then(|split| match split {
            SplitConfig::Random { stratify, .. } => stratify.as_deref(),
            by_value => by_value.keeps_together(),
        });
        let sampler = self.estimator.training.sampler_column();
        let named = self.target.iter().chain(&self.weights);
        let needed: Vec<&str> = named
            .map(String::as_str)
            .chain(split)
            .chain(sampler)
            .collect();
        let watched = self.watch.iter().map(String::as_str);
        // A column that is asked for is none to leave out as an index.
        let asked = needed.iter().copied().chain(watched);
        read.keep.extend(asked.map(String::from));
        for name in &self.ignore {
            if !needed.contains(&name.as_str()) {
                // As labels, any cell can be read.
                let role = match self.watch.contains(name) {
                    true => ColumnRole::Categorical,
                    false => ColumnRole::Ignore,
                };
                read.hints.insert(name.clone(), role);
            }
        }
        read
    }

    /// The settings of one model.
    pub(super) fn estimator_of(&self, model: &ModelChoice) -> EstimatorConfig {
        EstimatorConfig {
            model: model.clone(),
            ..self.estimator.clone()
        }
    }
}

impl RunSettings for ExperimentConfig {
    fn files(&self) -> Vec<String> {
        let of_all = [
            "metrics.json",
            "model.safetensors",
            "report.html",
            "sample.csv",
        ];
        let models = self.models.iter().map(ModelChoice::name);
        let of_each =
            models.flat_map(|name| [format!("{name}.safetensors"), format!("{name}.json")]);
        of_all
            .map(String::from)
            .into_iter()
            .chain(of_each)
            .collect()
    }

    /// Where to compute is no difference, and neither is what the models are compared with.
    fn check_resumable(&self, present: &Self, file: &Path) -> Result<(), Error> {
        let identity = |config: &Self| {
            let config = Self {
                device: present.device,
                baselines: present.baselines.clone(),
                ..config.clone()
            };
            serde_json::to_value(config).map_err(|e| ForgeError::artifact(file, e))
        };
        Ok(check_same(&identity(self)?, &identity(present)?, file)?)
    }
}

fn one_or_many<S: Serializer>(names: &Vec<String>, to: S) -> Result<S::Ok, S::Error> {
    match &names[..] {
        [name] => name.serialize(to),
        _ => names.serialize(to),
    }
}

fn many_or_one<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Names::deserialize(from)? {
        Names::One(name) => vec![name],
        Names::Many(names) => names,
    })
}
