//! The recipe of a TabNet.

use burn::tensor::Device;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::feature_transformer::Stack;
use super::{MaskType, TabNet};
use crate::limits;
use crate::{
    Capabilities, ParameterCount, Preset, Shrink, Strategy, TabularConfig, TabularSpec,
    TrainingPreset,
};

/// The package's weight of the sparsity penalty.
const LAMBDA_SPARSE: f64 = 1e-3;

/// Makes a [`TabNet`].
///
/// The default is the package's (`pytorch-tabnet` 4.1.0). The columns have to be set:
/// [`sized_for`](TabularConfig::sized_for) puts categorical columns after numeric ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TabNetConfig {
    /// Number of columns, numeric and categorical, at least 1.
    pub input_dim: usize,
    /// Width of the output, at least 1.
    pub output_dim: usize,
    /// Width of a step's decision, at least 1. Default 8.
    pub n_d: usize,
    /// Width of what a step passes to the next one's attention, at least 1. Default 8.
    pub n_a: usize,
    /// Number of steps, at least 1. Default 3.
    pub n_steps: usize,
    /// How often a column may be used: with 1 in one step only, the larger the more freely; in
    /// `1..=100`. Default 1.3.
    pub gamma: f64,
    /// Positions of the categorical columns among all, ascending.
    pub cat_idxs: Vec<usize>,
    /// Number of codes of each categorical column, each at least 1.
    pub cat_dims: Vec<usize>,
    /// Width of the embedding of each categorical column, each at least 1; 1 where a table is
    /// sized for.
    pub cat_emb_dim: Vec<usize>,
    /// Layers of a feature transformer that are its own. Default 2.
    pub n_independent: usize,
    /// Layers of a feature transformer that all share; one layer of either kind at least.
    /// Default 2.
    pub n_shared: usize,
    /// Added to a mask inside the logarithm of its entropy, in `1e-30..=1`. Default 1e-15.
    pub epsilon: f64,
    /// Rows per part of a batch that is normalised by itself, at least 2. Default 128.
    pub virtual_batch_size: usize,
    /// Weight of the newest part in the running statistics, in `0..=1`. Default 0.02.
    pub momentum: f64,
    /// How scores become a mask. Default sparsemax.
    pub mask_type: MaskType,
    /// Factor of the masks' entropy in the [penalty](forge_nn::Forward::penalty), at least 0 (no
    /// penalty). Default 1e-3.
    #[serde(skip_serializing_if = "is_default_lambda")]
    pub lambda_sparse: f64,
}

impl Default for TabNetConfig {
    fn default() -> Self {
        Self {
            input_dim: 0,
            output_dim: 1,
            n_d: 8,
            n_a: 8,
            n_steps: 3,
            gamma: 1.3,
            cat_idxs: vec![],
            cat_dims: vec![],
            cat_emb_dim: vec![],
            n_independent: 2,
            n_shared: 2,
            epsilon: 1e-15,
            virtual_batch_size: 128,
            momentum: 0.02,
            mask_type: MaskType::Sparsemax,
            lambda_sparse: LAMBDA_SPARSE,
        }
    }
}

/// The reference's network has no such field: what states it in full leaves it out.
fn is_default_lambda(lambda: &f64) -> bool {
    *lambda == LAMBDA_SPARSE
}

impl TabNetConfig {
    /// Number of numeric columns.
    #[must_use]
    pub fn n_num_features(&self) -> usize {
        self.input_dim.saturating_sub(self.cat_dims.len())
    }

    /// Number of numbers that the columns become.
    pub(super) fn embedded_width(&self) -> usize {
        let embedded = self.cat_emb_dim.iter();
        embedded.fold(self.n_num_features(), |sum, width| {
            sum.saturating_add(*width)
        })
    }

    /// For each column in order, which categorical one it is, or none if it is numeric.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Option<usize>> {
        let mut categorical = self.cat_idxs.iter().enumerate().peekable();
        (0..self.input_dim).map(move |column| {
            let (k, _) = categorical.next_if(|(_, position)| **position == column)?;
            Some(k)
        })
    }

    pub(super) fn encoder_stack(&self) -> Stack<'_> {
        Stack {
            config: self,
            d_in: self.embedded_width(),
            d_out: self.n_d + self.n_a,
            n_shared: self.n_shared,
            n_own: self.n_independent,
        }
    }

    /// Number of parameters of the encoder.
    pub(super) fn encoder_parameter_count(&self) -> usize {
        let tables = self.cat_dims.iter().zip(&self.cat_emb_dim);
        let tables: usize = tables.map(|(codes, width)| codes * width).sum();
        let attention = self.n_steps * (self.n_a + 2) * self.input_dim;
        let stack = self.encoder_stack().parameter_count(self.n_steps + 1);
        tables + 2 * self.embedded_width() + stack + attention
    }

    fn check_columns(&self) -> Result<(), ForgeError> {
        let n_cat = self.cat_idxs.len();
        for (field, length) in [
            ("cat_dims", self.cat_dims.len()),
            ("cat_emb_dim", self.cat_emb_dim.len()),
        ] {
            if length != n_cat {
                let what = format!("of {n_cat} values, one per position in cat_idxs");
                return Err(ForgeError::config(
                    field,
                    format!("of {length} values"),
                    what,
                ));
            }
        }
        let positions = self.cat_idxs.iter();
        let ascending = self.cat_idxs.is_sorted_by(|a, b| a < b);
        if !ascending || positions.clone().any(|at| *at >= self.input_dim) {
            let allowed = format!("ascending positions below input_dim = {}", self.input_dim);
            let found = format!("{:?}", self.cat_idxs);
            return Err(ForgeError::config("cat_idxs", found, allowed));
        }
        for (k, (&codes, &width)) in self.cat_dims.iter().zip(&self.cat_emb_dim).enumerate() {
            check::in_range(&format!("cat_dims[{k}]"), codes, limits::COLUMNS)?;
            check::in_range(&format!("cat_emb_dim[{k}]"), width, limits::WIDTH)?;
        }
        let all = "input_dim with the widths in cat_emb_dim";
        check::in_range(all, self.embedded_width(), limits::COLUMNS)
    }
}

