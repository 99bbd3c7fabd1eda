//! Windows cut into patches.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};

/// Pieces of a window, each variable by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patching {
    /// Steps in a patch.
    pub(crate) length: usize,
    /// Steps from one to the next.
    pub(crate) stride: usize,
    /// The last value stands `stride` times more behind the window, which makes one patch more.
    pub(crate) padded: bool,
}

impl Patching {
    /// Checks the fields `patch_len` and `stride`.
    pub(crate) fn validate(self, lookback: usize) -> Result<(), ForgeError> {
        check::in_range("stride", self.stride, 1..=lookback)?;
        let most = lookback + if self.padded { self.stride } else { 0 };
        if (1..=most).contains(&self.length) {
            return Ok(());
        }
        let allowed = format!("1 to {most}, the steps of a window of lookback = {lookback}");
        Err(ForgeError::config("patch_len", self.length, allowed))
    }

    /// Patches of a window.
    pub(crate) fn count(self, lookback: usize) -> usize {
        let whole = lookback + if self.padded { self.stride } else { 0 };
        whole.saturating_sub(self.length) / self.stride.max(1) + 1
    }

    /// Steps behind the last whole patch are left out.
    ///
    /// # Shapes
    /// - x: `[B, N, L]`
    /// - output: `[B·N, P, length]`
    pub(crate) fn cut(self, x: Tensor<3>) -> Tensor<3> {
        let [batch, variables, time] = x.dims();
        let x = match self.padded {
            true => {
                let last = x.clone().narrow(2, time - 1, 1).repeat_dim(2, self.stride);
                Tensor::cat(vec![x, last], 2)
            }
            false => x,
        };
        let patches: Tensor<4> = x.unfold(2, self.length, self.stride);
        let count = patches.dims()[2];
        patches.reshape([batch * variables, count, self.length])
    }
}
