//! Which rows train, validate and test, as a file for other programs.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use volatilityforge::Error;
use volatilityforge::files::WholeFile;
use volatilityforge::nn::ForgeError;

use crate::set::Set;

/// A set as another program reads it.
#[derive(Serialize)]
struct Listed {
    /// In its folder; their rows follow each other.
    files: &'static [&'static str],
    target: &'static str,
    ignore: &'static [&'static str],
    score: &'static str,
    splits: BTreeMap<u64, Rows>,
}

/// Numbers of rows, from 0.
#[derive(Serialize)]
struct Rows {
    train: Vec<usize>,
    validation: Vec<usize>,
    test: Vec<usize>,
}

/// Writes the rows of each of `sets` and `seeds` to `out`; `data` is the folder of the sets.
pub(crate) fn write(out: &Path, data: &Path, sets: &[&Set], seeds: &[u64]) -> Result<(), Error> {
    let mut listed = BTreeMap::new();
    for set in sets {
        let mut splits = BTreeMap::new();
        for &seed in seeds {
            let (_, split) = set.load(data, seed)?;
            let rows = Rows {
                train: split.train,
                validation: split.validation,
                test: split.test,
            };
            splits.insert(seed, rows);
        }
        let set_listed = Listed {
            files: set.files(data),
            target: set.target,
            ignore: set.ignore,
            score: set.score,
            splits,
        };
        listed.insert(set.name, set_listed);
    }
    let text = serde_json::to_string(&listed).map_err(|e| ForgeError::artifact(out, e))?;
    Ok(WholeFile::write(out, text).map_err(|e| ForgeError::io(out, e))?)
}
