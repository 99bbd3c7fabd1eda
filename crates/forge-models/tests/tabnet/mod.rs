//! What of TabNet the registry's tests do not see: pre-training and the penalty.

mod penalty;
mod pretraining;
