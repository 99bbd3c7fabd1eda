//! What a reader repaired, or thinks that a person should know.

use std::borrow::Cow;
use std::fmt::{self, Display};

use crate::printable;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// A text such as `n/a` was read as missing.
    MissingText,
    /// An infinity or overflow was read as missing, as asked.
    Infinite,
    /// A number too small for an f64 became 0.
    Underflow,
    /// An integer beyond 2^53 was rounded to the nearest f64.
    RoundedInteger,
    /// Thousands separators were taken out of numbers.
    Thousands,
    /// Numbers could be read with a decimal comma as well; a point was assumed.
    AssumedPoint,
    /// A number that the sheet stores as text was read as a number.
    NumberAsText,
    /// Spaces were taken off the edges of a cell or name.
    Padding,
    /// Booleans: `true` and `false` in one spelling, or 1 and 0 in a column declared numeric.
    Boolean,
    /// Integers with leading zeros were kept as labels.
    LeadingZeros,
    /// A time was cut to the millisecond.
    CutTime,
    /// An elapsed time was read as a number of days.
    Duration,
    /// An error value such as `#N/A` was read as missing.
    ErrorValue,
    /// A formula whose result the file does not hold, or holds as an empty text, was read as
    /// missing.
    FormulaWithoutResult,
    /// No cell of the column has a value.
    AllMissing,
    /// Nearly every label of the column occurs once: an identifier, of no use to a model?
    ManyLabels,
    /// A column without a name was given one.
    Unnamed,
    /// A column was renamed, as its name was taken.
    Renamed,
    /// A column without a name and without a value was left out.
    EmptyColumn,
    /// Empty rows at the end were left out.
    TrailingRows,
    /// Empty rows between others were kept, all missing.
    EmptyRows,
    /// Blank lines were passed over.
    BlankLines,
    /// Rows after the limit asked for were not read.
    Limit,
    /// A byte-order mark was passed over.
    ByteOrderMark,
    /// A `sep=` line named the delimiter.
    SeparatorLine,
    /// A currency's sign or code was taken off numbers.
    Currency,
    /// Percentages were divided by 100.
    Percent,
    /// A `K`, `M`, `B` or `T` was multiplied out.
    Magnitude,
    /// A number in parentheses was read as negative.
    Parentheses,
    /// Bond prices in 32nds were read as decimal numbers, as declared.
    ThirtySeconds,
    /// Dates of three numbers were read in the order that the column decides.
    DateOrder,
    /// A column of labels whose cells look like numbers.
    LooksNumeric,
    /// A column of labels whose cells look like dates.
    LooksLikeDates,
    /// Identifiers such as `98765E307`, which are numbers by their letters, were kept as labels.
    Codes,
    /// A column that is a data frame's index was left out.
    SavedIndex,
    /// Numbers are labels, as the data frame had them.
    StoredLabels,
    /// A first column counts the rows: of use to a model?
    CountsRows,
    /// Cells that a merged one covers have its value.
    MergedCells,
    /// Rows at the end were passed over, as asked.
    Footer,
    /// Rows between header and data were passed over, as asked.
    AfterHeader,
    /// The file is compressed.
    Compressed,
}

