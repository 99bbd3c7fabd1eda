//! What the CubeCL programs share.
//!
//! One program serves every CubeCL device. Programs do not use plane operations (the CPU runtime
//! has none and software Vulkan none that are right), and take cube sizes from the device.

pub(super) mod launch;
pub(super) mod number;
