//! Rows become a table, in two passes: the first sees what each column holds and how many rows
//! there are, the second fills vectors of that length. So a file is never held as text, and no
//! kind is guessed from a part of it.

use super::RowNumbers;
use super::builder::{ColumnBuilder, Rules};
use super::cell::{Cell, Flow, RowSource};
use super::finding::{Finding, FindingKind};
use super::header;
use super::options::ReadOptions;
use super::plan::plan;
use super::report::{ColumnReport, ReadReport};
use super::saved_index::{self, Count};
use super::survey::{Survey, survey};
use crate::DataError;
use crate::schema::{ColumnKind, ColumnRole, Commas, Decimal, Profile};
use crate::table::{Column, ColumnValues, Table};

/// Reads a table and adds what was found to the report. Returns the decimal mark as well.
pub(crate) fn assemble(
    source: &mut dyn RowSource,
    options: &ReadOptions,
    report: &mut ReadReport,
) -> Result<(Table, Decimal), DataError> {
    options.validate()?;
    let mut survey = survey(source, options)?;
    if survey.rows == 0 {
        let what = if survey.names.is_empty() {
            "the file has no rows"
        } else {
            "there are no data rows under the header"
        };
        let error = DataError::schema(what).at_row(survey.header_row);
        return Err(match source.elsewhere() {
            Some(hint) => error.with_hint(hint),
            None => error,
        });
    }
    let mut names = header::unique_names(
        survey.header_row,
        &survey.names,
        &survey.has_values,
        &survey.needed,
        options,
        &mut survey.findings,
    )?;
    check_declared(&names, options)?;
    let unread = leave_out_index(&mut names, &mut survey, options);
    let (decimal, proven) = decimal(source, options, &names, &survey)?;
    let rules = Rules::new(options, decimal, source.is_typed());

    check_cells(survey.rows, names.len(), options)?;
    let capacity = usize::try_from(survey.rows)
        .map_err(|_| DataError::value("the file has more rows than this machine can address"))?;
    let mut builders: Vec<Option<ColumnBuilder>> = Vec::with_capacity(names.len());
    for ((name, profile), needed) in names.iter().zip(&survey.profiles).zip(&survey.needed) {
        let Some(name) = name.as_deref().filter(|_| *needed) else {
            builders.push(None);
            continue;
        };
        if !proven {
            note_assumed_point(name, profile, options, &mut survey.findings);
        }
        let built = plan(
            name,
            profile,
            decimal,
            options,
            capacity,
            &mut survey.findings,
        )?;
        builders.push(Some(built));
    }
    report.numbers = fill(source, options, &survey, &mut builders, &rules)?;
    report.header_row = (options.names_in_rows() > 0).then_some(survey.header_row);
    report.findings.append(&mut survey.findings);
    report.columns.extend(unread);
    let mut columns = Vec::with_capacity(builders.len());
    for (name, builder) in names.into_iter().zip(builders) {
        if let Some(builder) = builder {
            columns.push(finish(builder, report));
        } else if let Some(name) = name {
            report.columns.push(ColumnReport::not_read(name));
        }
    }
    if columns.is_empty() {
        return Err(nothing_left(options));
    }
    let table = Table::new(columns)?;
    report.rows = table.n_rows();
    Ok((table, decimal))
}

/// The second pass: fills the builders, and tells which rows of the file these are.
fn fill(
    source: &mut dyn RowSource,
    options: &ReadOptions,
    survey: &Survey,
    builders: &mut [Option<ColumnBuilder>],
    rules: &Rules,
) -> Result<RowNumbers, DataError> {
    let mut seen = 0;
    let mut numbers = RowNumbers::default();
    let mut before_data = options.rows_before_data();
    source.rows(&mut |row, cells| {
        if survey.end.is_some_and(|end| row >= end) {
            return Ok(Flow::Break(()));
        }
        if before_data > 0 {
            before_data -= 1;
            return Ok(Flow::Continue(()));
        }
        if seen == survey.rows {
            return Ok(Flow::Break(()));
        }
        seen += 1;
        numbers.push(row);
        for (i, builder) in builders.iter_mut().enumerate() {
            if let Some(builder) = builder {
                builder
                    .push(row, cells.get(i).unwrap_or(&Cell::Empty), rules)
                    .map_err(|e| hint_at_place(e, seen, survey.rows, options))?;
            }
        }
        Ok(Flow::Continue(()))
    })?;
    if seen != survey.rows {
        return Err(DataError::parse("the file changed while it was read"));
    }
    Ok(numbers)
}

/// Says which setting passes over a row that is perhaps no data: the first after the header or
/// one of the last. `seen`: the row, from 1.
fn hint_at_place(error: DataError, seen: u64, rows: u64, options: &ReadOptions) -> DataError {
    const FIRST: u64 = 2;
    const LAST: u64 = 3;
    if seen <= FIRST && rows > FIRST + LAST && options.names_in_rows() > 0 {
        error.with_hint(format!(
            "if the row belongs to the header, set `header_rows` to {}, or `skip_after_header` to \
             {} to pass over it",
            options.header_rows + seen,
            options.skip_after_header + seen
        ))
    } else if seen + LAST > rows && rows > FIRST + LAST {
        error.with_hint(format!(
            "if the row is a total or a note, set `skip_footer` to {} to pass over it",
            options.skip_footer + rows + 1 - seen
        ))
    } else {
        error
    }
}

