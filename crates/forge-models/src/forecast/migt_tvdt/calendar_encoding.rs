//! Where steps lie in day, week, month and year, as vectors.

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use forge_nn::ops::{Activation, activated};
use forge_nn::parameters::KeyMap;
use forge_nn::position::{Time2Vec, Time2VecConfig};
use forge_nn::{ForgeError, Linear, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use crate::forecast::CalendarSteps;
use crate::limits;

const WEEK: usize = 7;
/// Days of both month and year are divided by it.
const YEAR: f64 = 366.0;

/// Makes a [`MigtCalendarEncoding`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MigtCalendarEncodingConfig {
    /// Width of the code, at least 1.
    pub d_model: usize,
    /// Features of the bar within the day, even, at least 2.
    pub d_time_of_day: usize,
    /// Features of the day of the week, at least 1.
    pub d_day_of_week: usize,
    /// Features of the day of the month, at least 1.
    pub d_day_of_month: usize,
    /// Features of the day of the year, at least 1.
    pub d_day_of_year: usize,
    /// Bars per day, at least 1.
    pub bars_per_day: usize,
}

/// Four clocks side by side, projected: harmonics `[sin, cos](2π k bar / bars per day)`, `k` from 1 up,
/// a table of weekdays, and Time2Vec of day of month and of year, both over 366.
///
/// cjfortu/FuturesSL (after RL-TVDT, arXiv 2408.12446).
#[derive(Module, Debug)]
pub struct MigtCalendarEncoding {
    days: Option<DayEncoding>,
    projection: Linear,
    harmonics: usize,
    bars_per_day: usize,
}

/// The clocks that count days.
#[derive(Module, Debug)]
struct DayEncoding {
    week: Embedding,
    month: Time2Vec,
    year: Time2Vec,
}

impl MigtCalendarEncodingConfig {
    fn features(&self, days: bool) -> usize {
        let of_days = self.d_day_of_week + self.d_day_of_month + self.d_day_of_year;
        self.d_time_of_day + if days { of_days } else { 0 }
    }

    /// Of steps of which only the place in the window is known: it takes the place of the bar within
    /// the day, and the clocks that count days are left out.
    pub(super) fn build_for(&self, days: bool, device: &Device) -> MigtCalendarEncoding {
        MigtCalendarEncoding {
            days: days.then(|| DayEncoding {
                week: EmbeddingConfig::new(WEEK, self.d_day_of_week).init(device),
                month: Time2VecConfig::new(self.d_day_of_month).build(device),
                year: Time2VecConfig::new(self.d_day_of_year).build(device),
            }),
            projection: LinearConfig::new(self.features(days), self.d_model).init(device),
            harmonics: self.d_time_of_day / 2,
            bars_per_day: self.bars_per_day,
        }
    }

    pub(super) fn parameter_count(&self, days: bool) -> usize {
        let of_days = WEEK * self.d_day_of_week + 2 * (self.d_day_of_month + self.d_day_of_year);
        (self.features(days) + 1) * self.d_model + if days { of_days } else { 0 }
    }

    /// The reference's names.
    #[must_use]
    pub fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let map = map
            .same(
                &format!("{ours}days.week.weight"),
                &format!("{theirs}day_of_week.embedding.weight"),
            )
            .linear(&format!("{ours}projection"), &format!("{theirs}projection"))
            .ignore(&format!("{theirs}time_of_day.frequencies"));
        let clocks = [
            ("month", "day_of_month", self.d_day_of_month),
            ("year", "day_of_year", self.d_day_of_year),
        ];
        let kinds = [("frequency", "weight"), ("phase", "bias")];
        clocks.iter().fold(map, |map, (clock, name, width)| {
            kinds.iter().fold(map, |map, (ours_kind, kind)| {
                let plural = if *kind == "bias" { "biases" } else { "weights" };
                let linear = (format!("{theirs}{name}.linear_{kind}"), 1);
                let periodic = (format!("{theirs}{name}.periodic_{plural}"), width - 1);
                let parts = [linear, periodic];
                let parts = parts.into_iter().filter(|(_, rows)| *rows > 0);
                map.stacked(&format!("{ours}days.{clock}.{ours_kind}"), parts)
            })
        })
    }
}

