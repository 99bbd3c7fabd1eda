//! The norms as CubeCL programs.

mod program;

use burn::backend::TensorMetadata;
use burn::backend::ops::FloatTensorOps;
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::calculate_cube_count_elemwise;
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim, InputScalar};
use burn_cubecl::tensor::CubeTensor;

use crate::ops::compute_dtype::compute_dtype;
use crate::ops::cube::launch::{
    address_type, element, elementwise, empty, packed, units_are_cores, vector_size,
};
use crate::ops::cube::product::sum_of_rows;
use crate::ops::optional::OptionalFloat;
use crate::ops::same_dtype::assert_same_dtype;
use program::Form;

use super::{RowNorm, RowNormOps};

impl RowNormOps for CubeBackend {
    fn fused_row_norm(
        x: CubeTensor,
        weight: OptionalFloat<Self>,
        bias: OptionalFloat<Self>,
        norm: RowNorm,
        epsilon: f64,
    ) -> CubeTensor {
        let (weight, bias) = (weight.into_option(), bias.into_option());
        forward(x, weight, bias, norm.is_centred(), epsilon)
    }

    fn fused_row_norm_backward(
        x: CubeTensor,
        weight: OptionalFloat<Self>,
        dy: CubeTensor,
        norm: RowNorm,
        epsilon: f64,
        needs_bias: bool,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let weight = weight.into_option();
        backward(x, weight, dy, norm.is_centred(), epsilon, needs_bias).into()
    }
}

/// Rows that one unit sums up for the gradients of the parameters, at least.
const CHUNK: usize = 32;
/// Chunks into which rows are divided, at most.
const CHUNKS: usize = 256;

/// How rows are laid on units, and the vector in which they are read.
struct Plan {
    count: CubeCount,
    dim: CubeDim,
    vector: usize,
    form: Form,
}

impl Plan {
    fn new(x: &CubeTensor, rows: usize, width: usize, centred: bool) -> Self {
        let vector = vector_size(x, x.dtype, &[width]);
        let hardware = &x.client.properties().hardware;
        let (units, together) = if units_are_cores(x) {
            (1, hardware.max_units_per_cube.min(rows as u32) as usize)
        } else {
            // Enough units that neighbours read neighbouring vectors, a cube of about 128.
            let most = hardware.max_units_per_cube.min(128) as usize;
            let units = (width / vector).next_power_of_two().clamp(1, most.min(32));
            (units, (most / units).max(1))
        };
        let dim = CubeDim::new_2d(units as u32, together as u32);
        let cubes = rows.div_ceil(together);
        let count = calculate_cube_count_elemwise(&x.client, cubes, CubeDim::new_single());
        Self {
            count,
            dim,
            vector,
            form: Form {
                centred,
                units,
                rows: together,
            },
        }
    }
}

fn dims(x: &CubeTensor) -> (usize, usize) {
    let shape = x.shape();
    let width = shape[shape.num_dims() - 1];
    (shape.num_elements() / width.max(1), width)
}

/// The programs read all of them as the type of `x`.
fn assert_types(x: &CubeTensor, others: [(&str, Option<&CubeTensor>); 2]) {
    let [(first, a), (second, b)] = others.map(|(name, part)| (name, part.map(|part| part.dtype)));
    assert_same_dtype("norm", &[("x", Some(x.dtype)), (first, a), (second, b)]);
}

fn forward(
    x: CubeTensor,
    weight: Option<CubeTensor>,
    bias: Option<CubeTensor>,
    centred: bool,
    epsilon: f64,
) -> CubeTensor {
    assert_types(&x, [("weight", weight.as_ref()), ("bias", bias.as_ref())]);
    let x = packed(x);
    let y = empty(&x, x.shape(), x.dtype);
    let (rows, width) = dims(&x);
    if rows * width == 0 {
        return y;
    }
    let plan = Plan::new(&x, rows, width, centred);
    let compute = element(compute_dtype(x.dtype));
    // SAFETY: every unit reads and writes inside a row that exists.
    unsafe {
        program::forward::launch_unchecked(
            &y.client,
            plan.count,
            plan.dim,
            address_type(&[&x, &y]),
            plan.vector,
            x.clone().into_buffer_arg(),
            weight.map(|weight| packed(weight).into_buffer_arg()).into(),
            bias.map(|bias| packed(bias).into_buffer_arg()).into(),
            y.clone().into_buffer_arg(),
            rows,
            width / plan.vector,
            InputScalar::new(epsilon, compute),
            plan.form,
            [element(x.dtype), compute],
        );
    }
    y
}

/// The gradients of `x`, weight (as if it were there) and bias (anything where it is not needed).
fn backward(
    x: CubeTensor,
    weight: Option<CubeTensor>,
    dy: CubeTensor,
    centred: bool,
    epsilon: f64,
    needs_bias: bool,
) -> [CubeTensor; 3] {
    assert_types(&x, [("weight", weight.as_ref()), ("dy", Some(&dy))]);
    let (x, dy) = (packed(x), packed(dy));
    let (rows, width) = dims(&x);
    let mut dx = empty(&x, x.shape(), x.dtype);
    if rows * width == 0 {
        let zeros = || {
            let dtype = x.dtype.into();
            CubeBackend::float_zeros([width].into(), &x.device, dtype)
        };
        return [dx, zeros(), zeros()];
    }
    let compute = compute_dtype(x.dtype);
    let plan = Plan::new(&x, rows, width, centred);
    let vector = plan.vector;
    let statistics = empty(&x, [rows, 2], compute);
    let dtypes = [element(x.dtype), element(compute)];
    // SAFETY: every unit reads and writes inside a row that exists.
    unsafe {
        program::backward::launch_unchecked(
            &dx.client,
            plan.count,
            plan.dim,
            address_type(&[&x, &dx]),
            vector,
            x.clone().into_buffer_arg(),
            weight.map(|weight| packed(weight).into_buffer_arg()).into(),
            dy.clone().into_buffer_arg(),
            dx.clone().into_buffer_arg(),
            statistics.clone().into_buffer_arg(),
            rows,
            width / vector,
            InputScalar::new(epsilon, element(compute)),
            plan.form,
            dtypes,
        );
    }
    let chunk = rows.div_ceil(CHUNKS).max(CHUNK);
    let chunks = rows.div_ceil(chunk);
    let [dweight, dbias] = [(); 2].map(|()| empty(&x, [chunks, width], compute));
    let (count, dim) = elementwise(&x, chunks * width / vector);
    // SAFETY: units beyond the output stop; rows end at the last one.
    unsafe {
        program::parameter_gradients::launch_unchecked(
            &dx.client,
            count,
            dim,
            address_type(&[&x, &dx]),
            vector,
            x.clone().into_buffer_arg(),
            dy.into_buffer_arg(),
            statistics.into_buffer_arg(),
            dweight.clone().into_buffer_arg(),
            dbias.clone().into_buffer_arg(),
            rows,
            width / vector,
            chunk,
            centred,
            dtypes,
        );
    }
    let sum = |parts| CubeBackend::float_cast(sum_of_rows(parts), x.dtype.into());
    let dweight = sum(dweight);
    let dbias = if needs_bias {
        sum(dbias)
    } else {
        dweight.clone()
    };
    if centred && width == 1 {
        // The norm of one element is its bias. The program finds 0 but for rounding, times a large
        // inverse.
        dx = CubeBackend::float_zeros(x.shape(), &x.device, x.dtype.into());
    }
    [dx, dweight, dbias]
}
