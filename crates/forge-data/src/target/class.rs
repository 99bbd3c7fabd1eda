//! A column of classes to predict.

use std::collections::{BTreeMap, HashMap};

use super::EncodedTargets;
use super::cells::ClassCells;
use super::labels::{ClassLabels, Near, boolean, fold, near};
use crate::{ColumnRole, DataError, Table};

/// Most classes that a target may have.
pub(super) const MAX_CLASSES: usize = 1000;

/// The largest whole number below which f64 holds every other.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The classes of a target column, as the training rows have them.
///
/// Labels may be whole numbers, booleans or text; [`ClassLabels`] says in which order they are
/// numbered. Of two classes, class 1 is the positive one: `true`, the larger number, the text
/// that sorts last.
///
/// Training and prediction must write labels alike. `1`, `1.0` and the text `"1"` are one label,
/// as are booleans in any case; text that differs in case or blanks is an error that names both
/// spellings.
///
/// # Examples
/// ```
/// use forge_data::{ClassTarget, Column, Table};
/// # fn main() -> Result<(), forge_data::DataError> {
/// let cells = ["yes", "no", "yes", "no"].map(Some);
/// let table = Table::new(vec![Column::categorical("left", cells)])?;
/// let target = ClassTarget::fit(&table, "left", &[0, 1, 2])?;
/// assert_eq!(target.encode(&table, None)?.values, [1.0, 0.0, 1.0, 0.0]);
/// assert_eq!(target.label(1), Some("yes"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassTarget {
    name: String,
    labels: ClassLabels,
    /// `labels` as they are written.
    names: Vec<String>,
    /// Training rows of each class.
    counts: Vec<u64>,
}

impl ClassTarget {
    /// Learns the classes of the rows `train_rows` (0-based) of column `name`.
    ///
    /// # Errors
    /// - schema: the column is not in the table or holds dates
    /// - value: a cell is missing, or a number that is not whole (row and column are named);
    ///   there is no row, one class only, more than 1000 classes, or more than two that are more
    ///   than half the rows, which is an identifier rather than a target
    /// - config: a row is not in the table
    pub fn fit(table: &Table, name: &str, train_rows: &[usize]) -> Result<Self, DataError> {
        let cells = ClassCells::read(table, name, Some(train_rows))?;
        let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
        for (label, count) in cells.labels.iter().zip(cells.counts()) {
            if count > 0 {
                *counted.entry(label).or_default() += count;
            }
        }
        let (labels, counts) = if cells.numeric {
            let mut numbers = Vec::with_capacity(counted.len());
            for (label, count) in &counted {
                let whole = label.parse().ok().and_then(whole);
                let Some(value) = whole else {
                    return Err(not_whole(label, &cells, train_rows, name));
                };
                numbers.push((value, *count));
            }
            numbers.sort_unstable();
            let (labels, counts) = numbers.into_iter().unzip();
            (ClassLabels::Integers(labels), counts)
        } else {
            order_texts(&counted)
        };
        check_number(name, &labels, train_rows.len())?;
        Ok(Self {
            name: name.into(),
            names: labels.names(),
            labels,
            counts,
        })
    }

    /// What [`fit`](Self::fit) learned, from a file: the caller checks counts and labels.
    pub(super) fn from_checked(name: String, labels: ClassLabels, counts: Vec<u64>) -> Self {
        Self {
            name,
            names: labels.names(),
            labels,
            counts,
        }
    }

