//! Cells become the values of a column.

use super::cell::{Cell, Fault};
use super::finding::{self, Finding, FindingKind, shorten};
use super::options::{Infinite, ReadOptions};
use super::plan::ambiguous;
use crate::DataError;
use crate::schema::written_date::{self, Numbered};
use crate::schema::{
    ColumnKind, ColumnRole, DateOrder, Decimal, Missing, date_format, date_time, near_number,
    number,
};
use crate::table::{Categorical, Column, ColumnValues, LabelEncoder};

/// What the cells of a file have in common.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) missing: Missing,
    pub(crate) decimal: Decimal,
    pub(crate) infinite: Infinite,
    /// Whether a number in a text is worth a word.
    pub(crate) typed: bool,
}

impl Rules {
    pub(crate) fn new(options: &ReadOptions, decimal: Decimal, typed: bool) -> Self {
        Self {
            missing: Missing::new(options),
            decimal,
            infinite: options.infinite,
            typed,
        }
    }
}

/// How the texts of a column are read, beyond plain numbers and ISO dates.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parsing {
    /// Dates of three numbers in this order, where there is one.
    Dates(Option<DateOrder>),
    /// Dates by a pattern.
    Pattern(String),
    /// Numbers in 32nds.
    ThirtySeconds,
}

impl Parsing {
    /// As declared.
    pub(crate) fn of(role: Option<&ColumnRole>) -> Self {
        match role {
            Some(ColumnRole::ThirtySeconds) => Self::ThirtySeconds,
            Some(ColumnRole::DateOrder(order)) => Self::Dates(Some(*order)),
            Some(ColumnRole::DateFormat(pattern)) => Self::Pattern(pattern.clone()),
            _ => Self::Dates(None),
        }
    }
}

/// A column under construction.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    name: String,
    values: Values,
    parsing: Parsing,
    /// Minutes that each time's own clock is ahead of UTC, once one is.
    offsets: Option<Vec<i16>>,
    /// Other cells that are none, for the error about the first of them.
    words: Vec<String>,
    /// Whether the kind was declared, not seen.
    declared: bool,
    /// "5 of 6 values are numbers", for the error about the other one.
    evidence: String,
    pub(crate) findings: Vec<Finding>,
}

#[derive(Debug)]
enum Values {
    Numbers(Vec<f64>),
    Labels(Vec<u32>, LabelEncoder),
    Times(Vec<i64>),
}

impl ColumnBuilder {
    pub(crate) fn new(name: &str, kind: ColumnKind, declared: bool, rows: usize) -> Self {
        let values = match kind {
            ColumnKind::Numeric => Values::Numbers(Vec::with_capacity(rows)),
            ColumnKind::Categorical => {
                Values::Labels(Vec::with_capacity(rows), LabelEncoder::default())
            }
            ColumnKind::DateTime => Values::Times(Vec::with_capacity(rows)),
        };
        Self {
            name: name.into(),
            values,
            parsing: Parsing::Dates(None),
            offsets: None,
            words: Vec::new(),
            declared,
            evidence: String::new(),
            findings: Vec::new(),
        }
    }

    /// Says why the kind was chosen, for errors.
    pub(crate) fn because(mut self, matching: u64, cells: u64) -> Self {
        if !self.declared {
            self.evidence = format!(", as {matching} of the column's {cells} values are");
        }
        self
    }

    /// Says how texts are read.
    pub(crate) fn parsing(mut self, parsing: Parsing) -> Self {
        self.parsing = parsing;
        self
    }

    /// Says which cells are no numbers and no dates, for errors.
    pub(crate) fn without(mut self, words: &[String]) -> Self {
        if !matches!(self.values, Values::Labels(..)) {
            self.words = words.to_vec();
        }
        self
    }

    /// What to declare another file's column, so that it is read as this one.
    pub(crate) fn role(&self) -> ColumnRole {
        match (&self.values, &self.parsing) {
            (Values::Labels(..), _) => ColumnRole::Categorical,
            (Values::Numbers(_), Parsing::ThirtySeconds) => ColumnRole::ThirtySeconds,
            (Values::Numbers(_), _) => ColumnRole::Numeric,
            (Values::Times(_), Parsing::Pattern(pattern)) => {
                ColumnRole::DateFormat(pattern.clone())
            }
            (Values::Times(_), Parsing::Dates(Some(order))) => ColumnRole::DateOrder(*order),
            (Values::Times(_), _) => ColumnRole::DateTime,
        }
    }

