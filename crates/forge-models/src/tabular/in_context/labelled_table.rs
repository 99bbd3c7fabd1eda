//! Labelled rows on the host.

use forge_nn::ForgeError;

use super::moments;

/// What the labels are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::tabular) enum Kind {
    /// So many classes, numbered from 0.
    Classes(usize),
    /// Numbers, standardised by these.
    Numbers { mean: f64, scale: f64 },
}

/// Whether cells may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tabular) enum Cells {
    Whole,
    /// NaN where there is no value.
    MayBeMissing,
}

/// Labelled rows, checked, without the columns that never vary.
#[derive(Debug, Clone)]
pub(in crate::tabular) struct LabelledTable {
    /// Columns of the rows as they come.
    width: usize,
    /// Those that vary.
    kept: Vec<usize>,
    cells: Cells,
    rows: Vec<Vec<f64>>,
    labels: Vec<f64>,
    kind: Kind,
}

impl LabelledTable {
    /// Rows with classes numbered from 0.
    ///
    /// # Errors
    /// A shape error for rows and labels that do not fit each other or are none, a value that is not
    /// finite or a label that is no class number, or columns of which none varies.
    pub(in crate::tabular) fn of_classes<R: AsRef<[f64]>>(
        rows: &[R],
        labels: &[f64],
        cells: Cells,
    ) -> Result<Self, ForgeError> {
        for (row, label) in labels.iter().enumerate() {
            if !(0.0..1e6).contains(label) || label.fract() != 0.0 {
                let what = format!("labels[{row}]");
                return Err(ForgeError::shape(what, label, "a class number from 0"));
            }
        }
        let largest = labels.iter().fold(0.0, |n: f64, label| n.max(*label));
        Self::new(rows, labels, Kind::Classes(largest as usize + 1), cells)
    }

    /// Rows with numbers to predict.
    ///
    /// # Errors
    /// As [`of_classes`](Self::of_classes), but for class numbers; a shape error for labels that are all the
    /// same, whose spread is no unit to predict in.
    pub(in crate::tabular) fn of_numbers<R: AsRef<[f64]>>(
        rows: &[R],
        labels: &[f64],
        cells: Cells,
    ) -> Result<Self, ForgeError> {
        let (mean, scale) = moments(labels.iter().copied(), 0);
        let this = Self::new(rows, labels, Kind::Numbers { mean, scale }, cells)?;
        match varies(labels.iter().copied()) {
            true => Ok(this),
            false => {
                let found = format!("{} for every row", labels[0]);
                let expected = "numbers that vary: what these rows teach is that number";
                Err(ForgeError::shape("labels", found, expected))
            }
        }
    }

    fn new<R: AsRef<[f64]>>(
        rows: &[R],
        labels: &[f64],
        kind: Kind,
        cells: Cells,
    ) -> Result<Self, ForgeError> {
        let width = rows.first().map_or(0, |row| row.as_ref().len());
        if labels.len() != rows.len() || rows.is_empty() {
            let found = format!("[{}]", labels.len());
            let expected = format!("[{}], one per row, of at least one", rows.len());
            return Err(ForgeError::shape("labels", found, expected));
        }
        if !labels.iter().all(|label| label.is_finite()) {
            let found = "NaN or infinity";
            return Err(ForgeError::shape("labels", found, "finite numbers"));
        }
        let rows = checked(rows, width, cells)?;
        // A single row says nothing of what varies.
        let varies = |j: &usize| match rows.len() {
            1 => !rows[0][*j].is_nan(),
            _ => varies(rows.iter().map(|row| row[*j])),
        };
        let kept: Vec<usize> = (0..width).filter(varies).collect();
        if kept.is_empty() {
            let found = format!("[{}, {width}]", rows.len());
            let allowed = "with at least one column that varies";
            return Err(ForgeError::shape("rows", found, allowed));
        }
        let mut this = Self {
            width,
            kept,
            cells,
            rows: vec![],
            labels: labels.to_vec(),
            kind,
        };
        this.rows = rows.iter().map(|row| this.kept_of(row)).collect();
        Ok(this)
    }

    /// Other rows of the same table, without the columns that never vary among the labelled ones.
    ///
    /// # Errors
    /// A shape error for rows of another width or values that are not finite.
    pub(in crate::tabular) fn others<R: AsRef<[f64]>>(
        &self,
        rows: &[R],
    ) -> Result<Vec<Vec<f64>>, ForgeError> {
        let rows = checked(rows, self.width, self.cells)?;
        Ok(rows.iter().map(|row| self.kept_of(row)).collect())
    }

