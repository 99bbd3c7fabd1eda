//! Training on windows of series.

use std::sync::Arc;

use burn::tensor::Device;
use forge_data::{Fold, SeriesReport, SeriesScaler, SeriesTable, WindowConfig, Windows};
use forge_models::SeriesModelConfig;
use forge_nn::parameters::draw_all;
use forge_nn::{ForgeError, ModuleConfig};
use forge_train::metric::Scores;
use forge_train::objective::{MovingNumbers, Objective, ObjectiveConfig, Scale, Targets};
use forge_train::{Ending, EpochRecord, StopReason, TrainerConfig};
use serde::Serialize;

use super::input::InputPlan;
use super::objective::{is_qlike, is_rising, of_outputs};
use super::refit::Second;
use super::task::{ForecastTask, observed, on_host, passes};
use super::{FittedForecaster, ForecastTeacher, Forecaster, PointForecast};
use crate::ensemble::Ensemble;
use crate::estimator::without_gradients;
use crate::hashing::hash_numbers;
use crate::{Error, FitOptions, Refit};

/// How a fit went.
#[derive(Debug, Clone)]
pub struct ForecastFitReport {
    /// What was found in the series, and what was done about it.
    pub series: SeriesReport,
    /// What a person should know, one line each.
    pub notes: Vec<String>,
    /// Windows that were learned from.
    pub windows: usize,
    /// Losses and scores by epoch; of an ensemble one network's after the other's.
    pub history: Vec<EpochRecord>,
    /// Why it ended.
    pub stopped: StopReason,
    /// Seconds of training, those before a resumption included.
    pub seconds: f64,
    /// Trainable parameters.
    pub parameters: usize,
    /// Which weights were kept: `module`, or the average's name; of an ensemble the first network's.
    pub candidate: String,
    /// Their scores on the validation windows, on the model's scale; absent without such windows. After
    /// a [`refit`](Self::refit) those of the run before it, as windows, history and candidate are.
    pub scores: Option<Scores>,
    /// The second run, where the settings asked for one and it is done.
    pub refit: Option<Refit>,
}

/// A training that is over.
pub(super) struct Ended<'o> {
    pub(super) fitted: FittedForecaster,
    pub(super) report: ForecastFitReport,
    /// Where each network was best; absent where no single epoch was.
    pub(super) endings: Option<Vec<Ending>>,
    pub(super) training: TrainerConfig,
    pub(super) options: FitOptions<'o>,
}

/// What must be the same for a killed run to go on, beside the training settings.
#[derive(Serialize)]
struct Identity<'a> {
    model: &'a SeriesModelConfig,
    objective: &'a ObjectiveConfig,
    data: String,
}

impl Forecaster {
    /// Learns in one round.
    pub(super) fn fit_fold(
        &self,
        table: &Arc<SeriesTable>,
        fold: &Fold,
        device: &Device,
        options: FitOptions<'_>,
        teacher: Option<ForecastTeacher<'_>>,
    ) -> Result<(FittedForecaster, ForecastFitReport), Error> {
        let ended = self.fit_once(table, fold, device, options, teacher, None)?;
        // Only what was validated can be fitted again.
        if self.config.refit && ended.report.scores.is_some() {
            return self.refit(table, fold, device, ended, teacher);
        }
        Ok((ended.fitted, ended.report))
    }

    /// The windows of the settings, with a calendar where the table has one.
    fn windows_of(&self, table: &SeriesTable) -> WindowConfig {
        let mut config = self.config.windows();
        config.calendar &= table.schema().has_calendar();
        config
    }

    /// Refuses test parts that no window fits in, before anything is trained for them.
    pub(super) fn check_tests(
        &self,
        table: &Arc<SeriesTable>,
        folds: &[Fold],
    ) -> Result<(), Error> {
        let config = self.windows_of(table);
        let windows = Windows::new(table, &config)?;
        let tests = folds.iter().filter_map(|fold| fold.test.as_ref());
        for (round, test) in tests.enumerate() {
            if windows.within(test).is_empty() {
                let value = format!("a test part in round {} that no window fits in", round + 1);
                let allowed = format!(
                    "test parts of at least {} steps, as far as the horizon reaches",
                    config.horizon.steps().max().unwrap_or(1)
                );
                return Err(ForgeError::config("split", value, allowed).into());
            }
        }
        Ok(())
    }