impl ModuleConfig for TabNetConfig {
    type Module = TabNet;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("input_dim", self.input_dim, limits::COLUMNS)?;
        check::in_range("output_dim", self.output_dim, limits::COLUMNS)?;
        self.check_columns()?;
        check::in_range("n_d", self.n_d, limits::WIDTH)?;
        check::in_range("n_a", self.n_a, limits::WIDTH)?;
        check::in_range("n_steps", self.n_steps, limits::BLOCKS)?;
        check::in_range("gamma", self.gamma, 1.0..=100.0)?;
        check::in_range(
            "n_independent",
            self.n_independent,
            0..=*limits::BLOCKS.end(),
        )?;
        check::in_range("n_shared", self.n_shared, 0..=*limits::BLOCKS.end())?;
        check::at_least_one(
            "n_independent + n_shared",
            self.n_independent + self.n_shared,
        )?;
        check::in_range("epsilon", self.epsilon, 1e-30..=1.0)?;
        check::in_range(
            "virtual_batch_size",
            self.virtual_batch_size,
            2..=*limits::COLUMNS.end(),
        )?;
        check::in_range("momentum", self.momentum, 0.0..=1.0)?;
        check::in_range("lambda_sparse", self.lambda_sparse, 0.0..=f64::MAX)
    }

    fn build(&self, device: &Device) -> TabNet {
        TabNet::new(self, device)
    }
}

impl TabularConfig for TabNetConfig {
    const NAME: &'static str = "tabnet";
    const CAPABILITIES: Capabilities = Capabilities {
        categorical: true,
        feature_masks: true,
        penalty: true,
        batch_statistics: true,
        ..Capabilities::NONE
    };

    fn spec(&self) -> TabularSpec {
        TabularSpec {
            n_num_features: self.n_num_features(),
            cat_cardinalities: self.cat_dims.clone(),
            d_out: self.output_dim,
        }
    }

    fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError> {
        let (n_num, n_cat) = (table.n_num_features, table.cat_cardinalities.len());
        // Widths that were set for as many categorical columns stay.
        let cat_emb_dim = match self.cat_emb_dim.len() == n_cat {
            true => self.cat_emb_dim,
            false => vec![1; n_cat],
        };
        Ok(Self {
            input_dim: n_num + n_cat,
            output_dim: table.d_out,
            cat_idxs: (n_num..n_num + n_cat).collect(),
            cat_dims: table.cat_cardinalities.clone(),
            cat_emb_dim,
            ..self
        })
    }

    fn smaller(self, by: Shrink) -> Self {
        Self {
            n_d: by.width(self.n_d),
            n_a: by.width(self.n_a),
            n_steps: by.depth(self.n_steps),
            cat_emb_dim: self.cat_emb_dim.iter().map(|w| by.width(*w)).collect(),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            n_steps: 2,
            n_independent: 1,
            n_shared: 2,
            cat_emb_dim: vec![2, 3],
            virtual_batch_size: 64,
            momentum: 0.3,
            lambda_sparse: 1e-4,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let (config, source) = match strategy {
            Strategy::Fast => (
                Self::default(),
                "defaults of pytorch-tabnet 4.1.0 (architecture, learning rate, batch)",
            ),
            Strategy::Balanced => (
                Self {
                    n_d: 24,
                    n_a: 24,
                    n_steps: 4,
                    ..Self::default()
                },
                "size: this library's, between the other two; training: defaults of pytorch-tabnet \
                 4.1.0",
            ),
            Strategy::Accurate => (
                Self {
                    n_d: 64,
                    n_a: 64,
                    n_steps: 5,
                    gamma: 1.5,
                    lambda_sparse: 1e-4,
                    ..Self::default()
                },
                "size, gamma and lambda: the paper's for Forest Cover Type (arXiv 1908.07442 v5); \
                 training: defaults of pytorch-tabnet 4.1.0",
            ),
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate: 2e-2,
                weight_decay: 0.0,
                batch_size: Some(1024),
                steps: 1.0,
                source,
            },
        }
    }
}

impl ParameterCount for TabNetConfig {
    fn parameter_count(&self) -> usize {
        self.encoder_parameter_count() + self.n_d * self.output_dim
    }
}
