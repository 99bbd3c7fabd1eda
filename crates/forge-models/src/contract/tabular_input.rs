//! What goes into a model of table rows.

use std::ops::Range;

use burn::tensor::{Bool, Int, Tensor};
use forge_nn::ForgeError;

use super::{Capabilities, Labels, RowContext, TabularSpec};

/// Some rows of a table, preprocessed.
#[derive(Debug, Clone, Default)]
pub struct TabularRows {
    /// Numeric features `[B, F_num]`; absent when the table has none.
    pub x_num: Option<Tensor<2>>,
    /// Category codes `[B, F_cat]`, column `j` in `0..cardinality[j]`; absent when there are none.
    pub x_cat: Option<Tensor<2, Int>>,
    /// `[B, F_num]`, true where a numeric value is present. Only for models that declare
    /// [`Capabilities::missing`].
    pub num_present: Option<Tensor<2, Bool>>,
    /// `[B, F_cat]`, true where a category is present. Only for models that declare
    /// [`Capabilities::missing`].
    pub cat_present: Option<Tensor<2, Bool>>,
}

/// Rows that the rows of a batch may look at.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Their features.
    pub rows: TabularRows,
    /// Their targets `[R, S]` in the model's scale, class numbers as floats. Given to models of
    /// [`RowContext::Labelled`] and to no others.
    pub target: Option<Tensor<2>>,
    /// What [`encode_context`](crate::TabularModel::encode_context) made of them, for the model
    /// that made it and its weights as they were; empty: nothing yet.
    pub encoded: Vec<Tensor<2>>,
}

impl Context {
    /// Rows without targets.
    #[must_use]
    pub fn unlabelled(rows: TabularRows) -> Self {
        Self {
            rows,
            ..Self::default()
        }
    }

    /// Rows with their targets `[R, S]`.
    #[must_use]
    pub fn labelled(rows: TabularRows, target: Tensor<2>) -> Self {
        Self {
            rows,
            target: Some(target),
            ..Self::default()
        }
    }
}

/// One batch of table rows, and what they may look at.
#[derive(Debug, Clone, Default)]
pub struct TabularInput {
    /// The rows to predict.
    pub rows: TabularRows,
    /// Rows to look at; see [`RowContext`].
    pub context: Option<Context>,
    /// Targets `[B, S]` of the rows themselves, as those of the context: given in training alone,
    /// to models whose [`TrainingContext`](crate::TrainingContext) is the other rows. Each row then
    /// looks at the context and at the other rows of the batch, never at itself; the context may be
    /// absent.
    pub target: Option<Tensor<2>>,
}

impl From<TabularRows> for TabularInput {
    fn from(rows: TabularRows) -> Self {
        Self {
            rows,
            ..Self::default()
        }
    }
}

impl TabularInput {
    /// Rows `[B, F]` of numeric features and nothing else.
    #[must_use]
    pub fn numeric(x_num: Tensor<2>) -> Self {
        TabularRows {
            x_num: Some(x_num),
            ..TabularRows::default()
        }
        .into()
    }

