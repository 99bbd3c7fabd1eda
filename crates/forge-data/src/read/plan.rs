//! What a column becomes, by what its cells look like and what was declared; or why nothing can
//! be made of it without asking.

use super::builder::{ColumnBuilder, Parsing};
use super::finding::{Finding, FindingKind, shorten};
use super::options::ReadOptions;
use crate::DataError;
use crate::schema::{ColumnKind, DateOrder, Decimal, Profile, Sample};

/// How a column is built.
///
/// # Errors
/// A value error that shows a cell and names what to declare, where the cells look like numbers or
/// dates that can be read in more than one way.
pub(crate) fn plan(
    name: &str,
    profile: &Profile,
    decimal: Decimal,
    options: &ReadOptions,
    rows: usize,
    findings: &mut Vec<Finding>,
) -> Result<ColumnBuilder, DataError> {
    let others = &profile.others;
    let order = others.order();
    if let Some(role) = options.role(name) {
        let kind = role.kind().unwrap_or(ColumnKind::Categorical);
        let parsing = match Parsing::of(Some(role)) {
            Parsing::Dates(None) => Parsing::Dates(order),
            declared => declared,
        };
        let builder = ColumnBuilder::new(name, kind, true, rows).parsing(parsing);
        return Ok(builder.without(&others.words));
    }
    let refuse = |(row, text): (u64, &str), why: String| {
        let text = shorten(text, 60);
        Err(DataError::value(format!("'{text}' {why}"))
            .at_row(row)
            .at_column(name))
    };
    let kind = profile.kind(decimal);
    match kind {
        ColumnKind::Numeric if others.near(decimal) > 0 => {
            let percent = sample(&others.first_percent);
            if others.percent > 0 && others.percent < profile.amounts(decimal) {
                return refuse(
                    percent,
                    "is a percentage, but other cells of the column are not; correct them, or \
                     declare the column `numeric` to divide by 100 where a percent sign stands"
                        .into(),
                );
            }
            if let (Some(_), Some((row, first))) = (&others.other_currency, others.first_currency())
            {
                return refuse(
                    sample(&others.other_currency),
                    format!(
                        "is in another currency than '{}' in row {row}; convert them, or declare \
                         the column `numeric` to take the numbers as they are",
                        shorten(first, 60)
                    ),
                );
            }
        }
        ColumnKind::DateTime => {
            if others.day_first > 0 && others.month_first > 0 {
                let (row, day) = sample(&others.first_day_first);
                return refuse(
                    sample(&others.first_month_first),
                    format!(
                        "can only be read month first, but '{}' in row {row} only day first; \
                         correct one, or declare the column `categorical`",
                        shorten(day, 60)
                    ),
                );
            }
            if others.either > 0 && order.is_none() {
                return refuse(sample(&others.first_either), ambiguous(others.either));
            }
        }
        ColumnKind::Categorical => {
            if profile.most(others.thirty_seconds) && others.thirty_seconds == profile.cells {
                return refuse(
                    sample(&others.first_thirty_second),
                    "looks like a price in 32nds, as all cells of the column do; declare it \
                     `numeric:32nds` to read them so, or `categorical` to keep them as labels"
                        .into(),
                );
            }
            if profile.most(others.unread_dates)
                && let (row, text) = sample(&others.first_unread_date)
                && crate::schema::written_date::two_digit_year(text)
            {
                return refuse(
                    (row, text),
                    "looks like a date with a year of two digits; declare the column with the \
                     pattern, such as `datetime:%d/%m/%y` or `datetime:%m/%d/%y`, or `categorical` \
                     to keep them as labels"
                        .into(),
                );
            }
            note_labels(name, profile, decimal, findings);
        }
        ColumnKind::Numeric => {}
    }
    if let (Some(order), ColumnKind::DateTime) = (order, kind) {
        let (text, (row, cell)) = match order {
            DateOrder::DayFirst => ("day first", sample(&others.first_day_first)),
            DateOrder::MonthFirst => ("month first", sample(&others.first_month_first)),
        };
        let example = format!("{text}, as {cell} must be");
        let finding = Finding::new(FindingKind::DateOrder, &example).at_row(row);
        findings.push(finding.in_column(name).counted(others.numbered()));
    }
    let matching = match kind {
        ColumnKind::Numeric => profile.amounts(decimal),
        ColumnKind::DateTime => profile.dates(),
        ColumnKind::Categorical => 0,
    };
    Ok(ColumnBuilder::new(name, kind, false, rows)
        .parsing(Parsing::Dates(order))
        .because(matching, profile.cells)
        .without(&others.words))
}

/// Why dates that both orders read are refused.
pub(crate) fn ambiguous(count: u64) -> String {
    let others = if count > 1 { ", as others" } else { "" };
    format!(
        "may be read day first or month first{others}, and no cell of the column decides; declare \
         it `datetime:day-first` or `datetime:month-first`"
    )
}

/// Says why a column of labels is one where its cells look like something else.
fn note_labels(name: &str, profile: &Profile, decimal: Decimal, findings: &mut Vec<Finding>) {
    let others = &profile.others;
    let mut note = |kind, sample: &Sample, count: u64| {
        if let Some((row, text)) = sample {
            let finding = Finding::new(kind, text).at_row(*row);
            findings.push(finding.in_column(name).counted(count));
        }
    };
    if profile.is_identifier() {
        note(FindingKind::LeadingZeros, &profile.first_leading_zero, 1);
    } else if profile.is_code() {
        note(FindingKind::Codes, &profile.first_code, 1);
    } else {
        let numbers = others.near(decimal) + others.unread_numbers + others.thirty_seconds;
        if profile.most(profile.numbers(decimal) + numbers) {
            let samples = [
                &others.first_near,
                &others.first_unread_number,
                &others.first_thirty_second,
            ];
            if let Some(first) = samples.into_iter().find(|sample| sample.is_some()) {
                note(FindingKind::LooksNumeric, first, numbers);
            }
        }
        if profile.most(profile.dates() + others.unread_dates) {
            note(
                FindingKind::LooksLikeDates,
                &others.first_unread_date,
                others.unread_dates,
            );
        }
    }
}

fn sample(sample: &Sample) -> (u64, &str) {
    sample.as_ref().map_or((0, ""), |(row, text)| (*row, text))
}
