//! How columns of series are scaled.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How columns of series are scaled. As TOML or JSON, unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScalerConfig {
    /// What values are divided by. Default: the standard deviation.
    pub scale: SeriesScale,
    /// Another scale for some targets, past, known or fixed columns, by name, such as `none` for a
    /// column of 0 and 1. Default: none is named.
    pub scales: BTreeMap<String, SeriesScale>,
    /// Whose statistics they are. Default: each series has its own.
    pub by: ScaleBy,
    /// What is done to targets, past and known columns before, by name. Default: nothing.
    pub transforms: BTreeMap<String, SeriesTransform>,
    /// With statistics by series, what becomes of one that was not there in training. Default:
    /// refused.
    pub unknown_series: UnknownSeries,
}

impl ScalerConfig {
    /// With a transform for a column.
    #[must_use]
    pub fn with_transform(mut self, column: impl Into<String>, transform: SeriesTransform) -> Self {
        self.transforms.insert(column.into(), transform);
        self
    }

    /// With another scale for a column.
    #[must_use]
    pub fn with_scale(mut self, column: impl Into<String>, scale: SeriesScale) -> Self {
        self.scales.insert(column.into(), scale);
        self
    }

    /// The scale of a column.
    pub(super) fn scale_of(&self, column: &str) -> SeriesScale {
        self.scales.get(column).copied().unwrap_or(self.scale)
    }

    /// With statistics of all series together.
    #[must_use]
    pub fn global(mut self) -> Self {
        self.by = ScaleBy::Global;
        self
    }
}

/// What values are centred at and divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesScale {
    /// The mean and the standard deviation (of the population, divisor `n`).
    #[default]
    Standard,
    /// The median and the interquartile range divided by 1.349, which is the standard deviation of
    /// a normal law; the standard deviation where that range is 0.
    Robust,
    /// 0 and 1: values stay as they are.
    None,
}

/// Whose statistics scale a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleBy {
    /// Its own.
    #[default]
    Series,
    /// Those of all series together.
    Global,
}

/// What is done to a series that was not there in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownSeries {
    /// An error that names it.
    #[default]
    Refuse,
    /// It is scaled by the statistics of all series together.
    Global,
}

/// What is done to values before they are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesTransform {
    /// Nothing.
    #[default]
    None,
    /// `ln v`, of values above 0.
    Log,
    /// `ln(1 + v)`, of values above -1.
    Log1p,
    /// Log returns, of values above 0. Inputs are `ln(v_t / v_(t-1))`, from the last value there
    /// was. A target `h` steps ahead is `ln(v_(t+h) / v_t)`, centred at `h` times the mean return and
    /// divided by `sqrt(h)` times its deviation, so that a random walk has unit variance at every
    /// horizon; it turns back into a price exactly.
    Returns,
}
