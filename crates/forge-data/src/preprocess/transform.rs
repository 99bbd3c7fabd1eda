//! Any rows of a table through a fitted preprocessor, column by column, on all cores.

use super::CategoricalEncoding;
use super::categorical::UNKNOWN;
use super::categorical_source::{CategoricalSource, Seen};
use super::features::Features;
use super::numeric::NumericSource;
use super::preprocessor::{Preprocessor, check_rows, too_large};
use super::transform_counts::Counts;
use crate::{DataError, Table};

/// Rows transformed at a time: a block of 40 features stays in the second-level cache while its
/// columns are written one after the other.
const BLOCK: usize = 1024;

/// Below this many rows a second thread costs more than it saves.
const ROWS_PER_THREAD: usize = 16 * BLOCK;

impl Preprocessor {
    /// The features of `rows` (0-based), or of every row.
    ///
    /// # Errors
    /// - schema: a column is missing, or holds dates where numbers or labels were
    /// - value: a number is infinite, does not fit f32 once transformed, or a column that was
    ///   numeric holds text that is no number; row and column are named
    /// - config: a row is not in the table
    pub fn transform(&self, table: &Table, rows: Option<&[usize]>) -> Result<Features, DataError> {
        self.transform_with(table, rows, false)
    }

    /// [`transform`](Self::transform), and where `masks` is set also which values were in the
    /// table.
    ///
    /// Numbers are imputed all the same; it is for the model to hide them. A missing indicator is
    /// always present, for it is known. The one-hot columns of a missing label are absent, but
    /// not its `(missing)` column. A label unknown in training is present.
    ///
    /// A label that training did not have is taken for the one label of training that has the same
    /// value as a number or truth value (`007` and `7`, `1.0` and `1`, `True` and `1`), if there is
    /// exactly one. The report tells, and has what remains unknown; whether that is too much is for
    /// the caller to say, see [`TransformReport::refuse_mostly_unknown`](super::TransformReport::refuse_mostly_unknown).
    ///
    /// # Errors
    /// As [`transform`](Self::transform).
    pub fn transform_with(
        &self,
        table: &Table,
        rows: Option<&[usize]>,
        masks: bool,
    ) -> Result<Features, DataError> {
        if let Some(rows) = rows {
            check_rows(rows, table)?;
        }
        let sources = Sources::of(self, table)?;
        let n_rows = rows.map_or(table.n_rows(), <[usize]>::len);
        let (n_numeric, n_categorical) = (self.n_numeric(), self.n_categorical());
        let mut numeric = vec![0f32; n_rows * n_numeric];
        let mut categorical = vec![0i32; n_rows * n_categorical];
        let mask = |n: usize| vec![true; if masks { n } else { 0 }];
        let mut num_present = mask(n_rows * n_numeric);
        let mut cat_present = mask(n_rows * n_categorical);

        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (n_rows / ROWS_PER_THREAD).clamp(1, cores);
        let per_thread = n_rows.div_ceil(threads).next_multiple_of(BLOCK).max(BLOCK);
        let mut parts = Vec::with_capacity(threads);
        let (mut num, mut cat) = (numeric.as_mut_slice(), categorical.as_mut_slice());
        let (mut num_mask, mut cat_mask) = (&mut num_present[..], &mut cat_present[..]);
        for start in (0..n_rows).step_by(per_thread) {
            let end = (start + per_thread).min(n_rows);
            let (n, c, n_mask, c_mask);
            (n, num) = num.split_at_mut((end - start) * n_numeric);
            (c, cat) = cat.split_at_mut((end - start) * n_categorical);
            (n_mask, num_mask) = num_mask.split_at_mut(n.len().min(num_mask.len()));
            (c_mask, cat_mask) = cat_mask.split_at_mut(c.len().min(cat_mask.len()));
            parts.push(Part {
                start,
                end,
                rows,
                numeric: n,
                categorical: c,
                num_present: n_mask,
                cat_present: c_mask,
                masks,
            });
        }
        let counts: Vec<Result<Counts, DataError>> = if parts.len() <= 1 {
            let parts = parts.into_iter();
            parts.map(|part| self.fill(&sources, part)).collect()
        } else {
            std::thread::scope(|scope| {
                let workers: Vec<_> = parts
                    .into_iter()
                    .map(|part| scope.spawn(|| self.fill(&sources, part)))
                    .collect();
                let join = |w: std::thread::ScopedJoinHandle<'_, _>| {
                    w.join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                };
                workers.into_iter().map(join).collect()
            })
        };
        let mut total = Counts::new(self);
        for part in counts {
            total.add(&part?);
        }
        Ok(Features {
            numeric,
            n_numeric,
            categorical,
            n_categorical,
            num_present: masks.then_some(num_present),
            cat_present: masks.then_some(cat_present),
            n_rows,
            report: total.report(self, &sources.categorical, n_rows, rows),
        })
    }

    fn fill(&self, sources: &Sources<'_>, part: Part<'_>) -> Result<Counts, DataError> {
        let mut counts = Counts::new(self);
        let values = self.numeric.iter().filter(|c| c.value).count();
        let (width, width_cat) = (self.n_numeric(), self.n_categorical());
        let indicators = self.numeric.iter().filter(|c| c.indicator).count();
        for start in (part.start..part.end).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(part.end);
            let (mut value_at, mut indicator_at) = (0, values);
            for (j, (column, source)) in self.numeric.iter().zip(&sources.numeric).enumerate() {
                for i in block.clone() {
                    let row = part.row(i);
                    let at = (i - part.start) * width;
                    let raw = source.get(row, &column.name)?;
                    let x = if raw.is_nan() {
                        counts.missing_numbers[j].see(row);
                        if part.masks && column.value {
                            part.num_present[at + value_at] = false;
                        }
                        if column.indicator {
                            part.numeric[at + indicator_at] = 1.0;
                        }
                        column.impute
                    } else {
                        raw
                    };
                    if column.value {
                        let y = column.apply(x, self.config.numeric);
                        if !y.is_finite() {
                            return Err(too_large(x, row, &column.name));
                        }
                        part.numeric[at + value_at] = y;
                    }
                }
                value_at += usize::from(column.value);
                indicator_at += usize::from(column.indicator);
            }
            let mut one_hot_at = values + indicators;
            for (j, (column, source)) in self
                .categorical
                .iter()
                .zip(&sources.categorical)
                .enumerate()
            {
                for i in block.clone() {
                    let row = part.row(i);
                    let at = i - part.start;
                    let seen = source.get(row, &column.name)?;
                    let code = seen.code(column.missing_code());
                    match seen {
                        Seen::Known(_) => {}
                        Seen::Matched(_) => counts.matched[j].see(row),
                        Seen::Unknown => counts.unknown[j].see(row),
                        Seen::Missing => counts.missing_labels[j].see(row),
                    }
                    if seen == Seen::Missing && part.masks {
                        match self.config.categorical {
                            CategoricalEncoding::Codes => {
                                part.cat_present[at * width_cat + j] = false;
                            }
                            CategoricalEncoding::OneHot => {
                                let labels = column.one_hot_labels();
                                let start = at * width + one_hot_at;
                                part.num_present[start + labels.start..start + labels.end]
                                    .fill(false);
                            }
                        }
                    }
                    match self.config.categorical {
                        CategoricalEncoding::Codes => part.categorical[at * width_cat + j] = code,
                        CategoricalEncoding::OneHot if code != UNKNOWN => {
                            part.numeric[at * width + one_hot_at + code as usize - 1] = 1.0;
                        }
                        CategoricalEncoding::OneHot => {}
                    }
                }
                one_hot_at += column.widths(self.config.categorical).0;
            }
        }
        Ok(counts)
    }
}