    /// Learns, as a `second` run where there is one to take over from.
    pub(super) fn fit_once<'o>(
        &self,
        table: &Arc<SeriesTable>,
        fold: &Fold,
        device: &Device,
        mut options: FitOptions<'o>,
        teacher: Option<ForecastTeacher<'_>>,
        second: Option<Second>,
    ) -> Result<Ended<'o>, Error> {
        let config = &self.config;
        let name = config.model.name();
        let capabilities = SeriesModelConfig::capabilities_of(name)?;
        let window_config = self.windows_of(table);
        let scaler = match &second {
            None => Arc::new(SeriesScaler::fit(table, &config.scaler, &fold.train)?),
            Some(second) => Arc::clone(&second.scaler),
        };
        let all = Windows::new(table, &window_config)?.with_scaler(&scaler)?;
        let train = all.within(&fold.train);
        if train.is_empty() {
            let allowed = "such that a window of lookback and horizon fits into the training steps";
            let value = window_config.lookback;
            return Err(ForgeError::config("lookback", value, allowed).into());
        }
        let validation = fold.validation.as_ref().map(|range| all.within(range));
        let validation = validation.filter(|windows| !windows.is_empty());
        let (plan, mut notes) =
            InputPlan::new(table, &window_config, &config.embedding, capabilities, name);
        if second.is_none() {
            notes.extend(far_out(&scaler, table));
        }
        let features = config.series_features()?;
        notes.extend(features.as_ref().map(super::features::note));
        let mut objective = config.objective();
        let rising = is_rising(&objective);
        if rising {
            objective = of_outputs(objective);
        }
        objective.fit(&training_targets(&train)?)?;
        if objective.is_scaled() {
            objective.fit_scales(&[Scale::IDENTITY])?;
        }
        let spec = plan.spec(table, &window_config, objective.width(), rising);
        let model = config.model.config(config.strategy)?.sized_for(&spec)?;
        let parameters = model.parameter_count()?;
        let mut training = match &second {
            None => config.trainer(train.len())?,
            // The preset's would be that of more windows.
            Some(second) => second.training.clone(),
        };
        if validation.is_none() {
            if config.training.patience.is_none() && config.training.config.is_none() {
                training.early_stopping = None;
            }
            notes.push(
                "no validation windows: nothing is stopped early, and intervals are not calibrated"
                    .into(),
            );
        }
        if validation.is_none() && config.adaptive.is_some() {
            notes.push("no validation windows: bands do not follow what happens".into());
        }
        if validation.is_none() && config.point == PointForecast::Mean {
            notes.push("no validation windows: values are not corrected to the mean".into());
        }
        if train.purged() > 0 {
            notes.push(format!(
                "{} windows reach out of the training steps and are not learned from",
                train.purged()
            ));
        }
        for id in all.left_out() {
            notes.push(format!("series '{id}' is too short and left out"));
        }
        let (device, plain) = (device.clone().autodiff(), without_gradients(device));
        let mut fingerprint = blake3::Hasher::new();
        for series in 0..table.n_series() {
            hash_numbers(&mut fingerprint, table.times(series), |v| v.to_le_bytes());
            for column in table.schema().config.moving() {
                hash_numbers(&mut fingerprint, table.column(series, column)?, |v| {
                    v.to_le_bytes()
                });
            }
        }
        if options.teacher.is_some() {
            let what = "a model of table rows teaches no forecaster: Forecaster::distill takes one that \
                        does";
            return Err(ForgeError::unsupported(what).into());
        }
        let teacher = teacher
            .map(|teacher| teacher.lessons(&train, &objective))
            .transpose()?;
        if let Some(lessons) = &teacher {
            hash_numbers(&mut fingerprint, &lessons.values, |v| v.to_le_bytes());
            let how = [lessons.how.weight, lessons.how.temperature];
            hash_numbers(&mut fingerprint, &how, |v| v.to_le_bytes());
        }
        options.tell(&notes);
        let windows = train.len();
        let mut task = ForecastTask {
            train,
            validation,
            plan: plan.clone(),
            in_logs: is_qlike(&objective),
            moving: MovingNumbers::of(&objective, &device),
            teacher,
            objective: objective.clone(),
            device: plain.clone(),
        };
        let identity = Identity {
            model: &model,
            objective: &objective,
            data: fingerprint.finalize().to_hex().to_string(),
        };
        let ensemble = Ensemble {
            networks: config.ensemble,
            training: &training,
            identity: &identity,
            endings: second.as_ref().map(|second| &second.endings[..]),
        };
        let (outcome, endings) = ensemble.fit(&mut task, &mut options, |task, seed, _| {
            task.moving = MovingNumbers::of(&objective, &device);
            device.seed(seed);
            Ok(draw_all(model.try_init(&device)?))
        })?;
        let mut fitted = FittedForecaster {
            model,
            members: outcome.members,
            objective,
            schema: table.schema().clone(),
            scaler,
            windows: window_config,
            plan,
            features,
            conformal: None,
            adaptive: None,
            mean: None,
            read: options.read.clone(),
            device: plain,
        };
        if let Some(validation) = &task.validation {
            fitted.calibrate_by(validation, config.conformal, config.adaptive)?;
        }
        match (config.point, &task.validation) {
            (PointForecast::Median, _) | (PointForecast::Mean, None) => {}
            (PointForecast::Mean, Some(validation)) => fitted.correct_mean(&[validation])?,
            (PointForecast::MeanByAll, None) => fitted.correct_mean(&[&task.train])?,
            (PointForecast::MeanByAll, Some(validation)) => {
                fitted.correct_mean(&[&task.train, validation])?;
            }
        }
        let report = ForecastFitReport {
            series: table.report().clone(),
            notes,
            windows,
            history: outcome.history,
            stopped: outcome.stop,
            seconds: outcome.seconds,
            parameters,
            candidate: outcome.candidate,
            scores: outcome.scores,
            refit: None,
        };
        Ok(Ended {
            fitted,
            report,
            endings,
            training,
            options,
        })
    }
}

