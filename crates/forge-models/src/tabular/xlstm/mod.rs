#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (section 2, appendix A) | here |
//! |---|---|
//! | sLSTM, equations 8 to 17 | `forge_nn::ops::slstm` |
//! | mLSTM, equations 19 to 27 | [`MlstmBlock`] by `forge_nn::ops::ssd` and `max_scan` |
//! | post up-projection block, figure 10 | [`SlstmBlock`] |
//! | pre up-projection block, figure 11 | [`MlstmBlock`] |
//! | stack of blocks | [`XlstmBackbone`] |

mod backbone;
mod config;
mod feed_forward;
mod headwise_linear;
mod mlstm_block;
mod mlstm_config;
mod offset_norm;
mod slstm_block;
mod slstm_config;

pub use backbone::{XlstmBackbone, XlstmBlock, XlstmState};
pub use config::XlstmBackboneConfig;
pub use feed_forward::{XlstmActivation, XlstmFeedForwardConfig};
pub use mlstm_block::{MlstmBlock, MlstmState};
pub use mlstm_config::MlstmConfig;
pub use slstm_block::{SlstmBlock, SlstmState};
pub use slstm_config::SlstmConfig;

/// Tokenizer, [`XlstmBackbone`] and head.
pub type Xlstm = super::TokenModel<XlstmBackbone>;

/// Makes an [`Xlstm`].
pub type XlstmConfig = super::TokenConfig<XlstmBackboneConfig>;

/// `factor · d`, rounded up to a multiple of `unit`.
fn rounded_up(d: usize, factor: f64, unit: usize) -> usize {
    let unit = unit.max(1);
    // `as` truncates and saturates, validation bounds the result.
    let units = (d as f64 * factor / unit as f64).ceil() as usize;
    units.saturating_mul(unit)
}

/// Normal, with the deviation `√(2 / 5d)`: Nguyen & Salazar 2019, as the authors' code starts most
/// projections.
fn small(d: usize) -> burn::nn::Initializer {
    burn::nn::Initializer::Normal {
        mean: 0.0,
        std: (2.0 / (5.0 * d as f64)).sqrt(),
    }
}

/// Normal, with the deviation `2 / (n √d)` for n blocks: Wang & Komatsuzaki 2021, for projections back.
fn narrow(d: usize, blocks: usize) -> burn::nn::Initializer {
    burn::nn::Initializer::Normal {
        mean: 0.0,
        std: 2.0 / (blocks as f64 * (d as f64).sqrt()),
    }
}
