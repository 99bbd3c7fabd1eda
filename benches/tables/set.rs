//! The tables and their splits.

use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use volatilityforge::data::Split;
use volatilityforge::nn::ForgeError;
use volatilityforge::{Error, ReadOptions, Table, Task, read_table};

/// A table, what is predicted of it, and the score that is published.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    pub(crate) ignore: &'static [&'static str],
    pub(crate) task: Task,
    pub(crate) score: &'static str,
}

const fn classes(name: &'static str, target: &'static str, ignore: &'static [&'static str]) -> Set {
    Set {
        name,
        target,
        ignore,
        task: Task::Classification,
        score: "accuracy",
    }
}

const fn numbers(name: &'static str, target: &'static str) -> Set {
    Set {
        name,
        target,
        ignore: &[],
        task: Task::Regression,
        score: "rmse",
    }
}

pub(crate) const ALL: &[Set] = &[
    classes("adult", "income", &[]),
    classes("bank", "target", &[]),
    classes(
        "churn_modelling",
        "Exited",
        &["RowNumber", "CustomerId", "Surname"],
    ),
    numbers("california_housing", "median_house_value"),
    numbers("cpu_act", "usr"),
    classes("phoneme", "target", &[]),
    classes("letter", "lettr", &[]),
    classes("credit-g", "class", &[]),
    classes("breast_cancer_wdbc", "diagnosis", &[]),
    numbers("concrete", "target"),
    numbers("energy", "target"),
    numbers("kin8nm", "target"),
    numbers("power-plant", "target"),
    numbers("wine-quality-red", "target"),
    numbers("yacht", "target"),
];

impl Set {
    /// The files of its rows, in their order.
    pub(crate) fn files(&self, folder: &Path) -> &'static [&'static str] {
        if folder.join(self.name).join("data.csv").exists() {
            &["data.csv"]
        } else {
            &["train.csv", "test.csv"]
        }
    }

    /// The table, and the rows of split `seed` (or of the only one).
    pub(crate) fn load(&self, folder: &Path, seed: u64) -> Result<(Table, Split), Error> {
        let files = self.files(folder);
        let folder = folder.join(self.name);
        let options = ReadOptions::default();
        let (table, _) = read_table(folder.join(files[0]), &options)?;
        if files.len() == 1 {
            let splits = folder.join("splits.json");
            if splits.exists() {
                let split = listed(&splits, seed)?;
                return Ok((table, split));
            }
            let parts = parts(&folder.join("split.csv"), seed)?;
            let split = split(&parts, table.n_rows())?;
            return Ok((table, split));
        }
        // One file, so that a label means the same in both parts.
        let options = options.like(&table);
        let mut text = String::new();
        for name in files {
            let path = folder.join(name);
            let part = std::fs::read_to_string(&path).map_err(|e| ForgeError::io(&path, e))?;
            let rows = match text.is_empty() {
                true => &part,
                false => part.split_once('\n').map_or("", |(_, rows)| rows),
            };
            text.push_str(rows);
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
        let (table, _) = volatilityforge::data::read_csv_from(text.as_bytes(), &options)?;
        let mut parts = parts(&folder.join("split_train.csv"), seed)?;
        parts.resize(table.n_rows(), 2);
        let split = split(&parts, table.n_rows())?;
        Ok((table, split))
    }
}

/// The training and test rows of each split.
#[derive(Deserialize)]
struct Lists {
    train: Vec<Vec<usize>>,
    test: Vec<Vec<usize>>,
}

/// Split `seed` of a file of lists, with a tenth of its training rows, drawn by `seed`, to validate.
fn listed(path: &Path, seed: u64) -> Result<Split, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| ForgeError::io(path, e))?;
    let lists: Lists = serde_json::from_str(&text).map_err(|e| ForgeError::artifact(path, e))?;
    let at = usize::try_from(seed).unwrap_or(usize::MAX);
    let (Some(train), Some(test)) = (lists.train.get(at), lists.test.get(at)) else {
        let allowed = format!("below {}, the number of splits", lists.train.len());
        return Err(ForgeError::config("seeds", seed, allowed).into());
    };
    let mut train = train.clone();
    train.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let validation = train.split_off(train.len() - train.len() / 10);
    Ok(Split {
        train,
        validation,
        test: test.clone(),
    })
}

/// 0, 1 or 2 for each row.
fn parts(path: &Path, seed: u64) -> Result<Vec<u8>, Error> {
    let (table, _) = read_table(path, &ReadOptions::default())?;
    let column = match table.column(&format!("s{seed}")) {
        Ok(_) if table.columns().len() > 1 => format!("s{seed}"),
        _ => "s0".into(),
    };
    let values = volatilityforge::data::TargetTransform::read(&table, &column, None)?;
    Ok(values.iter().map(|part| *part as u8).collect())
}

fn split(parts: &[u8], rows: usize) -> Result<Split, Error> {
    if parts.len() != rows {
        let found = format!("{} rows", parts.len());
        return Err(ForgeError::shape("split", found, format!("the table's {rows}")).into());
    }
    let of = |part: u8| (0..rows).filter(|row| parts[*row] == part).collect();
    Ok(Split {
        train: of(0),
        validation: of(1),
        test: of(2),
    })
}
