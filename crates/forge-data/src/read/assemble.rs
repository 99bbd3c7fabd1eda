//! Rows become a table, in two passes: the first sees what each column holds and how many rows
//! there are, the second fills vectors of that length. So a file is never held as text, and no
//! kind is guessed from a part of it.

use super::builder::{ColumnBuilder, Rules};
use super::cell::{Cell, Flow, RowSource};
use super::finding::{Finding, FindingKind};
use super::header;
use super::options::ReadOptions;
use super::report::{ColumnReport, ReadReport};
use crate::DataError;
use crate::schema::{ColumnKind, ColumnRole, Decimal, Missing, Profile};
use crate::table::Table;

/// What the first pass saw.
struct Survey {
    header_row: u64,
    names: Vec<String>,
    profiles: Vec<Profile>,
    /// Whether a column has any cell that is not blank.
    has_values: Vec<bool>,
    /// Rows up to the last that is not blank.
    rows: u64,
    findings: Vec<Finding>,
}

/// Reads a table and adds what was found to the report. Returns the decimal mark as well.
pub(crate) fn assemble(
    source: &mut dyn RowSource,
    options: &ReadOptions,
    report: &mut ReadReport,
) -> Result<(Table, Decimal), DataError> {
    let mut survey = survey(source, options)?;
    if survey.rows == 0 {
        return Err(DataError::schema(if survey.names.is_empty() {
            "the file has no rows"
        } else {
            "there are no data rows under the header"
        })
        .at_row(survey.header_row));
    }
    let names = header::unique_names(
        survey.header_row,
        &survey.names,
        &survey.has_values,
        options,
        &mut survey.findings,
    )?;
    check_declared(&names, options)?;
    let (decimal, proven) = decimal(source, options, &names, &survey)?;
    let rules = Rules::new(options, decimal, source.is_typed());

    check_cells(survey.rows, names.len(), options)?;
    let capacity = usize::try_from(survey.rows)
        .map_err(|_| DataError::value("the file has more rows than this machine can address"))?;
    let mut builders: Vec<Option<ColumnBuilder>> = Vec::with_capacity(names.len());
    for (name, profile) in names.iter().zip(&survey.profiles) {
        builders.push(name.as_deref().and_then(|name| {
            if !proven {
                note_assumed_point(name, profile, options, &mut survey.findings);
            }
            plan(
                name,
                profile,
                decimal,
                options,
                capacity,
                &mut survey.findings,
            )
        }));
    }
    let mut seen = 0;
    let mut before_data = header_rows(options);
    source.rows(&mut |row, cells| {
        if before_data > 0 {
            before_data -= 1;
            return Ok(Flow::Continue(()));
        }
        if seen == survey.rows {
            return Ok(Flow::Break(()));
        }
        seen += 1;
        for (i, builder) in builders.iter_mut().enumerate() {
            if let Some(builder) = builder {
                builder.push(row, cells.get(i).unwrap_or(&Cell::Empty), &rules)?;
            }
        }
        Ok(Flow::Continue(()))
    })?;
    if seen != survey.rows {
        return Err(DataError::parse("the file changed while it was read"));
    }
    report.findings.append(&mut survey.findings);
    let mut columns = Vec::with_capacity(builders.len());
    for (name, builder) in names.into_iter().zip(builders) {
        if let Some(builder) = builder {
            columns.push(finish(builder, report));
        } else if let Some(name) = name {
            report.columns.push(ColumnReport {
                name,
                kind: None,
                missing: 0,
                labels: None,
            });
        }
    }
    if columns.is_empty() {
        return Err(DataError::schema("every column is declared `ignore`"));
    }
    let table = Table::new(columns)?;
    report.rows = table.n_rows();
    Ok((table, decimal))
}

