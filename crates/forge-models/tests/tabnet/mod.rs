//! What of TabNet the registry's tests do not see: pre-training, the penalty, and statistics of averages.

mod penalty;
mod pretraining;
mod statistics;
