//! Series that a few values far out leave with nothing to tell apart.

use std::fmt;

use super::super::shown::cell;
use super::{ScaleBy, SeriesScaler, SeriesTable, training_values};
use crate::preprocess::flat_middle;

/// A column of which the middle nine tenths of the values hardly differ once they are scaled, since a few
/// others are very far out: a bad tick, a wrong unit, a code for a missing value.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesFarOut {
    /// The column.
    pub column: String,
    /// The series of the value.
    pub series: String,
    /// Its time, as messages show it.
    pub time: String,
    /// The value that is furthest from the others, in the column's units.
    pub value: f64,
    /// How far apart the middle nine tenths are, in the scaler's spreads.
    pub width: f64,
}

impl fmt::Display for SeriesFarOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            column,
            series,
            time,
            value,
            width,
        } = self;
        write!(
            f,
            "'{column}': {} is {value:e}, so far out that nine tenths of the training values lie within \
             {width:.0e} of the spread that they are scaled by and cannot be told apart: mend the cell, \
             leave it empty, or scale the column by \"robust\"",
            cell(series, time)
        )
    }
}

impl SeriesScaler {
    /// Targets, past and known columns whose values are as good as equal after scaling, by the steps that
    /// this was fitted to: of each series, where each has its own scale, and else of all together.
    /// Columns of other tables are passed over.
    #[must_use]
    pub fn far_out(&self, table: &SeriesTable) -> Vec<SeriesFarOut> {
        let all: Vec<usize> = (0..table.n_series()).collect();
        let groups: Vec<&[usize]> = match self.config.by {
            ScaleBy::Series => all.chunks(1).collect(),
            ScaleBy::Global => vec![&all],
        };
        let names = table.schema().config.moving();
        let known = (0..).zip(names).zip(&self.columns);
        known
            .filter(|((_, name), column)| **name == column.name)
            .flat_map(|((place, _), _)| {
                let of = move |series: &&[usize]| self.far_out_of(table, place, series);
                groups.iter().filter_map(of).collect::<Vec<_>>()
            })
            .collect()
    }

    fn far_out_of(
        &self,
        table: &SeriesTable,
        place: usize,
        group: &[usize],
    ) -> Option<SeriesFarOut> {
        let column = &self.columns[place];
        let mut values = Vec::new();
        let mut furthest: Option<(f64, usize, usize)> = None;
        for &at in group {
            let (rows, id) = (&table.series[at], &table.ids()[at]);
            let take = |row: usize, value: f64| {
                values.push(value);
                if furthest.is_none_or(|(most, ..)| value.abs() > most) {
                    furthest = Some((value.abs(), at, row));
                }
            };
            // Fitting has seen that each is in the domain.
            training_values(rows, place, column.of(id), &self.fitted, take).ok()?;
        }
        let width = flat_middle(values.into_iter(), 1.0)?;
        let (_, at, row) = furthest?;
        let rows = &table.series[at];
        Some(SeriesFarOut {
            column: column.name.clone(),
            series: table.ids()[at].clone(),
            time: rows.shown(row),
            value: rows.columns[place][row],
            width,
        })
    }
}
