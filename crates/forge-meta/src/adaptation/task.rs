//! Where tasks come from.

use burn::tensor::Device;
use forge_nn::ForgeError;

/// What is learned from and what is judged by.
#[derive(Debug, Clone)]
pub struct Task<B> {
    /// The samples to adapt to.
    pub support: B,
    /// Further samples of the same task.
    pub query: B,
}

/// A source of tasks.
pub trait TaskDistribution: Send {
    /// A batch of samples.
    type Batch;

    /// The task number `seed`: the same at each call.
    ///
    /// # Errors
    /// If the source has no such task.
    fn task(&self, seed: u64, device: &Device) -> Result<Task<Self::Batch>, ForgeError>;
}