    /// Adds a cell.
    pub(crate) fn push(
        &mut self,
        row: u64,
        cell: &Cell<'_>,
        rules: &Rules,
    ) -> Result<(), DataError> {
        match &mut self.values {
            Values::Numbers(values) => {
                // The way that nearly all cells of large files take.
                if let (Cell::Text(text), Decimal::Point) = (cell, rules.decimal)
                    && !rules.typed
                    && let Ok(value) = text.parse::<f64>()
                    && value.is_finite()
                    && (value != 0.0 || !number::is_underflow(text))
                    && value.abs() < 9_007_199_254_740_992.0
                    && !rules.missing.is_missing_number(value)
                {
                    values.push(value);
                    return Ok(());
                }
                let value = self.number(row, cell, rules)?;
                if let Values::Numbers(values) = &mut self.values {
                    values.push(value);
                }
            }
            Values::Labels(..) => {
                let code = self.label(row, cell, rules);
                if let Values::Labels(codes, _) = &mut self.values {
                    codes.push(code);
                }
            }
            Values::Times(_) => {
                let (time, offset) = self.time(row, cell, rules)?;
                if let Values::Times(values) = &mut self.values {
                    if offset != 0 && self.offsets.is_none() {
                        self.offsets = Some(vec![0; values.len()]);
                    }
                    values.push(time);
                }
                if let Some(offsets) = &mut self.offsets {
                    offsets.push(offset);
                }
            }
        }
        Ok(())
    }

    fn number(&mut self, row: u64, cell: &Cell<'_>, rules: &Rules) -> Result<f64, DataError> {
        let value = match cell {
            Cell::Empty => return Ok(f64::NAN),
            Cell::Fault(fault) => return Ok(self.fault(row, *fault, f64::NAN)),
            Cell::Number(value) if value.is_nan() => return Ok(f64::NAN),
            Cell::Number(value) => *value,
            Cell::Days(value) => {
                self.note(FindingKind::Duration, row, &number::format(*value));
                *value
            }
            Cell::Integer(integer) => {
                let value = *integer as f64;
                if value as i128 != *integer {
                    self.note(FindingKind::RoundedInteger, row, &integer.to_string());
                }
                value
            }
            Cell::Bool(value) if self.declared => {
                self.note(
                    FindingKind::Boolean,
                    row,
                    if *value { "true" } else { "false" },
                );
                f64::from(u8::from(*value))
            }
            Cell::Bool(value) => return Err(self.refuse(row, &value.to_string())),
            Cell::Time(time) | Cell::CutTime(time) => {
                let text = date_time::format(*time).unwrap_or_default();
                return Err(self.refuse(row, &text));
            }
            Cell::Text(text) => {
                let trimmed = text.trim();
                if rules.missing.is_declared(trimmed) {
                    self.note(FindingKind::MissingText, row, trimmed);
                    return Ok(f64::NAN);
                }
                if let Some((value, shape)) = number::parse(trimmed, rules.decimal) {
                    self.number_findings(row, text, value, shape, rules);
                    value
                } else if rules.missing.is_missing(trimmed) {
                    if !trimmed.is_empty() {
                        self.note(FindingKind::MissingText, row, trimmed);
                    }
                    return Ok(f64::NAN);
                } else if number::is_infinity(trimmed) {
                    f64::INFINITY
                } else if let Some(value) = self.near(row, trimmed, rules) {
                    value
                } else if let Some(value) = boolean(trimmed).filter(|_| self.declared) {
                    self.note(FindingKind::Boolean, row, trimmed);
                    f64::from(u8::from(value))
                } else {
                    return Err(self.refuse(row, trimmed));
                }
            }
        };
        if value.is_infinite() {
            let text = match cell {
                Cell::Text(text) => text.trim().to_owned(),
                _ => value.to_string(),
            };
            return self.infinite(row, &text, rules);
        }
        if rules.missing.is_missing_number(value) {
            self.note(FindingKind::MissingText, row, &number::format(value));
            return Ok(f64::NAN);
        }
        Ok(value)
    }

    /// A number with something around it.
    fn near(&mut self, row: u64, text: &str, rules: &Rules) -> Option<f64> {
        if let Some(near) = near_number::parse(text, rules.decimal) {
            for (there, kind) in [
                (near.currency.is_some(), FindingKind::Currency),
                (near.percent, FindingKind::Percent),
                (near.magnitude.is_some(), FindingKind::Magnitude),
                (near.parentheses, FindingKind::Parentheses),
                (near.thousands, FindingKind::Thousands),
            ] {
                if there {
                    self.note(kind, row, text);
                }
            }
            return Some(near.value);
        }
        let value =
            near_number::thirty_seconds(text).filter(|_| self.parsing == Parsing::ThirtySeconds)?;
        self.note(FindingKind::ThirtySeconds, row, text);
        Some(value)
    }

