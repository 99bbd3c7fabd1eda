//! `ops::attention` against PyTorch: outputs and gradients of the stored cases.

use std::path::{Path, PathBuf};

use burn::tensor::{Bool, DType, Device, Tensor, TensorData};
use forge_nn::ops::{AttentionMask, AttentionOptions, attention, attention_with_weights};
use safetensors::SafeTensors;

use super::evaluation::relative_error;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/attention_core");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn floats(file: &SafeTensors<'_>, name: &str) -> Option<(Vec<usize>, Vec<f64>)> {
    let view = file.tensor(name).ok()?;
    let values = view
        .data()
        .chunks_exact(8)
        .map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    Some((view.shape().to_vec(), values))
}

fn leaf<const D: usize>(
    file: &SafeTensors<'_>,
    name: &str,
    dtype: DType,
    device: &Device,
) -> Option<Tensor<D>> {
    let (shape, values) = floats(file, name)?;
    let data = TensorData::new(values, shape);
    Some(Tensor::<D>::from_data(data, (device, dtype)).require_grad())
}

fn options(config: &serde_json::Value) -> AttentionOptions {
    let size = |name: &str| config[name].as_u64().map(|value| value as usize);
    AttentionOptions {
        scale: config["scale"].as_f64(),
        causal: config["causal"].as_bool().unwrap(),
        window_left: size("window_left"),
        window_right: size("window_right"),
        softcap: config["softcap"].as_f64(),
        dropout: 0.0,
    }
}

fn check(dtype: DType, output_limit: f64, gradient_limit: f64) {
    let device = Device::flex().autodiff();
    let mut count = 0;
    for path in files() {
        let bytes = std::fs::read(&path).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let config = metadata.metadata().as_ref().unwrap()["config"].clone();
        let options = options(&serde_json::from_str(&config).unwrap());
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let [q, k, v] = ["input/q", "input/k", "input/v"]
            .map(|name| leaf::<4>(&file, name, dtype, &device).unwrap());
        let bias = leaf::<3>(&file, "input/bias", dtype, &device);
        let mask = AttentionMask {
            key_valid: file.tensor("input/key_valid").ok().map(|view| {
                let valid: Vec<bool> = view.data().chunks_exact(8).map(|b| b[0] != 0).collect();
                let shape = [view.shape()[0], view.shape()[1]];
                Tensor::<2, Bool>::from_data(TensorData::new(valid, shape), &device)
            }),
            full: None,
        };
        let compare = |name: &str, got: &[f64], want: &str, limit: f64| {
            let error = relative_error(got, &floats(&file, want).unwrap().1);
            assert!(error <= limit, "{path:?}: {name} is off by {error:e}");
        };
        let y = attention(
            q.clone(),
            k.clone(),
            v.clone(),
            mask.clone(),
            bias.clone(),
            &options,
        );
        let output: Vec<f64> = y.clone().into_data().iter().collect();
        compare("output", &output, "output/y", output_limit);
        let (with_weights, weights) = attention_with_weights(
            q.clone(),
            k.clone(),
            v.clone(),
            mask,
            bias.clone(),
            &options,
        );
        let output: Vec<f64> = with_weights.into_data().iter().collect();
        compare("output beside weights", &output, "output/y", output_limit);
        for sum in weights.sum_dim(3).into_data().iter::<f64>() {
            assert!(sum.abs() < 1e-5 || (sum - 1.0).abs() < 1e-5, "{sum}");
        }
        let cotangent = leaf::<4>(&file, "cotangent/y", dtype, &device).unwrap();
        let grads = (y * cotangent).sum().backward();
        for (name, tensor) in [("q", &q), ("k", &k), ("v", &v)] {
            let got: Vec<f64> = tensor.grad(&grads).unwrap().into_data().iter().collect();
            compare(name, &got, &format!("grad_input/{name}"), gradient_limit);
        }
        if let Some(bias) = bias {
            let got: Vec<f64> = bias.grad(&grads).unwrap().into_data().iter().collect();
            compare("bias", &got, "grad_input/bias", gradient_limit);
        }
        count += 1;
    }
    assert!(count >= 10, "only {count} cases");
}

#[test]
fn matches_the_oracle_in_f64() {
    check(DType::F64, 1e-9, 1e-9);
}

#[test]
fn matches_the_oracle_in_f32() {
    check(DType::F32, 1e-5, 1e-4);
}
