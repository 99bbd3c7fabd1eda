//! The recipe of a RealMLP.

use burn::tensor::Device;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::options::{BiasInit, BlockStr, NumEmbedding, Transform, WeightInit, WeightParam};
use super::{OneHot, RealMlp, RealMlpActivation, preset};
use crate::limits;
use crate::{
    Capabilities, ParameterCount, Preset, Recipe, Shrink, Strategy, TabularConfig, TabularSpec,
    TargetKind,
};

/// Makes a [`RealMlp`].
///
/// The default is the authors' tuned one for regression (`RealMLP-TD`, `pytabkit` 1.7.3); that for
/// classes has another activation and leaves outputs as they are:
/// [`preset_for`](TabularConfig::preset_for). The columns have to be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RealMlpConfig {
    /// Number of numeric features.
    pub n_num_features: usize,
    /// Number of codes of each categorical feature, each at least 1; code 0 is the unknown one.
    pub cat_sizes: Vec<usize>,
    /// Outputs of a classifier: one per class, or 1 for the logit of two classes. 0: numbers.
    pub n_classes: usize,
    /// Outputs where `n_classes` is 0, at least 1. Default 1.
    #[serde(skip_serializing_if = "is_one")]
    pub n_targets: usize,
    /// Widths of the hidden layers, each at least 1. Default 256, 256, 256.
    pub hidden_sizes: Vec<usize>,
    /// Activation. Default `mish`.
    pub act: RealMlpActivation,
    /// Whether each unit learns the strength of its activation. Default true.
    pub use_parametric_act: bool,
    /// How numbers are embedded. Default `pbld`.
    pub num_emb_type: NumEmbedding,
    /// Waves per number, at least 1; even for `plr`, whose cosines and sines are half each.
    /// Default 16.
    pub plr_hidden_1: usize,
    /// Width of a number's embedding, the number included; at least 2. Default 4.
    pub plr_hidden_2: usize,
    /// Deviation of the first frequencies, above 0. Default 0.1.
    pub plr_sigma: f64,
    /// Most codes of a feature that becomes one-hot columns, at least 1; -1 for any number.
    /// Default 9.
    pub max_one_hot_cat_size: i64,
    /// Width of the embedding of every other categorical feature, at least 1. Default 8.
    pub embedding_size: usize,
    /// From columns to numbers: all [`Transform`]s in order, or all but the last, without
    /// embeddings of categories. Default all.
    pub tfms: Vec<Transform>,
    /// Whether every input of the first layer has a learnt factor. Default true.
    pub add_front_scale: bool,
    /// Parametrisation of weights: `ntk`.
    pub weight_param: WeightParam,
    /// How weights start on training rows. Default `std`.
    pub weight_init_mode: WeightInit,
    /// How biases start on training rows. Default `he+5`.
    pub bias_init_mode: BiasInit,
    /// Parts of a hidden layer. Default `w-b-a-d`.
    pub block_str: BlockStr,
    /// Whether outputs are scaled by the deviation of the training targets and moved to their mean.
    /// Default true.
    pub normalize_output: bool,
    /// Whether predictions are kept within the training targets' range. Default true.
    pub clamp_output: bool,
    /// Dropout after every hidden layer, in `[0, 1)`. Default 0.15.
    pub p_drop: f64,
}

impl Default for RealMlpConfig {
    fn default() -> Self {
        Self {
            n_num_features: 0,
            cat_sizes: vec![],
            n_classes: 0,
            n_targets: 1,
            hidden_sizes: vec![256; 3],
            act: RealMlpActivation::Mish,
            use_parametric_act: true,
            num_emb_type: NumEmbedding::Pbld,
            plr_hidden_1: 16,
            plr_hidden_2: 4,
            plr_sigma: 0.1,
            max_one_hot_cat_size: 9,
            embedding_size: 8,
            tfms: Transform::ALL.to_vec(),
            add_front_scale: true,
            weight_param: WeightParam::Ntk,
            weight_init_mode: WeightInit::Std,
            bias_init_mode: BiasInit::HePlus5,
            block_str: BlockStr::WithDropout,
            normalize_output: true,
            clamp_output: true,
            p_drop: 0.15,
        }
    }
}

