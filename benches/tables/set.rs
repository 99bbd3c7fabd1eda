//! The tables and their splits.

use std::path::Path;

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
];

pub(crate) fn named(name: &str) -> Result<&'static Set, Error> {
    let found = ALL.iter().find(|set| set.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = ALL.iter().map(|set| set.name).collect();
        ForgeError::config("sets", name, format!("one of {}", names.join(", "))).into()
    })
}

impl Set {
    /// The table, and the rows of split `seed` (or of the only one).
    pub(crate) fn load(&self, folder: &Path, seed: u64) -> Result<(Table, Split), Error> {
        let folder = folder.join(self.name);
        let options = ReadOptions::default();
        if folder.join("data.csv").exists() {
            let (table, _) = read_table(folder.join("data.csv"), &options)?;
            let parts = parts(&folder.join("split.csv"), seed)?;
            let split = split(&parts, table.n_rows())?;
            return Ok((table, split));
        }
        let (train, _) = read_table(folder.join("train.csv"), &options)?;
        let options = options.like(&train);
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path).map_err(|e| ForgeError::io(&path, e))
        };
        // One file, so that a label means the same in both parts.
        let (mut text, test) = (read("train.csv")?, read("test.csv")?);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.extend(test.split_once('\n').map(|(_, rows)| rows));
        let (table, _) = volatilityforge::data::read_csv_from(text.as_bytes(), &options)?;
        let mut parts = parts(&folder.join("split_train.csv"), seed)?;
        parts.resize(table.n_rows(), 2);
        let split = split(&parts, table.n_rows())?;
        Ok((table, split))
    }
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
