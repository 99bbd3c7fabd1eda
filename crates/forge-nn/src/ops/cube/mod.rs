//! What the CubeCL programs share.
//!
//! One program serves every CubeCL device. Programs do not use plane operations (the CPU runtime
//! has none and software Vulkan none that are right), take cube sizes from the device, and are told how
//! much there is: the length of a buffer is that of its allocation, which CUDA rounds up.

pub(super) mod launch;
pub(super) mod number;
pub(super) mod product;
