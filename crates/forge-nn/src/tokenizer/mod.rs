//! Columns of a table as tokens.

mod categorical;
mod feature;
mod numeric;

pub use categorical::{CategoricalTokenizer, CategoricalTokenizerConfig};
pub use feature::{FeatureTokenizer, FeatureTokenizerConfig};
pub use numeric::{NumericTokenizer, NumericTokenizerConfig};

use burn::module::Param;
use burn::nn::Initializer;
use burn::tensor::{Bool, Device, Tensor};

/// `U(-d^-1/2, d^-1/2)`, the initialisation of every token parameter (Gorishniy et al. 2021, and
/// `rtdl_revisiting_models` 0.0.2).
fn token_init<const D: usize>(
    shape: [usize; D],
    d_token: usize,
    device: &Device,
) -> Param<Tensor<D>> {
    let bound = (d_token as f64).powf(-0.5);
    Initializer::Uniform {
        min: -bound,
        max: bound,
    }
    .init(shape, device)
}

/// Puts feature `j`'s `missing` token where `present` is false.
///
/// # Shapes
/// - tokens: `[B, F, D]`, present: `[B, F]`, missing: `[F, D]`
fn replace_absent(tokens: Tensor<3>, present: Tensor<2, Bool>, missing: Tensor<2>) -> Tensor<3> {
    let shape = tokens.dims();
    let absent = present.bool_not().unsqueeze_dim::<3>(2).expand(shape);
    tokens.mask_where(absent, missing.unsqueeze::<3>().expand(shape))
}
