//! `ops::attention` against PyTorch: outputs and gradients of the stored cases.

use std::path::{Path, PathBuf};

use burn::tensor::{Bool, DType, Device, Tensor, TensorData};
use forge_nn::ops::{AttentionMask, AttentionOptions, attention, attention_with_weights};
use forge_testkit::oracle::Case;

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

fn floats(case: &Case, name: &str) -> Option<(Vec<usize>, Vec<f64>)> {
    let data = case.get(name)?;
    Some((data.shape().to_vec(), data.iter::<f64>().collect()))
}

fn leaf<const D: usize>(
    case: &Case,
    name: &str,
    dtype: DType,
    device: &Device,
) -> Option<Tensor<D>> {
    let (shape, values) = floats(case, name)?;
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
        let case = Case::read(&path).unwrap();
        let options = options(&case.config);
        let [q, k, v] = ["input/q", "input/k", "input/v"]
            .map(|name| leaf::<4>(&case, name, dtype, &device).unwrap());
        let bias = leaf::<3>(&case, "input/bias", dtype, &device);
        let mask = AttentionMask {
            key_valid: floats(&case, "input/key_valid").map(|(shape, values)| {
                let valid: Vec<bool> = values.iter().map(|value| *value != 0.0).collect();
                Tensor::<2, Bool>::from_data(TensorData::new(valid, shape), &device)
            }),
            full: None,
        };
        let compare = |name: &str, got: &[f64], want: &str, limit: f64| {
            let error = relative_error(got, &floats(&case, want).unwrap().1);
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
        let cotangent = leaf::<4>(&case, "cotangent/y", dtype, &device).unwrap();
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
