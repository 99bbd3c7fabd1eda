//! An average in the place of the weights that are trained, for a while.

use burn::module::Module;

/// An average in the place of the weights that are trained, for a while: made by
/// [`Averaging::apply`](super::Averaging::apply), ended by [`restore`](Self::restore).
///
/// ```
/// use forge_nn::burn::nn::LinearConfig;
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_train::averaging::{Averaging, Ema, EmaConfig};
///
/// let line = LinearConfig::new(1, 1).init(&Device::flex());
/// let mut ema = Ema::new(EmaConfig::default(), &line);
/// // After each step of the optimiser:
/// ema.update(&line)?;
/// // To validate with the average, and go on with the weights as they were:
/// let applied = ema.apply(line);
/// let _ = applied.module().forward(Tensor::<2>::ones([1, 1], &Device::flex()));
/// let line = applied.restore();
/// # let _ = line;
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug)]
#[must_use = "the weights that are trained are in here: take them out with `restore`"]
pub struct Applied<M> {
    average: M,
    live: M,
}

impl<M: Module> Applied<M> {
    pub(super) fn new(average: M, live: M) -> Self {
        Self { average, live }
    }

    /// The average, in inference mode.
    #[must_use]
    pub fn module(&self) -> &M {
        &self.average
    }

    /// The weights that are trained, to the bit as they were: graph, mode and running statistics.
    #[must_use]
    pub fn restore(self) -> M {
        self.live
    }

    /// The average for good; the weights that were trained are dropped.
    #[must_use]
    pub fn into_average(self) -> M {
        self.average
    }
}
