//! The gated linear units as CubeCL programs.

mod program;

use burn::backend::TensorMetadata;
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::{GluKind, GluOps};
use crate::ops::compute_dtype::compute_dtype;
use crate::ops::cube::launch::{address_type, element, elementwise, empty, packed, vector_size};
use crate::ops::same_dtype::assert_same_dtype;

impl GluOps for CubeBackend {
    fn fused_glu(x: CubeTensor, kind: GluKind) -> CubeTensor {
        let x = packed(x);
        let mut shape = x.shape();
        let last = shape.num_dims() - 1;
        shape[last] /= 2;
        let width = shape[last];
        let y = empty(&x, shape, x.dtype);
        let elements = y.shape().num_elements();
        if elements == 0 {
            return y;
        }
        let vector = vector_size(&x, x.dtype, &[width]);
        let (count, dim) = elementwise(&x, elements / vector);
        // SAFETY: the program writes only below the output's length, and reads what lies beside.
        unsafe {
            program::forward::launch_unchecked(
                &y.client,
                count,
                dim,
                address_type(&[&x, &y]),
                vector,
                x.clone().into_buffer_arg(),
                y.clone().into_buffer_arg(),
                elements / vector,
                width / vector,
                kind,
                [element(x.dtype), element(compute_dtype(x.dtype))],
            );
        }
        y
    }

    fn fused_glu_backward(x: CubeTensor, dy: CubeTensor, kind: GluKind) -> CubeTensor {
        assert_same_dtype("glu", &[("x", Some(x.dtype)), ("dy", Some(dy.dtype))]);
        let (x, dy) = (packed(x), packed(dy));
        let dx = empty(&x, x.shape(), x.dtype);
        let shape = dy.shape();
        let (width, elements) = (shape[shape.num_dims() - 1], shape.num_elements());
        if elements == 0 {
            return dx;
        }
        let vector = vector_size(&x, x.dtype, &[width]);
        let (count, dim) = elementwise(&x, elements / vector);
        // SAFETY: as above, with `dy` as the shorter one.
        unsafe {
            program::backward::launch_unchecked(
                &dx.client,
                count,
                dim,
                address_type(&[&x, &dx]),
                vector,
                x.clone().into_buffer_arg(),
                dy.into_buffer_arg(),
                dx.clone().into_buffer_arg(),
                elements / vector,
                width / vector,
                kind,
                [element(x.dtype), element(compute_dtype(x.dtype))],
            );
        }
        dx
    }
}
