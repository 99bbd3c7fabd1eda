//! Reads the oracle cases beside these tests.

use std::collections::BTreeMap;
use std::path::Path;

use forge_nn::burn::tensor::{DType, Device, Tensor, TensorData};
use forge_testkit::oracle;
use serde_json::Value;

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) config: Value,
    tensors: BTreeMap<String, (Vec<usize>, Vec<f64>)>,
}

impl Case {
    /// All cases of one folder, in name order.
    pub(crate) fn all(folder: &str) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
        let mut paths: Vec<_> = std::fs::read_dir(root.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Self {
        let mut case = oracle::Case::read(path).unwrap();
        // The cases have another word for our tag.
        if let Some(fields) = case.config.as_object_mut()
            && let Some(name) = fields.remove("kind")
        {
            fields.insert("name".into(), name);
        }
        let tensors = case.tensors.tensors.iter().map(|(name, data)| {
            let values = data.iter::<f64>().collect();
            (name.clone(), (data.shape().to_vec(), values))
        });
        Self {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            tensors: tensors.collect(),
            config: case.config,
        }
    }

    pub(crate) fn shape(&self, key: &str) -> Vec<usize> {
        self.tensors[key].0.clone()
    }

    pub(crate) fn values(&self, key: &str) -> &[f64] {
        &self.tensors[key].1
    }

    /// A tensor of any rank whose shape has the same number of elements.
    pub(crate) fn tensor<const D: usize>(
        &self,
        key: &str,
        shape: [usize; D],
        device: &Device,
        dtype: DType,
    ) -> Tensor<D> {
        let data = TensorData::new(self.values(key).to_vec(), shape);
        Tensor::from_data(data, (device, dtype))
    }
}

/// Values in f64, whatever the tensor's type.
pub(crate) fn read<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    let data = tensor.to_data_dtype(DType::F64);
    data.as_slice::<f64>().unwrap().to_vec()
}

/// Largest difference, relative to the largest magnitude expected; below 1e-10 counts as 0.
pub(crate) fn error(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    let worst = found.iter().zip(expected).fold(0.0, |m: f64, (a, b)| {
        let d = (a - b).abs();
        if d.is_nan() { f64::INFINITY } else { m.max(d) }
    });
    if worst < 1e-10 && scale < 1e-10 {
        0.0
    } else {
        worst / scale.max(1e-300)
    }
}
