//! Weights of several tasks that are learnt.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use forge_nn::{ForgeError, check};

/// What a task's loss is of: how its noise enters the likelihood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// Numbers: `½ e^-s L + ½ s`.
    Numbers,
    /// Classes: `e^-s L + ½ s`.
    Classes,
}

impl TaskKind {
    /// `½` or 1, what the loss is multiplied by beside `e^-s`.
    #[must_use]
    pub fn factor(self) -> f64 {
        match self {
            Self::Numbers => 0.5,
            Self::Classes => 1.0,
        }
    }
}

/// A task's loss weighed by its own noise with the log variance `s = ln σ²`: `½ e^-s L + ½ s` for numbers,
/// `e^-s L + ½ s` for classes (Kendall, Gal and Cipolla 2018, arXiv 1705.07115, eq. 7 and 10). Least at
/// `s = ln L` and `ln 2L`: a task of larger loss weighs less.
///
/// # Shapes
/// - loss, `log_variance` and output: the same, any
#[must_use]
pub fn homoscedastic<const D: usize>(
    loss: Tensor<D>,
    log_variance: Tensor<D>,
    of: TaskKind,
) -> Tensor<D> {
    let weight = log_variance.clone().neg().exp().mul_scalar(of.factor());
    weight.mul(loss).add(log_variance.mul_scalar(0.5))
}

/// Trainable log variances of several tasks: a module to train beside the model, for loops of your own
/// (a tuple of both is one module).
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_train::loss::{TaskKind, UncertaintyWeights};
///
/// let device = Device::flex();
/// let weights = UncertaintyWeights::new(2, &device)?;
/// let loss = |value: f64| Tensor::<1>::from_data([value], &device);
/// let tasks = [(TaskKind::Numbers, loss(0.5)), (TaskKind::Classes, loss(0.7))];
/// let loss = weights.forward(tasks);
/// assert!((loss.into_scalar::<f32>() - 0.95).abs() < 1e-6);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Module, Debug)]
pub struct UncertaintyWeights {
    /// `s` of every task, `[K]`; 0 at first.
    pub log_variances: Param<Tensor<1>>,
}

impl UncertaintyWeights {
    /// One log variance per task, 0 at first.
    ///
    /// # Errors
    /// A config error for no tasks.
    pub fn new(tasks: usize, device: &Device) -> Result<Self, ForgeError> {
        check::at_least_one("tasks", tasks)?;
        Ok(Self {
            log_variances: Param::from_tensor(Tensor::zeros([tasks], device)),
        })
    }

    /// The sum of the tasks' weighed losses, see [`homoscedastic`].
    ///
    /// # Shapes
    /// - losses: `[1]` each
    /// - output: `[1]`
    ///
    /// # Panics
    /// If there are not as many losses as log variances.
    #[must_use]
    pub fn forward<const N: usize>(&self, losses: [(TaskKind, Tensor<1>); N]) -> Tensor<1> {
        let variances = self.log_variances.val();
        assert_eq!(
            [N],
            variances.dims(),
            "uncertainty weights: losses of {N} tasks for {:?} log variances",
            variances.dims()
        );
        let terms = losses.into_iter().enumerate().map(|(k, (task, loss))| {
            let s = variances.clone().narrow(0, k, 1).cast(loss.dtype());
            homoscedastic(loss, s, task)
        });
        Tensor::cat(terms.collect(), 0).sum()
    }
}
