//! Windows of a table of series as a model takes them.

use burn::tensor::{Device, Int, Tensor, TensorData};
use forge_data::{CalendarFields, SeriesSchema, SeriesTable, WindowBatch, WindowConfig, Windows};
use forge_models::{CalendarSteps, ForecastCapabilities, SeriesInput, SeriesSpec};
use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::season::season;

/// Which parts of a window a model is given, in which form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InputPlan {
    /// Places of the past covariates, in the table's order of them.
    past: Vec<usize>,
    /// Places of the columns that are the embedding, likewise.
    embedding: Vec<usize>,
    /// Whether known covariates go in.
    known: bool,
    /// Whether four numbers of the calendar go in beside them.
    centred_calendar: bool,
    /// Whether fixed numbers go in.
    fixed: bool,
    /// Whether fixed codes go in.
    fixed_codes: bool,
    /// Whether the calendar goes in as it is.
    calendar: bool,
    /// Whether padding goes in as a mask.
    valid: bool,
}

/// Numbers that [`CalendarFields::centred`] has.
const CENTRED: usize = 4;

impl InputPlan {
    /// What a model that supports `capabilities` takes of a table, and one line for each thing that
    /// it does not.
    pub(super) fn new(
        table: &SeriesTable,
        windows: &WindowConfig,
        embedding: &[String],
        capabilities: ForecastCapabilities,
        model: &str,
    ) -> (Self, Vec<String>) {
        let schema = table.schema();
        let config = &schema.config;
        let mut notes = Vec::new();
        let mut leave = |what: &str, columns: Vec<&str>| {
            if !columns.is_empty() {
                let columns = columns.join(", ");
                notes.push(format!("{model} takes no {what}: {columns} left out"));
            }
        };
        let place = |name: &String| config.past.iter().position(|column| column == name);
        let embedding: Vec<usize> = embedding.iter().filter_map(place).collect();
        let past = (0..config.past.len()).filter(|i| !embedding.contains(i));
        let past: Vec<usize> = past.collect();
        let named = |places: &[usize]| places.iter().map(|i| config.past[*i].as_str()).collect();
        if !capabilities.past_covariates {
            leave("past covariates", named(&past));
        }
        if !capabilities.known {
            leave(
                "covariates that are known ahead",
                config.known.iter().map(String::as_str).collect(),
            );
        }
        if !capabilities.fixed {
            leave(
                "fixed numbers",
                schema.fixed_numbers().map(|c| c.name.as_str()).collect(),
            );
        }
        if !capabilities.fixed_codes {
            leave(
                "fixed labels",
                schema.fixed_labels().map(|c| c.name.as_str()).collect(),
            );
        }
        let calendar = windows.calendar;
        let plan = Self {
            past: if capabilities.past_covariates {
                past
            } else {
                Vec::new()
            },
            embedding,
            known: capabilities.known && !config.known.is_empty(),
            centred_calendar: calendar && capabilities.known && !capabilities.calendar,
            fixed: capabilities.fixed && schema.fixed_numbers().next().is_some(),
            fixed_codes: capabilities.fixed_codes && schema.fixed_labels().next().is_some(),
            calendar: calendar && capabilities.calendar,
            valid: capabilities.valid && windows.min_lookback.is_some(),
        };
        (plan, notes)
    }

    /// Places of the past covariates.
    pub(super) fn past(&self) -> &[usize] {
        &self.past
    }

    /// Places of the columns that are the embedding.
    pub(super) fn embedding(&self) -> &[usize] {
        &self.embedding
    }

    /// Whether known covariates go in.
    pub(super) fn takes_known(&self) -> bool {
        self.known
    }

    /// Whether four numbers of the calendar go in beside them.
    pub(super) fn takes_centred_calendar(&self) -> bool {
        self.centred_calendar
    }

    /// What the model is sized for.
    pub(super) fn spec(
        &self,
        table: &SeriesTable,
        windows: &WindowConfig,
        n_outputs: usize,
        rising: bool,
    ) -> SeriesSpec {
        let schema = table.schema();
        let centred = if self.centred_calendar { CENTRED } else { 0 };
        let cardinalities = schema.fixed_labels().map(|column| {
            // The first code is that of missing and unknown labels.
            1 + column.labels.as_ref().map_or(0, Vec::len)
        });
        let bars = || {
            let row = table.calendar(0, 0);
            row.bars_of_day.max(1) as usize
        };
        SeriesSpec {
            lookback: windows.lookback,
            horizon: windows.horizon.count(),
            n_targets: schema.config.targets.len(),
            n_past: self.past.len(),
            n_known: centred
                + if self.known {
                    schema.config.known.len()
                } else {
                    0
                },
            n_fixed: if self.fixed {
                schema.fixed_numbers().count()
            } else {
                0
            },
            fixed_cardinalities: if self.fixed_codes {
                cardinalities.collect()
            } else {
                Vec::new()
            },
            d_embedding: self.embedding.len(),
            bars_per_day: self.calendar.then(bars),
            season: season(table),
            n_outputs,
            rising,
        }
    }

