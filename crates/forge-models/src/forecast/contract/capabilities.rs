//! What a forecasting model supports.

/// What a forecasting model supports. What is declared is tested; what is not is refused with an
/// error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForecastCapabilities {
    /// Forecasts several targets at once. Others are sized for one, and a panel of several is one
    /// series per target.
    pub several_targets: bool,
    /// Takes covariates whose past alone is known.
    pub past_covariates: bool,
    /// Takes covariates whose future is known.
    pub known: bool,
    /// Takes numbers that do not change with time.
    pub fixed: bool,
    /// Takes categories that do not change with time.
    pub fixed_codes: bool,
    /// Takes a vector per window that a foundation model computed.
    pub embedding: bool,
    /// Takes the calendar of the steps.
    pub calendar: bool,
    /// Takes a mask of the look-back's valid steps. Others need whole windows.
    pub valid: bool,
    /// Gives several outputs per step and target (quantiles, parameters of a distribution).
    pub several_outputs: bool,
    /// The outputs of a step rise already, by construction: they are quantiles and nothing else.
    pub rising_outputs: bool,
    /// Takes the level of each window out and gives it back: the forecast follows a shift of the
    /// series.
    pub own_level: bool,
    /// Takes the scale of each window out too, with [`own_level`](Self::own_level): the forecast of
    /// a series twice as wide is twice as wide.
    pub own_scale: bool,
    /// Returns its attention weights when they are [wanted](forge_nn::Want::attention).
    pub attention_maps: bool,
    /// Returns the weights of its variables when they are [wanted](forge_nn::Want::features).
    pub feature_masks: bool,
    /// Normalises by the statistics of the training batch (batch normalisation).
    pub batch_statistics: bool,
}

impl ForecastCapabilities {
    /// Supports none of it: one target, its own past, one output per step.
    pub const NONE: Self = Self {
        several_targets: false,
        past_covariates: false,
        known: false,
        fixed: false,
        fixed_codes: false,
        embedding: false,
        calendar: false,
        valid: false,
        several_outputs: false,
        rising_outputs: false,
        own_level: false,
        own_scale: false,
        attention_maps: false,
        feature_masks: false,
        batch_statistics: false,
    };
}