    fn number_findings(
        &mut self,
        row: u64,
        text: &str,
        value: f64,
        shape: number::Shape,
        rules: &Rules,
    ) {
        let trimmed = text.trim();
        if rules.typed {
            self.note(FindingKind::NumberAsText, row, trimmed);
        } else if trimmed.len() < text.len() {
            self.note(FindingKind::Padding, row, text);
        }
        if shape.thousands {
            self.note(FindingKind::Thousands, row, trimmed);
        }
        if value == 0.0 && number::is_underflow(trimmed) {
            self.note(FindingKind::Underflow, row, trimmed);
        }
        if shape.integer && value.abs() > 9.0e15 && number::is_rounded(trimmed, value) {
            self.note(FindingKind::RoundedInteger, row, trimmed);
        }
    }

    fn infinite(&mut self, row: u64, text: &str, rules: &Rules) -> Result<f64, DataError> {
        if rules.infinite == Infinite::Missing {
            self.note(FindingKind::Infinite, row, text);
            return Ok(f64::NAN);
        }
        let help = match number::shape(text, rules.decimal) {
            Some(shape) if shape.code => {
                "is too large for a number, and perhaps a code with an E among its digits; declare \
                 the column `categorical`"
            }
            _ => {
                "is infinite or too large for a 64-bit float; correct it, or set `infinite` to \
                 `missing`"
            }
        };
        Err(DataError::value(format!("'{}' {help}", shorten(text, 60)))
            .at_row(row)
            .at_column(&self.name))
    }

    fn label(&mut self, row: u64, cell: &Cell<'_>, rules: &Rules) -> u32 {
        let made;
        let label = match cell {
            Cell::Empty => return Categorical::MISSING,
            Cell::Fault(fault) => return self.fault(row, *fault, Categorical::MISSING),
            Cell::Number(value) if value.is_nan() => return Categorical::MISSING,
            Cell::Number(value) | Cell::Days(value) => {
                made = number::format(*value);
                made.as_str()
            }
            Cell::Integer(value) => {
                made = value.to_string();
                made.as_str()
            }
            Cell::Bool(value) => {
                if *value {
                    "true"
                } else {
                    "false"
                }
            }
            Cell::Time(time) | Cell::CutTime(time) => {
                made = date_time::format(*time).unwrap_or_else(|| format!("{time} ms"));
                made.as_str()
            }
            Cell::Text(text) => {
                let trimmed = text.trim();
                if rules.missing.is_missing(trimmed) {
                    if !trimmed.is_empty() {
                        self.note(FindingKind::MissingText, row, trimmed);
                    }
                    return Categorical::MISSING;
                }
                if trimmed.len() < text.len() {
                    self.note(FindingKind::Padding, row, text);
                }
                // One spelling whichever file a boolean comes from, so that a model trained on
                // one type of file knows the labels of another.
                match boolean(trimmed) {
                    Some(value) => {
                        let label = if value { "true" } else { "false" };
                        if label != trimmed {
                            self.note(FindingKind::Boolean, row, trimmed);
                        }
                        label
                    }
                    None => trimmed,
                }
            }
        };
        if !matches!(cell, Cell::Text(_)) && rules.missing.is_declared(label) {
            self.note(FindingKind::MissingText, row, label);
            return Categorical::MISSING;
        }
        match &mut self.values {
            Values::Labels(_, encoder) => encoder.code(label),
            _ => Categorical::MISSING,
        }
    }

    /// Milliseconds since 1970 UTC, and the minutes that the text's own clock is ahead.
    fn time(&mut self, row: u64, cell: &Cell<'_>, rules: &Rules) -> Result<(i64, i16), DataError> {
        const MISSING: (i64, i16) = (Column::MISSING_TIME, 0);
        let text = match cell {
            Cell::Empty => return Ok(MISSING),
            Cell::Fault(fault) => return Ok(self.fault(row, *fault, MISSING)),
            Cell::Time(time) => return Ok((*time, 0)),
            Cell::CutTime(time) => {
                let text = date_time::format(*time).unwrap_or_default();
                self.note(FindingKind::CutTime, row, &text);
                return Ok((*time, 0));
            }
            Cell::Number(value) if value.is_nan() => return Ok(MISSING),
            Cell::Number(value) | Cell::Days(value) => number::format(*value),
            Cell::Integer(value) => value.to_string(),
            Cell::Bool(value) => value.to_string(),
            Cell::Text(text) => {
                let trimmed = text.trim();
                if rules.missing.is_missing(trimmed) {
                    if !trimmed.is_empty() {
                        self.note(FindingKind::MissingText, row, trimmed);
                    }
                    return Ok(MISSING);
                }
                if trimmed.len() < text.len() {
                    self.note(FindingKind::Padding, row, text);
                }
                if let Some(instant) = self.instant(trimmed) {
                    if instant.cut {
                        self.note(FindingKind::CutTime, row, trimmed);
                    }
                    return Ok((instant.milliseconds, instant.offset));
                }
                trimmed.to_owned()
            }
        };
        if rules.missing.is_declared(&text) {
            self.note(FindingKind::MissingText, row, &text);
            return Ok(MISSING);
        }
        let read = match &self.parsing {
            Parsing::Pattern(pattern) if !matches!(cell, Cell::Text(_)) => {
                date_format::parse(&text, pattern).map(|instant| instant.milliseconds)
            }
            Parsing::Pattern(_) => None,
            _ => date_time::parse_compact(&text).filter(|_| self.declared),
        };
        match read {
            Some(time) => Ok((time, 0)),
            None => Err(self.refuse(row, &text)),
        }
    }

