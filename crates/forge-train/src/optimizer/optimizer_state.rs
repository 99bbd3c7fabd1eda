//! What an optimiser remembers.

use std::collections::BTreeMap;

use burn::tensor::TensorData;
use burn_pack::Scalar;

/// What an optimiser remembers, by `<parameter>.<field>`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OptimizerState {
    /// Moments and the like.
    pub tensors: BTreeMap<String, TensorData>,
    /// Step counts and the like.
    pub scalars: BTreeMap<String, serde_json::Number>,
}

pub(super) fn to_json(value: Scalar) -> Option<serde_json::Number> {
    match value {
        Scalar::Int(v) => Some(v.into()),
        Scalar::UInt(v) => Some(v.into()),
        Scalar::Float(v) => serde_json::Number::from_f64(v),
        Scalar::Bool(v) => Some(u8::from(v).into()),
    }
}

pub(super) fn from_json(value: &serde_json::Number) -> Option<Scalar> {
    value
        .as_u64()
        .map(Scalar::UInt)
        .or_else(|| value.as_i64().map(Scalar::Int))
        .or_else(|| value.as_f64().map(Scalar::Float))
}
