//! Series from the rows of a table.

use std::collections::HashMap;

use super::build_steps::finish;
use super::policies::{Duplicates, Unsorted};
use super::report::{Findings, SeriesFindingKind};
use super::schema::{FixedColumn, labels_of};
use super::shown::{cell_error, shown, shown_in, some_names};
use super::table::OneSeries;
use super::time_columns::Times;
use super::{SeriesConfig, SeriesSchema, SeriesTable, TimeColumns, TimeUnit};
use crate::preprocess::seen_row;
use crate::{Column, ColumnValues, DataError, Decimal, Table, table};

impl SeriesTable {
    /// The series in a table, repaired as the config says.
    ///
    /// # Errors
    /// - config: see [`SeriesConfig::validate`]
    /// - schema: a column is not there or of the wrong kind
    /// - value: a fault that the config refuses, named by series and time; a row without a time or
    ///   series, an infinite number, a fixed column that changes within a series, a column without
    ///   any value, no row at all
    ///
    /// ```
    /// use forge_data::{Column, SeriesConfig, SeriesTable, Table};
    /// let day = 86_400_000;
    /// let table = Table::new(vec![
    ///     Column::date_time("date", (0..30).map(|i| i * day).collect()),
    ///     Column::numeric("close", (0..30).map(f64::from).collect()),
    /// ])?;
    /// let series = SeriesTable::from_table(&table, &SeriesConfig::new("date", ["close"]))?;
    /// assert_eq!(series.report().frequency.to_string(), "1d");
    /// # Ok::<(), forge_data::DataError>(())
    /// ```
    pub fn from_table(table: &Table, config: &SeriesConfig) -> Result<Self, DataError> {
        config.validate()?;
        let mut config = config.clone();
        if let TimeColumns::One(name) = &config.time
            && config.time_unit != Some(TimeUnit::Steps)
            && matches!(table.column(name)?.values, ColumnValues::DateTime(_))
        {
            // Nothing is counted: forecasts have dates too.
            config.time_unit = None;
        }
        Self::build(table, &config, None)
    }

    /// The series in a table to predict from, with the frequency, sessions and codes of the
    /// training's table. Series that it did not have are taken, numbered after the others that
    /// occur; a scaler or a model may refuse them.
    ///
    /// # Errors
    /// As [`from_table`](Self::from_table), and a value error for a fixed label that is not known.
    pub fn like(table: &Table, schema: &SeriesSchema) -> Result<Self, DataError> {
        schema.config.validate()?;
        Self::build(table, &schema.config, Some(schema))
    }

    fn build(
        table: &Table,
        config: &SeriesConfig,
        like: Option<&SeriesSchema>,
    ) -> Result<Self, DataError> {
        if table.n_rows() == 0 {
            return Err(DataError::value(
                "there are no rows: series need at least one",
            ));
        }
        u32::try_from(table.n_rows())
            .map_err(|_| DataError::value("more than 4,294,967,295 rows are not taken"))?;
        let columns = config
            .moving()
            .map(|name| numbers(table, name))
            .collect::<Result<Vec<_>, _>>()?;
        let (ids, of_row) = series_ids(table, config, like)?;
        let times = Times::read(table, config, &of_row, &ids)?;
        let mut findings = Findings::default();
        for row in &times.ambiguous {
            let series = of_row[*row] as usize;
            findings.add(
                SeriesFindingKind::Ambiguous,
                None,
                1,
                (series, &ids[series]),
                || {
                    shown(
                        times.utc[*row],
                        times.offsets.as_ref().map_or(0, |o| o[*row]),
                    )
                },
            );
        }
        let fixed = match like {
            Some(schema) => schema.fixed.clone(),
            None => fixed_columns(table, config)?,
        };
        let mut rows_of: Vec<Vec<u32>> = vec![Vec::new(); ids.len()];
        for (row, series) in of_row.iter().enumerate() {
            rows_of[*series as usize].push(row as u32);
        }
        let mut series = Vec::with_capacity(ids.len());
        for (index, rows) in rows_of.iter_mut().enumerate() {
            let place = Place {
                table,
                config,
                times: &times,
                id: (index, &ids[index]),
            };
            place.sort(rows, &mut findings)?;
            place.drop_duplicates(rows, &mut findings)?;
            series.push(place.gather(rows, &columns, &fixed, like.is_some())?);
        }
        finish(series, ids, fixed, config, like, findings)
    }
}

/// One series while it is made.
struct Place<'a> {
    table: &'a Table,
    config: &'a SeriesConfig,
    times: &'a Times,
    id: (usize, &'a str),
}

