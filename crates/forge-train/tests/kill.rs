//! Processes that are killed at random moments, and resumed until they are done.

use std::path::Path;
use std::time::Duration;

use forge_nn::burn::tensor::Device;
use forge_testkit::survives;
use forge_train::{
    BatchEvent, CheckpointConfig, Flow, Observer, Start, StopReason, Trainer, TrainerConfig,
};

use crate::net::{Net, Task, bits, config};
use crate::pair;

/// Makes steps slow enough to be hit.
struct Slow;

impl Observer for Slow {
    fn on_batch(&mut self, _: &BatchEvent) -> Flow {
        std::thread::sleep(Duration::from_millis(2));
        Flow::Continue
    }
}

/// The hash of the weights that the run ends with.
fn train(folder: &Path) -> String {
    let mut task = Task::new(60);
    let config = TrainerConfig {
        checkpoint: CheckpointConfig {
            every_steps: Some(2),
            ..CheckpointConfig::default()
        },
        ..config(40)
    };
    let outcome = Trainer::new(config)
        .unwrap()
        .with_checkpoints(folder, Start::ResumeOrFresh)
        .with_observer(Slow)
        .fit(&mut task, Net::new(&Device::flex(), 1))
        .unwrap();
    assert_eq!(outcome.stop, StopReason::Completed);
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in bits(&outcome.module) {
        hasher.update(name.as_bytes());
        hasher.update(&bytes);
    }
    hasher.finalize().to_hex().to_string()
}

#[test]
fn a_killed_run_ends_as_one_that_was_not() {
    survives("kill::a_killed_run_ends_as_one_that_was_not", train);
}

#[test]
fn a_killed_run_of_two_modules_ends_as_one_that_was_not() {
    let name = "kill::a_killed_run_of_two_modules_ends_as_one_that_was_not";
    survives(name, |folder| pair::hash_of_a_run(folder, Slow));
}