    /// The column's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of classes, at least 2.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.names.len()
    }

    /// The labels in the order of the classes.
    #[must_use]
    pub fn labels(&self) -> &ClassLabels {
        &self.labels
    }

    /// The labels as they are written, in the order of the classes.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How class `class` is written; `None` if there is no such class.
    #[must_use]
    pub fn label(&self, class: usize) -> Option<&str> {
        self.names.get(class).map(String::as_str)
    }

    /// The positive class of two, which is class 1; `None` with more.
    #[must_use]
    pub fn positive(&self) -> Option<&str> {
        match &self.names[..] {
            [_, positive] => Some(positive),
            _ => None,
        }
    }

    /// How many training rows each class has, each at least 1.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// What a file's column must be read as, so that its labels are those of training.
    #[must_use]
    pub fn role(&self) -> ColumnRole {
        match self.labels {
            ClassLabels::Integers(_) => ColumnRole::Numeric,
            ClassLabels::Booleans | ClassLabels::Text(_) => ColumnRole::Categorical,
        }
    }

    /// Pairs of classes whose labels differ only in case or blanks: perhaps one class written in
    /// two ways.
    #[must_use]
    pub fn look_alikes(&self) -> Vec<(&str, &str)> {
        let mut first: HashMap<String, &str> = HashMap::new();
        let mut pairs = Vec::new();
        for name in &self.names {
            match first.get(&fold(name)) {
                Some(other) => pairs.push((*other, name.as_str())),
                None => {
                    first.insert(fold(name), name);
                }
            }
        }
        pairs
    }

    /// The class numbers of `rows` (0-based), or of every row.
    ///
    /// # Errors
    /// - schema: the column is not in the table or holds dates
    /// - value: a cell is missing, or holds a label that training did not have; row and column
    ///   are named, and the label it was perhaps meant to be
    /// - config: a row is not in the table
    pub fn encode(
        &self,
        table: &Table,
        rows: Option<&[usize]>,
    ) -> Result<EncodedTargets, DataError> {
        let cells = ClassCells::read(table, &self.name, rows)?;
        let classes: Vec<Option<usize>> = cells.labels.iter().map(|l| self.find(l)).collect();
        let class = |(i, code): (usize, &u32)| {
            classes[*code as usize].ok_or_else(|| {
                let row = rows.map_or(i, |rows| rows[i]);
                self.unknown(&cells.labels[*code as usize]).at_index(row)
            })
        };
        let found = cells.codes.iter().enumerate().map(class);
        let found: Vec<usize> = found.collect::<Result<_, _>>()?;
        Ok(EncodedTargets {
            values: found.iter().map(|class| *class as f32).collect(),
            original: found.iter().map(|class| *class as f64).collect(),
            slots: 1,
        })
    }

    /// The class that is written `label`, such as the positive one that a user names.
    ///
    /// # Errors
    /// A value error naming the label it was perhaps meant to be, or the labels there are.
    pub fn class_of(&self, label: &str) -> Result<usize, DataError> {
        let label = super::labels::canonical(label);
        self.find(&label).ok_or_else(|| self.unknown(&label))
    }

    /// The class of a label in canonical spelling.
    fn find(&self, label: &str) -> Option<usize> {
        match &self.labels {
            ClassLabels::Integers(labels) => {
                let value = whole(label.parse().ok()?)?;
                labels.binary_search(&value).ok()
            }
            ClassLabels::Booleans => boolean(label).map(usize::from),
            ClassLabels::Text(labels) => labels.binary_search_by(|l| l.as_str().cmp(label)).ok(),
        }
    }

    fn unknown(&self, label: &str) -> DataError {
        DataError::value(match near(label, &self.names) {
            Some(Near::Spelling(known)) => format!(
                "'{label}' is not a class, but differs from the class '{known}' only in case or \
                 blanks: write it as in training"
            ),
            Some(Near::Type(known)) => format!(
                "'{label}' is not a class, but has the value of the class '{known}' in another \
                 type: read the column as in training"
            ),
            None => format!(
                "'{label}' is not a class of the training rows, which have {}: split by a \
                 stratified rule so that training has every class, or drop these rows",
                self.labels
            ),
        })
        .at_column(&self.name)
    }
}

/// Booleans if every label is one, else text by code point.
pub(super) fn order_texts(counted: &BTreeMap<&str, u64>) -> (ClassLabels, Vec<u64>) {
    let mut by_value = [0, 0];
    for (label, count) in counted {
        match boolean(label) {
            Some(value) => by_value[usize::from(value)] += count,
            None => {
                let labels = counted.keys().map(|l| (*l).to_string()).collect();
                return (
                    ClassLabels::Text(labels),
                    counted.values().copied().collect(),
                );
            }
        }
    }
    if by_value.contains(&0) {
        // One class only (or no row), which the caller refuses by the label as it was written.
        let label = counted.keys().next().map(|l| (*l).to_string());
        return (
            ClassLabels::Text(label.into_iter().collect()),
            counted.values().copied().take(1).collect(),
        );
    }
    (ClassLabels::Booleans, by_value.to_vec())
}

fn check_number(name: &str, labels: &ClassLabels, rows: usize) -> Result<(), DataError> {
    let n = labels.len();
    let message = match n {
        0 => "no training rows: classes are learned from at least two".into(),
        1 => format!(
            "the training rows have one class only, {labels}: a classifier needs at least two; \
             add rows of another class, or learn the column by regression"
        ),
        _ if n > MAX_CLASSES => format!(
            "the training rows have {n} classes; at most {MAX_CLASSES} are allowed: an \
             identifier, or a number for regression?"
        ),
        _ if n > 2 && n > rows / 2 => format!(
            "{n} classes in {rows} training rows are more than half the rows: an identifier, or \
             a number for regression?"
        ),
        _ => return Ok(()),
    };
    Err(DataError::value(message).at_column(name))
}

/// A whole number that f64 holds exactly.
pub(super) fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

fn not_whole(label: &str, cells: &ClassCells, rows: &[usize], name: &str) -> DataError {
    let found = |code: &&u32| cells.labels[**code as usize] == label;
    let at = cells.codes.iter().position(|code| found(&code));
    let error = DataError::value(format!(
        "{label} is no class label: numbers must be whole (within ±2^53); learn the column by \
         regression, or read it as labels (role `categorical`)"
    ))
    .at_column(name);
    match at {
        Some(i) => error.at_index(rows[i]),
        None => error,
    }
}
