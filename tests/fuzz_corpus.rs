//! The fuzz targets' corpus, replayed through the same functions, without a fuzzer.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use volatilityforge::train::Start;

// The fuzz crate is no part of this workspace: it wants a nightly compiler.
#[allow(unreachable_pub)]
#[path = "../fuzz/src/lib.rs"]
pub(crate) mod targets;

/// Longest that one input may take in a debug build on a slow machine.
const MOST_TIME: Duration = Duration::from_secs(5);

fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let entries = fs::read_dir(folder.join(target)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Nothing panics or takes long; what is called `good…` is accepted, so that the corpus reaches
/// beyond the first check, and what is called `bad…` is not.
fn replay(target: &str, run: fn(&[u8]) -> bool) {
    let files = corpus(target);
    let (mut good, mut bad) = (0, 0);
    for file in &files {
        let start = Instant::now();
        let accepted = run(&fs::read(file).unwrap());
        assert!(start.elapsed() < MOST_TIME, "{}", file.display());
        let name = file.file_name().unwrap().to_string_lossy();
        if name.starts_with("good") {
            assert!(accepted, "{}: refused", file.display());
            good += 1;
        }
        if name.starts_with("bad") {
            assert!(!accepted, "{}: accepted", file.display());
            bad += 1;
        }
    }
    assert!(good > 0 && bad > 0, "{target}: {} files", files.len());
}

/// What this version writes is accepted too, so that the targets test the reader and not the age
/// of the corpus.
#[test]
fn fresh_files_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model");
    crate::chain::trained(crate::chain::quick("tabular_mlp"))
        .save(&file)
        .unwrap();
    let bytes = fs::read(&file).unwrap();
    assert!(targets::artifact(&bytes));

    crate::prior_fitting::smallest().save(&file).unwrap();
    assert!(targets::pretrained(&fs::read(&file).unwrap()));

    let checkpoints = folder.path().join("checkpoints");
    targets::train(&checkpoints, Start::Fresh).unwrap();
    let mut n = 0;
    for entry in fs::read_dir(&checkpoints).unwrap() {
        let entry = entry.unwrap();
        let bytes = fs::read(entry.path()).unwrap();
        assert!(targets::checkpoint(&bytes), "{:?}", entry.file_name());
        n += 1;
    }
    // At the start and after each step and epoch.
    assert!(n >= 5, "{n}");
}

#[test]
fn artifacts() {
    replay("artifact", targets::artifact);
}

#[test]
fn checkpoints() {
    replay("checkpoint", targets::checkpoint);
}

#[test]
fn pretrained_weights() {
    replay("pretrained", targets::pretrained);
}

#[test]
fn csv_texts() {
    replay("csv", targets::csv);
}

#[test]
fn parquet_files() {
    replay("parquet", targets::parquet);
}

#[test]
fn workbooks() {
    replay("excel", targets::excel);
}
