//! What tells one set of tensors from another.

use super::StateDict;

impl StateDict {
    /// BLAKE3 of all names, element types, shapes and values, in hexadecimal: equal for equal tensors
    /// alone.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (name, data) in &self.tensors {
            // No name holds a line break that is not escaped.
            let head = format!("{name:?} {:?} {:?}\n", data.dtype(), data.shape());
            hasher.update(head.as_bytes());
            hasher.update(data.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;

    #[test]
    fn every_part_of_a_tensor_counts() {
        let of = |name: &str, data: TensorData| StateDict {
            tensors: [(name.to_string(), data)].into(),
        };
        let numbers =
            |shape: [usize; 2], last: f32| TensorData::new(vec![1.0, 2.0, 3.0, last], shape);
        let all = [
            of("a", numbers([2, 2], 4.0)),
            of("b", numbers([2, 2], 4.0)),
            of("a", numbers([1, 4], 4.0)),
            of("a", numbers([2, 2], 5.0)),
            of("a", numbers([2, 2], 4.0).convert::<f64>()),
        ];
        for (i, one) in all.iter().enumerate() {
            for (j, other) in all.iter().enumerate() {
                assert_eq!(one.digest() == other.digest(), i == j, "{i} {j}");
            }
        }
    }
}
