//! What a model supports.

/// Which rows a prediction depends on, beside its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowContext {
    /// None: rows stand alone.
    Alone,
    /// Rows of one batch see each other. To predict, a fixed set of rows is given as
    /// [`Context`](crate::Context) without targets: each row then sees those and itself, so that
    /// the answer does not depend on how a table is cut.
    Neighbours,
    /// Labelled rows: a [`Context`](crate::Context) with targets is part of every input. Rows to
    /// predict do not see each other; rows whose [targets](crate::TabularInput::target) are given
    /// too, in training, may. [`LabelledRows`](crate::LabelledRows) says how many rows there are
    /// and which.
    Labelled,
}

/// What a model supports. What is declared is tested; what is not is refused with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Takes category codes. Others need one-hot columns.
    pub categorical: bool,
    /// Takes masks of missing values. Others need imputed values.
    pub missing: bool,
    /// Which other rows it looks at. Batch statistics in training do not count.
    pub rows: RowContext,
    /// Returns its attention weights when they are [wanted](forge_nn::Want::attention).
    pub attention_maps: bool,
    /// Returns masks and importance of the features when they are
    /// [wanted](forge_nn::Want::features).
    pub feature_masks: bool,
    /// Adds a [penalty](forge_nn::Forward::penalty) to the loss.
    pub penalty: bool,
    /// Normalises by the statistics of the training batch (batch normalisation): one of a single
    /// row teaches nothing, as its deviations are 0.
    pub batch_statistics: bool,
}

impl Capabilities {
    /// Supports none of it.
    pub const NONE: Self = Self {
        categorical: false,
        missing: false,
        rows: RowContext::Alone,
        attention_maps: false,
        feature_masks: false,
        penalty: false,
        batch_statistics: false,
    };
}
