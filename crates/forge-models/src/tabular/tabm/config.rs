//! Sizes of TabM.

use burn::tensor::Device;
use forge_nn::num_embeddings::{Binning, NumEmbeddings, PiecewiseLinearEmbeddingsConfig};
use forge_nn::regularisation::DropoutConfig;
use forge_nn::{ForgeError, GroupedLinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{StartScaling, TabM, TabMActivation, TabMArch, TabMLayer, adapter};
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::tabular::numbers::Numbers;
use crate::{
    Capabilities, ParameterCount, Preset, Shrink, Strategy, TabularConfig, TabularSpec,
    TrainingPreset, TrainingRows,
};

/// Bins of the presets: where the target changes, down to a few rows. Quantiles of the whole column see
/// little of one that is mostly zero, as gains and losses are (docs/models/choosing.md).
const BINNING: Binning = Binning::Tree {
    n_bins: 48,
    min_samples_leaf: 8,
    min_impurity_decrease: 1e-6,
};

/// Makes a [`TabM`].
///
/// The default is the package's without embeddings: `tabm`, 32 members, 3 blocks, 512 wide, dropout
/// 0.1. The features have to be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TabMConfig {
    /// Number of numeric features; at least one feature of either kind.
    pub n_num_features: usize,
    /// Number of codes of each categorical feature, each at least 1.
    pub cat_cardinalities: Vec<usize>,
    /// Width of the output of each member, at least 1.
    pub d_out: usize,
    /// How numbers become vectors before the first layer; absent: they stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_embeddings: Option<NumEmbeddings>,
    /// Number of blocks, at least 1. The authors take one less where numbers are embedded.
    pub n_blocks: usize,
    /// Width of every block, at least 1.
    pub d_block: usize,
    /// Dropout after every block, in `[0, 1)`; each member has its own.
    pub dropout: f64,
    /// What follows a hidden layer.
    pub activation: TabMActivation,
    /// Number of members `K`, at least 1.
    pub k: usize,
    /// What the members share.
    pub arch_type: TabMArch,
    /// How the factors on the inputs start; of fresh models only. Null: normal where numbers are
    /// embedded, random signs elsewhere, as the authors do. Always null for `tabm-packed`, which
    /// has no factors.
    pub start_scaling_init: Option<StartScaling>,
}

impl Default for TabMConfig {
    fn default() -> Self {
        Self {
            n_num_features: 0,
            cat_cardinalities: vec![],
            d_out: 1,
            num_embeddings: None,
            n_blocks: 3,
            d_block: 512,
            dropout: 0.1,
            activation: TabMActivation::ReLU,
            k: 32,
            arch_type: TabMArch::TabM,
            start_scaling_init: None,
        }
    }
}

impl TabMConfig {
    fn numbers(&self) -> Numbers<'_> {
        Numbers {
            n_features: self.n_num_features,
            embeddings: &self.num_embeddings,
        }
    }

    /// Width of the input: numbers or their embeddings, and a column per category.
    fn d_in(&self) -> usize {
        self.numbers().width() + self.cat_cardinalities.iter().sum::<usize>()
    }

    /// Factors on the input.
    fn first_factors(&self, device: &Device) -> burn::module::Param<burn::tensor::Tensor<2>> {
        let start = self
            .start_scaling_init
            .unwrap_or(match self.num_embeddings {
                Some(_) => StartScaling::Normal,
                None => StartScaling::RandomSigns,
            });
        let mut widths = self.numbers().widths();
        widths.extend(&self.cat_cardinalities);
        adapter::first(self.k, &widths, start, device)
    }

    /// Input width of block `i`.
    fn d_before(&self, i: usize) -> usize {
        match i {
            0 => self.d_in(),
            _ => self.d_block,
        }
    }
}

impl ModuleConfig for TabMConfig {
    type Module = TabM;

    fn validate(&self) -> Result<(), ForgeError> {
        let columns = ..=*limits::COLUMNS.end();
        check::in_range("n_num_features", self.n_num_features, columns)?;
        for (j, &cardinality) in self.cat_cardinalities.iter().enumerate() {
            let field = format!("cat_cardinalities[{j}]");
            check::in_range(&field, cardinality, limits::COLUMNS)?;
        }
        if self.n_num_features == 0 && self.cat_cardinalities.is_empty() {
            let allowed = "at least 1 where cat_cardinalities is empty";
            return Err(ForgeError::config("n_num_features", 0, allowed));
        }
        check::in_range("d_out", self.d_out, limits::COLUMNS)?;
        check::in_range("n_blocks", self.n_blocks, limits::BLOCKS)?;
        check::in_range("d_block", self.d_block, limits::WIDTH)?;
        check::probability("dropout", self.dropout)?;
        check::in_range("k", self.k, limits::MEMBERS)?;
        if self.arch_type == TabMArch::Packed && self.start_scaling_init.is_some() {
            let allowed = "null where arch_type is tabm-packed, which has no factors";
            return Err(ForgeError::config("start_scaling_init", "set", allowed));
        }
        self.numbers().validate()
    }

