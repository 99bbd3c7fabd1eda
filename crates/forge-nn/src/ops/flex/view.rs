//! Tensors as slices.

use burn::backend::flex::FlexTensor;
use burn::backend::{DType, TensorMetadata};

use super::Real;

/// `tensor` with its elements in order, and free of copying if they already are.
pub(crate) struct Dense(FlexTensor);

impl Dense {
    pub(crate) fn of(tensor: FlexTensor) -> Self {
        if tensor.layout().contiguous_offsets().is_some() {
            Self(tensor)
        } else {
            Self(tensor.to_contiguous())
        }
    }

    pub(crate) fn slice<E: Real>(&self) -> &[E] {
        let storage: &[E] = self.0.storage();
        match self.0.layout().contiguous_offsets() {
            Some((start, end)) => &storage[start..end],
            None => storage,
        }
    }

    /// The elements for writing, if nobody else holds them and they are the whole buffer.
    pub(crate) fn unique<E: Real>(&mut self) -> Option<&mut [E]> {
        let (start, end) = self.0.layout().contiguous_offsets()?;
        self.0
            .try_storage_mut::<E>()
            .and_then(|storage| storage.get_mut(start..end))
    }

    pub(crate) fn into_tensor(self) -> FlexTensor {
        self.0
    }
}

/// A tensor whose last axis is adjacent and whose strides are not negative.
pub(crate) fn with_adjacent_features(tensor: FlexTensor) -> FlexTensor {
    let strides = tensor.layout().strides();
    let adjacent = width(&tensor) == 1 || strides.last() == Some(&1);
    if adjacent && strides.iter().all(|&stride| stride >= 0) {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// The rows `[…, D]` of a tensor, read where they lie.
pub(crate) struct Rows {
    tensor: FlexTensor,
    /// Lengths and strides of the axes before the last, from the last of these on.
    axes: Vec<[usize; 2]>,
    width: usize,
}

impl Rows {
    /// Copies `tensor` only if its features are not adjacent.
    pub(crate) fn of(tensor: FlexTensor) -> Self {
        let tensor = with_adjacent_features(tensor);
        let (shape, strides) = (tensor.shape(), tensor.layout().strides());
        let before = shape.num_dims().saturating_sub(1);
        let axes = (0..before).rev();
        Self {
            axes: axes
                .map(|axis| [shape[axis], strides[axis] as usize])
                .collect(),
            width: width(&tensor),
            tensor,
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.axes.iter().map(|[len, _]| len).product()
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn row<E: Real>(&self, index: usize) -> &[E] {
        &self.from::<E>(index)[..self.width]
    }

    /// A copy of `count` rows from `index` on that differ in their place on the last axis before the
    /// features alone, such as tokens of one head.
    pub(crate) fn gather<E: Real>(&self, index: usize, count: usize) -> Vec<E> {
        let (values, stride) = (self.from::<E>(index), self.axes[0][1]);
        let mut rows = Vec::with_capacity(count * self.width);
        for row in 0..count {
            rows.extend_from_slice(&values[row * stride..][..self.width]);
        }
        rows
    }

    /// What is stored from a row on.
    fn from<E: Real>(&self, index: usize) -> &[E] {
        let (mut rest, mut from) = (index, self.tensor.layout().start_offset());
        for [len, stride] in &self.axes {
            from += rest % len * stride;
            rest /= len;
        }
        &self.tensor.storage::<E>()[from..]
    }
}

/// The length of the last axis, at least 1.
pub(crate) fn width(tensor: &FlexTensor) -> usize {
    tensor.shape().last().copied().unwrap_or(1)
}

/// Whether all of `tensors` have the one dtype `dtype`.
pub(crate) fn all_of(dtype: DType, tensors: &[&FlexTensor]) -> bool {
    tensors.iter().all(|tensor| tensor.dtype() == dtype)
}

/// Runs `$body` with `$E` as the element type if all tensors are `f32` or all are `f64` and none
/// is empty; else `$otherwise`, which the half-precision types take. Panics if one has more
/// elements than can be addressed.
macro_rules! by_dtype {
    ([$($tensor:expr),+], $E:ident => $body:expr, $otherwise:expr) => {{
        let tensors = [$($tensor),+];
        let empty = tensors
            .iter()
            .any(|tensor| {
                let shape = burn::backend::TensorMetadata::shape(*tensor);
                $crate::ops::extent::elements(&shape) == 0
            });
        if !empty && $crate::ops::flex::view::all_of(burn::backend::DType::F32, &tensors) {
            type $E = f32;
            $body
        } else if !empty && $crate::ops::flex::view::all_of(burn::backend::DType::F64, &tensors) {
            type $E = f64;
            $body
        } else {
            $otherwise
        }
    }};
}

pub(crate) use by_dtype;
