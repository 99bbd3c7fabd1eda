//! Windows to run models on.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use forge_models::{CalendarSteps, SeriesInput, SeriesModelConfig, SeriesSpec, Strategy};
use forge_nn::ForgeError;

use crate::Noise;
use crate::battery::Subject;
use crate::battery::values::floats;

/// A narrow config of every forecasting model: sized for one target and its past alone, for all that
/// it declares, and for outputs that rise. A model that cannot do without something that it declares
/// has no subject of the first kind.
///
/// # Panics
/// If a model refuses windows that it declares.
#[must_use]
pub fn series_subjects() -> Vec<SeriesModelConfig> {
    let names = SeriesModelConfig::NAMES.iter();
    names.flat_map(|name| subjects_of(name)).collect()
}

fn subjects_of(name: &str) -> Vec<SeriesModelConfig> {
    let sized = |spec: &SeriesSpec| {
        let config = SeriesModelConfig::narrow(name)?.sized_for(spec)?;
        Ok::<_, ForgeError>(config)
    };
    let plain = SeriesSpec {
        lookback: 24,
        horizon: 5,
        ..SeriesSpec::default()
    };
    let whole = everything(name, &plain);
    let rising = SeriesSpec {
        rising: true,
        ..whole.clone()
    };
    let mut subjects: Vec<_> = sized(&plain).into_iter().collect();
    for spec in [Some(&whole), (whole.n_outputs > 1).then_some(&rising)] {
        match spec.map(&sized) {
            Some(Ok(config)) if !subjects.contains(&config) => subjects.push(config),
            None | Some(Ok(_)) => {}
            Some(Err(error)) => panic!("{name} does not take {spec:?}: {error}"),
        }
    }
    subjects
}

/// `spec` with all that the model called `name` declares.
fn everything(name: &str, spec: &SeriesSpec) -> SeriesSpec {
    let declared = match SeriesModelConfig::capabilities_of(name) {
        Ok(declared) => declared,
        Err(error) => panic!("{error}"),
    };
    let some = |declared: bool, n: usize| if declared { n } else { 0 };
    SeriesSpec {
        n_targets: 1 + usize::from(declared.several_targets),
        n_past: some(declared.past_covariates, 3),
        n_known: some(declared.known, 2),
        n_fixed: some(declared.fixed, 2),
        fixed_cardinalities: match declared.fixed_codes {
            true => vec![3, 2],
            false => vec![],
        },
        d_embedding: some(declared.embedding, 7),
        bars_per_day: declared.calendar.then_some(4),
        n_outputs: 1 + some(declared.several_outputs, 2),
        ..spec.clone()
    }
}

/// Codes from `first` on, `n` of them.
fn codes(noise: &mut Noise, shape: [usize; 2], first: i64, n: usize) -> TensorData {
    let count = shape[0] * shape[1];
    let codes: Vec<i64> = (0..count).map(|_| first + noise.code(n)).collect();
    TensorData::new(codes, shape)
}

/// `n` windows that fit `spec`.
fn windows_of(spec: &SeriesSpec, n: usize, seed: u64, device: &Device) -> SeriesInput {
    let mut noise = Noise::new(seed);
    let mut values = |shape: &[usize]| noise.tensor(shape);
    let (lookback, whole) = (spec.lookback, spec.lookback + spec.horizon);
    let past = values(&[n, lookback, spec.n_targets]);
    let covariates = values(&[n, lookback, spec.n_past]);
    let known = values(&[n, whole, spec.n_known]);
    let fixed = values(&[n, spec.n_fixed]);
    let embedding = values(&[n, spec.d_embedding]);
    let fixed_codes: Vec<i64> = (0..n)
        .flat_map(|_| spec.fixed_cardinalities.clone())
        .map(|cardinality| noise.code(cardinality))
        .collect();
    let fixed_codes = TensorData::new(fixed_codes, [n, spec.fixed_cardinalities.len()]);
    let mut steps = |first, count| {
        let codes = codes(&mut noise, [n, whole], first, count);
        Tensor::<2, Int>::from_data(codes, device)
    };
    let calendar = spec.bars_per_day.map(|bars| CalendarSteps {
        bar_in_day: steps(0, bars),
        day_of_week: steps(0, 7),
        day_of_month: steps(1, 31),
        day_of_year: steps(1, 366),
    });
    SeriesInput {
        past_covariates: (spec.n_past > 0).then(|| floats(covariates, device)),
        known: (spec.n_known > 0).then(|| floats(known, device)),
        fixed: (spec.n_fixed > 0).then(|| floats(fixed, device)),
        fixed_codes: (!spec.fixed_cardinalities.is_empty())
            .then(|| Tensor::from_data(fixed_codes, device)),
        embedding: (spec.d_embedding > 0).then(|| floats(embedding, device)),
        calendar,
        ..floats::<3>(past, device).into()
    }
}

