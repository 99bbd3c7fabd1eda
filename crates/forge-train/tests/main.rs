//! The integration tests of forge-train, one binary.
#![allow(clippy::unwrap_used)]
#![allow(
    clippy::disallowed_methods,
    reason = "Burn's own operations are what ours are compared with"
)]

mod averaging;
mod by_hand;
mod calibration;
mod case;
mod checkpoint;
mod disk;
mod divergence;
mod ema;
mod ending;
mod gradient_hook;
mod kill;
mod layers;
mod likelihood;
mod log;
mod lora;
mod loss;
mod lr_finder;
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
mod sam;
mod sampler;
mod schedule;
mod step_loss;
mod swa;
mod trainer;
mod trajectory;
mod worker;
