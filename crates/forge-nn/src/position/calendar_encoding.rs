//! Calendar fields as features.

use burn::module::Module;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use super::calendar_time::FIELDS;
use crate::config_macro::config;
use crate::ops::{Activation, activated};
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of a [`CalendarEncoding`]. The defaults have 32, 6, 16 and 32 features.
    pub struct CalendarEncodingConfig {
        /// Harmonics of the day, `0..=1440`.
        #[config(default = 16)]
        pub time_of_day: usize,
        /// Harmonics of the week, `0..=3`: seven days have no more.
        #[config(default = 3)]
        pub day_of_week: usize,
        /// Harmonics of the month, `0..=15`.
        #[config(default = 8)]
        pub day_of_month: usize,
        /// Harmonics of the year, `0..=182`.
        #[config(default = 16)]
        pub day_of_year: usize,
        /// Width of a projection of the features; without it they come as they are.
        #[config(default = None)]
        pub d_model: Option<usize>,
    }
}

impl Default for CalendarEncodingConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// The calendar as sines and cosines of time of day, day of week, day of month and day of year.
///
/// Harmonic `h` of a field `v` with period `P` is `sin(2π h v / P)` and `cos(2π h v / P)`. The
/// harmonics are integers and `h v` is reduced modulo `P` in integers, so every code is periodic
/// exactly (23:59:59 lies next to 00:00:00) and as accurate at harmonic 1000 as at 1. The periods
/// are 86 400 seconds, 7 days, and the actual length of the month and of the year, so that the last
/// day lies next to the first in every month and year.
///
/// The same four clocks as in cjfortu/FuturesSL (MIGT-TVDT), which encodes the time of day with
/// geometric (not integer) frequencies, embeds the weekday, and uses Time2Vec for the others:
/// combine with [`Time2Vec`](super::Time2Vec) for that.
#[derive(Module, Debug)]
pub struct CalendarEncoding {
    /// `[features, D]`, if asked for.
    pub projection: Option<Linear>,
    #[module(skip)]
    harmonics: [usize; 4],
}

impl CalendarEncodingConfig {
    fn harmonics(&self) -> [usize; 4] {
        [
            self.time_of_day,
            self.day_of_week,
            self.day_of_month,
            self.day_of_year,
        ]
    }

    /// Number of sines and cosines, before a projection.
    #[must_use]
    pub fn n_features(&self) -> usize {
        2 * self.harmonics().iter().sum::<usize>()
    }
}

impl ModuleConfig for CalendarEncodingConfig {
    type Module = CalendarEncoding;

    fn validate(&self) -> Result<(), ForgeError> {
        // Beyond half the steps of a period harmonics repeat; 1440 · 86 399 fits 32 bits.
        check::in_range("time_of_day", self.time_of_day, 0..=1440)?;
        check::in_range("day_of_week", self.day_of_week, 0..=3)?;
        check::in_range("day_of_month", self.day_of_month, 0..=15)?;
        check::in_range("day_of_year", self.day_of_year, 0..=182)?;
        check::at_least_one("n_features", self.n_features())?;
        match self.d_model {
            Some(width) => check::at_least_one("d_model", width),
            None => Ok(()),
        }
    }

    fn build(&self, device: &Device) -> CalendarEncoding {
        CalendarEncoding {
            projection: self
                .d_model
                .map(|width| LinearConfig::new(self.n_features(), width).init(device)),
            harmonics: self.harmonics(),
        }
    }
}

impl CalendarEncoding {
    /// The code of every time, projected if the config says so.
    ///
    /// # Shapes
    /// - fields: `[B, T, 6]`, from [`CalendarTime::to_tensor`](super::CalendarTime::to_tensor)
    /// - output: `[B, T, features]` or `[B, T, D]`
    ///
    /// # Panics
    /// If the last axis is not 6.
    pub fn forward(&self, fields: Tensor<3, Int>) -> Tensor<3> {
        match &self.projection {
            Some(projection) => {
                let dtype = projection.weight.val().dtype();
                projection.forward(self.features(fields, dtype))
            }
            None => {
                let dtype = Tensor::<1>::zeros([1], &fields.device()).dtype();
                self.features(fields, dtype)
            }
        }
    }

    /// The sines and cosines, in the order of the config's fields: all sines of a field, then all
    /// its cosines, from harmonic 1 up.
    ///
    /// # Shapes
    /// - fields: `[B, T, 6]`
    /// - output: `[B, T, features]`
    ///
    /// # Panics
    /// If the last axis is not 6.
    pub fn features(&self, fields: Tensor<3, Int>, dtype: DType) -> Tensor<3> {
        assert_eq!(
            fields.dims()[2],
            FIELDS,
            "calendar fields are {:?}",
            fields.dims()
        );
        let column = |index| fields.clone().narrow(2, index, 1);
        let fixed = |period: i32| column(0).zeros_like() + period;
        let clocks = [
            (column(0), fixed(86_400)),
            (column(1), fixed(7)),
            (column(2), column(3)),
            (column(4), column(5)),
        ];
        let mut parts = Vec::new();
        for ((value, period), harmonics) in clocks.into_iter().zip(self.harmonics) {
            if harmonics > 0 {
                let angle = phase(value, period, harmonics, dtype);
                parts.push(activated(angle.clone(), Activation::Sin));
                parts.push(activated(angle, Activation::Cos));
            }
        }
        Tensor::cat(parts, 2)
    }
}

/// `2π (h v mod P) / P` for `h` in `1..=harmonics`.
fn phase(
    value: Tensor<3, Int>,
    period: Tensor<3, Int>,
    harmonics: usize,
    dtype: DType,
) -> Tensor<3> {
    let [batch, time, _] = value.dims();
    let shape = [batch, time, harmonics];
    let orders: Vec<i32> = (1..=harmonics as i32).collect();
    let orders = TensorData::new(orders, [1, 1, harmonics]);
    let orders = Tensor::<3, Int>::from_data(orders, &value.device());
    let turns = value.expand(shape) * orders.expand(shape);
    let period = period.expand(shape);
    let residue = turns.remainder(period.clone());
    residue.float().cast(dtype) * std::f64::consts::TAU / period.float().cast(dtype)
}