/// A run of output rows.
struct Part<'a> {
    start: usize,
    end: usize,
    rows: Option<&'a [usize]>,
    numeric: &'a mut [f32],
    categorical: &'a mut [i32],
    /// Both empty unless `masks`.
    num_present: &'a mut [bool],
    cat_present: &'a mut [bool],
    masks: bool,
}

impl Part<'_> {
    /// The table's row of output row `i`.
    fn row(&self, i: usize) -> usize {
        self.rows.map_or(i, |rows| rows[i])
    }
}

/// The table's columns that belong to the fitted ones.
struct Sources<'t> {
    numeric: Vec<NumericSource<'t>>,
    categorical: Vec<CategoricalSource<'t>>,
}

impl<'t> Sources<'t> {
    fn of(fitted: &Preprocessor, table: &'t Table) -> Result<Self, DataError> {
        let numeric = fitted.numeric.iter();
        let categorical = fitted.categorical.iter();
        Ok(Self {
            numeric: numeric
                .map(|c| NumericSource::of(&c.name, &table.column(&c.name)?.values))
                .collect::<Result<_, _>>()?,
            categorical: categorical
                .map(|c| CategoricalSource::of(c, &table.column(&c.name)?.values))
                .collect::<Result<_, _>>()?,
        })
    }
}
