//! Sums of half-precision numbers that leave its range, though what comes of them does not.

use burn::tensor::{DType, Device, Tensor};
use forge_nn::ModuleConfig;
use forge_nn::attention::{LinearAttentionState, linear_attention, linear_attention_causal};
use forge_nn::norm::{QkNormConfig, QkNormKind};

fn full(shape: [usize; 4], value: f64) -> Tensor<4> {
    Tensor::full(shape, value, (&Device::flex(), DType::F16))
}

fn read(x: Tensor<4>) -> Vec<f64> {
    assert_eq!(x.dtype(), DType::F16);
    x.into_data().iter().collect()
}

/// 1,024 tokens of 64 features of 1 come to 65,536, which f16 does not reach.
#[test]
fn linear_attention_of_a_long_sequence_is_no_infinity() {
    let q = || full([1, 1, 1024, 64], 0.0);
    let v = || full([1, 1, 1024, 2], 1.0);
    let mut state = LinearAttentionState::new();
    for out in [
        linear_attention(q(), q(), v(), None, 1e-6),
        linear_attention_causal(q(), q(), v(), None, 1e-6, &mut state),
    ] {
        assert!(read(out).iter().all(|y| *y == 1.0));
    }
}

#[test]
fn heads_of_zeros_and_long_ones_have_a_direction() {
    let norm = QkNormConfig::new(QkNormKind::L2, 1, 64).init(&Device::flex());
    assert!(
        read(norm.keys(full([1, 1, 1, 64], 0.0)))
            .iter()
            .all(|x| *x == 0.0)
    );
    assert!(
        read(norm.keys(full([1, 1, 1, 64], 40.0)))
            .iter()
            .all(|x| *x == 0.125)
    );
}