impl ModuleConfig for MigtCalendarEncodingConfig {
    type Module = MigtCalendarEncoding;

    fn validate(&self) -> Result<(), ForgeError> {
        for (field, width) in [
            ("d_model", self.d_model),
            ("d_time_of_day", self.d_time_of_day),
            ("d_day_of_week", self.d_day_of_week),
            ("d_day_of_month", self.d_day_of_month),
            ("d_day_of_year", self.d_day_of_year),
        ] {
            check::in_range(field, width, limits::WIDTH)?;
        }
        check::in_range("bars_per_day", self.bars_per_day, limits::STEPS)?;
        if self.d_time_of_day.is_multiple_of(2) {
            return Ok(());
        }
        let found = self.d_time_of_day;
        Err(ForgeError::config("d_time_of_day", found, "even"))
    }

    fn build(&self, device: &Device) -> MigtCalendarEncoding {
        self.build_for(true, device)
    }
}

impl MigtCalendarEncoding {
    /// The code of every step.
    ///
    /// # Shapes
    /// - output: `[B, T, D]`
    ///
    /// # Panics
    /// If the clocks differ in shape.
    #[must_use]
    pub fn forward(&self, calendar: &CalendarSteps) -> Tensor<3> {
        let [batch, time] = calendar.bar_in_day.dims();
        let mut features = vec![self.time_of_day(calendar.bar_in_day.clone())];
        if let Some(days) = &self.days {
            let scaled = |day: &Tensor<2, Int>| {
                let day = day
                    .clone()
                    .float()
                    .cast(self.projection.weight.val().dtype());
                (day * (1.0 / YEAR)).unsqueeze_dim::<3>(2)
            };
            assert_eq!(
                calendar.day_of_week.dims(),
                [batch, time],
                "days of the week do not fit the bars"
            );
            features.push(days.week.forward(calendar.day_of_week.clone()));
            features.push(days.month.forward(scaled(&calendar.day_of_month)));
            features.push(days.year.forward(scaled(&calendar.day_of_year)));
        }
        self.projection.forward(Tensor::cat(features, 2))
    }

    /// The code of the steps of a window by their place in it, `[1, T, D]`.
    pub(super) fn of_places(&self, time: usize, device: &Device) -> Tensor<3> {
        let places = Tensor::<1, Int>::arange(0..time as i64, device);
        self.projection
            .forward(self.time_of_day(places.unsqueeze()))
    }

    /// `[B, T, 2 K]`, sine and cosine of each harmonic beside each other.
    fn time_of_day(&self, bar: Tensor<2, Int>) -> Tensor<3> {
        let [batch, time] = bar.dims();
        let orders: Vec<i32> = (1..=self.harmonics as i32).collect();
        let orders = TensorData::new(orders, [1, 1, self.harmonics]);
        let orders = Tensor::<3, Int>::from_data(orders, &bar.device());
        let shape = [batch, time, self.harmonics];
        // Whole turns are taken off in whole numbers, so that high harmonics are as exact as low ones.
        let turns = bar.unsqueeze_dim::<3>(2).expand(shape) * orders.expand(shape);
        let rest = turns.remainder_scalar(self.bars_per_day as i64);
        let dtype = self.projection.weight.val().dtype();
        let angle = rest.float().cast(dtype) * (std::f64::consts::TAU / self.bars_per_day as f64);
        let sines = activated(angle.clone(), Activation::Sin);
        let pairs = Tensor::stack::<4>(vec![sines, activated(angle, Activation::Cos)], 3);
        pairs.reshape([batch, time, 2 * self.harmonics])
    }
}
