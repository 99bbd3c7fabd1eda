//! The element types of Burn and of safetensors.

use burn::tensor::DType;
use safetensors::Dtype;

/// The element types that both sides have, written once for both directions.
const DTYPES: [(DType, Dtype); 12] = [
    (DType::F64, Dtype::F64),
    (DType::F32, Dtype::F32),
    (DType::F16, Dtype::F16),
    (DType::BF16, Dtype::BF16),
    (DType::I64, Dtype::I64),
    (DType::I32, Dtype::I32),
    (DType::I16, Dtype::I16),
    (DType::I8, Dtype::I8),
    (DType::U64, Dtype::U64),
    (DType::U32, Dtype::U32),
    (DType::U16, Dtype::U16),
    (DType::U8, Dtype::U8),
];

pub(super) fn safetensors_dtype(dtype: DType) -> Option<Dtype> {
    DTYPES
        .iter()
        .find(|(ours, _)| *ours == dtype)
        .map(|(_, theirs)| *theirs)
}

pub(super) fn burn_dtype(dtype: Dtype) -> Option<DType> {
    DTYPES
        .iter()
        .find(|(_, theirs)| *theirs == dtype)
        .map(|(ours, _)| *ours)
}
