//! Windows to tensors.

use burn::tensor::{Bool, Device, Tensor, TensorData};

use super::{Window, WindowBatch, Windows};
use crate::DataError;
use crate::series::scaler::{OutOfDomain, ValueScale};
use crate::series::shown::cell_error;
use crate::series::table::OneSeries;
use crate::series::{CalendarFields, MissingValues};

/// Values of a tensor `[B, T, columns]` and their mask, while they are gathered.
struct Part {
    values: Vec<f32>,
    present: Vec<bool>,
    steps: usize,
    columns: usize,
}

impl Part {
    fn new(batch: usize, steps: usize, columns: usize) -> Self {
        let size = batch * steps * columns;
        Self {
            values: vec![0.0; size],
            present: vec![false; size],
            steps,
            columns,
        }
    }

    fn place(&self, window: usize, step: usize, column: usize) -> usize {
        (window * self.steps + step) * self.columns + column
    }

    fn tensors(self, device: &Device) -> (Tensor<3>, Tensor<3, Bool>) {
        let batch = self.values.len() / (self.steps * self.columns);
        let shape = [batch, self.steps, self.columns];
        (
            Tensor::from_data(TensorData::new(self.values, shape), device),
            Tensor::from_data(TensorData::new(self.present, shape), device),
        )
    }

    /// Values, and the mask unless it is true everywhere; `None` without columns.
    fn optional(self, device: &Device) -> (Option<Tensor<3>>, Option<Tensor<3, Bool>>) {
        if self.columns == 0 {
            return (None, None);
        }
        let whole = self.present.iter().all(|present| *present);
        let (values, present) = self.tensors(device);
        (Some(values), (!whole).then_some(present))
    }
}

/// The last value of a column at or before a row, missing cells passed over.
///
/// # Panics
/// If there is no such row.
#[must_use]
pub fn last_present(column: &[f64], row: usize) -> Option<f64> {
    column[..=row].iter().rev().copied().find(|v| !v.is_nan())
}