/// Series of which cells far out are told, at most.
const TOLD: usize = 8;

/// Cells so far out that they leave nothing to tell apart.
fn far_out(scaler: &SeriesScaler, table: &SeriesTable) -> Vec<String> {
    let found = scaler.far_out(table);
    let told = found.iter().take(TOLD);
    let mut notes: Vec<String> = told.map(|each| format!("warning: {each}")).collect();
    if found.len() > TOLD {
        let more = found.len() - TOLD;
        notes.push(format!(
            "warning: {more} more columns of series with such a value"
        ));
    }
    notes
}

/// Windows whose targets an objective is fitted to at most.
const FITTED_TO: usize = 4_096;

/// Observed targets of evenly spread training windows, on the model's scale.
fn training_targets(train: &Windows) -> Result<Targets, Error> {
    let every = train.len().div_ceil(FITTED_TO);
    let device = forge_nn::DeviceName::Flex.open()?;
    let mut values = Vec::new();
    for rows in passes(train) {
        let rows: Vec<usize> = rows.into_iter().filter(|row| row % every == 0).collect();
        if rows.is_empty() {
            continue;
        }
        let batch = train.batch(&rows, &device)?;
        let present = observed(&batch)?;
        let Some(target) = batch.target else { continue };
        let target = on_host(target)?;
        let cells = target.into_iter().zip(present);
        values.extend(cells.filter_map(|(v, there)| there.then_some(f64::from(v))));
    }
    Ok(Targets::new(1, values)?)
}