impl Place<'_> {
    fn time(&self, row: u32) -> i64 {
        self.times.utc[row as usize]
    }

    fn shown(&self, row: u32) -> String {
        let offsets = self.times.offsets.as_ref();
        let offset = offsets.map_or(0, |o| o[row as usize]);
        shown_in(self.config.unit(), self.time(row), offset)
    }

    fn sort(&self, rows: &mut [u32], findings: &mut Findings) -> Result<(), DataError> {
        let early = |pair: &&[u32]| self.time(pair[1]) < self.time(pair[0]);
        let count = rows.windows(2).filter(early).count();
        if let Some(pair) = rows.windows(2).find(early) {
            if self.config.unsorted == Unsorted::Refuse {
                return Err(DataError::value(format!(
                    "series '{}': {} stands after {}; sort the file by time, or set unsorted to \
                     sort",
                    self.id.1,
                    self.shown(pair[1]),
                    self.shown(pair[0])
                ))
                .at_index(pair[1] as usize));
            }
            let place = || format!("{} after {}", self.shown(pair[1]), self.shown(pair[0]));
            findings.add(
                SeriesFindingKind::Unsorted,
                None,
                count as u64,
                self.id,
                place,
            );
            rows.sort_by_key(|row| self.time(*row));
        }
        Ok(())
    }

    /// Rows of one time stand in the order of the file.
    fn drop_duplicates(
        &self,
        rows: &mut Vec<u32>,
        findings: &mut Findings,
    ) -> Result<(), DataError> {
        let same = |pair: &&[u32]| self.time(pair[1]) == self.time(pair[0]);
        let count = rows.windows(2).filter(same).count();
        let Some(pair) = rows.windows(2).find(same) else {
            return Ok(());
        };
        let (first, second) = (pair[0], pair[1]);
        if self.config.duplicates == Duplicates::Refuse {
            let mut hint = String::new();
            let hour = self.time(first).rem_euclid(86_400_000) / 3_600_000;
            let repeated = rows.windows(2).filter(same);
            let all_at_night = repeated
                .map(|pair| self.time(pair[0]).rem_euclid(86_400_000) / 3_600_000)
                .all(|hour| hour <= 3);
            if self.config.time_zone.is_none()
                && self.times.offsets.is_none()
                && all_at_night
                && self.time(first).rem_euclid(86_400_000) != 0
            {
                hint = format!(
                    "; all are between 0 and 4 o'clock (this one at {hour}), as where daylight \
                     saving ends: if so, set time_zone, stamps = wall_clock and ambiguous = in_order"
                );
            }
            if self.config.series.is_none() {
                hint.push_str(
                    "; if the file holds several series, set series to the column that \
                               tells them apart",
                );
            }
            let equal = self.table.columns().iter().all(|column| {
                cell_text(column, first as usize) == cell_text(column, second as usize)
            });
            let alike = if equal { "equal" } else { "different" };
            return Err(DataError::value(format!(
                "series '{}' has {} twice, in rows {} and {} ({alike} in their other columns), and \
                 {count} such rows in all: mend the file, or set duplicates to first or last{hint}",
                self.id.1,
                self.shown(first),
                seen_row(first as usize),
                seen_row(second as usize),
            ))
            .at_index(second as usize));
        }
        findings.add(
            SeriesFindingKind::Duplicates,
            None,
            count as u64,
            self.id,
            || self.shown(first),
        );
        match self.config.duplicates {
            Duplicates::Last => {
                rows.reverse();
                rows.dedup_by_key(|row| self.time(*row));
                rows.reverse();
            }
            _ => rows.dedup_by_key(|row| self.time(*row)),
        }
        Ok(())
    }

    fn gather(
        &self,
        rows: &[u32],
        columns: &[&[f64]],
        fixed: &[FixedColumn],
        known_labels: bool,
    ) -> Result<OneSeries, DataError> {
        for ((name, column), row) in self
            .config
            .moving()
            .zip(columns)
            .flat_map(|column| rows.iter().map(move |row| (column, row)))
        {
            let value = column[*row as usize];
            if value.is_infinite() {
                return Err(cell_error(
                    name,
                    self.id.1,
                    &self.shown(*row),
                    "is infinite; leave the cell empty, or read with infinite = missing",
                )
                .at_index(*row as usize));
            }
        }
        let offsets = self.times.offsets.as_ref().map(|offsets| {
            let of = |row: &u32| offsets[*row as usize];
            rows.iter().map(of).collect::<Vec<i16>>()
        });
        let mut series = OneSeries {
            unit: self.config.unit(),
            times: rows.iter().map(|row| self.time(*row)).collect(),
            offsets: offsets.filter(|offsets| offsets.iter().any(|o| *o != 0)),
            columns: columns
                .iter()
                .map(|column| rows.iter().map(|row| column[*row as usize]).collect())
                .collect(),
            ..OneSeries::default()
        };
        for column in fixed {
            self.fix(rows, column, known_labels, &mut series)?;
        }
        Ok(series)
    }

    /// The one value that a fixed column has in the series.
    fn fix(
        &self,
        rows: &[u32],
        fixed: &FixedColumn,
        known_labels: bool,
        series: &mut OneSeries,
    ) -> Result<(), DataError> {
        let column = self.table.column(&fixed.name)?;
        let mut present = rows
            .iter()
            .map(|row| *row as usize)
            .filter(|row| !column.is_missing(*row));
        let first = present.next();
        if let Some(first) = first
            && let Some(other) =
                present.find(|row| cell_text(column, *row) != cell_text(column, first))
        {
            return Err(DataError::value(format!(
                "series '{}' has '{}' and, at {}, '{}': a fixed column has one value per series; \
                 name it as past or known instead",
                self.id.1,
                cell_text(column, first),
                self.shown(other as u32),
                cell_text(column, other)
            ))
            .at_column(&fixed.name)
            .at_index(other));
        }
        match (&column.values, &fixed.labels) {
            (ColumnValues::Numeric(values), None) => {
                let value = first.map_or(f64::NAN, |row| values[row]);
                if value.is_infinite() {
                    return Err(DataError::value(format!(
                        "series '{}' has an infinite value; leave the cell empty",
                        self.id.1
                    ))
                    .at_column(&fixed.name));
                }
                series.numbers.push(value);
            }
            (ColumnValues::Numeric(_) | ColumnValues::Categorical(_), Some(_)) => {
                let label = first.map(|row| cell_text(column, row));
                let code = fixed.code(label.as_deref());
                if let (Some(label), 0, true) = (&label, code, known_labels) {
                    let labels = fixed.labels.as_deref().unwrap_or_default();
                    return Err(DataError::value(format!(
                        "series '{}' has the label '{label}', which training did not have; it had \
                         {}. Leave the cell empty for an unknown one",
                        self.id.1,
                        some_names(labels)
                    ))
                    .at_column(&fixed.name));
                }
                series.codes.push(code);
            }
            _ => return Err(wrong_kind(&fixed.name, "numbers, as in training")),
        }
        Ok(())
    }
}

