//! What a sampler may go by in a table.

use forge_data::{Categorical, Column, ColumnValues, EncodedTargets, Table, TargetEncoder};
use forge_nn::ForgeError;
use forge_train::sampler::{KeyOf, RowKeys};

use crate::Error;

/// What the sampler of a run asks for, of the training rows.
///
/// # Errors
/// A config error for several targets or absent weights; a data error for a column that is not
/// there.
pub(super) fn row_keys(
    by: &KeyOf,
    table: &Table,
    rows: &[usize],
    (encoder, targets): (&TargetEncoder, &EncodedTargets),
    weights: &[f32],
) -> Result<RowKeys, Error> {
    match by {
        KeyOf::Target => of_target(encoder, targets),
        KeyOf::Weight if weights.is_empty() => {
            let allowed = "a column of sample weights, which the estimator was given none of";
            Err(ForgeError::config("sampler.by", "weight", allowed).into())
        }
        KeyOf::Weight => Ok(RowKeys::Numbers(
            weights.iter().map(|w| f64::from(*w)).collect(),
        )),
        KeyOf::Column(name) => Ok(of_column(table.column(name)?, rows)),
    }
}

fn of_target(encoder: &TargetEncoder, targets: &EncodedTargets) -> Result<RowKeys, Error> {
    if targets.slots != 1 {
        let value = format!("target, of which there are {}", targets.slots);
        let allowed = "one target, or a column such as {\"column\": \"name\"}";
        return Err(ForgeError::config("sampler.by", value, allowed).into());
    }
    let values = targets.original.iter();
    Ok(match encoder.classes() {
        None => RowKeys::Numbers(values.copied().collect()),
        Some(classes) => RowKeys::Labels {
            names: classes.names().to_vec(),
            rows: values.map(|class| Some(*class as usize)).collect(),
        },
    })
}

fn of_column(column: &Column, rows: &[usize]) -> RowKeys {
    match &column.values {
        ColumnValues::Numeric(values) => {
            RowKeys::Numbers(rows.iter().map(|row| values[*row]).collect())
        }
        ColumnValues::DateTime(times) => {
            let time = |row: &usize| match times[*row] {
                Column::MISSING_TIME => f64::NAN,
                milliseconds => milliseconds as f64,
            };
            RowKeys::Numbers(rows.iter().map(time).collect())
        }
        ColumnValues::Categorical(cells) => {
            let label = |row: &usize| match cells.codes[*row] {
                Categorical::MISSING => None,
                code => Some(code as usize),
            };
            RowKeys::Labels {
                names: cells.categories.clone(),
                rows: rows.iter().map(label).collect(),
            }
        }
    }
}
