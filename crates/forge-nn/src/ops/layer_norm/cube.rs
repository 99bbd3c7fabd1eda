//! LayerNorm on CubeCL devices.

use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::LayerNormOps;
use crate::ops::cube::row_norm;
use crate::ops::optional::OptionalFloat;

impl LayerNormOps for CubeBackend {
    fn fused_layer_norm(
        x: CubeTensor,
        weight: OptionalFloat<Self>,
        bias: OptionalFloat<Self>,
        epsilon: f64,
    ) -> CubeTensor {
        row_norm::forward(x, weight.into_option(), bias.into_option(), epsilon, true)
    }

    fn fused_layer_norm_backward(
        x: CubeTensor,
        weight: OptionalFloat<Self>,
        dy: CubeTensor,
        epsilon: f64,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        row_norm::backward(x, weight.into_option(), dy, epsilon, true).into()
    }
}
