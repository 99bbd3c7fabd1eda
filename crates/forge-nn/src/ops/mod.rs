//! The hot operations: forward and backward, each with a kernel where one is faster and a
//! reference made of Burn's operations everywhere else.
//!
//! # Layout
//!
//! One operation is one folder: `mod.rs` has the trait and the public function on tensors,
//! `reference.rs` the body that every backend can run, `backward.rs` the rule for
//! `Autodiff<B>`, `flex` the SIMD and multi-threaded form for Burn's `flex` backend, `cube` the
//! program for its CubeCL backends (CUDA, ROCm, Metal, Vulkan, WebGPU, `cpu`). Not every operation
//! has all of them: what is not faster than the reference is not kept.
//!
//! # Which body runs
//!
//! The public functions look at the device. With Burn's fusion an operation with a program is one
//! opaque step; the others take part in fusion as the operations that they are made of. Backends that this crate was compiled for go through
//! the operation's trait, and so through its own backward rule; any other device (remote, graph
//! capture) runs the reference on Burn's dispatching backend, so that a captured graph holds
//! Burn's operations only, [`stop_gradient`] excepted. None of them panics for lack of a kernel.
//!
//! The backward rules have reference bodies too, made of differentiable operations:
//! `Autodiff<Autodiff<B>>` differentiates them again.
//!
//! # Memory
//!
//! On `flex` the results of these operations live in recycled buffers, so that a training step does not ask the
//! operating system for fresh pages at every operation.

// Burn deprecates its `ndarray` backend; it is offered here for as long as Burn has it.
#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[cfg(any(feature = "cube", feature = "fusion"))]
mod compute_dtype;
#[cfg(feature = "cube")]
mod cube;
mod dispatch;
mod dropout_mask;
mod expression;
mod extent;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "fusion")]
mod fusion;
mod half;
mod optional;
mod same_dtype;
mod triangle;
mod weighted;

mod activation;
mod adamw;
mod attention;
mod axes;
mod batch_norm;
mod block_diagonal;
mod causal_conv;
mod channel_affine;
mod cos_sin;
mod depthwise;
mod dropout_residual;
mod glu;
mod linear;
mod lstm;
mod matmul;
mod max_scan;
mod parts;
mod rotary;
mod row_norm;
mod selective_scan;
mod slstm;
mod softmax;
mod ssd;
mod stop_gradient;
mod ttt;

pub(crate) use half::{all_in_f32, in_f32};

pub use activation::{Activation, ActivationOps, activated};
pub use adamw::{AdamWOps, AdamWStep, adamw_step};
pub use attention::{
    AttentionMask, AttentionOps, AttentionOptions, AttentionParams, PackedHeads, attention,
    attention_packed, attention_with_weights,
};
pub use axes::{Axes, Order};
pub use batch_norm::{BatchNormOps, batch_norm};
pub use block_diagonal::{BlockDiagonalOps, block_diagonal};
pub use causal_conv::{CausalConvOps, causal_conv1d};
pub use channel_affine::{ChannelAffineOps, channel_affine};
pub use cos_sin::{CosSinOps, cos_sin};
pub use depthwise::{DepthwiseOps, depthwise_conv1d};
pub use dropout_residual::{DropoutResidualOps, dropout, dropout_residual};
#[cfg(feature = "flex")]
pub use flex::buffer::release_buffers;
pub use glu::{GluKind, GluOps, gated, geglu, glu, reglu, swiglu};
pub use linear::{LinearActivation, LinearOps, linear, linear_activation};
pub use lstm::{LstmOps, lstm};
pub use matmul::{MatmulOps, matmul};
pub use max_scan::{MaxScanOps, NOTHING_YET, max_scan};
pub use optional::{OptionalBool, OptionalFloat};
pub use parts::{PartGradients, PartsOps, parts, split};
pub use rotary::{RotaryLayout, RotaryOps, rotary};
pub use row_norm::{RowNorm, RowNormOps, layer_norm, rms_norm};
pub use selective_scan::{SelectiveScanOps, selective_scan, selective_scan_with_state};
pub use slstm::{SlstmOps, slstm, slstm_start};
pub use softmax::{SoftmaxOps, softmax};
pub use ssd::{SsdOps, ssd, ssd_with_state};
pub use stop_gradient::{STOP_GRADIENT, StopGradientOps, stop_gradient};
pub use ttt::{TttOps, ttt};
