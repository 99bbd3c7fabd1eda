//! In which type a training step computes.

use burn::tensor::{DType, Device, Tensor};
use forge_nn::{ForgeError, computes_in, is_host};
use serde::{Deserialize, Serialize};

/// In which type the forward and backward pass of a training step compute. Weights, optimiser,
/// averages and validation stay in f32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32 bits, of which 24 count.
    #[default]
    F32,
    /// 16 bits with the range of f32, of which 8 count: no loss scale is needed.
    Bf16,
    /// 16 bits up to 65504, of which 11 count: trained with a
    /// [loss scale](crate::precision::LossScale).
    F16,
}

impl Precision {
    /// Its element type.
    #[must_use]
    pub fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
            Self::F16 => DType::F16,
        }
    }

    /// Whether it is half precision.
    #[must_use]
    pub fn is_half(self) -> bool {
        self != Self::F32
    }

    /// An input of a half-precision step: of f32 its nearest value in this type, of any other type
    /// itself. In f32 it is the input.
    ///
    /// # Shapes
    /// - x, output: any
    #[must_use]
    pub fn cast<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match (self.is_half(), x.dtype()) {
            (true, DType::F32) => x.cast(self.dtype()),
            _ => x,
        }
    }

    /// That `device` computes in this type.
    ///
    /// # Errors
    /// A config error naming the precision where the device does not have the type.
    pub fn check(self, device: &Device) -> Result<(), ForgeError> {
        if self.is_half() && !computes_in(&device.clone().inner(), self.dtype()) {
            let allowed = "f32: this device does not compute in that type";
            return Err(ForgeError::config("precision", self.name(), allowed));
        }
        Ok(())
    }

    /// That `device` computes in this type, and faster than in f32.
    ///
    /// # Errors
    /// As [`check`](Self::check); a config error on CPU devices, which compute in half precision by
    /// way of f32 and are slower for it.
    pub fn check_worthwhile(self, device: &Device) -> Result<(), ForgeError> {
        if self.is_half() && is_host(device) {
            let allowed = "f32: a CPU device converts every number of half precision to f32 and \
                           back, which is slower than f32 itself; train in half precision on a GPU";
            return Err(ForgeError::config("precision", self.name(), allowed));
        }
        self.check(device)
    }

    fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }
}
