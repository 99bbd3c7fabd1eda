//! Dropout whose rate follows a schedule.

use std::cell::Cell;

thread_local! {
    static FACTOR: Cell<f64> = const { Cell::new(1.0) };
}

/// Runs `pass` with the rate of every [`Dropout`](super::Dropout) times `factor`.
///
/// For schedules: the rate is that of the moment, no part of the module and of no file. It holds
/// for the forward pass; what a backward pass needs of it is on the graph. Calls within each other
/// do not multiply, the innermost counts. Rates stay below 1 for factors of 0 to 1; a factor outside
/// is cut to that.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::regularisation::{DropoutConfig, with_dropout_factor};
/// use forge_nn::{Mode, ModuleConfig, set_mode};
///
/// let dropout = set_mode(DropoutConfig::new(0.5).init(&Device::flex()), Mode::Sample);
/// assert_eq!(with_dropout_factor(0.5, || dropout.rate()), 0.25);
/// assert_eq!(dropout.rate(), 0.5);
/// ```
pub fn with_dropout_factor<R>(factor: f64, pass: impl FnOnce() -> R) -> R {
    /// Also where `pass` panics.
    struct Restore(f64);
    impl Drop for Restore {
        fn drop(&mut self) {
            FACTOR.set(self.0);
        }
    }
    let factor = if factor.is_nan() { 0.0 } else { factor };
    let _restore = Restore(FACTOR.replace(factor.clamp(0.0, 1.0)));
    pass()
}

/// What rates are to be multiplied by on this thread.
pub(crate) fn factor() -> f64 {
    FACTOR.get()
}
