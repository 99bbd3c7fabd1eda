//! Files to predict on, and files of predictions.

mod account;
mod columns;
mod file;
#[cfg(feature = "experiment")]
mod settings;

pub use account::PredictionAccount;
pub use columns::OutputColumns;
pub use file::PredictionConfig;
pub(crate) use file::refuse_itself;