impl FindingKind {
    fn text(self) -> &'static str {
        match self {
            Self::MissingText => "read as missing",
            Self::Infinite => "infinite or overflowing, read as missing",
            Self::Underflow => "too small for a float, became 0",
            Self::RoundedInteger => "integer beyond 2^53, rounded",
            Self::Thousands => "thousands separators removed",
            Self::AssumedPoint => "decimal point assumed, might be a comma (option `decimal`)",
            Self::NumberAsText => "number stored as text, read as number",
            Self::Padding => "spaces at the edges removed",
            Self::Boolean => "boolean in another spelling",
            Self::LeadingZeros => "integers with leading zeros, kept as labels",
            Self::CutTime => "time cut to the millisecond",
            Self::Duration => "elapsed time, read as days",
            Self::ErrorValue => "error value, read as missing",
            Self::FormulaWithoutResult => {
                "formula with no or an empty result in the file, read as missing"
            }
            Self::AllMissing => "no cell has a value",
            Self::ManyLabels => "nearly every label occurs once, perhaps an identifier to ignore",
            Self::Unnamed => "no name, called",
            Self::Renamed => "name taken, called",
            Self::EmptyColumn => "column without name and values left out",
            Self::TrailingRows => "empty rows at the end left out",
            Self::EmptyRows => "empty rows kept as missing",
            Self::BlankLines => "blank lines passed over",
            Self::Limit => "rows beyond the limit not read",
            Self::ByteOrderMark => "byte-order mark passed over",
            Self::SeparatorLine => "`sep=` line taken as the delimiter",
            Self::Currency => "currency removed from",
            Self::Percent => "percentages divided by 100, as",
            Self::Magnitude => "K, M, B or T multiplied out, as in",
            Self::Parentheses => "parentheses read as a minus, as in",
            Self::ThirtySeconds => "price in 32nds read as a decimal number, as",
            Self::DateOrder => "dates read",
            Self::LooksNumeric => {
                "looks like numbers, kept as labels (declare it `numeric` or `categorical`), as"
            }
            Self::LooksLikeDates => {
                "looks like dates, kept as labels (declare it `datetime:PATTERN` or \
                 `categorical`), as"
            }
            Self::Codes => "identifiers with an E among their digits, kept as labels",
            Self::SavedIndex => "saved index left out (option `saved_index`), from",
            Self::StoredLabels => "numbers that are labels (declare it `numeric` if not), by",
            Self::CountsRows => "counts the rows, perhaps an index to ignore, from",
            Self::MergedCells => "cells under a merged one have its value",
            Self::Footer => "rows at the end passed over",
            Self::AfterHeader => "rows after the header passed over",
            Self::Compressed => "unpacked",
        }
    }
}

/// One kind of finding in one column, or in the whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was found.
    pub kind: FindingKind,
    /// The column's name, where it concerns one.
    pub column: Option<String>,
    /// The first rows it was found in, at most [`Finding::MAX_ROWS`], as a person counts them
    /// (header = 1). Empty where it concerns the column as a whole.
    pub rows: Vec<u64>,
    /// How often it was found.
    pub count: u64,
    /// The first cell's text, or what became of it.
    pub example: String,
}

impl Finding {
    /// The most rows that are named.
    pub const MAX_ROWS: usize = 10;
    /// The most letters of a cell that are shown.
    const MAX_LETTERS: usize = 60;

    pub(crate) fn new(kind: FindingKind, example: &str) -> Self {
        Self {
            kind,
            column: None,
            rows: Vec::new(),
            count: 1,
            example: shorten(example, Self::MAX_LETTERS),
        }
    }

    pub(crate) fn in_column(mut self, column: &str) -> Self {
        self.column = Some(column.into());
        self
    }

    pub(crate) fn at_row(mut self, row: u64) -> Self {
        self.rows.push(row);
        self
    }

    pub(crate) fn counted(mut self, count: u64) -> Self {
        self.count = count;
        self
    }
}

/// Adds one more of a kind to the list.
pub(crate) fn note(list: &mut Vec<Finding>, kind: FindingKind, row: u64, example: &str) {
    if let Some(finding) = list.iter_mut().find(|f| f.kind == kind) {
        finding.count += 1;
        if finding.rows.len() < Finding::MAX_ROWS {
            finding.rows.push(row);
        }
    } else {
        list.push(Finding::new(kind, example).at_row(row));
    }
}

/// A text on one line and of at most `letters` letters.
pub(crate) fn shorten(text: &str, letters: usize) -> String {
    let mut out: String = text.chars().take(letters).collect();
    if let Cow::Owned(safe) = printable(&out) {
        out = safe;
    }
    if text.chars().nth(letters).is_some() {
        out.push_str("..");
    }
    out
}

impl Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(column) = &self.column {
            write!(f, "column '{}': ", printable(column))?;
        }
        f.write_str(self.kind.text())?;
        if !self.example.is_empty() {
            write!(f, " '{}'", self.example)?;
        }
        if !self.rows.is_empty() {
            let rows: Vec<String> = self.rows.iter().map(u64::to_string).collect();
            let word = if self.count == 1 { "row" } else { "rows" };
            let dots = if self.count > rows.len() as u64 {
                ", .."
            } else {
                ""
            };
            write!(f, " ({word} {}{dots})", rows.join(", "))?;
        }
        if self.count > 1 {
            write!(f, ", {} times", self.count)?;
        }
        Ok(())
    }
}