    /// These rows with `context` to look at.
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = Some(context);
        self
    }

    /// These rows with targets of their own, for training.
    #[must_use]
    pub fn with_target(mut self, target: Tensor<2>) -> Self {
        self.target = Some(target);
        self
    }

    /// Number of numeric columns of the rows to predict.
    pub(crate) fn n_numeric(&self) -> usize {
        self.rows.x_num.as_ref().map_or(0, |x| x.dims()[1])
    }

    /// Checks kinds, widths and row counts against what `model` was sized for and declares. Reads
    /// nothing back from the device.
    ///
    /// # Errors
    /// An unsupported error for a kind of input that is not declared or a context that is missing, a
    /// shape error with both shapes for one that does not fit.
    pub fn check(
        &self,
        model: &str,
        spec: &TabularSpec,
        capabilities: Capabilities,
    ) -> Result<(), ForgeError> {
        self.rows.check("", model, spec, capabilities)?;
        let refuse = |what: &str| Err(ForgeError::unsupported(format!("{model} {what}")));
        self.check_target(model, capabilities)?;
        match (&self.context, capabilities.rows) {
            (None, RowContext::Alone | RowContext::Neighbours) => Ok(()),
            (None, RowContext::Labelled) if self.target.is_some() => Ok(()),
            (None, RowContext::Labelled) => {
                refuse("predicts from labelled rows: give them as context")
            }
            (Some(_), RowContext::Alone) => refuse("looks at no other rows: give no context"),
            (Some(context), RowContext::Neighbours) => {
                if context.target.is_some() {
                    return refuse("looks at rows without targets: give the context none");
                }
                context.rows.check("context ", model, spec, capabilities)
            }
            (Some(context), RowContext::Labelled) => {
                context.rows.check("context ", model, spec, capabilities)?;
                let Some(target) = &context.target else {
                    return refuse("predicts from labelled rows: the context has no targets");
                };
                let (rows, [targets, slots]) = (context.rows.len(), target.dims());
                if targets == rows && slots > 0 {
                    Ok(())
                } else {
                    let found = format!("[{targets}, {slots}]");
                    Err(ForgeError::shape(
                        "context target",
                        found,
                        format!("[{rows}, S], one row of targets per row"),
                    ))
                }
            }
        }
    }

    /// The targets of the rows themselves: for models of labelled rows, one row of targets each, and
    /// something to look at for every row.
    fn check_target(&self, model: &str, capabilities: Capabilities) -> Result<(), ForgeError> {
        let Some(target) = &self.target else {
            return Ok(());
        };
        if capabilities.rows != RowContext::Labelled {
            let what = "does not look at targets: give the rows none";
            return Err(ForgeError::unsupported(format!("{model} {what}")));
        }
        let (rows, [targets, slots]) = (self.rows.len(), target.dims());
        let context = self.context.as_ref();
        let others = context.map_or(rows.saturating_sub(1), |context| context.rows.len());
        let expected = if targets != rows || slots == 0 {
            format!("[{rows}, S], one row of targets per row")
        } else if others == 0 {
            "at least 2 rows, or a context to look at".to_string()
        } else {
            return Ok(());
        };
        let found = format!("[{targets}, {slots}]");
        Err(ForgeError::shape("target", found, expected))
    }

    /// Checks every target, of the context and of the rows themselves, for what it must be. Reads
    /// them back from the device.
    ///
    /// # Errors
    /// As [`Labels::check_values`].
    pub fn check_labels(&self, labels: Labels) -> Result<(), ForgeError> {
        let context = self.context.as_ref().and_then(|c| c.target.as_ref());
        let named = [
            ("context target", context),
            ("target", self.target.as_ref()),
        ];
        for (name, target) in named {
            if let Some(target) = target {
                labels.check_values(name, target)?;
            }
        }
        Ok(())
    }

    /// Checks that every category code is below its feature's cardinality. Reads the codes back
    /// from the device.
    ///
    /// # Errors
    /// A shape error naming row, column and code; a weights error if the codes cannot be read.
    pub fn check_codes(&self, spec: &TabularSpec) -> Result<(), ForgeError> {
        self.rows.check_codes("", spec)?;
        match &self.context {
            Some(context) => context.rows.check_codes("context ", spec),
            None => Ok(()),
        }
    }

    /// The numeric rows, for models that declare nothing else.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub(crate) fn only_numeric(self, model: &str, spec: &TabularSpec) -> Tensor<2> {
        if let Err(error) = self.check(model, spec, Capabilities::NONE) {
            panic!("{error}");
        }
        match self.rows.x_num {
            Some(x) => x,
            None => panic!("{model} is sized for no features"),
        }
    }
}

