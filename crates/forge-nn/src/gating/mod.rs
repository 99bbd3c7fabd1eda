//! Gates on residuals and channels.

mod gated_instance_norm;
mod gated_linear;
mod gated_residual_network;
mod lite_gate_unit;
mod squeeze_excitation;

pub use gated_instance_norm::{GatedInstanceNorm, GatedInstanceNormConfig};
pub use gated_linear::{GatedLinear, GatedLinearConfig};
pub use gated_residual_network::{GatedResidualNetwork, GatedResidualNetworkConfig};
pub use lite_gate_unit::{LiteGateUnit, LiteGateUnitConfig};
pub use squeeze_excitation::{SqueezeExcitation, SqueezeExcitationConfig};
