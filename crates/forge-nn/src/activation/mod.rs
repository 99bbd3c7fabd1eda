//! Activation functions. What Burn has, exact in value and gradient, is re-exported; the rest is
//! here.

mod acon_a;
mod acon_b;
mod acon_c;
mod elu;
mod entmax15;
mod frelu_1d;
mod frelu_2d;
mod gated_feed_forward;
mod gelu;
mod lisht;
mod meta_acon;
mod mish;
mod selu;
mod silu;
mod softplus;
mod sparsemax;
mod squared_relu;
mod star_relu;

pub use crate::ops::{GluKind, geglu, glu, reglu, swiglu};
pub use acon_a::{AconA, AconAConfig};
pub use acon_b::{AconB, AconBConfig};
pub use acon_c::{AconC, AconCConfig, acon_c};
pub use burn::tensor::activation::{leaky_relu, relu, sigmoid, softmax, tanh};
pub use elu::elu;
pub use entmax15::entmax15;
pub use frelu_1d::{FRelu1d, FRelu1dConfig};
pub use frelu_2d::{FRelu2d, FRelu2dConfig};
pub use gated_feed_forward::{GatedFeedForward, GatedFeedForwardConfig};
pub use gelu::{gelu, gelu_approximate};
pub use lisht::lisht;
pub use meta_acon::{MetaAcon, MetaAconConfig};
pub use mish::mish;
pub use selu::selu;
pub use silu::silu;
pub use softplus::softplus;
pub use sparsemax::sparsemax;
pub use squared_relu::squared_relu;
pub use star_relu::{StarRelu, StarReluConfig};
