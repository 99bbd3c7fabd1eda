//! Forecasting models, and the one list of them.
//!
//! To add a model: its folder, its `mod` line and its line in the list below.

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use crate::registry::{registry, unknown_of};

mod contract;
mod dlinear;
mod fits;
mod hidden_activation;
mod itransformer;
mod migt_tvdt;
mod modern_tcn;
mod nhits;
mod nlinear;
mod outputs;
mod patch_tst;
mod patches;
mod patching;
mod sparse_tsf;
mod steps_linear;
mod stock_former;
mod stock_former_student;
mod tft;
mod tide;
mod timemixer;
mod tsmixer;

pub use contract::{
    CalendarSteps, ForecastCapabilities, ForecastConfig, ForecastModel, SeriesInput, SeriesSpec,
};
pub use hidden_activation::HiddenActivation;
pub use steps_linear::StepsLinear;

registry! { ($) forecast, ForecastConfig;
    /// The config of any forecasting model, tagged by `"model"` in JSON and TOML.
    ///
    /// ```
    /// use forge_models::SeriesModelConfig;
    /// let config = SeriesModelConfig::from_json(r#"{"model": "dlinear", "kernel_size": 25}"#)?;
    /// assert_eq!(config.name(), "dlinear");
    /// assert!(SeriesModelConfig::from_json(r#"{"model": "dlinear", "kernel": 25}"#).is_err());
    /// # Ok::<(), forge_nn::ForgeError>(())
    /// ```
    SeriesModelConfig;
    /// Any forecasting model.
    SeriesModel;
    "dlinear" => dlinear: DLinear, DLinearConfig;
    "nlinear" => nlinear: NLinear, NLinearConfig;
    "fits" => fits: Fits, FitsConfig;
    "sparse_tsf" => sparse_tsf: SparseTsf, SparseTsfConfig;
    "migt_tvdt" => migt_tvdt: MigtTvdt, MigtTvdtConfig;
    "nhits" => nhits: NHits, NHitsConfig;
    "stock_former" => stock_former: StockFormer, StockFormerConfig;
    "stock_former_student" => stock_former_student: StockFormerStudent, StockFormerStudentConfig;
    "tft" => tft: Tft, TftConfig;
    "tide" => tide: Tide, TideConfig;
    "patch_tst" => patch_tst: PatchTst, PatchTstConfig;
    "itransformer" => itransformer: ITransformer, ITransformerConfig;
    "tsmixer" => tsmixer: TsMixer, TsMixerConfig;
    "timemixer" => timemixer: TimeMixer, TimeMixerConfig;
    "modern_tcn" => modern_tcn: ModernTcnForecaster, ModernTcnForecasterConfig;
    "mamba" => patches: MambaForecaster, MambaForecasterConfig;
    "mamba2" => patches: Mamba2Forecaster, Mamba2ForecasterConfig;
    "xlstm" => patches: XlstmForecaster, XlstmForecasterConfig;
    "ttt_linear" => patches: TttLinearForecaster, TttLinearForecasterConfig;
    "ttt_mlp" => patches: TttMlpForecaster, TttMlpForecasterConfig;
    "modern_transformer" => patches: ModernTransformerForecaster, ModernTransformerForecasterConfig;
    "hybrid_transformer" => patches: HybridTransformerForecaster, HybridTransformerForecasterConfig;
    "parallel_transformer" => patches: ParallelTransformerForecaster, ParallelTransformerForecasterConfig;
    "hyper_mixer" => patches: HyperMixerForecaster, HyperMixerForecasterConfig;
    "ntm" => patches: NtmForecaster, NtmForecasterConfig;
}

fn unknown(name: &str) -> ForgeError {
    unknown_of(name, SeriesModelConfig::NAMES)
}

// Below the list: a macro by example is known from where it is made.
mod model;
mod model_config;
