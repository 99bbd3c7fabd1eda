//! The recipe of a TabICL.

use burn::tensor::Device;
use forge_nn::position::RotaryLayout;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::block::BlockSize;
use super::{ColumnGroups, SoftmaxScaling, TabIcl, TabIclColumns, TabIclLearner, TabIclRows};
use crate::contract::numeric_only;
use crate::limits;
use crate::tabular::one_target::check_one_label;
use crate::{
    Capabilities, Labels, ParameterCount, Preset, RowContext, Shrink, Strategy, TabularConfig,
    TabularSpec, TrainingPreset,
};

/// What stands between the two linear maps of a block's feed-forward part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TabIclActivation {
    /// The exact (erf) GELU: the released models'.
    Gelu,
    /// `max(x, 0)`.
    Relu,
}

/// Makes a [`TabIcl`].
///
/// The default is the package's (`tabicl` 2.2.0), which is the second version's classifier but for
/// the rotary layout, which every released checkpoint states; [`first_version`](Self::first_version)
/// and [`second_version`](Self::second_version) are the released architectures. The number of
/// columns has to be set; no weight depends on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TabIclConfig {
    /// Number of numeric features, at least 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub n_num_features: usize,
    /// Classes that the labels are taken for, and width of the output; 0: labels are numbers.
    /// Default 10.
    pub max_classes: usize,
    /// Width of the output where `max_classes` is 0, at least 1. Default 999.
    pub num_quantiles: usize,
    /// What labels are where `max_classes` is 0 and they are no numbers: classes beside an output of
    /// another width, one logit for two of them, say. Default absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
    /// Width of a cell's token, a multiple of the heads of columns and rows. Default 128.
    pub embed_dim: usize,
    /// Blocks over columns, at least 1. Default 3.
    pub col_num_blocks: usize,
    /// Their heads, at least 1. Default 8.
    pub col_nhead: usize,
    /// Their inducing vectors, at least 1. Default 128.
    pub col_num_inds: usize,
    /// Cells times what their column makes of them, and not that alone: the first version's. Needs
    /// columns that are read alone or a group of as many columns as the width. Default false.
    pub col_affine: bool,
    /// Which columns are read together. Default `same`.
    pub col_feature_group: ColumnGroups,
    /// How many are, at least 1. Default 3.
    pub col_feature_group_size: usize,
    /// Labels are added to the cells of labelled rows too. Default true.
    pub col_target_aware: bool,
    /// What scales the queries of inducing vectors. Default `qassmax-mlp-elementwise`.
    pub col_ssmax: SoftmaxScaling,
    /// Blocks over rows, at least 1. Default 3.
    pub row_num_blocks: usize,
    /// Their heads, at least 1; each of even width. Default 8.
    pub row_nhead: usize,
    /// Class tokens per row, at least 1. Default 4.
    pub row_num_cls: usize,
    /// Base of the rotary frequencies, above 0. Default 100000.
    pub row_rope_base: f64,
    /// Rotary pairs are neighbours (the first version) and not halves (the second). Default true.
    pub row_rope_interleaved: bool,
    /// Blocks over the data set, at least 1. Default 12.
    pub icl_num_blocks: usize,
    /// Their heads, a divisor of `embed_dim · row_num_cls`. Default 8.
    pub icl_nhead: usize,
    /// What scales their queries. Default `qassmax-mlp-elementwise`.
    pub icl_ssmax: SoftmaxScaling,
    /// Hidden units of the feed-forward parts as a multiple of their width, at least 1. Default 2.
    pub ff_factor: usize,
    /// Dropout on attention weights, inside the feed-forward parts and on what a block adds, in
    /// `[0, 1)`. Default 0.
    pub dropout: f64,
    /// Of the feed-forward parts. Default GELU.
    pub activation: TabIclActivation,
    /// Always true: post-norm is not implemented.
    pub norm_first: bool,
    /// Norms have no shift. Default false.
    pub bias_free_ln: bool,
    /// Fresh models begin with branches that add nothing (the first version's way). Default true.
    pub zero_init: bool,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Default for TabIclConfig {
    fn default() -> Self {
        Self {
            n_num_features: 0,
            max_classes: 10,
            num_quantiles: 999,
            labels: None,
            embed_dim: 128,
            col_num_blocks: 3,
            col_nhead: 8,
            col_num_inds: 128,
            col_affine: false,
            col_feature_group: ColumnGroups::Same,
            col_feature_group_size: 3,
            col_target_aware: true,
            col_ssmax: SoftmaxScaling::QueryAwareElementwise,
            row_num_blocks: 3,
            row_nhead: 8,
            row_num_cls: 4,
            row_rope_base: 100_000.0,
            row_rope_interleaved: true,
            icl_num_blocks: 12,
            icl_nhead: 8,
            icl_ssmax: SoftmaxScaling::QueryAwareElementwise,
            ff_factor: 2,
            dropout: 0.0,
            activation: TabIclActivation::Gelu,
            norm_first: true,
            bias_free_ln: false,
            zero_init: true,
        }
    }
}

