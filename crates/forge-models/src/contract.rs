//! What every tabular model is and declares.

use burn::module::Module;
use burn::tensor::{Bool, Int, Tensor};
use forge_nn::{ForgeError, ModuleConfig};

/// One batch of table rows, preprocessed.
#[derive(Debug, Clone, Default)]
pub struct TabularInput {
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

/// What a table looks like to a model: enough to size its config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TabularSpec {
    /// Number of numeric features.
    pub n_num_features: usize,
    /// Number of codes of each categorical feature, unknown bucket included.
    pub cat_cardinalities: Vec<usize>,
    /// Width of the output.
    pub d_out: usize,
}

/// What a model supports. What is declared is tested; what is not is refused with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Takes category codes. Others need one-hot columns.
    pub categorical: bool,
    /// Takes masks of missing values. Others need imputed values.
    pub missing: bool,
    /// Rows of one batch see each other (batch-norm statistics in training do not count).
    pub batch_dependent: bool,
    /// Output at time t depends on times up to t only.
    pub causal: bool,
    /// Can return its attention weights.
    pub attention_maps: bool,
    /// Can return per-feature masks.
    pub feature_masks: bool,
}

impl Capabilities {
    /// Supports none of it.
    pub const NONE: Self = Self {
        categorical: false,
        missing: false,
        batch_dependent: false,
        causal: false,
        attention_maps: false,
        feature_masks: false,
    };
}

impl TabularInput {
    /// Rows `[B, F]` of numeric features and nothing else.
    #[must_use]
    pub fn numeric(x_num: Tensor<2>) -> Self {
        Self {
            x_num: Some(x_num),
            ..Self::default()
        }
    }

    /// Number of rows; 0 where there are no features.
    #[must_use]
    pub fn rows(&self) -> usize {
        let numeric = self.x_num.as_ref().map(|x| x.dims()[0]);
        numeric
            .or(self.x_cat.as_ref().map(|x| x.dims()[0]))
            .unwrap_or(0)
    }

    /// Checks kinds, widths and row counts against what `model` was sized for and declares. Reads
    /// nothing back from the device.
    ///
    /// # Errors
    /// An unsupported error for a kind of input that is not declared, a shape error with both
    /// shapes for one that does not fit.
    pub fn check(
        &self,
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
        let rows = self.rows();
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
                Err(ForgeError::shape(name, found, expected))
            }
        };
        let (numeric, categorical) = (spec.n_num_features, spec.cat_cardinalities.len());
        fits(
            "x_num",
            self.x_num.as_ref().map(Tensor::dims),
            numeric,
            false,
        )?;
        fits(
            "x_cat",
            self.x_cat.as_ref().map(Tensor::dims),
            categorical,
            false,
        )?;
        fits(
            "num_present",
            self.num_present.as_ref().map(Tensor::dims),
            numeric,
            true,
        )?;
        fits(
            "cat_present",
            self.cat_present.as_ref().map(Tensor::dims),
            categorical,
            true,
        )
    }

    /// The numeric rows, for models that declare nothing else.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub(crate) fn only_numeric(self, model: &str, spec: &TabularSpec) -> Tensor<2> {
        if let Err(error) = self.check(model, spec, Capabilities::NONE) {
            panic!("{error}");
        }
        match self.x_num {
            Some(x) => x,
            None => panic!("{model} is sized for no features"),
        }
    }

    /// Checks that every category code is below its feature's cardinality. Reads the codes back
    /// from the device.
    ///
    /// # Errors
    /// A shape error naming row, column and code; a weights error if the codes cannot be read.
    pub fn check_codes(&self, spec: &TabularSpec) -> Result<(), ForgeError> {
        let Some(codes) = &self.x_cat else {
            return Ok(());
        };
        let codes = codes
            .clone()
            .try_into_vec_as::<i64>()
            .map_err(|e| ForgeError::weights(format!("x_cat cannot be read back: {e}")))?;
        let cardinalities = spec.cat_cardinalities.iter().cycle();
        let width = spec.cat_cardinalities.len();
        for (at, (&code, &cardinality)) in codes.iter().zip(cardinalities).enumerate() {
            if !usize::try_from(code).is_ok_and(|code| code < cardinality) {
                let what = format!("x_cat[{}, {}]", at / width, at % width);
                return Err(ForgeError::shape(
                    what,
                    code,
                    format!("in 0..{cardinality}"),
                ));
            }
        }
        Ok(())
    }
}

/// A model from table rows to predictions.
pub trait TabularModel: Module {
    /// Its name in the registry.
    const NAME: &'static str;

    /// What it supports.
    const CAPABILITIES: Capabilities;

    /// The table that it is sized for.
    fn spec(&self) -> TabularSpec;

    /// Predictions (regression values or logits) for a batch.
    ///
    /// # Shapes
    /// - output: `[B, D_out]`
    ///
    /// # Panics
    /// If the input fails [`TabularInput::check`]; the message has both shapes. The range of the
    /// category codes is not checked, since that waits for the device.
    fn forward(&self, input: TabularInput) -> Tensor<2>;

    /// [`forward`](Self::forward) for input from outside: checks everything, the codes included.
    ///
    /// # Errors
    /// What [`TabularInput::check`] and [`TabularInput::check_codes`] find.
    fn try_forward(&self, input: TabularInput) -> Result<Tensor<2>, ForgeError> {
        let spec = self.spec();
        input.check(Self::NAME, &spec, Self::CAPABILITIES)?;
        input.check_codes(&spec)?;
        Ok(self.forward(input))
    }
}

/// The config of a tabular model.
pub trait TabularConfig: ModuleConfig<Module: TabularModel> + Default {
    /// The table that the config is sized for.
    fn spec(&self) -> TabularSpec;

    /// This architecture, sized for another table.
    ///
    /// # Errors
    /// An unsupported error if the table has a kind of feature that the model does not take.
    fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError>;

    /// The default architecture, sized for a table.
    ///
    /// # Errors
    /// As [`sized_for`](Self::sized_for).
    fn for_table(table: &TabularSpec) -> Result<Self, ForgeError> {
        Self::default().sized_for(table)
    }

    /// A narrow instance in which every kind of layer and every dropout is present: for tests and
    /// trial runs.
    fn narrow() -> Self;
}

/// The numeric width of `table`, for models that take nothing else.
pub(crate) fn numeric_only(model: &str, table: &TabularSpec) -> Result<usize, ForgeError> {
    match table.cat_cardinalities.len() {
        0 => Ok(table.n_num_features),
        n => Err(ForgeError::unsupported(format!(
            "{model} takes numeric features only, the table has {n} categorical ones: one-hot \
             encode them"
        ))),
    }
}
