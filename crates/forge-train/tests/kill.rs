//! Processes that are killed at random moments, and resumed until they are done.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use forge_nn::burn::tensor::Device;
use forge_train::{
    BatchEvent, CheckpointConfig, Flow, Observer, Start, StopReason, Trainer, TrainerConfig,
};

use crate::net::{Net, Task, bits, config};
use crate::pair;

const FOLDER: &str = "FORGE_TRAIN_KILL_FOLDER";
const KILLS: usize = 12;

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

fn result_file(folder: &Path) -> PathBuf {
    folder.join("result.txt")
}

fn spawn(name: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
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

/// Runs `train` in processes of its own, by the test called `name`.
fn survives(name: &str, train: impl Fn(&Path) -> String) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        // The child.
        let folder = PathBuf::from(folder);
        let hash = train(&folder);
        std::fs::write(result_file(&folder), hash).unwrap();
        return;
    }
    let whole = tempfile::tempdir().unwrap();
    assert!(spawn(name, whole.path()).wait().unwrap().success());
    let expected = std::fs::read_to_string(result_file(whole.path())).unwrap();

    let killed = tempfile::tempdir().unwrap();
    let (mut kills, mut progressed) = (0, 0);
    let mut last = 0;
    // Another sequence of moments at every run of the test; the figures are printed.
    let mut state = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_nanos() as u64
        | 1;
    let seed = state;
    while kills < KILLS {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let mut child = spawn(name, killed.path());
        std::thread::sleep(Duration::from_micros(20_000 + state % 180_000));
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let folder = std::fs::read_dir(killed.path()).unwrap();
        let newest = folder
            .filter_map(|e| {
                let name = e.unwrap().file_name().to_string_lossy().into_owned();
                let number = name
                    .strip_prefix("checkpoint-")?
                    .strip_suffix(".safetensors")?;
                number.parse::<u64>().ok()
            })
            .max()
            .unwrap_or(0);
        progressed += usize::from(newest > last);
        last = newest;
    }
    #[expect(
        clippy::print_stderr,
        reason = "the figures of a test that draws its own moments"
    )]
    {
        eprintln!("seed {seed}: {kills} kills, {progressed} of them after new checkpoints");
    }
    assert!(kills >= 5, "the run was over after {kills} kills");
    assert!(
        progressed >= 3,
        "only {progressed} kills hit a run that had moved"
    );
    assert!(spawn(name, killed.path()).wait().unwrap().success());
    let found = std::fs::read_to_string(result_file(killed.path())).unwrap();
    assert_eq!(found, expected);
}