/// A cell as a file has it; dates beyond the year 9999 as nothing.
fn cell_text(column: &Column, row: usize) -> String {
    table::cell_text(column, row, Decimal::Point).unwrap_or_default()
}

fn wrong_kind(column: &str, wanted: &str) -> DataError {
    DataError::schema(format!(
        "does not hold {wanted}: declare the column's kind when reading, or leave it out"
    ))
    .at_column(column)
}

fn numbers<'a>(table: &'a Table, name: &str) -> Result<&'a [f64], DataError> {
    match &table.column(name)?.values {
        ColumnValues::Numeric(values) if values.iter().all(|value| value.is_nan()) => Err(
            DataError::value("has no value in any row: leave it out of targets, past and known")
                .at_column(name),
        ),
        ColumnValues::Numeric(values) => Ok(values),
        _ => Err(wrong_kind(
            name,
            "numbers, which targets, past and known columns must (labels are taken in fixed \
             columns only)",
        )),
    }
}

/// Ids, and the number of each row's series. The ids of a schema come first where they occur.
fn series_ids(
    table: &Table,
    config: &SeriesConfig,
    like: Option<&SeriesSchema>,
) -> Result<(Vec<String>, Vec<u32>), DataError> {
    let Some(name) = &config.series else {
        return Ok((vec![String::new()], vec![0; table.n_rows()]));
    };
    let column = table.column(name)?;
    let mut ids: Vec<String> = Vec::new();
    let mut numbers: HashMap<u64, u32> = HashMap::new();
    let mut of_row = Vec::with_capacity(table.n_rows());
    let mut last = None;
    for row in 0..table.n_rows() {
        if column.is_missing(row) {
            return Err(DataError::value(
                "has no id: every row belongs to a series; fill the cell or leave the row out",
            )
            .at_column(name)
            .at_index(row));
        }
        let key = match &column.values {
            ColumnValues::Categorical(labels) => u64::from(labels.codes[row]),
            ColumnValues::Numeric(values) => (values[row] + 0.0).to_bits(),
            ColumnValues::DateTime(_) => return Err(wrong_kind(name, "ids (labels or numbers)")),
        };
        // Rows of a series mostly stand together.
        if let Some((last, number)) = last
            && last == key
        {
            of_row.push(number);
            continue;
        }
        let number = *numbers.entry(key).or_insert_with(|| {
            ids.push(cell_text(column, row));
            (ids.len() - 1) as u32
        });
        last = Some((key, number));
        of_row.push(number);
    }
    if let Some(schema) = like {
        let known: HashMap<&str, usize> = schema
            .ids
            .iter()
            .enumerate()
            .map(|(place, id)| (id.as_str(), place))
            .collect();
        let mut order: Vec<usize> = (0..ids.len()).collect();
        order.sort_by_key(|i| known.get(ids[*i].as_str()).copied().unwrap_or(usize::MAX));
        let mut place = vec![0; ids.len()];
        for (new, old) in order.iter().enumerate() {
            place[*old] = new as u32;
        }
        ids = order.iter().map(|old| ids[*old].clone()).collect();
        for number in &mut of_row {
            *number = place[*number as usize];
        }
    }
    Ok((ids, of_row))
}

fn fixed_columns(table: &Table, config: &SeriesConfig) -> Result<Vec<FixedColumn>, DataError> {
    let of = |name: &String| {
        let labels = match &table.column(name)?.values {
            ColumnValues::Numeric(_) => None,
            ColumnValues::Categorical(labels) => Some(labels_of(labels)),
            ColumnValues::DateTime(_) => return Err(wrong_kind(name, "numbers or labels")),
        };
        Ok(FixedColumn {
            name: name.clone(),
            labels,
        })
    };
    config.fixed.iter().map(of).collect()
}
