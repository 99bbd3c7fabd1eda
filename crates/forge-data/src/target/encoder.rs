//! Whatever a table asks to predict.

use super::{ClassTarget, EncodedTargets, NumericTargets, TaskKind, infer_task};
use crate::{ColumnRole, DataError, Table};

/// The fitted targets of a model: numbers in one or several slots, or one column of classes.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetEncoder {
    /// Regression: one slot per column.
    Numeric(NumericTargets),
    /// Classification: one slot, the class number.
    Classes(ClassTarget),
}

impl TargetEncoder {
    /// Learns what [`infer_task`] takes the column for; several columns are numbers.
    ///
    /// # Errors
    /// As [`infer_task`] and [`fit_as`](Self::fit_as).
    pub fn fit<S: AsRef<str>>(
        table: &Table,
        names: &[S],
        train_rows: &[usize],
    ) -> Result<Self, DataError> {
        match names {
            [name] => {
                let task = infer_task(table, name.as_ref(), train_rows)?;
                Self::fit_as(task.kind, table, names, train_rows)
            }
            _ => Self::fit_as(TaskKind::Regression, table, names, train_rows),
        }
    }

    /// Learns numbers or classes, as the caller has decided. How many classes `task` names does
    /// not matter: the training rows say.
    ///
    /// # Errors
    /// As [`NumericTargets::fit`] and [`ClassTarget::fit`]; a config error for several columns of
    /// classes.
    pub fn fit_as<S: AsRef<str>>(
        task: TaskKind,
        table: &Table,
        names: &[S],
        train_rows: &[usize],
    ) -> Result<Self, DataError> {
        match (task, names) {
            (TaskKind::Regression, _) => {
                NumericTargets::fit(table, names, train_rows).map(Self::Numeric)
            }
            (_, [name]) => ClassTarget::fit(table, name.as_ref(), train_rows).map(Self::Classes),
            _ => Err(DataError::config(format!(
                "{} targets for classification: exactly one column of classes is allowed; train \
                 one classifier per column",
                names.len()
            ))),
        }
    }

    /// `S`, the number of target columns.
    #[must_use]
    pub fn slots(&self) -> usize {
        match self {
            Self::Numeric(targets) => targets.columns().len(),
            Self::Classes(_) => 1,
        }
    }

    /// The target columns in the order of the slots.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Numeric(targets) => targets.columns().iter().map(|c| c.name()).collect(),
            Self::Classes(target) => vec![target.name()],
        }
    }

    /// What the targets turned out to be.
    #[must_use]
    pub fn task(&self) -> TaskKind {
        match self {
            Self::Numeric(_) => TaskKind::Regression,
            Self::Classes(target) => TaskKind::of_classes(target.n_classes()),
        }
    }

    /// The classes, if it is a column of classes.
    #[must_use]
    pub fn classes(&self) -> Option<&ClassTarget> {
        match self {
            Self::Numeric(_) => None,
            Self::Classes(target) => Some(target),
        }
    }

    /// The numeric columns, if it is these.
    #[must_use]
    pub fn numeric(&self) -> Option<&NumericTargets> {
        match self {
            Self::Numeric(targets) => Some(targets),
            Self::Classes(_) => None,
        }
    }

    /// What one unit of a model's output is in the unit of each slot's column; 1 for classes.
    ///
    /// # Shapes
    /// - output: `[S]`
    #[must_use]
    pub fn scale(&self) -> Vec<f64> {
        match self {
            Self::Numeric(targets) => targets.columns().iter().map(|c| c.scale()).collect(),
            Self::Classes(_) => vec![1.0],
        }
    }

    /// What a file's target columns must be read as, so that they mean what they did in training.
    #[must_use]
    pub fn roles(&self) -> Vec<(String, ColumnRole)> {
        let role = match self {
            Self::Numeric(_) => ColumnRole::Numeric,
            Self::Classes(target) => target.role(),
        };
        let names = self.names().into_iter();
        names.map(|name| (name.to_string(), role.clone())).collect()
    }

    /// The targets of `rows` (0-based), or of every row.
    ///
    /// # Errors
    /// As [`NumericTargets::encode`] and [`ClassTarget::encode`].
    pub fn encode(
        &self,
        table: &Table,
        rows: Option<&[usize]>,
    ) -> Result<EncodedTargets, DataError> {
        match self {
            Self::Numeric(targets) => targets.encode(table, rows),
            Self::Classes(target) => target.encode(table, rows),
        }
    }

    /// Encoded values `[N, S]` (row-major) in the columns' own units; class numbers stay.
    ///
    /// # Errors
    /// A schema error if the values do not fill rows of `S`.
    pub fn inverse(&self, values: &[f32]) -> Result<Vec<f64>, DataError> {
        match self {
            Self::Numeric(targets) => targets.inverse(values),
            Self::Classes(_) => Ok(values.iter().map(|v| f64::from(*v)).collect()),
        }
    }
}
