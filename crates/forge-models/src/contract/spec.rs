//! What a table looks like to a model.

use forge_nn::ForgeError;

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

impl TabularSpec {
    /// A table of `n` numeric features and no other.
    pub(crate) fn of_numbers(n: usize, d_out: usize) -> Self {
        Self {
            n_num_features: n,
            cat_cardinalities: vec![],
            d_out,
        }
    }
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

/// The methods of a [`TabularConfig`](crate::TabularConfig) with the fields `d_in` and `d_out` that say which
/// table it is for: numbers alone.
macro_rules! takes_numbers {
    () => {
        fn spec(&self) -> $crate::TabularSpec {
            $crate::TabularSpec::of_numbers(self.d_in, self.d_out)
        }

        fn sized_for(self, table: &$crate::TabularSpec) -> Result<Self, ::forge_nn::ForgeError> {
            Ok(Self {
                d_in: $crate::contract::numeric_only(Self::NAME, table)?,
                d_out: table.d_out,
                ..self
            })
        }
    };
}

pub(crate) use takes_numbers;
