//! A row of a table as tokens.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Bool, Device, Int, Tensor};
use forge_nn::ops::Axes;
use forge_nn::{CategoricalTokenizer, CategoricalTokenizerConfig, ModuleConfig};

use super::SaintConfig;
use super::numeric::NumericNetworks;
use crate::reference::KeyMap;
use crate::{TabularRows, TabularSpec};

/// CLS, the categorical features, the numeric features, as tokens of one width; a missing value has
/// a token of its own per feature.
///
/// CLS is a category of one code that stands first. The tables of missing tokens have two rows per
/// feature, of which the second is never read: the reference looks rows up by `2 j + present`.
#[derive(Module, Debug)]
pub struct SaintTokenizer {
    /// The tables of CLS and the categorical features.
    categorical: CategoricalTokenizer,
    numeric: Option<NumericNetworks>,
    /// `[2 (1 + F_cat), D]`; the first two rows stand for CLS.
    cat_missing: Option<Param<Tensor<2>>>,
    /// `[2 F_num, D]`.
    num_missing: Option<Param<Tensor<2>>>,
}

impl SaintTokenizer {
    /// Tables are drawn from `N(0, 1)`, as PyTorch's embeddings begin.
    pub(super) fn new(config: &SaintConfig, device: &Device) -> Self {
        let width = config.dim;
        let (numeric, categories) = (config.n_num_features, config.cat_cardinalities.len());
        let normal = Initializer::Normal {
            mean: 0.0,
            std: 1.0,
        };
        let mut categorical = CategoricalTokenizerConfig {
            cardinalities: [&[1], config.cat_cardinalities.as_slice()].concat(),
            d_token: width,
            bias: false,
            missing: false,
        }
        .build(device);
        let codes = 1 + config.cat_cardinalities.iter().sum::<usize>();
        categorical.weight = normal.init([codes, width], device);
        Self {
            categorical,
            numeric: (numeric > 0)
                .then(|| NumericNetworks::new(numeric, config.cont_mlp_hidden, width, device)),
            cat_missing: (categories > 0)
                .then(|| normal.init([2 * (1 + categories), width], device)),
            num_missing: (numeric > 0).then(|| normal.init([2 * numeric, width], device)),
        }
    }

    pub(super) fn parameter_count(config: &SaintConfig) -> usize {
        let (width, numeric) = (config.dim, config.n_num_features);
        let codes = 1 + config.cat_cardinalities.iter().sum::<usize>();
        let missing = match config.cat_cardinalities.len() {
            0 => 2 * numeric,
            categories => 2 * (1 + categories + numeric),
        };
        (codes + missing) * width
            + NumericNetworks::parameter_count(numeric, config.cont_mlp_hidden, width)
    }

    /// The columns that the tokenizer is made for.
    pub(super) fn spec(&self, d_out: usize) -> TabularSpec {
        TabularSpec {
            n_num_features: self.numeric.as_ref().map_or(0, NumericNetworks::n_features),
            cat_cardinalities: self.categorical.cardinalities()[1..].to_vec(),
            d_out,
        }
    }

    /// # Shapes
    /// - output: `[B, T, D]` with `T = 1 + F_cat + F_num`
    ///
    /// # Panics
    /// If the columns are not the tokenizer's.
    #[must_use]
    pub fn forward(&self, rows: TabularRows) -> Tensor<3> {
        let (codes, present) = (rows.x_cat, rows.cat_present);
        let mut tokens = vec![match (codes, &rows.x_num) {
            (Some(codes), _) => self.categories(codes, present),
            (None, Some(x)) => {
                let cls = Tensor::<2, Int>::zeros([x.dims()[0], 1], &x.device());
                self.categorical.forward(cls, None)
            }
            (None, None) => panic!("rows without columns have no tokens"),
        }];
        if let (Some(networks), Some(x)) = (&self.numeric, rows.x_num) {
            tokens.push(match (rows.num_present, &self.num_missing) {
                // What is not there must not leak, not even as NaN · 0.
                (Some(present), Some(missing)) => {
                    let x = x.mask_fill(present.clone().bool_not(), 0.0);
                    fill(networks.forward(x), present, missing.val())
                }
                _ => networks.forward(x),
            });
        }
        Tensor::cat(tokens, 1)
    }

    /// CLS and the categories, `[B, 1 + F_cat, D]`.
    fn categories(&self, codes: Tensor<2, Int>, present: Option<Tensor<2, Bool>>) -> Tensor<3> {
        let cls = codes.clone().narrow(1, 0, 1).zeros_like();
        let codes = Tensor::cat(vec![cls.clone(), codes], 1);
        match (present, &self.cat_missing) {
            (Some(present), Some(missing)) => {
                let present = Tensor::cat(vec![cls.equal_elem(0), present], 1);
                let codes = codes.mask_fill(present.clone().bool_not(), 0);
                fill(
                    self.categorical.forward(codes, None),
                    present,
                    missing.val(),
                )
            }
            _ => self.categorical.forward(codes, None),
        }
    }

    pub(super) fn key_map(map: KeyMap, config: &SaintConfig, ours: &str) -> KeyMap {
        let sizes = [config.n_num_features, config.cont_mlp_hidden, config.dim];
        let mut map = map.same(&format!("{ours}.categorical.weight"), "embeds.weight");
        let (numeric, categorical) = ("mask_embeds_cont.weight", "mask_embeds_cat.weight");
        map = if config.n_num_features > 0 {
            map.same(&format!("{ours}.num_missing"), numeric)
        } else {
            map.ignore(numeric)
        };
        map = if config.cat_cardinalities.is_empty() {
            map.ignore(categorical)
        } else {
            map.same(&format!("{ours}.cat_missing"), categorical)
        };
        if config.n_num_features > 0 {
            map = NumericNetworks::key_map(map, &format!("{ours}.numeric"), "simple_MLP", sizes);
        }
        map
    }
}

/// Puts row `2 j` of `missing` where feature `j` is not `present`.
///
/// # Shapes
/// - tokens: `[B, F, D]`, present: `[B, F]`, missing: `[2 F, D]`
fn fill(tokens: Tensor<3>, present: Tensor<2, Bool>, missing: Tensor<2>) -> Tensor<3> {
    let shape = tokens.dims();
    let [_, features, width] = shape;
    let missing = missing
        .reshape([features, 2, width])
        .narrow(1, 0, 1)
        .swapped(0, 1);
    let absent = present.bool_not().unsqueeze_dim::<3>(2).expand(shape);
    tokens.mask_where(absent, missing.expand(shape))
}
