//! What readers hand on, whichever file they read.

use std::collections::VecDeque;

use crate::DataError;
use crate::schema::Commas;

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

    /// The row at which the last `rows` rows begin that are not blank.
    ///
    /// # Errors
    /// If there are not so many.
    fn find_footer(&mut self, rows: u64) -> Result<u64, DataError> {
        let mut last = LastRows::new(rows)?;
        self.rows(&mut |row, cells| {
            if !cells.iter().all(Cell::is_blank) {
                last.add(row);
            }
            Ok(Flow::Continue(()))
        })?;
        last.first()
    }

    /// Where numbers may be written with a decimal comma.
    fn commas(&self) -> Commas {
        Commas::WhereNeeded
    }

    /// Whether the file tells numbers from texts, so that a number in a text is worth a word.
    fn is_typed(&self) -> bool {
        false
    }

    /// Where else the table may be, if this holds none.
    fn elsewhere(&self) -> Option<String> {
        None
    }
}

/// The last rows of a file, by their numbers.
#[derive(Debug)]
pub(crate) struct LastRows {
    wanted: usize,
    rows: VecDeque<u64>,
}

impl LastRows {
    pub(crate) fn new(wanted: u64) -> Result<Self, DataError> {
        let most = 1_000_000;
        match usize::try_from(wanted) {
            Ok(wanted) if wanted <= most => Ok(Self {
                wanted,
                rows: VecDeque::new(),
            }),
            _ => Err(DataError::config(format!(
                "`skip_footer` is {wanted}; allowed are 0 to {most}"
            ))),
        }
    }

    pub(crate) fn add(&mut self, row: u64) {
        self.rows.push_back(row);
        if self.rows.len() > self.wanted {
            self.rows.pop_front();
        }
    }

    pub(crate) fn first(&self) -> Result<u64, DataError> {
        let first = self.rows.front().filter(|_| self.rows.len() == self.wanted);
        first.copied().ok_or_else(|| {
            DataError::config(format!(
                "`skip_footer` is {}; the file has only {} rows that are not blank",
                self.wanted,
                self.rows.len()
            ))
        })
    }
}
