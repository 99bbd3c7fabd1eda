//! Inputs of different element types are refused before a kernel reads one as the other.

use burn::tensor::{DType, Device, Tensor};
use forge_nn::ops::{AttentionMask, AttentionOptions, attention, layer_norm, rms_norm};

use super::panics::message;

const TYPES: [DType; 2] = [DType::F16, DType::F64];

fn x<const D: usize>(shape: [usize; D], dtype: DType) -> Tensor<D> {
    Tensor::ones(shape, (&Device::flex(), dtype))
}

#[test]
fn norms_refuse_parameters_of_another_type() {
    let input = || x([2, 3], DType::F32);
    for other in TYPES {
        let part = || Some(x([3], other));
        for text in [
            message(|| layer_norm(input(), part(), None, 1e-5)),
            message(|| rms_norm(input(), part(), 1e-5)),
        ] {
            assert!(
                text.contains(&format!("weight is {other:?} and x F32")),
                "{text}"
            );
        }
        let text = message(|| layer_norm(input(), None, part(), 1e-5));
        assert!(
            text.contains(&format!("bias is {other:?} and x F32")),
            "{text}"
        );
    }
}

#[test]
fn attention_refuses_inputs_of_another_type() {
    let head = |dtype| x([1, 1, 3, 2], dtype);
    for other in TYPES {
        for (which, name) in ["k", "v", "bias"].into_iter().enumerate() {
            let of = |index| if index == which { other } else { DType::F32 };
            let text = message(|| {
                attention(
                    head(DType::F32),
                    head(of(0)),
                    head(of(1)),
                    AttentionMask::none(),
                    Some(x([1, 3, 3], of(2))),
                    &AttentionOptions::default(),
                )
            });
            assert!(
                text.contains(&format!("{name} is {other:?} and q F32")),
                "{text}"
            );
        }
    }
}
