//! Which rows go into which step.

mod cut;
mod epoch_order;
mod grouped;
mod members;
mod row_keys;
mod sampler_config;
mod sequential;
mod shuffle;
mod sorted;
mod stratified;
mod uniform;
mod weighted;

pub use grouped::Grouped;
pub use row_keys::{KeyOf, RowKeys};
pub use sampler_config::SamplerConfig;
pub use sequential::Sequential;
pub use shuffle::Shuffle;
pub use sorted::{Bucketed, TimeOrdered};
pub use stratified::Stratified;
pub use weighted::Weighted;

use forge_nn::ForgeError;

use crate::checkpoint::RunPart;

/// Says which training rows a step takes.
///
/// A run asks for the batches of an epoch in order. One that goes on after a stop asks for those
/// that are left, after [`restore`](RunPart::restore): they have to be the same.
pub trait Sampler: RunPart {
    /// Steps per epoch: the same in every epoch, since learning rates are planned with it.
    fn batches(&self) -> usize;

    /// The rows of batch `batch` (from 0) of epoch `epoch` (from 0).
    ///
    /// # Errors
    /// What the sampler finds wrong; it ends the run.
    fn rows(&mut self, epoch: usize, batch: usize) -> Result<Vec<usize>, ForgeError>;
}

impl<S: Sampler + ?Sized> Sampler for Box<S> {
    fn batches(&self) -> usize {
        (**self).batches()
    }

    fn rows(&mut self, epoch: usize, batch: usize) -> Result<Vec<usize>, ForgeError> {
        (**self).rows(epoch, batch)
    }
}
