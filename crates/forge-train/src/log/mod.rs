//! What a run tells while it goes on, in files that other programs read.

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
