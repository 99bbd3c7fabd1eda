//! The steps of series that were gathered: their frequency, gaps and missing values.

use std::collections::HashMap;

use super::infer::{change, infer, timetable};
use super::policies::{FrequencyChange, Gaps, MissingValues};
use super::report::{Findings, SeriesFindingKind};
use super::schema::FixedColumn;
use super::shown::{cell_error, shown};
use super::table::OneSeries;
use super::timetable::{Between, Stamp, Timetable, weekday};
use super::{Frequency, SeriesConfig, SeriesReport, SeriesSchema, SeriesTable};
use crate::DataError;
use crate::schema::date_time::DAY;

/// A fill that would make the table this many times as long is refused: it is a wrong frequency.
const MOST_FILLED: usize = 10;

pub(super) fn finish(
    mut series: Vec<OneSeries>,
    ids: Vec<String>,
    fixed: Vec<FixedColumn>,
    config: &SeriesConfig,
    like: Option<&SeriesSchema>,
    mut findings: Findings,
) -> Result<SeriesTable, DataError> {
    let stamps: Vec<Vec<Stamp>> = series
        .iter()
        .map(|rows| (0..rows.times.len()).map(|row| rows.stamp(row)).collect())
        .collect();
    zones(&series, &ids, config, &mut findings);
    changes(&series, &stamps, &ids, config, &mut findings)?;
    let declared = like.map(SeriesSchema::frequency).or(config.frequency);
    let frequency = match declared {
        Some(frequency) => frequency,
        None => common_frequency(&stamps, &ids, &mut findings),
    };
    let mut timetable = timetable(frequency, &stamps);
    if let Some(schema) = like {
        timetable = Timetable {
            open: timetable.open,
            ..schema.timetable.clone()
        };
    }
    drop(stamps);
    let schema = SeriesSchema {
        config: config.clone(),
        timetable,
        ids,
        fixed,
    };
    closed_days(&schema, &series, &mut findings);
    let mut room = series.iter().map(|s| s.times.len()).sum::<usize>() * MOST_FILLED + 10_000;
    for (index, rows) in series.iter_mut().enumerate() {
        gaps(index, rows, &schema, &mut room, &mut findings)?;
        rows.end = rows.find_end(config.targets.len());
        missing(index, rows, &schema, &mut findings)?;
    }
    if declared.is_some() {
        check_declared(&series, &schema)?;
    }
    let report = report(&series, &schema, declared.is_none(), findings);
    if !report.findings.is_empty() {
        tracing::debug!("{report}");
    }
    Ok(SeriesTable {
        schema,
        series,
        report,
    })
}

/// Offsets that no daylight saving explains, on the clock of the stamps.
fn zones(series: &[OneSeries], ids: &[String], config: &SeriesConfig, findings: &mut Findings) {
    if config.time_zone.is_some() {
        return;
    }
    let first = series
        .iter()
        .flat_map(|rows| rows.offsets.iter().flatten())
        .next();
    let Some(first) = first.copied() else { return };
    for (index, rows) in series.iter().enumerate() {
        let offset_of = |row: usize| rows.offsets.as_ref().map_or(0, |offsets| offsets[row]);
        let other = |row: &usize| (offset_of(*row) - first).abs() > 60;
        let count = (0..rows.times.len()).filter(other).count();
        if let Some(row) = (0..rows.times.len()).find(other) {
            findings.add(
                SeriesFindingKind::SeveralZones,
                None,
                count as u64,
                (index, &ids[index]),
                || rows.shown(row),
            );
        }
    }
}

fn changes(
    series: &[OneSeries],
    stamps: &[Vec<Stamp>],
    ids: &[String],
    config: &SeriesConfig,
    findings: &mut Findings,
) -> Result<(), DataError> {
    for (index, stamps) in stamps.iter().enumerate() {
        let Some(change) = change(stamps) else {
            continue;
        };
        let place = series[index].shown(change.row);
        if config.frequency_change == FrequencyChange::Refuse {
            return Err(DataError::value(format!(
                "series '{}' has steps of {} until {place} and of {} from there on: leave out one \
                 part, bring both to one step, or set frequency_change to keep",
                ids[index], change.before, change.after
            )));
        }
        findings.add(
            SeriesFindingKind::FrequencyChange,
            None,
            1,
            (index, &ids[index]),
            || format!("{} until {place}, then {}", change.before, change.after),
        );
    }
    Ok(())
}