/// Closes a column and reports on it.
pub(crate) fn finish(builder: ColumnBuilder, report: &mut ReadReport) -> crate::table::Column {
    let (column, mut findings) = builder.finish();
    report.findings.append(&mut findings);
    report.columns.push(ColumnReport {
        name: column.name.clone(),
        kind: Some(column.kind()),
        missing: column.missing(),
        labels: match &column.values {
            crate::table::ColumnValues::Categorical(c) => Some(c.categories.len()),
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
    for declared in options.columns.keys() {
        let mut known = names.iter().flatten().map(AsRef::as_ref);
        if !known.clone().any(|name| name == declared) {
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

fn header_rows(options: &ReadOptions) -> u64 {
    u64::from(options.has_header != Some(false))
}

fn survey(source: &mut dyn RowSource, options: &ReadOptions) -> Result<Survey, DataError> {
    let missing = Missing::new(options);
    let comma = options.decimal == Some(Decimal::Comma)
        || (options.decimal.is_none() && source.may_use_comma());
    let mut header_row = 1;
    let mut names: Vec<String> = Vec::new();
    let mut profiles: Vec<Profile> = Vec::new();
    let mut has_values: Vec<bool> = Vec::new();
    let mut findings = Vec::new();
    let mut before_data = header_rows(options);
    let mut limited = false;
    // Rows seen, rows up to the last that is not blank, and the last of these as numbered in
    // the file; blank rows before it.
    let (mut seen, mut rows, mut blank) = (0u64, 0u64, Vec::new());
    let mut blank_rows = 0u64;
    source.rows(&mut |row, cells| {
        if before_data > 0 {
            before_data -= 1;
            header_row = row;
            header::check_is_header(row, cells, options)?;
            names = cells.iter().map(header::name_of).collect();
            return Ok(Flow::Continue(()));
        }
        if options.max_rows.is_some_and(|max| seen >= max) {
            limited = true;
            return Ok(Flow::Break(()));
        }
        if seen == 0 && options.has_header == Some(false) {
            header_row = row;
        }
        seen += 1;
        if cells.iter().all(Cell::is_blank) {
            blank.push(row);
            blank.truncate(Finding::MAX_ROWS);
            return Ok(Flow::Continue(()));
        }
        let passed = seen - 1 - rows;
        blank_rows += passed;
        if passed > 0 && !findings_has(&findings, FindingKind::EmptyRows) {
            let mut finding = Finding::new(FindingKind::EmptyRows, "");
            finding.rows = blank.clone();
            findings.push(finding);
        }
        blank.clear();
        rows = seen;
        if cells.len() > profiles.len() {
            profiles.resize(cells.len(), Profile::default());
            has_values.resize(cells.len(), false);
        }
        for ((cell, profile), has_value) in cells.iter().zip(&mut profiles).zip(&mut has_values) {
            profile.see(row, cell, &missing, comma);
            *has_value = *has_value || !cell.is_blank();
        }
        Ok(Flow::Continue(()))
    })?;
    if let Some(finding) = findings
        .iter_mut()
        .find(|f| f.kind == FindingKind::EmptyRows)
    {
        finding.count = blank_rows;
    }
    if seen > rows && rows > 0 && !limited {
        let mut finding = Finding::new(FindingKind::TrailingRows, "").counted(seen - rows);
        finding.rows = blank;
        findings.push(finding);
    }
    if limited {
        rows = seen;
        let limit = format!("{seen} rows");
        findings.push(Finding::new(FindingKind::Limit, &limit));
    }
    let width = names.len().max(profiles.len());
    profiles.resize(width, Profile::default());
    has_values.resize(width, false);
    if options.has_header == Some(false) {
        names = (0..width).map(header::default_name).collect();
    }
    names.resize(width, String::new());
    Ok(Survey {
        header_row,
        names,
        profiles,
        has_values,
        rows,
        findings,
    })
}

fn findings_has(findings: &[Finding], kind: FindingKind) -> bool {
    findings.iter().any(|f| f.kind == kind)
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
    if !source.may_use_comma() {
        return Ok((Decimal::Point, true));
    }
    let columns = names.iter().zip(&survey.profiles).filter(|(name, _)| {
        let role = name.as_deref().and_then(|name| options.role(name));
        name.is_some() && role.is_none_or(|role| role == ColumnRole::Numeric)
    });
    let of = |wanted: Decimal| {
        columns
            .clone()
            .find(|(_, profile)| profile.needs() == Some(wanted))
    };
    match (of(Decimal::Comma), of(Decimal::Point)) {
        (None, point) => Ok((Decimal::Point, point.is_some())),
        (Some(_), None) => Ok((Decimal::Comma, true)),
        (Some((name, comma)), Some((other, point))) => {
            let (row, text) = comma.first_comma.clone().unwrap_or_default();
            let (other_row, other_text) = point.first_point.clone().unwrap_or_default();
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
    if let (None | Some(ColumnRole::Numeric), Some((row, text))) =
        (options.role(name), &profile.first_ambiguous)
        && profile.kind(Decimal::Point) == ColumnKind::Numeric
    {
        let finding = Finding::new(FindingKind::AssumedPoint, text).at_row(*row);
        findings.push(finding.in_column(name).counted(profile.ambiguous));
    }
}

/// How a column is built; `None` if it is ignored.
fn plan(
    name: &str,
    profile: &Profile,
    decimal: Decimal,
    options: &ReadOptions,
    rows: usize,
    findings: &mut Vec<Finding>,
) -> Option<ColumnBuilder> {
    let kind = match options.role(name) {
        Some(ColumnRole::Ignore) => return None,
        Some(ColumnRole::Numeric) => {
            return Some(ColumnBuilder::new(name, ColumnKind::Numeric, true, rows));
        }
        Some(ColumnRole::Categorical) => {
            return Some(ColumnBuilder::new(
                name,
                ColumnKind::Categorical,
                true,
                rows,
            ));
        }
        Some(ColumnRole::DateTime) => {
            return Some(ColumnBuilder::new(name, ColumnKind::DateTime, true, rows));
        }
        None => profile.kind(decimal),
    };
    if let (true, Some((row, text))) = (profile.is_identifier(), &profile.first_leading_zero) {
        let finding = Finding::new(FindingKind::LeadingZeros, text).at_row(*row);
        findings.push(finding.in_column(name));
    }
    let matching = match kind {
        ColumnKind::Numeric => profile.numbers(decimal),
        ColumnKind::DateTime => profile.dates(),
        ColumnKind::Categorical => 0,
    };
    Some(ColumnBuilder::new(name, kind, false, rows).because(matching, profile.cells))
}
