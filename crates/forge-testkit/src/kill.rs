//! Processes that are killed at random moments, and resumed until they are done.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const FOLDER: &str = "FORGE_TEST_KILL_FOLDER";
const KILLS: usize = 12;

fn result_file(folder: &Path) -> PathBuf {
    folder.join("result.txt")
}

#[allow(clippy::unwrap_used, reason = "a check for tests")]
fn spawn(name: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs `train`, of a folder of checkpoints, in processes of its own that are killed at random moments and
/// started again until one is done, by the test called `name`, which calls this and nothing else; what it
/// gives (a hash of weights) must be what an unharmed process gives. The run must take some two seconds.
///
/// # Panics
/// If it is not, or if fewer than 3 kills hit a run that had moved.
#[allow(clippy::unwrap_used, reason = "a check for tests")]
pub fn survives(name: &str, train: impl Fn(&Path) -> String) {
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
