//! What every tabular model is and declares.

use burn::module::Module;
use burn::tensor::{Bool, Int, Tensor};

/// One batch of table rows, preprocessed.
#[derive(Debug, Clone, Default)]
pub struct TabularInput {
    /// Numeric features `[B, F_num]`; absent when the table has none.
    pub x_num: Option<Tensor<2>>,
    /// Category codes `[B, F_cat]`, column `j` in `0..cardinality[j]`; absent when there are none.
    pub x_cat: Option<Tensor<2, Int>>,
    /// `[B, F_num]`, true where a numeric value is present. Only for models that declare
    /// [`Capabilities::missing`].
    pub num_present: Option<Tensor<2, Bool>>,
    /// `[B, F_cat]`, true where a category is present. Only for models that declare
    /// [`Capabilities::missing`].
    pub cat_present: Option<Tensor<2, Bool>>,
}

/// What a table looks like to a model: enough to size its config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TabularSpec {
    /// Number of numeric features.
    pub n_num_features: usize,
    /// Number of codes of each categorical feature, unknown bucket included.
    pub cat_cardinalities: Vec<usize>,
    /// Width of the output.
    pub d_out: usize,
}

/// What a model supports. What is declared is tested; what is not is refused with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Takes category codes. Others need one-hot columns.
    pub categorical: bool,
    /// Takes masks of missing values. Others need imputed values.
    pub missing: bool,
    /// Rows of one batch see each other (batch-norm statistics in training do not count).
    pub batch_dependent: bool,
    /// Output at time t depends on times up to t only.
    pub causal: bool,
    /// Can return its attention weights.
    pub attention_maps: bool,
    /// Can return per-feature masks.
    pub feature_masks: bool,
}

impl Capabilities {
    /// Supports none of it.
    pub const NONE: Self = Self {
        categorical: false,
        missing: false,
        batch_dependent: false,
        causal: false,
        attention_maps: false,
        feature_masks: false,
    };
}

/// A model from table rows to predictions.
pub trait TabularModel: Module {
    /// What it supports.
    const CAPABILITIES: Capabilities;

    /// Predictions (regression values or logits) for a batch.
    ///
    /// # Shapes
    /// - output: `[B, D_out]`
    ///
    /// # Panics
    /// If the input's widths are not those of the config; the message has both.
    fn forward(&self, input: TabularInput) -> Tensor<2>;
}
