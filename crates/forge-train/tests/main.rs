//! The integration tests of forge-train, one binary.
#![allow(clippy::unwrap_used)]

mod case;
mod checkpoint;
mod ema;
mod kill;
mod likelihood;
mod loss;
mod metric;
mod metric_cases;
mod net;
mod objective;
mod optimizer;
mod resume;
mod schedule;
mod trainer;
