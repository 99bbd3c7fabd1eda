//! Files whole or not at all, and folders with one owner.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use forge_files::{FolderLock, OutputFile, WholeFile, open_regular};

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    fs::write(&path, "before").unwrap();
    let mut file = WholeFile::create(&path).unwrap();
    file.write_all(b"half").unwrap();
    assert!(names(folder.path())[1].starts_with("a.json"));
    drop(file);
    assert_eq!(names(folder.path()), ["a.json"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    WholeFile::write(&path, "after").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "after");
    assert_eq!(names(folder.path()), ["a.json"]);
    assert!(WholeFile::write(folder.path().join("absent/a"), "").is_err());
    assert!(WholeFile::write(folder.path(), "").is_err());
}

#[test]
fn what_a_killed_writer_left_is_removed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for name in ["a.json", "b.json"] {
        WholeFile::write(path.join(name), "").unwrap();
        // As a kill does: nobody cleans up.
        std::mem::forget(WholeFile::create(path.join(name)).unwrap());
    }
    assert_eq!(names(path).len(), 4);
    WholeFile::remove_scratch(path, |name| name.starts_with("a.json")).unwrap();
    let left = names(path);
    assert_eq!(left[..2], ["a.json", "b.json"]);
    assert!(left[2].starts_with("b.json") && left.len() == 3, "{left:?}");
    WholeFile::remove_scratch(path, |_| true).unwrap();
    assert_eq!(names(path), ["a.json", "b.json"]);
    assert!(WholeFile::remove_scratch(&path.join("absent"), |_| true).is_err());
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    fn pipe(folder: &Path) -> std::path::PathBuf {
        let pipe = folder.join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        pipe
    }

    #[test]
    fn permissions_are_those_of_any_new_file_or_of_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, whole) = (folder.path().join("plain"), folder.path().join("whole"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        fs::write(&plain, "").unwrap();
        WholeFile::write(&whole, "").unwrap();
        assert_eq!(mode(&plain), mode(&whole));
        fs::set_permissions(&whole, fs::Permissions::from_mode(0o600)).unwrap();
        WholeFile::write(&whole, "again").unwrap();
        assert_eq!(mode(&whole), 0o600);
    }

    #[test]
    fn a_link_is_replaced_by_a_whole_file_and_followed_by_an_output() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "mine").unwrap();
        symlink("target", &link).unwrap();
        let mut output = OutputFile::create(&link).unwrap();
        output.write_all(b"written").unwrap();
        output.commit().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "written");

        WholeFile::write(&link, "other").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
        assert_eq!(fs::read_to_string(&target).unwrap(), "written");

        let dangling = folder.path().join("dangling");
        symlink("not yet", &dangling).unwrap();
        let mut output = OutputFile::create(&dangling).unwrap();
        output.write_all(b"new").unwrap();
        output.commit().unwrap();
        assert_eq!(
            fs::read_to_string(folder.path().join("not yet")).unwrap(),
            "new"
        );
        assert!(fs::symlink_metadata(&dangling).unwrap().is_symlink());
        symlink("round", folder.path().join("round")).unwrap();
        assert!(OutputFile::create(folder.path().join("round")).is_err());
        assert!(OutputFile::create(folder.path()).is_err());
    }

    #[test]
    fn a_pipe_is_written_to_and_not_read_where_a_file_should_be() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = pipe(folder.path());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).unwrap()
        });
        let mut output = OutputFile::create(&pipe).unwrap();
        output.write_all(b"through").unwrap();
        output.commit().unwrap();
        assert_eq!(reader.join().unwrap(), "through");
        assert_eq!(names(folder.path()), ["pipe"]);

        // Without a writer, opening it would wait for ever.
        let error = open_regular(&pipe).unwrap_err();
        assert!(error.to_string().contains("named pipe"), "{error}");
        let error = FolderLock::take(&pipe).unwrap_err();
        assert!(error.to_string().contains("named pipe"), "{error}");
    }
}

#[test]
fn a_folder_has_one_owner_who_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.lock");
    let lock = FolderLock::take(&path).unwrap();
    let error = FolderLock::take(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceBusy);
    if cfg!(unix) {
        let process = format!("process {}", std::process::id());
        assert!(error.to_string().contains(&process), "{error}");
    }
    drop(lock);
    assert!(names(folder.path()).is_empty());
    drop(FolderLock::take(&path).unwrap());

    // A killed owner leaves the file, which then locks nothing.
    fs::write(&path, "process 4242 on another\n").unwrap();
    drop(FolderLock::take(&path).unwrap());
    assert!(FolderLock::take(folder.path().join("absent/lock")).is_err());
}

/// Many take, hold and let go: never two at once, however the removal of the file falls.
#[test]
fn the_lock_never_has_two_holders() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let (holders, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    if let Ok(lock) = FolderLock::take(&path) {
                        assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                        taken.fetch_add(1, Ordering::SeqCst);
                        assert_eq!(holders.fetch_sub(1, Ordering::SeqCst), 1);
                        drop(lock);
                    }
                }
            });
        }
    });
    assert!(taken.load(Ordering::SeqCst) >= 20);
}