impl TabIclConfig {
    /// The architecture of the first version (arXiv 2502.05564).
    #[must_use]
    pub fn first_version() -> Self {
        Self {
            col_nhead: 4,
            col_affine: true,
            col_feature_group: ColumnGroups::Alone,
            col_target_aware: false,
            col_ssmax: SoftmaxScaling::Plain,
            icl_nhead: 4,
            icl_ssmax: SoftmaxScaling::Plain,
            ..Self::default()
        }
    }

    /// The architecture of the second version (arXiv 2602.11139): a classifier of ten classes, or
    /// 999 quantiles with `max_classes: 0`.
    #[must_use]
    pub fn second_version() -> Self {
        Self {
            row_rope_interleaved: false,
            zero_init: false,
            ..Self::default()
        }
    }

    /// Width of the output.
    #[must_use]
    pub fn d_out(&self) -> usize {
        match self.max_classes {
            0 => self.num_quantiles,
            classes => classes,
        }
    }

    /// Columns of a group.
    pub(super) fn group_width(&self) -> usize {
        self.col_feature_group.width(self.col_feature_group_size)
    }

    /// Classes that labels are taken for; 0: numbers.
    pub(super) fn label_classes(&self) -> usize {
        match self.labels {
            Some(Labels::Classes(classes)) => classes,
            Some(Labels::Numbers(_)) => 0,
            None => self.max_classes,
        }
    }

    /// Numbers that a label is.
    pub(super) fn label_width(&self) -> usize {
        self.label_classes().max(1)
    }

    pub(super) fn rotary_layout(&self) -> RotaryLayout {
        match self.row_rope_interleaved {
            true => RotaryLayout::Interleaved,
            false => RotaryLayout::HalfSplit,
        }
    }

    fn block(&self, width: usize, heads: usize, scaling: SoftmaxScaling) -> BlockSize {
        BlockSize {
            width,
            heads,
            hidden: width * self.ff_factor,
            scaling,
            dropout: self.dropout,
            activation: self.activation,
            norm_bias: !self.bias_free_ln,
            zero_init: self.zero_init,
        }
    }

    pub(super) fn column_block(&self) -> BlockSize {
        self.block(self.embed_dim, self.col_nhead, self.col_ssmax)
    }

    pub(super) fn row_block(&self) -> BlockSize {
        self.block(self.embed_dim, self.row_nhead, SoftmaxScaling::Plain)
    }

    pub(super) fn learner_block(&self) -> BlockSize {
        let width = self.embed_dim * self.row_num_cls;
        self.block(width, self.icl_nhead, self.icl_ssmax)
    }

    fn check_outputs(&self) -> Result<(), ForgeError> {
        let quantiles = match self.max_classes {
            0 => "num_quantiles with max_classes = 0",
            _ => "num_quantiles",
        };
        check::in_range(quantiles, self.num_quantiles, limits::COLUMNS)?;
        check::in_range("max_classes", self.max_classes, ..=*limits::COLUMNS.end())?;
        let Some(labels) = self.labels else {
            return Ok(());
        };
        labels.validate()?;
        check_one_label(Self::NAME, labels)?;
        match self.max_classes {
            0 => Ok(()),
            classes => {
                let allowed = format!("absent: they are one of max_classes = {classes} classes");
                Err(ForgeError::config("labels", format!("{labels:?}"), allowed))
            }
        }
    }

    fn check_widths(&self) -> Result<(), ForgeError> {
        check::in_range("embed_dim", self.embed_dim, limits::WIDTH)?;
        check::in_range("row_num_cls", self.row_num_cls, limits::WIDTH)?;
        check::in_range("ff_factor", self.ff_factor, limits::WIDTH)?;
        let width = self.embed_dim.saturating_mul(self.row_num_cls);
        check::in_range("embed_dim times row_num_cls", width, limits::WIDTH)?;
        let hidden = width.saturating_mul(self.ff_factor);
        check::in_range(
            "embed_dim times row_num_cls and ff_factor",
            hidden,
            limits::WIDTH,
        )?;
        for (field, heads, of, width) in [
            ("col_nhead", self.col_nhead, "embed_dim", self.embed_dim),
            ("row_nhead", self.row_nhead, "embed_dim", self.embed_dim),
            (
                "icl_nhead",
                self.icl_nhead,
                "embed_dim times row_num_cls",
                width,
            ),
        ] {
            check::in_range(field, heads, limits::WIDTH)?;
            check::divides(field, heads, of, width)?;
        }
        if !(self.embed_dim / self.row_nhead).is_multiple_of(2) {
            let allowed = format!("a multiple of twice row_nhead = {}", self.row_nhead);
            return Err(ForgeError::config("embed_dim", self.embed_dim, allowed));
        }
        Ok(())
    }
}

