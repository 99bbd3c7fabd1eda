//! What readers hand on, whichever file they read.

use crate::DataError;

/// One cell as its file holds it.
// CSV knows texts alone.
#[cfg_attr(not(any(feature = "excel", feature = "parquet")), allow(dead_code))]
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    /// Nothing.
    Empty,
    /// A text, spaces at its edges included.
    Text(&'a str),
    /// A number; NaN is missing.
    Number(f64),
    /// An integer of a file that has such a type.
    Integer(i128),
    /// A boolean.
    Bool(bool),
    /// A time in milliseconds since 1970-01-01 UTC.
    Time(i64),
    /// A time in milliseconds whose finer digits were cut off.
    CutTime(i64),
    /// A time of day or an elapsed time, in days.
    Days(f64),
    /// A cell that should hold a value but has none to give.
    Fault(Fault<'a>),
}

/// Why a cell has no value.
#[cfg_attr(not(any(feature = "excel", feature = "parquet")), allow(dead_code))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault<'a> {
    /// An error value such as `#N/A`.
    ErrorValue(&'a str),
    /// A formula whose result the file does not hold.
    NoResult(&'a str),
}

impl Cell<'_> {
    /// Whether there is nothing to see: padding, if a whole row is so.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }
}

/// Whether to go on.
pub(crate) type Flow = std::ops::ControlFlow<()>;

/// Called with a row's number as a person sees it and its cells.
pub(crate) type RowVisitor<'v> = dyn FnMut(u64, &[Cell<'_>]) -> Result<Flow, DataError> + 'v;

/// A file read row by row, as often as asked.
pub(crate) trait RowSource {
    /// Calls `visit` with each row, the header row among them, until it breaks.
    fn rows(&mut self, visit: &mut RowVisitor<'_>) -> Result<(), DataError>;

    /// Whether numbers may be written with a decimal comma.
    fn may_use_comma(&self) -> bool {
        false
    }

    /// Whether the file tells numbers from texts, so that a number in a text is worth a word.
    fn is_typed(&self) -> bool {
        false
    }
}
