//! Processes that are killed at random moments, and resumed until they are done.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Set for the processes that train: the folder of their run.
const FOLDER: &str = "FORGE_KILL_FOLDER";
/// How many kills a test makes.
const KILLS: &str = "FORGE_KILLS";
const KILLS_BY_DEFAULT: usize = 12;

/// Runs `train` in processes of its own, by the test called `name`, which calls this and nothing else, and
/// kills them at moments between `earliest` and `latest`, in turn after their start and after their first
/// new checkpoint: however slow the machine, half of them hit a run that has moved. `train` trains in a
/// folder, goes on from what it finds there, and says how the run ended (a hash of weights, say). A run
/// that is over before all kills are made is compared, and the next one begun. `FORGE_KILLS` says how
/// many kills are made, 12 where it is not set.
///
/// # Panics
/// If a run ends otherwise than one that was let alone, or if fewer than a quarter of the kills hit a run
/// that had moved.
#[allow(clippy::unwrap_used, reason = "a check for tests")]
pub fn survives(name: &str, [earliest, latest]: [Duration; 2], train: impl Fn(&Path) -> String) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = PathBuf::from(folder);
        let end = train(&folder);
        std::fs::write(result_file(&folder), end).unwrap();
        return;
    }
    let asked = std::env::var(KILLS).map_or(KILLS_BY_DEFAULT, |n| n.parse().unwrap());
    let whole = tempfile::tempdir().unwrap();
    let expected = finish(name, whole.path());

    // Another sequence of moments at every run of the test; the figures are printed.
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = seed.as_nanos() as u64 | 1;
    let mut moments = Moments {
        state: seed,
        earliest,
        latest,
    };
    let (mut kills, mut progressed, mut runs) = (0, 0, 0);
    while kills < asked {
        let folder = tempfile::tempdir().unwrap();
        let mut last = None;
        while kills < asked {
            let mut child = spawn(name, folder.path());
            if kills % 2 == 1 {
                wait_for_progress(&mut child, folder.path(), last);
            }
            std::thread::sleep(moments.next());
            if child.try_wait().unwrap().is_some() {
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            let newest = newest_checkpoint(folder.path());
            progressed += usize::from(newest > last);
            last = newest;
        }
        assert_eq!(finish(name, folder.path()), expected, "seed {seed}");
        runs += 1;
    }
    #[expect(
        clippy::print_stderr,
        reason = "the figures of a test that draws its own moments"
    )]
    {
        eprintln!(
            "{name}: seed {seed}: {kills} kills in {runs} runs, {progressed} of them after new \
             checkpoints"
        );
    }
    assert!(
        progressed >= asked / 4,
        "only {progressed} of {kills} kills hit a run that had moved"
    );
}

/// Lets the run end, and reads how it did.
#[allow(clippy::unwrap_used, reason = "a check for tests")]
fn finish(name: &str, folder: &Path) -> String {
    assert!(spawn(name, folder).wait().unwrap().success());
    std::fs::read_to_string(result_file(folder)).unwrap()
}

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

/// Until there is a checkpoint newer than `last`, or the process has ended.
#[allow(clippy::unwrap_used, reason = "a check for tests")]
fn wait_for_progress(child: &mut Child, folder: &Path, last: Option<u64>) {
    while newest_checkpoint(folder) <= last && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[allow(clippy::unwrap_used, reason = "a check for tests")]
fn newest_checkpoint(folder: &Path) -> Option<u64> {
    let names = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap());
    let numbers = names.filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name.strip_prefix("checkpoint-")?;
        number.strip_suffix(".safetensors")?.parse().ok()
    });
    numbers.max()
}

struct Moments {
    state: u64,
    earliest: Duration,
    latest: Duration,
}

impl Moments {
    /// Of xorshift64.
    fn next(&mut self) -> Duration {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let span = (self.latest - self.earliest).as_micros() as u64;
        self.earliest + Duration::from_micros(self.state % span)
    }
}
