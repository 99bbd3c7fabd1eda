//! From tensors to launches.

use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl::{
    CubeCount, CubeDim, calculate_cube_count_elemwise, ir::AddressType, ir::ElemType,
};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;

/// The element type of a program's argument.
pub(crate) fn element(dtype: DType) -> ElemType {
    burn::backend::cubecl::dtype_to_storage_type(dtype)
}

/// Row-major, without gaps.
pub(crate) fn packed(tensor: CubeTensor) -> CubeTensor {
    if tensor.is_contiguous_buffer() && tensor.is_contiguous() {
        return tensor;
    }
    into_contiguous(tensor)
}

/// Uninitialised memory beside `like`, row-major without gaps.
pub(crate) fn empty(like: &CubeTensor, shape: impl Into<Shape>, dtype: DType) -> CubeTensor {
    empty_device_contiguous_dtype(
        like.client.clone(),
        like.device.clone(),
        shape.into(),
        dtype,
    )
}

/// Cubes and units for `units` independent pieces of work.
pub(crate) fn elementwise(like: &CubeTensor, units: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new(&like.client, units);
    (calculate_cube_count_elemwise(&like.client, units, dim), dim)
}

/// The same for pieces that take long and keep much in registers: in small cubes, so that few
/// pieces still reach all of a device.
pub(crate) fn heavy(like: &CubeTensor, units: usize) -> (CubeCount, CubeDim) {
    let whole = CubeDim::new(&like.client, units);
    let dim = if units_are_cores(like) {
        whole
    } else {
        CubeDim::new_2d(whole.x, whole.y.min(2))
    };
    (calculate_cube_count_elemwise(&like.client, units, dim), dim)
}

/// How wide an index must be to reach all of these.
pub(crate) fn address_type(tensors: &[&CubeTensor]) -> AddressType {
    tensors
        .iter()
        .map(|tensor| tensor.required_address_type())
        .max()
        .unwrap_or_default()
}

/// Whether each unit is a processor core of its own, with wide registers, rather than a lane
/// among many.
pub(crate) fn units_are_cores(like: &CubeTensor) -> bool {
    like.client.properties().hardware.num_cpu_cores.is_some()
}

/// The widest vector of `dtype` that the device loads at once and that divides all of `lengths`.
pub(crate) fn vector_size(like: &CubeTensor, dtype: DType, lengths: &[usize]) -> usize {
    let widest = if units_are_cores(like) {
        like.client.properties().hardware.load_width as usize / 8 / dtype.size()
    } else {
        4
    };
    let mut size = widest.max(1);
    while size > 1 && lengths.iter().any(|length| !length.is_multiple_of(size)) {
        size /= 2;
    }
    size
}
