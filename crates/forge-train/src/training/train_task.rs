//! What the trainer needs to know of a problem.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::ForgeError;

/// A problem to train on: rows in, scalar loss out.
///
/// The trainer never sees a row; it deals in row numbers. So a task holds its table, its loss and
/// its validation set as it likes.
pub trait TrainTask {
    /// What is trained.
    type Module: Module;

    /// Training rows. They are numbered from 0.
    fn n_rows(&self) -> usize;

    /// The mean loss over `rows`, on the graph of `module`'s parameters.
    ///
    /// Rows come in the order of the epoch's shuffle; there are at least 2 unless the set has one
    /// row or the batch size is 1. The result may depend on `module`, `rows`, and Burn's random
    /// numbers, which are seeded anew before every step; anything else breaks exact resumption.
    ///
    /// Make inputs on `device.autodiff()`: batch normalisation looks at its input's device to tell
    /// training from inference.
    ///
    /// # Shapes
    /// - output: `[1]`
    ///
    /// # Errors
    /// What the task finds wrong with the rows; it ends the run.
    fn loss(&self, module: &Self::Module, rows: &[usize]) -> Result<Tensor<1>, ForgeError>;

    /// The validation score of `module`, lower being better; absent where the task has no
    /// validation set.
    ///
    /// `module` is in inference mode (`valid()`), and is the averaged one when averaging is on.
    ///
    /// # Errors
    /// What the task finds wrong; it ends the run.
    fn validate(&self, module: &Self::Module) -> Result<Option<f64>, ForgeError> {
        let _ = module;
        Ok(None)
    }
}