impl Windows {
    /// The windows `indices`, in that order; repetition is allowed.
    ///
    /// # Errors
    /// A value error naming column, series and time if a value is outside what its transform takes
    /// (a price below 0 under a logarithm), or does not fit f32; or if calendar fields lie ahead of
    /// a table with irregular steps.
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len), or there is none.
    pub fn batch(&self, indices: &[usize], device: &Device) -> Result<WindowBatch, DataError> {
        assert!(!indices.is_empty(), "a batch needs at least one window");
        let config = &self.table.schema.config;
        let (lookback, steps) = (self.config.lookback, self.config.horizon.count());
        let ahead = lookback + self.config.horizon.last();
        let batch = indices.len();
        let (c, p, k) = (config.targets.len(), config.past.len(), config.known.len());
        let mut past = Part::new(batch, lookback, c);
        let mut covariates = Part::new(batch, lookback, p);
        let mut known = Part::new(batch, ahead, k);
        let mut target = Part::new(batch, steps, if self.future { 0 } else { c });
        let mut calendar = Vec::new();
        let (mut fixed, mut codes) = (Vec::new(), Vec::new());
        let mut places = Vec::with_capacity(batch);
        let mut last = Vec::with_capacity(batch * c);
        for (b, index) in indices.iter().enumerate() {
            let place = self.window(*index);
            let rows = &self.table.series[place.series];
            for column in 0..c {
                self.inputs(&mut past, (b, column), place, column, lookback)?;
                let value = last_present(&rows.columns[column], place.origin);
                last.push(value.unwrap_or(f64::NAN));
                if !self.future {
                    self.targets(&mut target, (b, column), place, value)?;
                }
            }
            for column in 0..p {
                self.inputs(&mut covariates, (b, column), place, c + column, lookback)?;
            }
            for column in 0..k {
                self.inputs(&mut known, (b, column), place, c + p + column, ahead)?;
            }
            for (column, value) in rows.numbers.iter().enumerate() {
                fixed.push(self.fixed(column, *value));
            }
            codes.extend(rows.codes.iter().map(|code| i64::from(*code)));
            if self.config.calendar {
                self.calendar(place, &mut calendar)?;
            }
            places.push(place);
        }
        let (past, past_present) = past.tensors(device);
        let (past_covariates, past_covariates_present) = covariates.optional(device);
        let (known, known_present) = known.optional(device);
        let (target, target_present) = if self.future {
            (None, None)
        } else {
            let (values, present) = target.tensors(device);
            (Some(values), Some(present))
        };
        let width = fixed.len() / batch;
        let fixed =
            (width > 0).then(|| Tensor::from_data(TensorData::new(fixed, [batch, width]), device));
        let width = codes.len() / batch;
        let fixed_codes =
            (width > 0).then(|| Tensor::from_data(TensorData::new(codes, [batch, width]), device));
        let calendar = self.config.calendar.then(|| {
            let shape = [batch, ahead, CalendarFields::COUNT];
            Tensor::from_data(TensorData::new(calendar, shape), device)
        });
        Ok(WindowBatch {
            past,
            past_present,
            past_covariates,
            past_covariates_present,
            known,
            known_present,
            fixed,
            fixed_codes,
            calendar,
            target,
            target_present,
            series: places.iter().map(|place| place.series).collect(),
            times: places.iter().map(|place| place.time).collect(),
            last,
        })
    }

    /// A column over the steps of a window from its first past one.
    fn inputs(
        &self,
        part: &mut Part,
        (b, at): (usize, usize),
        place: Window,
        column: usize,
        steps: usize,
    ) -> Result<(), DataError> {
        let rows = &self.table.series[place.series];
        let values = &rows.columns[column];
        let forward = self.table.schema.config.missing == MissingValues::Forward;
        // Steps of the window before the first row of the series.
        let padded = self.config.lookback.saturating_sub(place.origin + 1);
        let first = (place.origin + 1 + padded) - self.config.lookback;
        let mut before = first
            .checked_sub(1)
            .and_then(|row| last_present(values, row));
        let scale = self.scale(column, place.series);
        for (step, row) in (padded..steps).zip(first..values.len()) {
            let value = values[row];
            let slot = part.place(b, step, at);
            if value.is_nan() {
                // Carried forward, the value stays what it was: a return of 0.
                if let Some(value) = before.filter(|_| forward) {
                    let scaled = scale.input(value, before);
                    let scaled = self.checked(scaled, rows, place, column, row)?;
                    part.values[slot] = scaled.unwrap_or(0.0);
                }
                continue;
            }
            let scaled = scale.input(value, before);
            let scaled = self.checked(scaled, rows, place, column, row)?;
            part.values[slot] = scaled.unwrap_or(0.0);
            part.present[slot] = scaled.is_some();
            before = Some(value);
        }
        Ok(())
    }

    /// How a column of a series is scaled.
    pub(super) fn scale(&self, column: usize, series: usize) -> ValueScale {
        let id = &self.table.schema.ids[series];
        match &self.scaler {
            None => ValueScale::default(),
            Some(scaler) => scaler.columns[column].of(id),
        }
    }

    /// A scaled value as a batch holds it, or the error that names its place.
    fn checked(
        &self,
        scaled: Result<Option<f64>, OutOfDomain>,
        rows: &OneSeries,
        place: Window,
        column: usize,
        row: usize,
    ) -> Result<Option<f32>, DataError> {
        let scaled = match scaled {
            Ok(Some(value)) if (value as f32).is_finite() => return Ok(Some(value as f32)),
            Ok(None) => return Ok(None),
            Ok(Some(value)) => format!("{value:e} does not fit f32: scale the column"),
            Err(outside) => outside.to_string(),
        };
        let config = &self.table.schema.config;
        let name = config.moving().nth(column).map_or("", String::as_str);
        let id = &self.table.schema.ids[place.series];
        Err(cell_error(name, id, &rows.shown(row), scaled))
    }

    /// A target at the forecast steps.
    fn targets(
        &self,
        part: &mut Part,
        (b, column): (usize, usize),
        place: Window,
        last: Option<f64>,
    ) -> Result<(), DataError> {
        for (i, step) in self.config.horizon.steps().enumerate() {
            let scaled = self.target_after(place, column, step, last)?;
            let slot = part.place(b, i, column);
            part.values[slot] = scaled.unwrap_or(0.0);
            part.present[slot] = scaled.is_some();
        }
        Ok(())
    }

    /// A target at one of the forecast steps, `step` its place among them, as a batch holds it; `None`
    /// where it was not observed, or is still to come.
    ///
    /// # Errors
    /// As [`batch`](Self::batch).
    ///
    /// # Panics
    /// If the table has no such series, row or column.
    pub fn target(
        &self,
        place: Window,
        column: usize,
        step: usize,
    ) -> Result<Option<f32>, DataError> {
        let Some(ahead) = self.config.horizon.steps().nth(step) else {
            return Ok(None);
        };
        let last = last_present(
            &self.table.series[place.series].columns[column],
            place.origin,
        );
        self.target_after(place, column, ahead, last)
    }

    fn target_after(
        &self,
        place: Window,
        column: usize,
        ahead: usize,
        last: Option<f64>,
    ) -> Result<Option<f32>, DataError> {
        let rows = &self.table.series[place.series];
        let row = place.origin + ahead;
        let value = rows.columns[column].get(row).copied();
        let Some(value) = value.filter(|value| !value.is_nan()) else {
            return Ok(None);
        };
        let scaled = self.scale(column, place.series).target(value, last, ahead);
        self.checked(scaled, rows, place, column, row)
    }

    fn fixed(&self, column: usize, value: f64) -> f32 {
        let scaled = match &self.scaler {
            None => value,
            Some(scaler) => scaler.fixed[column].all.scale(value),
        };
        if scaled.is_nan() { 0.0 } else { scaled as f32 }
    }

    fn calendar(&self, place: Window, fields: &mut Vec<i32>) -> Result<(), DataError> {
        let table = &self.table;
        for back in (0..self.config.lookback).rev() {
            let row = place.origin.saturating_sub(back);
            fields.extend(table.calendar(place.series, row).to_array());
        }
        let last = self.config.horizon.last();
        for stamp in table.following(place.series, place.origin, last)? {
            fields.extend(table.schema.calendar(stamp).to_array());
        }
        Ok(())
    }
}