/// The frequency of most series.
fn common_frequency(stamps: &[Vec<Stamp>], ids: &[String], findings: &mut Findings) -> Frequency {
    let each: Vec<Option<Frequency>> = stamps.iter().map(|stamps| infer(stamps)).collect();
    let mut counts: HashMap<Frequency, usize> = HashMap::new();
    for frequency in each.iter().flatten() {
        *counts.entry(*frequency).or_default() += 1;
    }
    let common = counts
        .into_iter()
        .max_by_key(|(frequency, count)| (*count, std::cmp::Reverse(*frequency)))
        .map_or(Frequency::Irregular, |(frequency, _)| frequency);
    for (index, frequency) in each.iter().enumerate() {
        let id = (index, ids[index].as_str());
        match frequency {
            None => findings.add(SeriesFindingKind::NoFrequency, None, 1, id, || {
                format!("{} rows", stamps[index].len())
            }),
            Some(other) if *other != common => {
                let kind = SeriesFindingKind::OtherFrequency;
                findings.add(kind, None, 1, id, || other.to_string());
            }
            Some(_) => {}
        }
    }
    common
}

/// Usual weekdays between the first and the last open day on which nothing is.
fn closed_days(schema: &SeriesSchema, series: &[OneSeries], findings: &mut Findings) {
    let table = &schema.timetable;
    let uses = matches!(
        table.frequency,
        Frequency::Business | Frequency::Sessions(_)
    );
    if !uses || series.is_empty() {
        return;
    }
    let mut first = None;
    let mut count = 0_u64;
    for pair in table.open.windows(2) {
        // Years without a row are a gap of weeks, counted by arithmetic.
        let span = pair[1] - pair[0] - 1;
        let weeks = (span / 7).max(0);
        let open = table.weekdays.iter().filter(|open| **open).count() as i64;
        let rest = pair[0] + 1 + weeks * 7..pair[1];
        let closed = weeks * open + rest.filter(|day| table.weekdays[weekday(*day)]).count() as i64;
        if closed > 0 && first.is_none() {
            first = (pair[0] + 1..pair[1]).find(|day| table.weekdays[weekday(*day)]);
        }
        count += closed as u64;
    }
    if let Some(day) = first {
        let id = (0, schema.ids[0].as_str());
        let place = || shown(day * DAY, 0);
        findings.add(SeriesFindingKind::ClosedDays, None, count, id, place);
    }
}

fn gaps(
    index: usize,
    rows: &mut OneSeries,
    schema: &SeriesSchema,
    room: &mut usize,
    findings: &mut Findings,
) -> Result<(), DataError> {
    let id = (index, schema.ids[index].as_str());
    let table = &schema.timetable;
    let mut fills: Vec<(usize, Vec<i64>)> = Vec::new();
    for row in 1..rows.times.len() {
        let (before, after) = (rows.stamp(row - 1), rows.stamp(row));
        let Between::Missing { steps, short } = table.between(before, after) else {
            findings.add(SeriesFindingKind::OffGrid, None, 1, id, || rows.shown(row));
            continue;
        };
        if short {
            let kind = SeriesFindingKind::ShortSessions;
            findings.add(kind, None, 1, id, || rows.shown(row - 1));
        }
        if steps == 0 {
            continue;
        }
        match schema.config.gaps {
            Gaps::Refuse => {
                return Err(DataError::value(format!(
                    "series '{}' lacks {steps} steps of {} between {} and {}: add the rows, or \
                     set gaps to keep or fill",
                    id.1,
                    schema.shown_frequency(),
                    rows.shown(row - 1),
                    rows.shown(row)
                )));
            }
            Gaps::Keep => {
                let kind = SeriesFindingKind::MissingSteps;
                findings.add(kind, None, steps, id, || rows.shown(row - 1));
            }
            Gaps::Fill => {
                if steps > *room as u64 {
                    return Err(DataError::value(format!(
                        "series '{}' lacks {steps} steps of {} between {} and {}: filling them \
                         would make the table more than {MOST_FILLED} times as long; set gaps to \
                         keep, or another frequency",
                        id.1,
                        schema.shown_frequency(),
                        rows.shown(row - 1),
                        rows.shown(row)
                    )));
                }
                let times = table.missing(before, after);
                *room -= times.len().min(*room);
                let left = steps - (times.len() as u64).min(steps);
                if left > 0 {
                    let kind = SeriesFindingKind::MissingSteps;
                    findings.add(kind, None, left, id, || rows.shown(row - 1));
                }
                if !times.is_empty() {
                    let kind = SeriesFindingKind::Filled;
                    let place = || rows.shown(row - 1);
                    findings.add(kind, None, times.len() as u64, id, place);
                    fills.push((row, times));
                }
            }
        }
    }
    if !fills.is_empty() {
        fill(rows, &fills, schema);
    }
    Ok(())
}