    fn build(&self, device: &Device) -> TabM {
        let block = |i| {
            let mut layer = TabMLayer::new(
                self.arch_type,
                self.k,
                self.d_before(i),
                self.d_block,
                device,
            );
            if let (0, TabMLayer::Scaled(linear)) = (i, &mut layer) {
                linear.r = self.first_factors(device);
            }
            layer
        };
        TabM {
            num_embeddings: self.numbers().embedder(device),
            affine: (self.arch_type == TabMArch::Mini).then(|| self.first_factors(device)),
            blocks: (0..self.n_blocks).map(block).collect(),
            dropout: DropoutConfig::new(self.dropout).build(device),
            output: GroupedLinearConfig::new(self.k, self.d_block, self.d_out).build(device),
            arch: self.arch_type,
            activation: self.activation,
            n_num_features: self.n_num_features,
            cat_cardinalities: self.cat_cardinalities.clone(),
        }
    }
}

impl TabularConfig for TabMConfig {
    const NAME: &'static str = "tabm";
    const CAPABILITIES: Capabilities = Capabilities {
        categorical: true,
        ..Capabilities::NONE
    };

    fn spec(&self) -> TabularSpec {
        TabularSpec {
            n_num_features: self.n_num_features,
            cat_cardinalities: self.cat_cardinalities.clone(),
            d_out: self.d_out,
        }
    }

    fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError> {
        Ok(Self {
            n_num_features: table.n_num_features,
            cat_cardinalities: table.cat_cardinalities.clone(),
            d_out: table.d_out,
            ..self
        })
    }

    fn fitted_to(self, rows: &TrainingRows<'_>) -> Result<Self, ForgeError> {
        Ok(Self {
            num_embeddings: self.numbers().fitted_to(rows)?,
            ..self
        })
    }

    fn smaller(self, by: Shrink) -> Self {
        Self {
            n_blocks: by.depth(self.n_blocks),
            d_block: by.width(self.d_block),
            num_embeddings: self.numbers().smaller(by),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            n_blocks: 2,
            d_block: 16,
            k: 3,
            start_scaling_init: Some(StartScaling::RandomSigns),
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let of = |arch_type, k, d_block, d_embedding| {
            let embeddings = PiecewiseLinearEmbeddingsConfig::new()
                .with_d_embedding(Some(d_embedding))
                .with_binning(BINNING);
            Self {
                num_embeddings: Some(NumEmbeddings::PiecewiseLinear(embeddings)),
                n_blocks: 2,
                d_block,
                k,
                arch_type,
                ..Self::default()
            }
        };
        // Smaller networks want higher rates, in the authors' range (1e-4 to 5e-3) or above it.
        let smaller = "decay and optimizer: tabm 0.0.3; sizes, bins and rate: this library's";
        let (config, learning_rate, source) = match strategy {
            Strategy::Fast => (of(TabMArch::Mini, 8, 64, 8), 8e-3, smaller),
            Strategy::Balanced => (of(TabMArch::Mini, 16, 192, 12), 4e-3, smaller),
            Strategy::Accurate => (
                of(TabMArch::TabM, 32, 512, 16),
                2e-3,
                "tabm 0.0.3: its defaults, its optimizer, and the piecewise-linear embeddings of \
                 its example; bins: this library's",
            ),
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate,
                weight_decay: 3e-4,
                batch_size: None,
                steps: 1.0,
                source,
            },
        }
    }
}

impl ParameterCount for TabMConfig {
    fn parameter_count(&self) -> usize {
        // Members times columns times width can be more than a usize holds.
        let [k, d, d_in, d_out] =
            [self.k, self.d_block, self.d_in(), self.d_out].map(|n| n as u128);
        let layer = |from: u128| match self.arch_type {
            TabMArch::TabM => from * d + k * (from + 2 * d),
            TabMArch::Mini => (from + 1) * d,
            TabMArch::Packed => k * (from + 1) * d,
        };
        let affine = match self.arch_type {
            TabMArch::Mini => k * d_in,
            _ => 0,
        };
        let layers = layer(d_in) + (self.n_blocks as u128 - 1) * layer(d);
        let all = self.numbers().parameter_count() as u128 + affine + layers + k * (d + 1) * d_out;
        usize::try_from(all).unwrap_or(usize::MAX)
    }
}

impl ReferenceWeights for TabMConfig {
    const REFERENCE: &'static str = "tabm==0.0.3:TabM";

    fn key_map(&self) -> KeyMap {
        let map = self
            .numbers()
            .key_map(KeyMap::new(), "num_module")
            .same("output.weight", "output.weight")
            .same("output.bias", "output.bias");
        let map = match self.arch_type {
            TabMArch::Mini => map.same("affine", "backbone.affine.weight"),
            _ => map,
        };
        (0..self.n_blocks).fold(map, |map, i| {
            let (ours, theirs) = (format!("blocks.{i}"), format!("backbone.blocks.{i}.0"));
            match self.arch_type {
                TabMArch::Mini => map.linear(&ours, &theirs),
                TabMArch::Packed => map.norm(&ours, &theirs),
                TabMArch::TabM => ["r", "s", "bias"].iter().fold(
                    map.transposed(&format!("{ours}.weight"), &format!("{theirs}.weight")),
                    |map, part| map.same(&format!("{ours}.{part}"), &format!("{theirs}.{part}")),
                ),
            }
        })
    }
}