/// The reference's network has one target or classes: what states it in full leaves this out.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks so
fn is_one(n: &usize) -> bool {
    *n == 1
}

impl RealMlpConfig {
    /// Width of the output.
    #[must_use]
    pub fn d_out(&self) -> usize {
        match self.n_classes {
            0 => self.n_targets,
            classes => classes,
        }
    }

    /// Whether a feature of so many codes becomes one-hot columns.
    pub(super) fn is_one_hot(&self, codes: usize) -> bool {
        let limit = usize::try_from(self.max_one_hot_cat_size);
        limit.map_or(true, |limit| codes <= limit)
    }

    /// Categorical features by position and number of codes: those that become one-hot columns, or
    /// the others.
    pub(super) fn categories(&self, one_hot: bool) -> impl Iterator<Item = (usize, usize)> {
        let sizes = self.cat_sizes.iter().copied().enumerate();
        sizes.filter(move |(_, codes)| self.is_one_hot(*codes) == one_hot)
    }

    pub(super) fn one_hot_width(&self) -> usize {
        let widths = self
            .categories(true)
            .map(|(_, codes)| OneHot::width_of(codes));
        widths.fold(0, usize::saturating_add)
    }

    /// Features, frequencies, waves and width of the embedding of numbers; none without one.
    pub(super) fn numeric_embedding_sizes(&self) -> Option<[usize; 4]> {
        let (n, h, d) = (self.n_num_features, self.plr_hidden_1, self.plr_hidden_2);
        match self.num_emb_type {
            _ if n == 0 => None,
            NumEmbedding::None => None,
            NumEmbedding::Plr => Some([n, h / 2, h, d]),
            NumEmbedding::Pbld | NumEmbedding::Pblrd => Some([n, h, h, d - 1]),
        }
    }

    /// Input width of the first layer.
    pub(super) fn d_in(&self) -> usize {
        let per_number = match self.num_emb_type {
            NumEmbedding::None => 1,
            _ => self.plr_hidden_2,
        };
        let tables = self.categories(false).count();
        let numbers = self.n_num_features.saturating_mul(per_number);
        let embedded = tables.saturating_mul(self.embedding_size);
        numbers
            .saturating_add(embedded)
            .saturating_add(self.one_hot_width())
    }

    /// Input and output widths of all layers.
    pub(super) fn layer_sizes(&self) -> impl Iterator<Item = (usize, usize)> {
        let from = [self.d_in()].into_iter();
        let to = self.hidden_sizes.iter().copied().chain([self.d_out()]);
        from.chain(self.hidden_sizes.iter().copied()).zip(to)
    }

    fn check_outputs(&self) -> Result<(), ForgeError> {
        if self.n_classes > 0 {
            return check::in_range("n_classes", self.n_classes, limits::COLUMNS);
        }
        if limits::COLUMNS.contains(&self.n_targets) {
            return Ok(());
        }
        let allowed = format!("in {:?} where n_classes is 0", limits::COLUMNS);
        Err(ForgeError::config("n_targets", self.n_targets, allowed))
    }

    fn check_categories(&self) -> Result<(), ForgeError> {
        for (j, codes) in self.cat_sizes.iter().enumerate() {
            check::in_range(&format!("cat_sizes[{j}]"), *codes, limits::COLUMNS)?;
        }
        let most = *limits::COLUMNS.end() as i64;
        if self.max_one_hot_cat_size != -1 {
            check::in_range("max_one_hot_cat_size", self.max_one_hot_cat_size, 1..=most)?;
        }
        check::in_range("embedding_size", self.embedding_size, limits::WIDTH)?;
        let all = Transform::ALL;
        if self.tfms == all {
            return Ok(());
        }
        let words = |tfms: &[Transform]| serde_json::to_string(tfms).unwrap_or_default();
        let refuse = |allowed: String| {
            let found = words(&self.tfms);
            Err(ForgeError::config("tfms", found, allowed))
        };
        if self.tfms != all[..4] {
            return refuse(format!("{}, or these without the last", words(&all)));
        }
        match self.categories(false).next() {
            None => Ok(()),
            Some((j, codes)) => refuse(format!(
                "with \"embedding\": cat_sizes[{j}] = {codes} is above max_one_hot_cat_size = {}",
                self.max_one_hot_cat_size
            )),
        }
    }