/// Puts rows without values before the rows named.
pub(super) fn fill(rows: &mut OneSeries, fills: &[(usize, Vec<i64>)], schema: &SeriesSchema) {
    let zone = schema.zone();
    let added: usize = fills.iter().map(|(_, times)| times.len()).sum();
    let length = rows.times.len() + added;
    let mut times = Vec::with_capacity(length);
    let mut offsets = Vec::with_capacity(length);
    // Where each row comes from.
    let mut sources: Vec<Option<usize>> = Vec::with_capacity(length);
    let mut next = fills.iter().peekable();
    for row in 0..rows.times.len() {
        if let Some((_, missing)) = next.next_if(|(before, _)| *before == row) {
            let offset = rows.stamp(row - 1).offset();
            for time in missing {
                let stamp = schema.placed(*time, offset, zone);
                times.push(stamp.utc);
                offsets.push(stamp.offset());
                sources.push(None);
            }
        }
        let stamp = rows.stamp(row);
        times.push(stamp.utc);
        offsets.push(stamp.offset());
        sources.push(Some(row));
    }
    for column in &mut rows.columns {
        let value = |source: &Option<usize>| source.map_or(f64::NAN, |row| column[row]);
        *column = sources.iter().map(value).collect();
    }
    rows.times = times;
    rows.offsets = Some(offsets).filter(|offsets| offsets.iter().any(|o| *o != 0));
}

fn missing(
    index: usize,
    rows: &OneSeries,
    schema: &SeriesSchema,
    findings: &mut Findings,
) -> Result<(), DataError> {
    let id = (index, schema.ids[index].as_str());
    let known_from = schema.config.targets.len() + schema.config.past.len();
    for (place, (name, column)) in schema.config.moving().zip(&rows.columns).enumerate() {
        // What is not known ahead has no value in the future.
        let end = if place < known_from {
            rows.end
        } else {
            column.len()
        };
        let absent = |row: &usize| column[*row].is_nan();
        let count = (0..end).filter(absent).count();
        let Some(row) = (0..end).find(absent) else {
            continue;
        };
        if count == end {
            let kind = SeriesFindingKind::EmptyColumn;
            findings.add(kind, Some(name), 1, id, || rows.shown(row));
        }
        if schema.config.missing == MissingValues::Refuse {
            let message = format!(
                "has no value, and {count} cells of the series have none: fill them, or set \
                 missing to mask or forward"
            );
            return Err(cell_error(name, id.1, &rows.shown(row), message));
        }
        if count < end {
            let kind = SeriesFindingKind::MissingValues;
            findings.add(kind, Some(name), count as u64, id, || rows.shown(row));
        }
    }
    let future = rows.times.len() - rows.end;
    if future > 0 {
        let kind = SeriesFindingKind::FutureRows;
        findings.add(kind, None, future as u64, id, || rows.shown(rows.end));
    }
    Ok(())
}

/// Refuses a declared frequency that hardly any step has.
fn check_declared(series: &[OneSeries], schema: &SeriesSchema) -> Result<(), DataError> {
    let (mut off, mut all) = (0_usize, 0_usize);
    let mut first = None;
    for (index, rows) in series.iter().enumerate() {
        for row in 1..rows.times.len() {
            all += 1;
            let between = schema
                .timetable
                .between(rows.stamp(row - 1), rows.stamp(row));
            if between == Between::OffGrid {
                off += 1;
                first = first.or(Some((index, row)));
            }
        }
    }
    let Some((index, row)) = first.filter(|_| 2 * off > all) else {
        return Ok(());
    };
    Err(DataError::value(format!(
        "{off} of {all} steps are not of the frequency {} that is set, the first in series '{}' \
         from {} to {}: leave frequency out to have it inferred",
        schema.shown_frequency(),
        schema.ids[index],
        series[index].shown(row - 1),
        series[index].shown(row)
    )))
}

fn report(
    series: &[OneSeries],
    schema: &SeriesSchema,
    inferred: bool,
    findings: Findings,
) -> SeriesReport {
    let ends = |last: bool| {
        let place = |rows: &&OneSeries| {
            let row = if last {
                rows.times.len().checked_sub(1)?
            } else {
                0
            };
            rows.times.get(row).copied()
        };
        let rows = if last {
            series.iter().max_by_key(place)
        } else {
            series.iter().min_by_key(place)
        };
        rows.map_or_else(String::new, |rows| {
            rows.shown(if last { rows.times.len() - 1 } else { 0 })
        })
    };
    let table = &schema.timetable;
    let weekdays = (table.weekdays != [true; 7]).then_some(table.weekdays);
    let longest = table.slots.iter().max_by_key(|slots| slots.len());
    let session = longest.and_then(|slots| {
        let clock = |slot: u32| {
            let minutes = slot / 60_000;
            format!("{:02}:{:02}", minutes / 60, minutes % 60)
        };
        Some((clock(*slots.first()?), clock(*slots.last()?), slots.len()))
    });
    SeriesReport {
        series: series.len(),
        rows: series.iter().map(|rows| rows.times.len()).sum(),
        first: ends(false),
        last: ends(true),
        frequency: table.frequency,
        time_unit: schema.time_unit(),
        inferred,
        weekdays,
        session,
        findings: findings.done(),
    }
}
