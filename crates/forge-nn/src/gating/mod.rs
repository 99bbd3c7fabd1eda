//! Gates on residuals and channels.

mod gated_instance_norm;
mod lite_gate_unit;
mod squeeze_excitation;

pub use gated_instance_norm::{GatedInstanceNorm, GatedInstanceNormConfig};
pub use lite_gate_unit::{LiteGateUnit, LiteGateUnitConfig};
pub use squeeze_excitation::{SqueezeExcitation, SqueezeExcitationConfig};
