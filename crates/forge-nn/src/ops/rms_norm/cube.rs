//! RMSNorm on CubeCL devices.

use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::RmsNormOps;
use crate::ops::cube::row_norm;
use crate::ops::optional::OptionalFloat;

impl RmsNormOps for CubeBackend {
    fn fused_rms_norm(x: CubeTensor, weight: OptionalFloat<Self>, epsilon: f64) -> CubeTensor {
        row_norm::forward(x, weight.into_option(), None, epsilon, false)
    }

    fn fused_rms_norm_backward(
        x: CubeTensor,
        weight: OptionalFloat<Self>,
        dy: CubeTensor,
        epsilon: f64,
    ) -> (CubeTensor, CubeTensor) {
        let [dx, dweight, _] = row_norm::backward(x, weight.into_option(), dy, epsilon, false);
        (dx, dweight)
    }
}