impl ModuleConfig for TabIclConfig {
    type Module = TabIcl;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("n_num_features", self.n_num_features, limits::COLUMNS)?;
        self.check_outputs()?;
        self.check_widths()?;
        check::in_range("col_num_blocks", self.col_num_blocks, limits::BLOCKS)?;
        check::in_range("col_num_inds", self.col_num_inds, limits::WIDTH)?;
        let size = self.col_feature_group_size;
        check::in_range("col_feature_group_size", size, limits::WIDTH)?;
        if self.col_affine && self.group_width() != 1 {
            let allowed = "false where columns are read in groups";
            return Err(ForgeError::config("col_affine", true, allowed));
        }
        check::in_range("row_num_blocks", self.row_num_blocks, limits::BLOCKS)?;
        check::positive("row_rope_base", self.row_rope_base)?;
        check::in_range("icl_num_blocks", self.icl_num_blocks, limits::BLOCKS)?;
        check::probability("dropout", self.dropout)?;
        if self.norm_first {
            return Ok(());
        }
        let allowed = "true (norms after the residual sum are not implemented)";
        Err(ForgeError::config("norm_first", false, allowed))
    }

    fn build(&self, device: &Device) -> TabIcl {
        TabIcl::new(self, device)
    }
}

impl ParameterCount for TabIclConfig {
    fn parameter_count(&self) -> usize {
        TabIclColumns::parameter_count(self)
            + TabIclRows::parameter_count(self)
            + TabIclLearner::parameter_count(self)
    }
}

impl TabularConfig for TabIclConfig {
    const NAME: &'static str = "tabicl";
    const CAPABILITIES: Capabilities = Capabilities {
        rows: RowContext::Labelled,
        attention_maps: true,
        ..Capabilities::NONE
    };

    fn spec(&self) -> TabularSpec {
        TabularSpec::of_numbers(self.n_num_features, self.d_out())
    }

    /// As many outputs as the table has; what labels are is said by
    /// [`with_labels`](TabularConfig::with_labels).
    fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError> {
        let n_num_features = numeric_only(Self::NAME, table)?;
        let sized = match (self.max_classes, table.d_out) {
            (0, d_out) | (_, d_out @ 1) => Self {
                max_classes: 0,
                num_quantiles: d_out,
                ..self
            },
            (_, d_out) => Self {
                max_classes: d_out,
                ..self
            },
        };
        Ok(Self {
            n_num_features,
            ..sized
        })
    }

    fn with_labels(self, labels: Labels) -> Result<Self, ForgeError> {
        check_one_label(Self::NAME, labels)?;
        let d_out = self.d_out();
        Ok(match labels {
            // The reference's form.
            Labels::Classes(classes) if self.max_classes == classes => Self {
                labels: None,
                ..self
            },
            Labels::Classes(_) => Self {
                max_classes: 0,
                num_quantiles: d_out,
                labels: Some(labels),
                ..self
            },
            Labels::Numbers(_) => Self {
                max_classes: 0,
                num_quantiles: d_out,
                labels: None,
                ..self
            },
        })
    }

    fn labels(&self) -> Option<Labels> {
        match self.label_classes() {
            0 => None,
            classes => Some(Labels::Classes(classes)),
        }
    }

    fn smaller(self, by: Shrink) -> Self {
        // Widths of cells stay divisible by the heads of all three, and even per head.
        let unit = [2 * self.row_nhead, self.col_nhead, self.icl_nhead];
        let unit = unit.into_iter().fold(1, lcm);
        Self {
            embed_dim: by.width_of(self.embed_dim, unit.min(self.embed_dim)),
            col_num_blocks: by.depth(self.col_num_blocks),
            col_num_inds: by.width(self.col_num_inds),
            row_num_blocks: by.depth(self.row_num_blocks),
            icl_num_blocks: by.depth(self.icl_num_blocks),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            max_classes: 0,
            embed_dim: 8,
            col_num_blocks: 1,
            col_nhead: 2,
            col_num_inds: 4,
            row_num_blocks: 2,
            row_nhead: 2,
            row_num_cls: 2,
            icl_num_blocks: 2,
            icl_nhead: 2,
            dropout: 0.02,
            ..Self::second_version()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        // Of any output; what labels are is said by the target.
        let second = Self {
            max_classes: 0,
            ..Self::second_version()
        };
        let small = |embed_dim, blocks| Self {
            embed_dim,
            col_num_blocks: 1,
            col_nhead: 4,
            col_num_inds: 32,
            row_num_blocks: 2,
            row_nhead: 4,
            row_num_cls: 2,
            icl_num_blocks: blocks,
            icl_nhead: 4,
            ..second.clone()
        };
        let library = TrainingPreset {
            learning_rate: 1e-3,
            weight_decay: 0.0,
            batch_size: None,
            steps: 1.0,
            source: "this library's",
        };
        let (config, training) = match strategy {
            Strategy::Fast => (small(16, 2), library),
            Strategy::Balanced => (small(32, 4), library),
            Strategy::Accurate => (
                second,
                TrainingPreset {
                    learning_rate: 1e-4,
                    source: "size: the released second version (tabicl 2.2.0), which was trained \
                             on drawn tables; rate and steps: this library's",
                    ..library
                },
            ),
        };
        Preset { config, training }
    }
}

fn lcm(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x.max(1) * b
}
