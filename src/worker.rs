//! Predictions on the threads that compute.

use forge_nn::burn::tensor::Device;
use forge_nn::on_worker;

/// Fewer rows are done sooner than they are handed over.
const FEW: usize = 64;

/// [`on_worker`] for work on so many rows, or windows.
pub(crate) fn with_rows<R: Send>(
    rows: usize,
    device: &Device,
    work: impl FnOnce() -> R + Send,
) -> R {
    if rows < FEW {
        return work();
    }
    on_worker(device, work)
}
