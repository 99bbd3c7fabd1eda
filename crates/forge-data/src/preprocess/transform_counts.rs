//! What a transformation repaired, column by column.

use super::categorical_source::{CategoricalSource, Seen};
use super::preprocessor::Preprocessor;
use super::transform_report::{LabelCells, MissingCells, NAMED, TransformReport};

/// Cells of one kind in one column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    count: u64,
    /// The table's first row with one.
    first: usize,
}

impl Tally {
    const NONE: Self = Self {
        count: 0,
        first: usize::MAX,
    };

    pub(super) fn see(&mut self, row: usize) {
        self.count += 1;
        self.first = self.first.min(row);
    }
}

/// What was repaired, column by column.
pub(super) struct Counts {
    pub(super) missing_numbers: Vec<Tally>,
    pub(super) missing_labels: Vec<Tally>,
    pub(super) matched: Vec<Tally>,
    pub(super) unknown: Vec<Tally>,
}

impl Counts {
    pub(super) fn new(fitted: &Preprocessor) -> Self {
        let labels = vec![Tally::NONE; fitted.categorical.len()];
        Self {
            missing_numbers: vec![Tally::NONE; fitted.numeric.len()],
            missing_labels: labels.clone(),
            matched: labels.clone(),
            unknown: labels,
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        let sum = |all: &mut [Tally], more: &[Tally]| {
            for (a, b) in all.iter_mut().zip(more) {
                a.count += b.count;
                a.first = a.first.min(b.first);
            }
        };
        sum(&mut self.missing_numbers, &other.missing_numbers);
        sum(&mut self.missing_labels, &other.missing_labels);
        sum(&mut self.matched, &other.matched);
        sum(&mut self.unknown, &other.unknown);
    }

    /// `chosen`: which of the table's rows the `rows` are; all where absent.
    pub(super) fn report(
        &self,
        fitted: &Preprocessor,
        sources: &[CategoricalSource<'_>],
        rows: usize,
        chosen: Option<&[usize]>,
    ) -> TransformReport {
        let missing = |name: &str, tally: &Tally, new: bool| {
            (tally.count > 0).then(|| MissingCells {
                column: name.into(),
                count: tally.count,
                row: tally.first,
                new,
            })
        };
        let numbers = fitted.numeric.iter().zip(&self.missing_numbers);
        let numbers = numbers.filter_map(|(column, tally)| {
            // Without indicators there is no telling.
            let new = fitted.config.missing_indicator && !column.indicator;
            missing(&column.name, tally, new)
        });
        let labels = fitted.categorical.iter().zip(&self.missing_labels);
        let labels =
            labels.filter_map(|(column, tally)| missing(&column.name, tally, !column.missing));
        let cells = |tallies: &[Tally], is: fn(Seen) -> bool| {
            let columns = fitted.categorical.iter().zip(sources);
            let columns = columns.zip(tallies.iter().zip(&self.missing_labels));
            let found = columns.filter(|(_, (tally, _))| tally.count > 0);
            let found = found.map(|((column, source), (tally, missing))| {
                let at = (0..rows).map(|i| chosen.map_or(i, |chosen| chosen[i]));
                LabelCells {
                    column: column.name.clone(),
                    count: tally.count,
                    labelled: rows as u64 - missing.count,
                    row: tally.first,
                    label: source.label(tally.first).into(),
                    labels: source.first_labels(at, is, NAMED + 1),
                    trained: column.labels.iter().take(NAMED + 1).cloned().collect(),
                }
            });
            found.collect()
        };
        TransformReport {
            rows,
            missing: numbers.chain(labels).collect(),
            matched: cells(&self.matched, |seen| matches!(seen, Seen::Matched(_))),
            unknown: cells(&self.unknown, |seen| seen == Seen::Unknown),
        }
    }
}