    /// The time that a text says, by what was declared or decided.
    fn instant(&self, text: &str) -> Option<date_time::Instant> {
        let order = match &self.parsing {
            Parsing::Pattern(pattern) => return date_format::parse(text, pattern),
            Parsing::Dates(order) => *order,
            Parsing::ThirtySeconds => None,
        };
        date_time::parse(text)
            .or_else(|| written_date::parse(text))
            .or_else(|| Numbered::parse(text)?.read(order?))
    }

    fn fault<T>(&mut self, row: u64, fault: Fault<'_>, missing: T) -> T {
        match fault {
            Fault::ErrorValue(text) => self.note(FindingKind::ErrorValue, row, text),
            Fault::NoResult(text) => self.note(FindingKind::FormulaWithoutResult, row, text),
        }
        missing
    }

    fn refuse(&self, row: u64, text: &str) -> DataError {
        let wanted = match (&self.values, &self.parsing) {
            (Values::Numbers(_), _) => "a number".into(),
            (Values::Labels(..), _) => "a label".into(),
            (Values::Times(_), Parsing::Pattern(pattern)) => format!("a date like '{pattern}'"),
            (Values::Times(_), _) => {
                "a date (YYYY-MM-DD, perhaps with THH:MM:SS; for another form declare \
                 `datetime:PATTERN`)"
                    .into()
            }
        };
        if let (Values::Times(_), Parsing::Dates(None)) = (&self.values, &self.parsing)
            && Numbered::parse(text).is_some()
        {
            return DataError::value(format!("'{}' {}", shorten(text, 60), ambiguous(1)))
                .at_row(row)
                .at_column(&self.name);
        }
        let them = self.words.iter().filter(|word| *word != text);
        let them: Vec<String> = them
            .map(|word| format!("'{}'", shorten(word, 24)))
            .collect();
        let (also, it) = if them.is_empty() {
            (String::new(), "it")
        } else {
            (format!("; nor are {}", them.join(", ")), "them")
        };
        let hint = if self.declared {
            "or declare the column otherwise"
        } else {
            "or declare the column `categorical` or `ignore`"
        };
        DataError::value(format!(
            "'{}' is not {wanted}{}{also}; correct {it}, list {it} in `missing_values`, {hint}",
            shorten(text, 60),
            self.evidence
        ))
        .at_row(row)
        .at_column(&self.name)
    }

    pub(crate) fn note(&mut self, kind: FindingKind, row: u64, example: &str) {
        finding::note(&mut self.findings, kind, row, example);
    }

    /// The column and what was found in it.
    pub(crate) fn finish(mut self) -> (Column, Vec<Finding>) {
        let values = match self.values {
            Values::Numbers(values) => ColumnValues::Numeric(values),
            Values::Times(values) => ColumnValues::DateTime(values),
            Values::Labels(codes, encoder) => {
                let cells = codes.iter().filter(|&&c| c != Categorical::MISSING).count();
                if cells >= 20 && encoder.len() * 10 >= cells * 9 {
                    let example = format!("{} labels in {cells} cells", encoder.len());
                    self.findings
                        .push(Finding::new(FindingKind::ManyLabels, &example));
                }
                ColumnValues::Categorical(Categorical {
                    codes,
                    categories: encoder.into_categories(),
                })
            }
        };
        let column = Column {
            name: self.name,
            values,
            offsets: self.offsets,
        };
        if !column.is_empty() && column.missing() == column.len() {
            self.findings
                .push(Finding::new(FindingKind::AllMissing, ""));
        }
        for finding in &mut self.findings {
            finding.column = Some(column.name.clone());
        }
        (column, self.findings)
    }
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}
