//! For tests: a kernel beside its reference.

use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::{Tensor, TensorData};

/// Values in (-1, 1), the same for the same seed.
pub(crate) fn noise(seed: u64, shape: &[usize]) -> FlexTensor {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let values: Vec<f64> = (0..shape.iter().product())
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect();
    let data = TensorData::new(values, shape.to_vec());
    Flex::float_from_data(data, &Default::default())
}

fn values(tensor: &FlexTensor) -> Vec<f64> {
    let len: usize = tensor.shape().iter().product();
    let flat = Flex::float_reshape(tensor.clone(), [len].into());
    let flat = Tensor::<1>::from_primitive::<Flex>(flat);
    flat.into_data().iter::<f64>().collect()
}

/// Equal to rounding, in f64.
pub(crate) fn assert_same(name: &str, found: &[FlexTensor], expected: &[FlexTensor]) {
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.shape(), expected.shape(), "{name} {i}");
        let (found, expected) = (values(found), values(expected));
        let size = expected.iter().fold(0.05f64, |size, x| size.max(x.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            let error = (found - expected).abs() / size;
            assert!(error < 1e-12, "{name} {i}: {found}, expected {expected}");
        }
    }
}