    /// Whether this plan, from a file, makes windows of a table of `schema` what `spec` says.
    pub(super) fn fits(&self, schema: &SeriesSchema, spec: &SeriesSpec) -> bool {
        let config = &schema.config;
        let centred = if self.centred_calendar { CENTRED } else { 0 };
        let known = if self.known { config.known.len() } else { 0 };
        let mut places = self.past.iter().chain(&self.embedding);
        places.all(|place| *place < config.past.len())
            && spec.n_past == self.past.len()
            && spec.d_embedding == self.embedding.len()
            && spec.n_known == known + centred
            && (spec.n_fixed
                == if self.fixed {
                    schema.fixed_numbers().count()
                } else {
                    0
                })
            && (spec.fixed_cardinalities.is_empty() || self.fixed_codes)
            && (spec.bars_per_day.is_some() == self.calendar)
    }

    /// The windows of a batch.
    pub(super) fn input(
        &self,
        windows: &Windows,
        batch: &WindowBatch,
    ) -> Result<SeriesInput, ForgeError> {
        let config = windows.config();
        let device = batch.past.device();
        let pick = |columns: &[usize]| -> Option<Tensor<3>> {
            let all = batch
                .past_covariates
                .clone()
                .filter(|_| !columns.is_empty())?;
            let places: Vec<i64> = columns.iter().map(|i| *i as i64).collect();
            let places = TensorData::new(places, [columns.len()]);
            Some(all.select(2, Tensor::<1, Int>::from_data(places, &device)))
        };
        let last =
            |x: Tensor<3>| -> Tensor<2> { x.narrow(1, config.lookback - 1, 1).squeeze_dim(1) };
        let mut known = batch.known.clone().filter(|_| self.known);
        if self.centred_calendar {
            let calendar = centred(batch)?;
            let calendar = Tensor::<3>::from_data(calendar, &device);
            known = Some(match known {
                Some(known) => Tensor::cat(vec![known, calendar], 2),
                None => calendar,
            });
        }
        let places = forecast_steps(config, &device);
        let places = places.as_ref();
        let steps = |x: Tensor<3>| match places {
            Some(places) => x.select(1, places.clone()),
            None => x,
        };
        let valid = (batch.past_present.clone()).any_dim(2);
        let valid = valid.squeeze_dim::<2>(2);
        Ok(SeriesInput {
            past: batch.past.clone(),
            valid: self.valid.then_some(valid),
            past_covariates: pick(&self.past),
            known: known.map(steps),
            fixed: batch.fixed.clone().filter(|_| self.fixed),
            fixed_codes: batch.fixed_codes.clone().filter(|_| self.fixed_codes),
            embedding: pick(&self.embedding).map(last),
            calendar: match (&batch.calendar, self.calendar) {
                (Some(fields), true) => Some(calendar_steps(match places {
                    Some(places) => fields.clone().select(1, places.clone()),
                    None => fields.clone(),
                })),
                _ => None,
            },
        })
    }
}

/// Places of the look-back's steps and of those that are forecast among all up to the farthest;
/// absent where they are the same.
fn forecast_steps(config: &WindowConfig, device: &Device) -> Option<Tensor<1, Int>> {
    let (lookback, horizon) = (config.lookback, &config.horizon);
    if horizon.count() == horizon.last() {
        return None;
    }
    let ahead = horizon.steps().map(|step| lookback + step - 1);
    let places: Vec<i64> = (0..lookback).chain(ahead).map(|i| i as i64).collect();
    let shape = [places.len()];
    Some(Tensor::from_data(TensorData::new(places, shape), device))
}

/// The calendar as a model counts it.
fn calendar_steps(fields: Tensor<3, Int>) -> CalendarSteps {
    let field = |at: usize| fields.clone().narrow(2, at, 1).squeeze_dim::<2>(2);
    CalendarSteps {
        bar_in_day: field(6),
        day_of_week: field(1),
        day_of_month: field(2) + 1,
        day_of_year: field(4) + 1,
    }
}

/// The calendar as numbers around 0, `[B, L + H_max, 4]`.
fn centred(batch: &WindowBatch) -> Result<TensorData, ForgeError> {
    let lacks = || ForgeError::training("the windows have no calendar");
    let fields = batch.calendar.as_ref().ok_or_else(lacks)?;
    let [windows, steps, _] = fields.dims();
    let fields = fields
        .clone()
        .try_into_vec_as::<i64>()
        .map_err(|e| ForgeError::device(format!("the calendar cannot be read back: {e}")))?;
    let mut values = Vec::with_capacity(windows * steps * CENTRED);
    for step in fields.chunks_exact(CalendarFields::COUNT) {
        values.extend(CalendarFields::from_row(step).centred());
    }
    Ok(TensorData::new(values, [windows, steps, CENTRED]))
}
