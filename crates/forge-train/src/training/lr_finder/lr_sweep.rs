//! The sweep itself, for a loop of one's own.

use forge_nn::ForgeError;

use super::{LrCurve, LrFinderConfig, LrPoint};

/// The rates of a sweep, one after the other: set [`lr`](Self::lr), make a step, give
/// [`take_in`](Self::take_in) the loss before it, until there is no further rate.
///
/// ```
/// use forge_train::{LrFinderConfig, LrSweep};
///
/// // Gradient descent on w²/2, a fresh batch of noise left out.
/// let mut w = 1.0_f64;
/// let mut sweep = LrSweep::new(LrFinderConfig { start_lr: 1e-3, ..Default::default() })?;
/// while let Some(lr) = sweep.lr() {
///     sweep.take_in(0.5 * w * w);
///     w -= lr * w;
/// }
/// let rate = sweep.into_curve()?.steepest().expect("the loss fell");
/// assert!(rate > 0.01 && rate < 2.0, "{rate}");
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LrSweep {
    config: LrFinderConfig,
    curve: LrCurve,
    best: f64,
}

impl LrSweep {
    /// Before the first rate.
    ///
    /// # Errors
    /// What [`LrFinderConfig::validate`] finds.
    pub fn new(config: LrFinderConfig) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self {
            config,
            curve: LrCurve::default(),
            best: f64::INFINITY,
        })
    }

    /// The next rate; absent when all were tried, or the loss went away.
    #[must_use]
    pub fn lr(&self) -> Option<f64> {
        let i = self.curve.points.len();
        (!self.curve.diverged && i < self.config.steps).then(|| self.config.lr(i))
    }

    /// Takes in the loss at the present rate. One that is not finite ends the sweep, and is no part
    /// of the curve; nothing is taken in after the end.
    pub fn take_in(&mut self, loss: f64) {
        let Some(lr) = self.lr() else {
            return;
        };
        let share = self.config.smoothing;
        let smoothed = match self.curve.points.last() {
            Some(last) => share * loss + (1.0 - share) * last.smoothed,
            None => loss,
        };
        if !smoothed.is_finite() {
            self.curve.diverged = true;
            return;
        }
        let point = LrPoint { lr, loss, smoothed };
        self.curve.points.push(point);
        let bound = self.best + (self.config.diverge_factor - 1.0) * self.best.abs();
        self.curve.diverged = smoothed > bound;
        self.best = self.best.min(smoothed);
    }

    /// What was found.
    ///
    /// # Errors
    /// A training error if not even the first loss was finite.
    pub fn into_curve(self) -> Result<LrCurve, ForgeError> {
        if self.curve.points.is_empty() {
            return Err(ForgeError::training(format!(
                "the loss is not finite before the first step, at rate {}",
                self.config.lr(0)
            )));
        }
        Ok(self.curve)
    }
}
