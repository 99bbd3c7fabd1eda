//! The integration tests of forge-train, one binary.
#![allow(clippy::unwrap_used)]

mod by_hand;
mod case;
mod checkpoint;
mod divergence;
mod ema;
mod kill;
mod layers;
mod likelihood;
mod loss;
mod lr_finder;
mod members;
mod metric;
mod metric_cases;
mod net;
mod objective;
mod optimizer;
mod pair;
mod resume;
mod rule;
mod sam;
mod schedule;
mod swa;
mod trainer;
mod trajectory;
