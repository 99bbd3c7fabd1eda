//! How far the features of each series have come.

use std::cell::Cell;

use super::SeriesFeatures;

use crate::DataError;
use crate::features::{BadCells, Bar, BarField, BarStream, Needs, bar_of_row};
use crate::schema::date_time::DAY;
use crate::series::policies::Gaps;
use crate::series::report::{Findings, SeriesFindingKind};
use crate::series::shown::cell_error;
use crate::series::timetable::Stamp;
use crate::series::{SeriesConfig, SeriesSchema, SeriesTable};

/// How far the features of each series of a table have come, to go on with rows that come in.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesBars {
    series: Vec<Reached>,
}

/// The state of a series after a bar.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reached {
    stream: BarStream,
    /// The time of the last bar.
    time: Option<i64>,
}

/// Where the fields of a bar are among the columns of series.
pub(super) struct Places {
    fields: Vec<(BarField, String, usize)>,
    needs: Needs,
}

impl Places {
    pub(super) fn new(features: &SeriesFeatures, raw: &SeriesConfig) -> Result<Self, DataError> {
        let needs = features.needs();
        let place = |field: BarField| {
            let name = features.bars().column(field)?;
            let place = raw.moving().position(|column| column == name);
            let lost = || DataError::schema("is no column of the raw series").at_column(name);
            Ok((field, name.to_string(), place.ok_or_else(lost)?))
        };
        let fields = needs.all_fields().into_iter().map(place);
        Ok(Self {
            fields: fields.collect::<Result<_, DataError>>()?,
            needs,
        })
    }

    fn of(&self, field: BarField) -> Option<&(BarField, String, usize)> {
        self.fields.iter().find(|(known, ..)| *known == field)
    }
}

/// A row that may hold a bar.
struct Row<'a> {
    schema: &'a SeriesSchema,
    id: &'a str,
    stamp: Stamp,
    /// Whether it may well have none: it is of the future, or fills a gap.
    may_lack: bool,
}

impl SeriesBars {
    pub(super) fn new(features: &SeriesFeatures, series: usize) -> Result<Self, DataError> {
        let fresh = Reached {
            stream: BarStream::new(features.set())?,
            time: None,
        };
        Ok(Self {
            series: vec![fresh; series],
        })
    }

    /// The features of a whole series, `[features][rows]`.
    pub(super) fn over(
        &mut self,
        features: &SeriesFeatures,
        places: &Places,
        raw: &SeriesTable,
        series: usize,
        findings: &mut Findings,
    ) -> Result<Vec<Vec<f64>>, DataError> {
        let rows = &raw.series[series];
        let fills = raw.schema.config.gaps == Gaps::Fill;
        let mut computed = vec![vec![f64::NAN; rows.times.len()]; features.set().count()];
        for row in 0..rows.times.len() {
            let filled = fills && rows.columns.iter().all(|column| column[row].is_nan());
            let of = Row {
                schema: &raw.schema,
                id: &raw.schema.ids[series],
                stamp: rows.stamp(row),
                may_lack: row >= rows.end || filled,
            };
            let cell = |place: usize| rows.columns[place][row];
            let (bar, skipped) = bar(features, places, &of, cell)?;
            if skipped {
                let kind = SeriesFindingKind::SkippedBars;
                findings.add(kind, None, 1, (series, of.id), || rows.shown(row));
            }
            let Some(bar) = bar else { continue };
            let state = &mut self.series[series];
            state.time = Some(rows.times[row]);
            for (column, value) in computed.iter_mut().zip(state.stream.advance(&bar)) {
                column[row] = value.unwrap_or(f64::NAN);
            }
        }
        Ok(computed)
    }

    /// The state of a series after one more row, where it has a bar, and its features.
    pub(super) fn after(
        &self,
        features: &SeriesFeatures,
        places: &Places,
        table: &SeriesTable,
        series: usize,
        time: i64,
        values: &[f64],
    ) -> Result<(Option<Reached>, Vec<Option<f64>>), DataError> {
        let stamp = table.stamp_of_new(series, time);
        let id = &table.schema.ids[series];
        let targets = table.schema.config.targets.len();
        let of = Row {
            schema: &table.schema,
            id,
            stamp,
            may_lack: values[..targets].iter().all(|value| value.is_nan()),
        };
        let (bar, _) = bar(features, places, &of, |place| values[place])?;
        let none = vec![None; features.set().count()];
        let Some(bar) = bar else {
            return Ok((None, none));
        };
        let state = &self.series[series];
        if state.time.is_some_and(|last| time <= last) {
            return Err(DataError::value(format!(
                "series '{id}' at {}: there is a bar of this time or a later one already",
                table.schema.shown(stamp)
            )));
        }
        let mut next = state.clone();
        next.time = Some(time);
        let features = next.stream.advance(&bar);
        Ok((Some(next), features))
    }

    pub(super) fn keep(&mut self, series: usize, state: Reached) {
        self.series[series] = state;
    }
}

/// The bar of a row, if it has one, and whether one was skipped.
fn bar(
    features: &SeriesFeatures,
    places: &Places,
    row: &Row<'_>,
    cell: impl Fn(usize) -> f64,
) -> Result<(Option<Bar>, bool), DataError> {
    let value = |field: BarField| places.of(field).map_or(f64::NAN, |(_, _, at)| cell(*at));
    if row.may_lack
        && places
            .fields
            .iter()
            .all(|(field, ..)| value(*field).is_nan())
    {
        return Ok((None, false));
    }
    let skipped = Cell::new(false);
    let meet = |policy: BadCells, setting: &str, field: BarField, message: String| {
        if policy == BadCells::Skip {
            skipped.set(true);
            return Ok(());
        }
        let column = places.of(field).map_or("", |(_, name, _)| name);
        let time = row.schema.shown(row.stamp);
        let message = format!(
            "{message}; mend the row, or set features.{setting} = \"skip\" to go on without it"
        );
        Err(cell_error(column, row.id, &time, message))
    };
    let policies = features.bars();
    let bar = bar_of_row(
        value,
        places.needs,
        Some(row.stamp.local.div_euclid(DAY)),
        |field| meet(policies.missing, "missing", field, "is missing".into()),
        |fault| meet(policies.invalid, "invalid", fault.field, fault.message),
    )?;
    Ok((bar, skipped.get()))
}
