//! What a run tells while it goes on, in files that other programs read.

use std::time::{SystemTime, UNIX_EPOCH};

#[cfg(feature = "dashboard")]
mod dashboard;
mod metrics_log;
mod scalars;
#[cfg(feature = "tensorboard")]
mod tensorboard;

#[cfg(feature = "dashboard")]
pub use dashboard::Dashboard;
pub use metrics_log::MetricsLog;
#[cfg(feature = "tensorboard")]
pub use tensorboard::TensorBoard;

/// Seconds since 1970.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}
