//! Processes that are killed at random moments, and resumed until they are done.

use std::path::Path;
use std::time::Duration;

use forge_nn::ForgeError;
use forge_nn::burn::tensor::Device;
use forge_testkit::survives;
use forge_train::checkpoint::{PartState, RunPart};
use forge_train::precision::{LossScale, LossScaleConfig};
use forge_train::rule::{ClipNorm, Decision, GradientRule, Gradients};
use forge_train::sampler::Sampler;
use forge_train::{
    BatchEvent, CheckpointConfig, Flow, Observer, Start, StepContext, StopReason, TrainOutcome,
    Trainer, TrainerConfig,
};
use serde_json::{Value, json};

use crate::net::{Net, Task, bits, config};
use crate::pair;
use crate::resume::{last_state, without_seconds};

const MOMENTS: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(200)];

/// Makes steps slow enough to be hit.
struct Slow;

impl Observer for Slow {
    fn on_batch(&mut self, _: &BatchEvent) -> Flow {
        std::thread::sleep(Duration::from_millis(2));
        Flow::Continue
    }
}

/// Twice a checkpoint per epoch of nine steps, or nearly.
fn often(config: TrainerConfig) -> TrainerConfig {
    TrainerConfig {
        checkpoint: CheckpointConfig {
            every_steps: Some(2),
            ..CheckpointConfig::default()
        },
        ..config
    }
}

/// All that a run ends with but its times: its result, and everything in its last checkpoint.
fn end(outcome: &TrainOutcome<Net>, folder: &Path) -> String {
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in bits(&outcome.module) {
        hasher.update(name.as_bytes());
        hasher.update(&bytes);
    }
    let (manifest, tensors) = last_state(folder);
    hasher.update(manifest.to_string().as_bytes());
    for (name, data) in tensors {
        hasher.update(name.as_bytes());
        hasher.update(data.as_bytes());
    }
    let history = without_seconds(&outcome.history);
    hasher.update(serde_json::to_string(&history).unwrap().as_bytes());
    let TrainOutcome {
        stop,
        candidate,
        best_epoch,
        steps,
        scores,
        ..
    } = outcome;
    format!(
        "{stop:?} after {steps}, {candidate} of {best_epoch:?}, {scores:?}: {}",
        hasher.finalize().to_hex()
    )
}

#[test]
fn a_killed_run_ends_as_one_that_was_not() {
    survives(
        "kill::a_killed_run_ends_as_one_that_was_not",
        MOMENTS,
        |folder| {
            let outcome = Trainer::new(often(config(40)))
                .unwrap()
                .with_checkpoints(folder, Start::ResumeOrFresh)
                .with_observer(Slow)
                .fit(&mut Task::new(60), Net::new(&Device::flex(), 1))
                .unwrap();
            assert_eq!(outcome.stop, StopReason::Completed);
            end(&outcome, folder)
        },
    );
}

#[test]
fn a_killed_run_of_two_modules_ends_as_one_that_was_not() {
    let name = "kill::a_killed_run_of_two_modules_ends_as_one_that_was_not";
    survives(name, MOMENTS, |folder| pair::hash_of_a_run(folder, Slow));
}

/// Rows from a buffer that is filled in order and emptied at random: the next batch depends on all
/// before it, so the sampler goes on from its state alone.
struct Buffered {
    n_rows: usize,
    batch_size: usize,
    memory: Memory,
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Memory {
    buffer: Vec<usize>,
    next: usize,
    /// Of xorshift64.
    random: u64,
}

impl Buffered {
    fn new(n_rows: usize, batch_size: usize, buffer: usize) -> Self {
        let memory = Memory {
            buffer: (0..buffer).collect(),
            next: buffer,
            random: 88_172_645_463_325_252,
        };
        Self {
            n_rows,
            batch_size,
            memory,
        }
    }
}

impl RunPart for Buffered {
    fn name(&self) -> &str {
        "sampler"
    }

    fn config(&self) -> Value {
        json!({"name": "buffered", "rows": self.n_rows, "batch_size": self.batch_size})
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        PartState::from_json(&self.memory)
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.memory = state.into_json()?;
        Ok(())
    }
}

impl Sampler for Buffered {
    fn batches(&self) -> usize {
        self.n_rows / self.batch_size
    }

    fn rows(&mut self, _: usize, _: usize) -> Result<Vec<usize>, ForgeError> {
        let Memory {
            buffer,
            next,
            random,
        } = &mut self.memory;
        let draws = (0..self.batch_size).map(|_| {
            *random ^= *random << 13;
            *random ^= *random >> 7;
            *random ^= *random << 17;
            let at = (*random % buffer.len() as u64) as usize;
            let row = buffer[at];
            buffer[at] = *next % self.n_rows;
            *next += 1;
            row
        });
        Ok(draws.collect())
    }
}

/// Averages of all kinds, a schedule that follows the scores beside one planned ahead, a loss scale
/// that overflows again and again, a sampler with a memory, early stopping.
///
/// Half precision is refused on a CPU device, so the scale is given to a run in f32, whose range it
/// leaves upwards: what it does to step and state is the same.
fn everything() -> TrainerConfig {
    let mut all = serde_json::to_value(often(config(60))).unwrap();
    let more = json!({
        "swa": {"start": 0.1},
        "polyak": {"name": "tail", "start": 0.05},
        "soup": {"keep": 3},
        "schedule": {"name": "reduce_on_plateau", "base_lr": 0.02, "patience": 1},
        "dropout_schedule": {"name": "flat_cos"},
        "optimizer": {
            "name": "adam_w",
            "groups": [{"match": ["head"], "schedule": {"name": "one_cycle", "max_lr": 0.02}}],
        },
        "early_stopping": {"patience": 12, "min_delta": 0.001},
        "clip_norm": null,
    });
    (all.as_object_mut().unwrap()).extend(more.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

/// Makes losses larger than the scale alone can in f32, so that gradients overflow.
struct Louder;

impl RunPart for Louder {
    fn name(&self) -> &str {
        "louder"
    }
}

impl GradientRule<Net> for Louder {
    fn loss_factor(&self, _: &StepContext<'_>) -> f64 {
        256.0
    }

    fn apply(
        &mut self,
        _: &Net,
        gradients: Gradients,
        _: &StepContext<'_>,
    ) -> Result<Decision, ForgeError> {
        Ok(Decision::Proceed(gradients))
    }
}

fn train_with_everything(folder: &Path) -> String {
    let scale = LossScaleConfig {
        init_scale: 2_f64.powi(118),
        growth_factor: 16.0,
        backoff_factor: 0.25,
        growth_interval: 3,
    };
    let outcome = Trainer::new(everything())
        .unwrap()
        .with_checkpoints(folder, Start::ResumeOrFresh)
        .with_observer(Slow)
        .with_sampler(Buffered::new(60, 7, 24))
        .with_rule(Louder)
        .with_rule(LossScale::new(scale).unwrap())
        .with_rule(ClipNorm::new(0.5).unwrap())
        .fit(&mut Task::new(60), Net::new(&Device::flex(), 1))
        .unwrap();
    assert_eq!(outcome.stop, StopReason::EarlyStopped);
    let skipped: u64 = outcome.history.iter().map(|epoch| epoch.skipped).sum();
    assert!(skipped > 5, "the scale overflowed {skipped} times");
    end(&outcome, folder)
}

#[test]
fn a_killed_run_with_everything_on_ends_as_one_that_was_not() {
    let name = "kill::a_killed_run_with_everything_on_ends_as_one_that_was_not";
    survives(name, MOMENTS, train_with_everything);
}
