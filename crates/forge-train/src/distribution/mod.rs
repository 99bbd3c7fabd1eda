//! Distributions of one number, in f64: what predicted ones are read and scored with.

mod bars;
mod gamma;
mod log_mean_exp;
mod normal;
mod normal_inverse_gamma;
mod student_t;
mod tail_quantile;

pub use bars::bar_crps;
pub use gamma::ln_gamma_half_step;
pub use log_mean_exp::log_mean_exp;
pub use normal::Normal;
pub use normal_inverse_gamma::NormalInverseGamma;
pub use student_t::StudentT;

pub(crate) use gamma::{HALF_STEP_SERIES, HALF_STEP_SHIFT};