/// The first steps of every window but each fifth are padding, of each another number.
pub(super) fn padded(windows: usize, lookback: usize, device: &Device) -> Tensor<2, Bool> {
    let steps = (0..windows * lookback).map(|cell| {
        let (window, step) = (cell / lookback, cell % lookback);
        i64::from(step >= window % 5)
    });
    let data = TensorData::new(steps.collect::<Vec<_>>(), [windows, lookback]);
    // As integers: Burn's flex backend gives what it selects of booleans another type.
    Tensor::<2, Int>::from_data(data, device).equal_elem(1)
}

impl Subject for SeriesModelConfig {
    fn model(&self) -> &'static str {
        self.name()
    }

    fn read(json: &str) -> Result<Self, ForgeError> {
        Self::from_json(json)
    }

    fn d_out(&self) -> usize {
        self.spec().d_out()
    }

    fn counted(&self) -> Result<usize, ForgeError> {
        self.parameter_count()
    }

    fn largest(&self) -> Result<Self, ForgeError> {
        let preset = Self::preset(self.name(), Strategy::Accurate)?;
        preset.config.sized_for(&self.spec())
    }

    fn rate(&self) -> Option<f64> {
        let preset = Self::preset(self.name(), Strategy::Fast).ok()?;
        Some(preset.training.learning_rate)
    }

    fn given(&self, n: usize, seed: u64, device: &Device) -> SeriesInput {
        windows_of(&self.spec(), n, seed, device)
    }

    fn with_gaps(&self, given: SeriesInput) -> SeriesInput {
        if !self.capabilities().valid {
            return given;
        }
        let [windows, lookback, _] = given.past.dims();
        let device = given.past.device();
        SeriesInput {
            valid: Some(padded(windows, lookback, &device)),
            ..given
        }
    }

    fn take(given: &SeriesInput, samples: &[usize]) -> SeriesInput {
        let at: Vec<i64> = samples.iter().map(|sample| *sample as i64).collect();
        let at = TensorData::new(at, [samples.len()]);
        let at = Tensor::<1, Int>::from_data(at, &given.past.device());
        let pick = |x: &Tensor<3>| x.clone().select(0, at.clone());
        let pick_row = |x: &Tensor<2>| x.clone().select(0, at.clone());
        let pick_codes = |x: &Tensor<2, Int>| x.clone().select(0, at.clone());
        SeriesInput {
            past: pick(&given.past),
            valid: (given.valid.as_ref())
                .map(|valid| pick_codes(&valid.clone().int()).equal_elem(1)),
            past_covariates: given.past_covariates.as_ref().map(pick),
            known: given.known.as_ref().map(pick),
            fixed: given.fixed.as_ref().map(pick_row),
            fixed_codes: given.fixed_codes.as_ref().map(pick_codes),
            embedding: given.embedding.as_ref().map(pick_row),
            calendar: given.calendar.as_ref().map(|calendar| CalendarSteps {
                bar_in_day: pick_codes(&calendar.bar_in_day),
                day_of_week: pick_codes(&calendar.day_of_week),
                day_of_month: pick_codes(&calendar.day_of_month),
                day_of_year: pick_codes(&calendar.day_of_year),
            }),
        }
    }
}
