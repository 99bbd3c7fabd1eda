//! What preprocessing does, as data.

use serde::{Deserialize, Serialize};

use crate::DataError;

/// What is done to a numeric column after imputation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumericTransform {
    /// The value as it is.
    None,
    /// `(x − mean) / std`, population standard deviation (division by `N`).
    #[default]
    Standardize,
    /// To a standard normal by the empirical distribution function, as scikit-learn's
    /// `QuantileTransformer(output_distribution="normal")`: robust against outliers, blind to
    /// distances within a column.
    Quantile,
}

/// What stands in for a missing number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impute {
    /// The mean of the training rows.
    #[default]
    Mean,
    /// The median of the training rows.
    Median,
}

/// The form in which labels reach the model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategoricalEncoding {
    /// Integer codes, for models with embeddings. Code 0 is the unknown bucket.
    #[default]
    Codes,
    /// One 0/1 column per label, for models that take numbers only. Unknown = all zeros.
    OneHot,
}

/// How a table becomes features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PreprocessConfig {
    /// Transform of numeric columns. Default: standardize.
    pub numeric: NumericTransform,
    /// Number of quantiles of [`NumericTransform::Quantile`], 2 to 100 000; more than there are
    /// training rows is cut to their number. Default (`None`): a 30th of the training rows, at
    /// least 10 and at most 1000.
    pub n_quantiles: Option<usize>,
    /// Standard deviation, in units of the column's own, of the noise added to training values
    /// before quantiles are taken, which spreads ties; 0 to 1. Default: 0, no noise. The noise is
    /// a function of [`seed`](Self::seed) and never touches transformed values.
    pub quantile_noise: f64,
    /// Seed of the noise. Default: 0.
    pub seed: u64,
    /// What replaces missing numbers. Default: the mean.
    pub impute: Impute,
    /// Appends a 0/1 column for each numeric column with missing values in training.
    /// Default: true.
    pub missing_indicator: bool,
    /// Codes or one-hot. Default: codes.
    pub categorical: CategoricalEncoding,
    /// Most labels a column keeps as codes, at least 1; the rarest beyond go to the unknown
    /// bucket. Default: 10 000.
    pub max_categories: usize,
    /// Most labels a column keeps as one-hot columns, at least 1. Default: 100.
    pub max_one_hot: usize,
    /// Labels seen in fewer training rows go to the unknown bucket, at least 1. Default: 1, that
    /// is all labels are kept; with 2 or more, the unknown bucket is trained.
    pub min_category_count: usize,
}

impl Default for PreprocessConfig {
    fn default() -> Self {
        Self {
            numeric: NumericTransform::Standardize,
            n_quantiles: None,
            quantile_noise: 0.0,
            seed: 0,
            impute: Impute::Mean,
            missing_indicator: true,
            categorical: CategoricalEncoding::Codes,
            max_categories: 10_000,
            max_one_hot: 100,
            min_category_count: 1,
        }
    }
}

impl PreprocessConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn validate(&self) -> Result<(), DataError> {
        if let Some(n) = self.n_quantiles
            && !(2..=100_000).contains(&n)
        {
            return Err(out_of_range("n_quantiles", n, "2 to 100000"));
        }
        if !(0.0..=1.0).contains(&self.quantile_noise) {
            return Err(out_of_range(
                "quantile_noise",
                self.quantile_noise,
                "0 to 1",
            ));
        }
        if !(1..=i32::MAX as usize - 2).contains(&self.max_categories) {
            return Err(out_of_range(
                "max_categories",
                self.max_categories,
                "1 to 2147483645",
            ));
        }
        if !(1..=100_000).contains(&self.max_one_hot) {
            return Err(out_of_range("max_one_hot", self.max_one_hot, "1 to 100000"));
        }
        if self.min_category_count == 0 {
            return Err(out_of_range("min_category_count", 0, "at least 1"));
        }
        Ok(())
    }

    /// Labels a column may keep under this config's encoding.
    pub(super) fn label_cap(&self) -> usize {
        match self.categorical {
            CategoricalEncoding::Codes => self.max_categories,
            CategoricalEncoding::OneHot => self.max_one_hot,
        }
    }

    /// Number of quantiles for a table with `n_train` training rows.
    pub(super) fn quantile_count(&self, n_train: usize) -> usize {
        self.n_quantiles
            .unwrap_or((n_train / 30).clamp(10, 1000))
            .min(n_train)
            .max(2)
    }
}

fn out_of_range(field: &str, value: impl std::fmt::Display, allowed: &str) -> DataError {
    DataError::config(format!(
        "{field} = {value} is out of range: allowed {allowed}"
    ))
}
