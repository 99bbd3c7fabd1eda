//! Some windows as tensors.

use burn::tensor::{Bool, Int, Tensor};

/// Some windows as tensors. Where a mask says false the value stands for nothing: 0, or what
/// [`MissingValues`](crate::MissingValues) says.
#[derive(Debug, Clone)]
pub struct WindowBatch {
    /// The targets' past, `[B, L, C]`.
    pub past: Tensor<3>,
    /// True where it was observed, `[B, L, C]`; false before the start of a series too.
    pub past_present: Tensor<3, Bool>,
    /// Past covariates, `[B, L, P]`; absent without such columns.
    pub past_covariates: Option<Tensor<3>>,
    /// True where they were observed, `[B, L, P]`; absent where every one was.
    pub past_covariates_present: Option<Tensor<3, Bool>>,
    /// Known covariates of the past and the future, `[B, L + H_max, K]`; absent without such
    /// columns.
    pub known: Option<Tensor<3>>,
    /// True where they were given, `[B, L + H_max, K]`; absent where every one was.
    pub known_present: Option<Tensor<3, Bool>>,
    /// Fixed numbers, `[B, S]`, 0 where missing; absent without such columns.
    pub fixed: Option<Tensor<2>>,
    /// Codes of fixed labels, `[B, S_c]`, 0 where missing or unknown; absent without such columns.
    pub fixed_codes: Option<Tensor<2, Int>>,
    /// [`CalendarFields`](crate::CalendarFields) of past and future, `[B, L + H_max, 8]`; before the
    /// start of a series those of its first step. Absent if the config says so.
    pub calendar: Option<Tensor<3, Int>>,
    /// Targets at the forecast steps, `[B, H, C]`; absent where they lie in the future.
    pub target: Option<Tensor<3>>,
    /// True where they were observed, `[B, H, C]`.
    pub target_present: Option<Tensor<3, Bool>>,
    /// The number of each window's series in the table.
    pub series: Vec<usize>,
    /// The time of each window's last past step, milliseconds since 1970-01-01 UTC.
    pub times: Vec<i64>,
    /// The last observed value of each target at that time, in its own unit, `[B, C]` row-major; NaN
    /// where there was none. What turns returns into prices again.
    pub last: Vec<f64>,
}

impl WindowBatch {
    /// Number of windows, `B`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }
}
