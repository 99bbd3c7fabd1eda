//! The integration tests of forge-train, one binary.
#![allow(clippy::unwrap_used)]

mod averaging;
mod by_hand;
mod case;
mod checkpoint;
mod ema;
mod kill;
mod likelihood;
mod loss;
mod members;
mod metric;
mod metric_cases;
mod more_losses;
mod net;
mod objective;
mod optimizer;
mod oracle;
mod pair;
mod precision;
mod resume;
mod rule;
mod sampler;
mod schedule;
mod step_loss;
mod swa;
mod trainer;
