//! Pairs of features turned by the angle of their position.

mod backward;
#[cfg(feature = "flex")]
mod flex;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::dispatch::has_traits;
use super::extent::assert_addressable;
use super::same_dtype::assert_same_dtype;

/// Which features of a head make a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RotaryLayout {
    /// Feature `i` with feature `i + n/2` (GPT-NeoX, LLaMA in transformers).
    #[default]
    HalfSplit,
    /// Feature `2i` with feature `2i + 1` (the paper, GPT-J).
    Interleaved,
}

/// Rotations on backend primitives, shapes as in [`rotary`].
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait RotaryOps: Backend {
    /// The turned features. With `-sin` they turn back, which is the gradient of `x`.
    #[fusion(default)]
    fn fused_rotary(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        layout: RotaryLayout,
    ) -> FloatTensor<Self> {
        reference::forward::<Self>(x, cos, sin, layout)
    }
}

#[cfg(feature = "ndarray")]
impl RotaryOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl RotaryOps for burn_cubecl::CubeBackend {}

/// `(a, b) → (a cos - b sin, b cos + a sin)` for the pairs of the first `n` features of each head and
/// position; the others stay. Su et al., "RoFormer", arXiv 2104.09864, equation (34).
///
/// # Shapes
/// - x, output: `[B, H, T, D]`
/// - cos, sin: `[T, n/2]`, n ≤ D
///
/// # Panics
/// If the shapes do not fit, the element types differ, or there are more elements than can be addressed.
#[must_use]
pub fn rotary(x: Tensor<4>, cos: Tensor<2>, sin: Tensor<2>, layout: RotaryLayout) -> Tensor<4> {
    let (of_x, of_cos, of_sin) = (x.dims(), cos.dims(), sin.dims());
    assert!(
        of_cos == of_sin && of_cos[0] == of_x[2] && of_cos[1] <= of_x[3] / 2,
        "rotary: cos {of_cos:?} and sin {of_sin:?} do not fit x {of_x:?}: expected [{}, at most {}]",
        of_x[2],
        of_x[3] / 2
    );
    let types = [
        ("x", Some(x.dtype())),
        ("cos", Some(cos.dtype())),
        ("sin", Some(sin.dtype())),
    ];
    assert_same_dtype("rotary", &types);
    assert_addressable("rotary", &[&of_x]);
    let traits = has_traits(&x.device());
    let (x, cos, sin) = (x.into_dispatch(), cos.into_dispatch(), sin.into_dispatch());
    Tensor::from_dispatch(if traits {
        <Dispatch as RotaryOps>::fused_rotary(x, cos, sin, layout)
    } else {
        reference::forward::<Dispatch>(x, cos, sin, layout)
    })
}