    fn kept_of(&self, row: &[f64]) -> Vec<f64> {
        self.kept.iter().map(|j| row[*j]).collect()
    }

    /// Refuses a network that takes labels for something else or has fewer classes.
    ///
    /// # Errors
    /// An unsupported error.
    pub(in crate::tabular) fn suits(&self, classes: usize) -> Result<(), ForgeError> {
        match self.kind {
            Kind::Classes(n) if classes < n => {
                let what = format!(
                    "{n} classes, the network has {classes}: join rare classes, predict groups of \
                     them and then the class within the group, or train a model on the table"
                );
                Err(ForgeError::unsupported(what))
            }
            Kind::Numbers { .. } if classes > 0 => {
                let what = "the labels are numbers, the network takes them for classes";
                Err(ForgeError::unsupported(what))
            }
            _ => Ok(()),
        }
    }

    /// Refuses more rows or columns than the network is made for.
    ///
    /// # Errors
    /// A shape error with both sizes and the ways out.
    pub(in crate::tabular) fn within(&self, columns: usize, rows: usize) -> Result<(), ForgeError> {
        let way = "take fewer, or a config with a higher";
        let found = self.columns();
        if found > columns {
            let expected = format!("at most {columns} columns that vary: {way} limit of columns");
            return Err(ForgeError::shape(
                "rows",
                format!("{found} columns"),
                expected,
            ));
        }
        let found = self.rows.len();
        if found > rows {
            let expected = format!("at most {rows} labelled rows: {way} row_limit");
            return Err(ForgeError::shape(
                "rows",
                format!("{found} labelled rows"),
                expected,
            ));
        }
        Ok(())
    }

    /// Number of columns that vary, at least 1.
    pub(in crate::tabular) fn columns(&self) -> usize {
        self.kept.len()
    }

    /// One of them in all labelled rows.
    pub(in crate::tabular) fn column(&self, j: usize) -> Vec<f64> {
        self.rows.iter().map(|row| row[j]).collect()
    }

    /// The labelled rows, the columns that vary alone.
    pub(in crate::tabular) fn rows(&self) -> &[Vec<f64>] {
        &self.rows
    }

    pub(in crate::tabular) fn kind(&self) -> Kind {
        self.kind
    }

    /// Number of classes; absent for numbers.
    pub(in crate::tabular) fn classes(&self) -> Option<usize> {
        match self.kind {
            Kind::Classes(classes) => Some(classes),
            Kind::Numbers { .. } => None,
        }
    }

    /// The labels as a member sees them: classes under its names, numbers standardised.
    pub(in crate::tabular) fn labels(&self, names: Option<&[usize]>) -> Vec<f64> {
        let label = |label: &f64| match (self.kind, names) {
            (Kind::Numbers { mean, scale }, _) => (label - mean) / scale,
            (Kind::Classes(_), Some(names)) => names[*label as usize] as f64,
            (Kind::Classes(_), None) => *label,
        };
        self.labels.iter().map(label).collect()
    }
}

/// Whether there are two different values, or some that are missing beside others that are not.
fn varies(values: impl Iterator<Item = f64> + Clone) -> bool {
    let mut present = values.clone().filter(|x| !x.is_nan());
    let Some(first) = present.next() else {
        return false;
    };
    present.any(|x| x != first) || values.clone().any(f64::is_nan)
}

fn checked<R: AsRef<[f64]>>(
    rows: &[R],
    width: usize,
    cells: Cells,
) -> Result<Vec<Vec<f64>>, ForgeError> {
    let (good, allowed): (fn(f64) -> bool, _) = match cells {
        Cells::Whole => (f64::is_finite, "finite: impute missing values"),
        Cells::MayBeMissing => (|x| !x.is_infinite(), "finite, or NaN where it is missing"),
    };
    let rows = rows.iter().enumerate().map(|(i, row)| {
        let row = row.as_ref();
        if row.len() != width {
            let (what, found) = (format!("rows[{i}]"), format!("[{}]", row.len()));
            return Err(ForgeError::shape(what, found, format!("[{width}]")));
        }
        match row.iter().position(|x| !good(*x)) {
            Some(j) => {
                let what = format!("rows[{i}][{j}]");
                Err(ForgeError::shape(what, row[j], allowed))
            }
            None => Ok(row.to_vec()),
        }
    });
    rows.collect()
}
