//! Losses that are still on the device.

use burn::tensor::{DType, Device, Tensor};
use forge_nn::{ForgeError, is_host};

use super::progress::Progress;

/// Collects the losses of steps and reads them back all at once, now and then.
#[derive(Debug)]
pub(super) struct LossReader {
    /// Steps from one reading to the next.
    every: usize,
    unread: Vec<Unread>,
    last: Option<f64>,
    /// A loss was not finite.
    diverged: bool,
}

#[derive(Debug)]
struct Unread {
    epoch: usize,
    step: u64,
    rows: usize,
    weight: f64,
    loss: Tensor<1>,
}

impl LossReader {
    /// Absent: at every step where reading costs nothing, else at every 32nd.
    pub(super) fn new(every: Option<usize>, device: &Device) -> Self {
        let default = if is_host(device) { 1 } else { 32 };
        Self {
            every: every.unwrap_or(default),
            unread: Vec::new(),
            last: None,
            diverged: false,
        }
    }

    /// Whether a loss was not finite.
    pub(super) fn has_diverged(&self) -> bool {
        self.diverged
    }

    /// Forgets what is unread.
    pub(super) fn clear(&mut self) {
        self.unread.clear();
        self.last = None;
        self.diverged = false;
    }

    /// Takes in the loss of step `step`: the mean over `rows` rows of weight `weight`.
    pub(super) fn push(
        &mut self,
        (epoch, step): (usize, u64),
        (rows, weight): (usize, f64),
        loss: Tensor<1>,
    ) {
        self.unread.push(Unread {
            epoch,
            step,
            rows,
            weight,
            loss,
        });
    }

    /// The latest loss that was read.
    pub(super) fn last(&self) -> Option<f64> {
        self.last
    }

    /// Reads if it is time to.
    pub(super) fn read_if_due(&mut self, progress: &mut Progress) -> Result<(), ForgeError> {
        if self.unread.len() >= self.every {
            self.read(progress)
        } else {
            Ok(())
        }
    }

    /// Reads what is unread into the sums of the epoch, in the order of the steps, so that the sum
    /// does not depend on when they are read.
    pub(super) fn read(&mut self, progress: &mut Progress) -> Result<(), ForgeError> {
        if self.unread.is_empty() {
            return Ok(());
        }
        let unread = std::mem::take(&mut self.unread);
        let losses = unread.iter().map(|u| u.loss.clone()).collect();
        let cannot = |e: &dyn std::fmt::Display| {
            ForgeError::device(format!("the loss cannot be read back: {e}"))
        };
        let values = Tensor::cat(losses, 0)
            .try_into_data_dtype(DType::F64)
            .map_err(|e| cannot(&e))?
            .try_to_vec::<f64>()
            .map_err(|e| cannot(&e))?;
        for (u, loss) in unread.iter().zip(values) {
            if !loss.is_finite() {
                self.diverged = true;
                return Err(ForgeError::training(format!(
                    "the loss is {loss} at epoch {}, step {}",
                    u.epoch, u.step
                )));
            }
            progress.loss_sum += loss * u.weight;
            progress.weight += u.weight;
            progress.rows += u.rows as u64;
            self.last = Some(loss);
        }
        Ok(())
    }
}
