//! FT-Transformer, from the paper's parts to the code's:
//!
//! | paper (section 3.3) | here |
//! |---|---|
//! | Feature Tokenizer | `forge_nn::FeatureTokenizer` |
//! | Transformer layer | [`FtTransformerBlock`]: `forge_nn::attention::MultiHeadAttention`, `feed_forward` |
//! | stack of layers | [`FtTransformerBackbone`] |
//! | prediction | `TokenHead` on the CLS token |

mod backbone;
mod block;
mod config;
mod feed_forward;

pub use backbone::FtTransformerBackbone;
pub use block::FtTransformerBlock;
pub use config::FtTransformerConfig;
pub use feed_forward::FfnActivation;

/// Tokenizer, [`FtTransformerBackbone`] and head.
///
/// Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data" (arXiv 2106.11959
/// v5), section 3.3, as in `rtdl_revisiting_models` 0.0.2.
///
/// ```
/// use forge_models::{FtTransformerConfig, TabularConfig, TabularInput, TabularSpec};
/// use forge_nn::{ModuleConfig, Network};
/// use forge_nn::burn::tensor::{Device, Tensor};
///
/// let table = TabularSpec { n_num_features: 5, cat_cardinalities: vec![], d_out: 1 };
/// let device = Device::flex();
/// let model = FtTransformerConfig { n_blocks: 1, ..FtTransformerConfig::default() }
///     .sized_for(&table)?
///     .try_init(&device)?;
/// let y = model.forward(TabularInput::numeric(Tensor::ones([3, 5], &device)));
/// assert_eq!(y.dims(), [3, 1]);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
pub type FtTransformer = super::TokenModel<FtTransformerBackbone>;
