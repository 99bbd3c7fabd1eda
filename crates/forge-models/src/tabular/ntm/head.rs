//! What reads and what writes the memory.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};
use forge_nn::{ForgeError, Linear, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::NtmAddresses;
use super::addressing::Address;
use crate::limits;

/// Makes a [`NtmReadHead`] ([`read`](Self::read)) or a [`NtmWriteHead`] ([`write`](Self::write)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NtmHeadConfig {
    /// Width of the controller's output, at least 1.
    pub d_controller: usize,
    /// Numbers in a slot of the memory, at least 1.
    pub slot_size: usize,
}

/// Reads a mixture of the slots: `r = Σ_i w_i M_i`.
#[derive(Module, Debug)]
pub struct NtmReadHead {
    pub(super) linear: Linear,
    slot_size: usize,
}

/// Erases and adds: `M_i ← M_i ∘ (1 - w_i e) + w_i a`.
#[derive(Module, Debug)]
pub struct NtmWriteHead {
    pub(super) linear: Linear,
    slot_size: usize,
}

/// What a write head did.
#[derive(Debug, Clone)]
pub struct NtmWritten {
    /// `[B, N, M]`.
    pub memory: Tensor<3>,
    /// `[B, M]`, in `(0, 1)`.
    pub erase: Tensor<2>,
    /// `[B, M]`.
    pub add: Tensor<2>,
    /// Where.
    pub addresses: NtmAddresses,
}

impl NtmHeadConfig {
    /// # Errors
    /// A config error naming the first bad field.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_controller", self.d_controller, limits::WIDTH)?;
        check::in_range("slot_size", self.slot_size, limits::WIDTH)
    }

    /// A read head. Its layer makes key, strength, gate, three shifts and sharpness, in that order.
    #[must_use]
    pub fn read(&self, device: &Device) -> NtmReadHead {
        NtmReadHead {
            linear: LinearConfig::new(self.d_controller, self.read_width()).init(device),
            slot_size: self.slot_size,
        }
    }

    /// A write head. Its layer makes what a read head's does, then what to erase and what to add.
    #[must_use]
    pub fn write(&self, device: &Device) -> NtmWriteHead {
        NtmWriteHead {
            linear: LinearConfig::new(self.d_controller, self.write_width()).init(device),
            slot_size: self.slot_size,
        }
    }

    fn read_width(&self) -> usize {
        Address::width(self.slot_size)
    }

    fn write_width(&self) -> usize {
        Address::width(self.slot_size) + 2 * self.slot_size
    }

    /// Parameters of a read and a write head together.
    pub(super) fn parameter_count(&self) -> usize {
        (self.d_controller + 1) * (self.read_width() + self.write_width())
    }
}

impl NtmReadHead {
    /// What is read, and where.
    ///
    /// # Shapes
    /// - controller: `[B, D_controller]`, memory: `[B, N, M]`, before: `[B, N]`, the weights of the
    ///   step before
    /// - output: `[B, M]`
    ///
    /// # Panics
    /// If the shapes disagree.
    #[must_use]
    pub fn forward(
        &self,
        controller: Tensor<2>,
        memory: &Tensor<3>,
        before: Tensor<2>,
    ) -> (Tensor<2>, NtmAddresses) {
        let row = self.linear.forward(controller);
        let addresses = Address::read(&row, self.slot_size).find(memory, before);
        let weights = addresses.weights.clone().unsqueeze_dim::<3>(1);
        (weights.matmul(memory.clone()).squeeze_dim(1), addresses)
    }
}

impl NtmWriteHead {
    /// The memory after it.
    ///
    /// # Shapes
    /// - controller: `[B, D_controller]`, memory: `[B, N, M]`, before: `[B, N]`, the weights of the
    ///   step before
    ///
    /// # Panics
    /// If the shapes disagree.
    #[must_use]
    pub fn forward(
        &self,
        controller: Tensor<2>,
        memory: Tensor<3>,
        before: Tensor<2>,
    ) -> NtmWritten {
        let row = self.linear.forward(controller);
        let addresses = Address::read(&row, self.slot_size).find(&memory, before);
        let size = self.slot_size;
        let start = Address::width(size);
        let erase = sigmoid(row.clone().narrow(1, start, size));
        let add = row.narrow(1, start + size, size);
        let weights = addresses.weights.clone().unsqueeze_dim::<3>(2);
        let kept = weights.clone().matmul(erase.clone().unsqueeze_dim(1)).neg() + 1.0;
        let memory = memory * kept + weights.matmul(add.clone().unsqueeze_dim(1));
        NtmWritten {
            memory,
            erase,
            add,
            addresses,
        }
    }
}
