//! Computing in half precision with weights in f32.
//!
//! [`Precision`] is the setting; [`autocast`] makes of a module with f32 weights one that computes in
//! half precision on the same graph, so that gradients reach the f32 weights; [`LossScale`] keeps f16
//! gradients from vanishing (Micikevicius et al. 2018).

mod autocast;
mod loss_scale;
mod setting;

pub use autocast::autocast;
pub(crate) use autocast::take_statistics;
pub use loss_scale::{LossScale, LossScaleConfig};
pub use setting::Precision;
