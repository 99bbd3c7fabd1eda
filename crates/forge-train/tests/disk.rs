//! Disks that are full and folders that may not be written to: an error that says so, and the
//! checkpoint before it goes on to the same end.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use forge_nn::ForgeError;
use forge_nn::burn::tensor::Device;
use forge_train::{BatchEvent, CheckpointConfig, Flow, Observer, Start, Trainer, TrainerConfig};

use crate::net::{Net, Task, bits, config};
use crate::resume::last_state;

/// The user that owns nothing.
const NOBODY: u32 = 65_534;
const FOLDER: &str = "FORGE_TRAIN_DISK_FOLDER";

type Bits = Vec<(String, Vec<u8>)>;

/// A checkpoint every two of 12 steps; `at` is called after every step.
fn fit(
    folder: &Path,
    start: Start,
    seed: u64,
    at: impl FnMut(u64) + Send,
) -> Result<Bits, ForgeError> {
    struct Each<F>(F);
    impl<F: FnMut(u64) + Send> Observer for Each<F> {
        fn on_batch(&mut self, event: &BatchEvent) -> Flow {
            (self.0)(event.step);
            Flow::Continue
        }
    }
    let config = TrainerConfig {
        checkpoint: CheckpointConfig {
            every_steps: Some(2),
            ..CheckpointConfig::default()
        },
        ..config(3)
    };
    let trainer = Trainer::new(config)
        .unwrap()
        .with_checkpoints(folder, start)
        .with_observer(Each(at));
    let outcome = trainer.fit(&mut Task::new(25), Net::new(&Device::flex(), seed))?;
    Ok(bits(&outcome.module))
}

fn whole_run() -> Bits {
    let folder = tempfile::tempdir().unwrap();
    fit(folder.path(), Start::Fresh, 1, |_| {}).unwrap()
}

/// Names and bytes of the checkpoints of a folder.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap())
        .map(|e| (e.file_name().to_string_lossy().into_owned(), e.path()))
        .filter(|(name, _)| name.starts_with("checkpoint-"))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect();
    found.sort();
    found
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// A file system of `kib` KiB in memory, gone with this value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(kib: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|s| s.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_an_error_and_leaves_the_checkpoint_before() {
    let Some(disk) = SmallDisk::mount(1024) else {
        return skip("a tmpfs cannot be mounted here (it takes root)");
    };
    let folder = disk.0.path().join("run");
    let ballast = disk.0.path().join("ballast");
    let mut before = Vec::new();
    let error = fit(&folder, Start::Fresh, 1, |step| {
        if step == 5 {
            before = files(&folder);
            // All that is left, and the write says when that is.
            assert!(fs::write(&ballast, vec![1; 2 << 20]).is_err());
        }
    })
    .unwrap_err();
    assert!(error.is_io(), "{error}");
    assert!(error.to_string().contains("checkpoint-"), "{error}");
    assert!(error.to_string().contains("No space left"), "{error}");
    assert_eq!(before.len(), 2);
    assert_eq!(files(&folder), before, "what was there is untouched");
    // While the disk is still full it loads, too.
    assert_eq!(last_state(&folder).0["progress"]["batch"], 0);
    // One that is full from the start is told of before the first step.
    let other = disk.0.path().join("other");
    let error = fit(&other, Start::Fresh, 1, |_| panic!("a step was made")).unwrap_err();
    assert!(error.to_string().contains("No space left"), "{error}");
    fs::remove_file(&ballast).unwrap();
    let resumed = fit(&folder, Start::Resume, 9, |_| {}).unwrap();
    assert_eq!(resumed, whole_run());
}

/// Runs the test `name` again as a user who owns nothing; whether that could be done.
fn as_nobody(name: &str, folder: &Path) -> bool {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(FOLDER, folder)
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(child) = child else {
        skip("the test cannot be run as another user (that takes root)");
        return false;
    };
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
    true
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_of_somebody_else_is_an_error_before_the_first_step() {
    let name = "disk::a_folder_of_somebody_else_is_an_error_before_the_first_step";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = PathBuf::from(folder);
        for start in [Start::Resume, Start::ResumeOrFresh, Start::Overwrite] {
            let error = fit(&folder, start, 9, |_| panic!("a step was made")).unwrap_err();
            assert!(error.is_io(), "{error}");
            assert!(error.to_string().contains("Permission denied"), "{error}");
            assert!(
                error.to_string().contains(&*folder.to_string_lossy()),
                "{error}"
            );
        }
        return;
    }
    let outer = tempfile::tempdir().unwrap();
    mode(outer.path(), 0o755);
    let folder = outer.path().join("run");
    // A run that ended early, so that there is something to go on with.
    let stopped = std::panic::AssertUnwindSafe(|| {
        fit(&folder, Start::Fresh, 1, |step| {
            if step == 5 {
                std::panic::resume_unwind(Box::new("cut"));
            }
        })
    });
    assert!(std::panic::catch_unwind(stopped).is_err());
    mode(&folder, 0o755);
    let before = files(&folder);
    assert_eq!(before.len(), 2);
    if as_nobody(name, &folder) {
        assert_eq!(files(&folder), before);
    }
    assert_eq!(fit(&folder, Start::Resume, 9, |_| {}).unwrap(), whole_run());
}

#[test]
fn a_folder_that_becomes_read_only_is_an_error_and_leaves_the_checkpoint_before() {
    let name = "disk::a_folder_that_becomes_read_only_is_an_error_and_leaves_the_checkpoint_before";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = PathBuf::from(folder);
        let error = fit(&folder, Start::Fresh, 1, |step| {
            if step == 5 {
                mode(&folder, 0o500);
            }
        })
        .unwrap_err();
        assert!(error.is_io(), "{error}");
        assert!(error.to_string().contains("checkpoint-"), "{error}");
        return;
    }
    let outer = tempfile::tempdir().unwrap();
    mode(outer.path(), 0o755);
    let folder = outer.path().join("run");
    fs::create_dir(&folder).unwrap();
    if chown(&folder, Some(NOBODY), Some(NOBODY)).is_err() {
        return skip("a folder cannot be given to another user (that takes root)");
    }
    if as_nobody(name, &folder) {
        // Whoever may write there goes on from what it left.
        assert_eq!(files(&folder).len(), 2);
        assert_eq!(fit(&folder, Start::Resume, 9, |_| {}).unwrap(), whole_run());
    }
}