    fn check_numbers(&self) -> Result<(), ForgeError> {
        let most = *limits::WIDTH.end();
        check::in_range("plr_hidden_1", self.plr_hidden_1, limits::WIDTH)?;
        check::in_range("plr_hidden_2", self.plr_hidden_2, 2..=most)?;
        if self.num_emb_type == NumEmbedding::Plr && !self.plr_hidden_1.is_multiple_of(2) {
            return Err(ForgeError::config(
                "plr_hidden_1",
                self.plr_hidden_1,
                "even for plr",
            ));
        }
        check::positive("plr_sigma", self.plr_sigma)
    }
}

impl ModuleConfig for RealMlpConfig {
    type Module = RealMlp;

    fn validate(&self) -> Result<(), ForgeError> {
        let columns = 0..=*limits::COLUMNS.end();
        check::in_range("n_num_features", self.n_num_features, columns)?;
        self.check_categories()?;
        self.check_numbers()?;
        self.check_outputs()?;
        for (i, width) in self.hidden_sizes.iter().enumerate() {
            check::in_range(&format!("hidden_sizes[{i}]"), *width, limits::WIDTH)?;
        }
        check::in_range(
            "the number of hidden_sizes",
            self.hidden_sizes.len(),
            limits::BLOCKS,
        )?;
        let all = "n_num_features with cat_sizes, as inputs of the first layer";
        check::in_range(all, self.d_in(), limits::COLUMNS)?;
        check::probability("p_drop", self.p_drop)
    }

    fn build(&self, device: &Device) -> RealMlp {
        RealMlp::new(self, device)
    }
}

impl TabularConfig for RealMlpConfig {
    const NAME: &'static str = "realmlp";
    const CAPABILITIES: Capabilities = Capabilities {
        categorical: true,
        ..Capabilities::NONE
    };

    fn spec(&self) -> TabularSpec {
        TabularSpec {
            n_num_features: self.n_num_features,
            cat_cardinalities: self.cat_sizes.clone(),
            d_out: self.d_out(),
        }
    }

    fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError> {
        let (n_classes, n_targets) = match self.n_classes {
            0 => (0, table.d_out),
            _ => (table.d_out, 1),
        };
        Ok(Self {
            n_num_features: table.n_num_features,
            cat_sizes: table.cat_cardinalities.clone(),
            n_classes,
            n_targets,
            ..self
        })
    }

    fn smaller(self, by: Shrink) -> Self {
        let widths = self.hidden_sizes.iter();
        Self {
            hidden_sizes: widths.map(|width| by.width(*width)).collect(),
            // Half of it sines, half cosines, and one place of the other is the number itself.
            plr_hidden_1: by.width_of(self.plr_hidden_1, 2),
            plr_hidden_2: by.width(self.plr_hidden_2).max(2),
            embedding_size: by.width(self.embedding_size),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            hidden_sizes: vec![16, 12],
            plr_hidden_1: 8,
            plr_hidden_2: 3,
            max_one_hot_cat_size: 4,
            embedding_size: 3,
            p_drop: 0.1,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        Self::preset_for(strategy, TargetKind::Numbers)
    }

    fn preset_for(strategy: Strategy, target: TargetKind) -> Preset<Self> {
        preset::preset(strategy, target)
    }

    fn recipe(strategy: Strategy, target: TargetKind) -> Recipe {
        preset::recipe(strategy, target)
    }
}

impl ParameterCount for RealMlpConfig {
    fn parameter_count(&self) -> usize {
        let embedded = self
            .numeric_embedding_sizes()
            .map_or(0, |[n, first, h, d]| {
                let phases = usize::from(self.num_emb_type.appends_the_number());
                n * (first * (1 + phases) + (h + 1) * d)
            });
        let codes: usize = self.categories(false).map(|(_, codes)| codes).sum();
        let layers: usize = self.layer_sizes().map(|(from, to)| (from + 1) * to).sum();
        let units: usize = self.hidden_sizes.iter().sum();
        let front = usize::from(self.add_front_scale) * self.d_in();
        let strengths = usize::from(self.use_parametric_act) * units;
        embedded + codes * self.embedding_size + front + layers + strengths
    }
}
