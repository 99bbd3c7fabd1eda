//! The first row becomes the names of the columns.

use std::collections::{HashMap, HashSet};

use super::cell::Cell;
use super::finding::{Finding, FindingKind, shorten};
use super::options::{DuplicateNames, ReadOptions};
use crate::DataError;
use crate::schema::{Decimal, date_time, number};

/// The name of a column that has none, `column` counted from 0.
pub(crate) fn default_name(column: usize) -> String {
    format!("c{column}")
}

/// Adds a row of the header to the names, cell by cell.
pub(crate) fn add_row(names: &mut Vec<String>, cells: &[Cell<'_>]) {
    if names.len() < cells.len() {
        names.resize(cells.len(), String::new());
    }
    for (name, cell) in names.iter_mut().zip(cells) {
        let more = name_of(cell);
        if !name.is_empty() && !more.is_empty() {
            name.push(' ');
        }
        name.push_str(&more);
    }
}

/// The names that the columns will have, should all be read.
pub(crate) fn provisional(names: &[String]) -> Vec<String> {
    let mut taken: HashSet<String> = names.iter().filter(|n| !n.is_empty()).cloned().collect();
    let mut seen = HashSet::new();
    names
        .iter()
        .enumerate()
        .map(|(i, name)| {
            if name.is_empty() {
                default_name(i)
            } else if seen.insert(name.as_str()) {
                name.clone()
            } else {
                free_name(name, &mut taken)
            }
        })
        .collect()
}

/// `name.1`, or the first such that is not taken.
fn free_name(name: &str, taken: &mut HashSet<String>) -> String {
    let mut count = 1u64;
    loop {
        let made = format!("{name}.{count}");
        if taken.insert(made.clone()) {
            return made;
        }
        count += 1;
    }
}

/// What a header cell says; empty where it says nothing.
pub(crate) fn name_of(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Empty | Cell::Fault(_) => String::new(),
        Cell::Text(text) => text.trim().to_owned(),
        Cell::Number(value) | Cell::Days(value) => number::format(*value),
        Cell::Integer(value) => value.to_string(),
        Cell::Bool(value) => value.to_string(),
        Cell::Time(time) | Cell::CutTime(time) => date_time::format(*time).unwrap_or_default(),
    }
}

/// Refuses a first row that looks like data, unless it was declared to be the header.
pub(crate) fn check_is_header(
    row: u64,
    cells: &[Cell<'_>],
    options: &ReadOptions,
) -> Result<(), DataError> {
    if options.has_header.is_some() {
        return Ok(());
    }
    for (i, cell) in cells.iter().enumerate() {
        let what = match cell {
            Cell::Number(_) | Cell::Integer(_) | Cell::Days(_) => "a number",
            Cell::Time(_) | Cell::CutTime(_) => "a date",
            Cell::Text(text) => {
                let text = text.trim();
                if number::shape(text, Decimal::Point)
                    .or_else(|| number::shape(text, Decimal::Comma))
                    .is_some()
                {
                    "a number"
                } else if date_time::parse(text).is_some() {
                    "a date"
                } else {
                    continue;
                }
            }
            _ => continue,
        };
        return Err(DataError::schema(format!(
            "the header is missing: '{}' in column {} is {what}, not a name; set `has_header` to \
             false if this row is data, or to true if these are names, or `skip_rows` if the \
             header is further down",
            shorten(&name_of(cell), 60),
            i + 1
        ))
        .at_row(row));
    }
    Ok(())
}

/// Names of all columns, each once. `names`: as the header has them, empty where it has none.
/// `has_values`: whether a column has a value; one with neither name nor value gets `None`.
/// `needed`: whether it is read; what is not may have any name.
pub(crate) fn unique_names(
    row: u64,
    names: &[String],
    has_values: &[bool],
    needed: &[bool],
    options: &ReadOptions,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Option<String>>, DataError> {
    let blank = names
        .iter()
        .zip(has_values)
        .filter(|(n, v)| n.is_empty() && **v);
    let (blank, named) = (
        blank.count(),
        names.iter().filter(|n| !n.is_empty()).count(),
    );
    if blank > named && blank > 1 {
        return Err(DataError::schema(format!(
            "only {named} of {} columns have a name here; if the header is further down, set \
             `skip_rows`, or `header_rows` if it has several rows",
            named + blank
        ))
        .at_row(row));
    }
    let mut taken: HashSet<String> = names.iter().filter(|n| !n.is_empty()).cloned().collect();
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut unique = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        if name.is_empty() {
            let made = default_name(i);
            unique.push(if !needed[i] {
                None
            } else if !has_values[i] {
                let place = format!("column {}", i + 1);
                findings.push(Finding::new(FindingKind::EmptyColumn, &place));
                None
            } else if taken.insert(made.clone()) {
                let finding = Finding::new(FindingKind::Unnamed, &made).at_row(row);
                findings.push(finding.in_column(&made));
                Some(made)
            } else {
                return Err(DataError::schema(format!(
                    "column {} has no name, and '{made}', which it would get, is taken",
                    i + 1
                ))
                .at_row(row));
            });
            continue;
        }
        let Some(&earlier) = first.get(name) else {
            first.insert(name.clone(), i);
            unique.push(Some(name.clone()));
            continue;
        };
        if options.duplicate_names == DuplicateNames::Refuse {
            if !needed[earlier] && !needed[i] {
                unique.push(None);
                continue;
            }
            return Err(DataError::schema(format!(
                "columns {} and {} have the same name; rename one, or set `duplicate_names` to \
                 `rename`",
                earlier + 1,
                i + 1
            ))
            .at_row(row)
            .at_column(name));
        }
        let made = free_name(name, &mut taken);
        let finding = Finding::new(FindingKind::Renamed, &made).at_row(row);
        findings.push(finding.in_column(name));
        unique.push(Some(made));
    }
    Ok(unique)
}