impl TabularRows {
    /// Number of rows; 0 where there are no features.
    #[must_use]
    pub fn len(&self) -> usize {
        let numeric = self.x_num.as_ref().map(|x| x.dims()[0]);
        numeric
            .or(self.x_cat.as_ref().map(|x| x.dims()[0]))
            .unwrap_or(0)
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows of a range.
    ///
    /// # Panics
    /// If it ends beyond [`len`](Self::len).
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        let (start, length) = (rows.start, rows.len());
        let masked = |mask: &Tensor<2, Bool>| mask.clone().narrow(0, start, length);
        Self {
            x_num: self
                .x_num
                .as_ref()
                .map(|x| x.clone().narrow(0, start, length)),
            x_cat: self
                .x_cat
                .as_ref()
                .map(|x| x.clone().narrow(0, start, length)),
            num_present: self.num_present.as_ref().map(masked),
            cat_present: self.cat_present.as_ref().map(masked),
        }
    }

    fn check(
        &self,
        part: &str,
        model: &str,
        spec: &TabularSpec,
        capabilities: Capabilities,
    ) -> Result<(), ForgeError> {
        let masks = self.num_present.is_some() || self.cat_present.is_some();
        if self.x_cat.is_some() && !capabilities.categorical {
            let what = "takes numeric features only: one-hot encode the categorical ones";
            return Err(ForgeError::unsupported(format!("{model} {what}")));
        }
        if masks && !capabilities.missing {
            let what = "does not take missing values: impute them";
            return Err(ForgeError::unsupported(format!("{model} {what}")));
        }
        let rows = self.len();
        let fits = |name: &str, found: Option<[usize; 2]>, width: usize, optional: bool| {
            let fits = match found {
                Some(found) => width > 0 && found == [rows, width],
                None => width == 0 || optional,
            };
            let found = found.map_or("absent".to_string(), |found| format!("{found:?}"));
            let expected = match width {
                0 => "absent".to_string(),
                _ => format!("[{rows}, {width}]"),
            };
            if fits {
                Ok(())
            } else {
                Err(ForgeError::shape(format!("{part}{name}"), found, expected))
            }
        };
        let (numeric, categorical) = (spec.n_num_features, spec.cat_cardinalities.len());
        let x_num = self.x_num.as_ref().map(Tensor::dims);
        let x_cat = self.x_cat.as_ref().map(Tensor::dims);
        let num_present = self.num_present.as_ref().map(Tensor::dims);
        let cat_present = self.cat_present.as_ref().map(Tensor::dims);
        fits("x_num", x_num, numeric, false)?;
        fits("x_cat", x_cat, categorical, false)?;
        fits("num_present", num_present, numeric, true)?;
        fits("cat_present", cat_present, categorical, true)
    }

    fn check_codes(&self, part: &str, spec: &TabularSpec) -> Result<(), ForgeError> {
        let Some(codes) = &self.x_cat else {
            return Ok(());
        };
        check_codes(&format!("{part}x_cat"), codes, &spec.cat_cardinalities)
    }
}

/// Checks that every code `[N, C]` of column `j` is in `0..cardinalities[j]`. Reads them back from
/// the device.
pub(crate) fn check_codes(
    name: &str,
    codes: &Tensor<2, Int>,
    cardinalities: &[usize],
) -> Result<(), ForgeError> {
    let codes = codes
        .clone()
        .try_into_vec_as::<i64>()
        .map_err(|e| ForgeError::weights(format!("{name} cannot be read back: {e}")))?;
    let width = cardinalities.len();
    for (at, (&code, &cardinality)) in codes.iter().zip(cardinalities.iter().cycle()).enumerate() {
        if !usize::try_from(code).is_ok_and(|code| code < cardinality) {
            let what = format!("{name}[{}, {}]", at / width, at % width);
            return Err(ForgeError::shape(
                what,
                code,
                format!("in 0..{cardinality}"),
            ));
        }
    }
    Ok(())
}
