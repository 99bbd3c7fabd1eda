//! The distinct values of a column, ordered, and which rows have which.

use super::DateResolution;
use crate::{Categorical, ColumnValues, DataError, Table};

/// `rows` grouped by the value of a column, groups in ascending order of the value, rows within a
/// group in ascending order.
///
/// Numbers are one value if equal (so −0 is 0); labels order lexically; times are one value by
/// `resolution`.
///
/// # Errors
/// A schema error if the column is not in the table; a value error naming the row of a missing or
/// infinite value, since a row that belongs nowhere cannot be put on a side.
pub(super) fn groups(
    table: &Table,
    column: &str,
    rows: &[usize],
    resolution: DateResolution,
) -> Result<Vec<Vec<usize>>, DataError> {
    let missing = |row: usize, what: &str| {
        DataError::value(format!(
            "{what}; splitting by this column needs a value in every row"
        ))
        .at_index(row)
        .at_column(column)
    };
    let mut keyed: Vec<(u64, usize)> = Vec::with_capacity(rows.len());
    let source = table.column(column)?;
    let ahead = |row: usize| source.offsets.as_ref().map_or(0, |offsets| offsets[row]);
    match &source.values {
        ColumnValues::Numeric(values) => {
            for &row in rows {
                let value = values[row];
                if value.is_nan() {
                    return Err(missing(row, "is missing"));
                }
                if value.is_infinite() {
                    return Err(missing(row, "is infinite"));
                }
                keyed.push((ordered_bits(value + 0.0), row));
            }
        }
        ColumnValues::DateTime(values) => {
            for &row in rows {
                let value = values[row];
                if value == i64::MIN {
                    return Err(missing(row, "is missing"));
                }
                let unit = resolution.unit(value, ahead(row));
                keyed.push((unit.cast_unsigned() ^ (1 << 63), row));
            }
        }
        ColumnValues::Categorical(cells) => {
            let rank = ranks(&cells.categories);
            for &row in rows {
                let code = cells.codes[row];
                if code == Categorical::MISSING {
                    return Err(missing(row, "is missing"));
                }
                match rank.get(code as usize) {
                    Some(rank) => keyed.push((*rank, row)),
                    None => return Err(missing(row, "has a code without a label")),
                }
            }
        }
    }
    keyed.sort_unstable();
    Ok(keyed
        .chunk_by(|a, b| a.0 == b.0)
        .map(|group| group.iter().map(|(_, row)| *row).collect())
        .collect())
}

/// Bits that order as the finite numbers they come from.
fn ordered_bits(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    }
}

/// The lexical rank of each label; equal labels share one.
fn ranks(labels: &[String]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_unstable_by_key(|i| &labels[*i]);
    let mut rank = vec![0; labels.len()];
    let mut next = 0;
    for pair in 1..order.len() {
        let (before, here) = (order[pair - 1], order[pair]);
        next += u64::from(labels[before] != labels[here]);
        rank[here] = next;
    }
    rank
}