/// Takes a first column that counts the rows out of the names, if it may be left out.
fn leave_out_index(
    names: &mut [Option<String>],
    survey: &mut Survey,
    options: &ReadOptions,
) -> Option<ColumnReport> {
    let count = survey.counter.count()?;
    let name = names.first()?.clone()?;
    if names.iter().flatten().count() < 2 || !options.may_leave_out(&name) {
        return None;
    }
    let header = survey.names[0].as_str();
    let first = survey.counter.first().to_string();
    if options.names_in_rows() > 0 && saved_index::is_index(header, count, survey.rows) {
        let unnamed =
            |f: &Finding| f.kind == FindingKind::Unnamed && f.column.as_deref() == Some(&name);
        survey.findings.retain(|finding| !unnamed(finding));
        let finding = Finding::new(FindingKind::SavedIndex, &first);
        survey.findings.push(finding.in_column(&name));
        names[0] = None;
        return Some(ColumnReport::not_read(name));
    }
    if survey.rows >= 20 && count == (Count::EveryRow { plain: true }) {
        let finding = Finding::new(FindingKind::CountsRows, &first);
        survey.findings.push(finding.in_column(&name));
    }
    None
}

pub(crate) fn nothing_left(options: &ReadOptions) -> DataError {
    DataError::schema(if options.only.is_some() {
        "the file has none of the columns that are needed"
    } else {
        "every column is declared `ignore`"
    })
}

/// Closes a column and reports on it.
pub(crate) fn finish(builder: ColumnBuilder, report: &mut ReadReport) -> Column {
    let role = builder.role();
    let (column, mut findings) = builder.finish();
    report.findings.append(&mut findings);
    report.columns.push(ColumnReport {
        name: column.name.clone(),
        kind: Some(column.kind()),
        role,
        missing: column.missing(),
        labels: match &column.values {
            ColumnValues::Categorical(c) => Some(c.categories.len()),
            _ => None,
        },
    });
    column
}

/// Refuses declarations about columns that are not there.
pub(crate) fn check_declared<S: AsRef<str>>(
    names: &[Option<S>],
    options: &ReadOptions,
) -> Result<(), DataError> {
    if options.only.is_some() {
        return Ok(());
    }
    for (declared, role) in &options.columns {
        let mut known = names.iter().flatten().map(AsRef::as_ref);
        // One that is ignored twice has lost its name.
        let ignored = *role == ColumnRole::Ignore && names.iter().any(Option::is_none);
        if !ignored && !known.clone().any(|name| name == declared) {
            let shown: Vec<&str> = known.by_ref().take(50).collect();
            let more = known.count();
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            return Err(DataError::config(format!(
                "declared in `columns`, but the file has only {}{more}",
                shown.join(", ")
            ))
            .at_column(declared));
        }
    }
    Ok(())
}

/// Refuses a table that would not fit in memory: a file of a few bytes may unfold into one.
pub(crate) fn check_cells(
    rows: u64,
    columns: usize,
    options: &ReadOptions,
) -> Result<(), DataError> {
    if rows.saturating_mul(columns as u64) > options.max_cells {
        return Err(DataError::value(format!(
            "{rows} rows of {columns} columns are more than {} cells; raise `max_cells` or set \
             `max_rows`",
            options.max_cells
        )));
    }
    Ok(())
}

/// The decimal mark of the file: as declared, or the one that its columns need; and whether that
/// is sure.
fn decimal(
    source: &dyn RowSource,
    options: &ReadOptions,
    names: &[Option<String>],
    survey: &Survey,
) -> Result<(Decimal, bool), DataError> {
    if let Some(decimal) = options.decimal {
        return Ok((decimal, true));
    }
    let columns = names.iter().zip(&survey.profiles).filter(|(name, _)| {
        let role = name.as_deref().and_then(|name| options.role(name));
        name.is_some() && role.is_none_or(|role| role.kind() == Some(ColumnKind::Numeric))
    });
    let of = |wanted: Decimal| {
        columns
            .clone()
            .find(|(_, profile)| profile.needs() == Some(wanted))
    };
    match (of(Decimal::Comma), of(Decimal::Point)) {
        (None, point) => {
            // Where a comma parts fields, one in a number parts thousands.
            let sure = point.is_some() || source.commas() != Commas::Anywhere;
            match options.assumed_decimal {
                Some(assumed) if !sure => Ok((assumed, true)),
                _ => Ok((Decimal::Point, sure)),
            }
        }
        (Some(_), None) => Ok((Decimal::Comma, true)),
        (Some((name, comma)), Some((other, point))) => {
            let (row, text) = comma.sample_of_comma();
            let (other_row, other_text) = point.sample_of_point();
            Err(DataError::value(format!(
                "'{text}' is a number with a decimal comma, but '{other_text}' in row \
                 {other_row}, column '{}' is one with a decimal point; set `decimal`",
                other.as_deref().unwrap_or_default()
            ))
            .at_row(row)
            .at_column(name.as_deref().unwrap_or_default()))
        }
    }
}

/// Notes numbers that both marks allow, where no column says which it is.
fn note_assumed_point(
    name: &str,
    profile: &Profile,
    options: &ReadOptions,
    findings: &mut Vec<Finding>,
) {
    let numeric = options
        .role(name)
        .is_none_or(|role| role.kind() == Some(ColumnKind::Numeric));
    if let (true, Some((row, text))) = (numeric, &profile.first_ambiguous)
        && profile.kind(Decimal::Point) == ColumnKind::Numeric
    {
        let finding = Finding::new(FindingKind::AssumedPoint, text).at_row(*row);
        findings.push(finding.in_column(name).counted(profile.ambiguous));
    }
}
