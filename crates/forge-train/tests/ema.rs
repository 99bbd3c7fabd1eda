use forge_nn::burn;
use forge_nn::burn::module::{Module, Param, RunningState};
use forge_nn::burn::nn::{BatchNorm, BatchNormConfig};
use forge_nn::burn::tensor::{DType, Device, Tensor, TensorData};
use forge_train::averaging::{Ema, EmaConfig, PlainEma};

use crate::case::{Case, error, read};

#[derive(Module, Debug)]
struct Averaged {
    theta: Param<Tensor<1>>,
    buffer: RunningState<Tensor<1>>,
}

fn row(values: &[f64], width: usize, k: usize, device: &Device, dtype: DType) -> Tensor<1> {
    let row = values[k * width..(k + 1) * width].to_vec();
    Tensor::from_data(TensorData::new(row, [width]), (device, dtype))
}

#[test]
fn oracle_cases_pass_in_both_types() {
    let device = Device::flex().autodiff();
    let cases = Case::all("ema");
    assert_eq!(cases.len(), 4);
    for case in &cases {
        let config: EmaConfig = serde_json::from_value(case.config.clone()).unwrap();
        config.validate().unwrap();
        for (dtype, bound) in [(DType::F64, 1e-12), (DType::F32, 1e-6)] {
            let (n, width) = (case.shape("input/theta")[0], case.shape("input/theta")[1]);
            let buffers = case.shape("input/buffer")[1];
            let at = |k: usize| {
                let theta = row(case.values("input/theta"), width, k, &device, dtype);
                let buffer = row(case.values("input/buffer"), buffers, k, &device, dtype);
                (theta, buffer)
            };
            let (theta, buffer) = at(0);
            let mut module = Averaged {
                theta: Param::from_tensor(theta),
                buffer: RunningState::new(buffer.zeros_like()),
            };
            let mut ema = Ema::new(config.clone(), &module);
            for k in 0..n {
                let (theta, buffer) = at(k);
                module.theta = Param::initialized(module.theta.id, theta.require_grad());
                module.buffer.update(buffer.clone());
                ema.update(&module).unwrap();
                let average = ema.module();
                for (found, key, width) in [
                    (read(&average.theta.val()), "output/ema", width),
                    (read(&average.buffer.value()), "output/ema_buffer", buffers),
                ] {
                    let expected = &case.values(key)[k * width..(k + 1) * width];
                    let e = error(&found, expected);
                    assert!(e <= bound, "{} {dtype:?} {key} {k}: {e:e}", case.name);
                }
                // The module itself is as it was.
                assert_eq!(read(&module.buffer.value_sync()), read(&buffer));
            }
            assert_eq!(ema.calls(), n as u64);
        }
    }
}

fn statistics(norm: &BatchNorm) -> Vec<f64> {
    let mut values = read(&norm.running_mean.value());
    values.extend(read(&norm.running_var.value()));
    values
}

/// What a caller may do with a module that was handed out.
struct Double;

impl burn::module::ModuleMapper for Double {
    fn map_float<const D: usize>(&mut self, p: Param<Tensor<D>>) -> Param<Tensor<D>> {
        p.map(|t| t * 2.0)
    }
}

#[test]
fn batch_statistics_are_averaged_and_never_shared() {
    let device = Device::flex().autodiff();
    let norm = BatchNormConfig::new(2).init(&device);
    let half = EmaConfig::Plain(PlainEma { decay: 0.5 });
    let mut ema = Ema::new(half, &norm);
    // Nor is the average that has seen no update yet.
    let initial = statistics(&ema.module());
    let _ = norm.forward(Tensor::<2>::from_data([[5.0, 1.0], [3.0, 9.0]], &device));
    assert_ne!(statistics(&norm.valid()), initial);
    assert_eq!(statistics(&ema.module()), initial);
    let mut expected: Option<Vec<f64>> = None;
    for k in 0..5 {
        let x = [[k as f64, 1.0], [3.0, -2.0 * k as f64], [0.5, 7.0]];
        let _ = norm.forward(Tensor::<2>::from_data(x, &device));
        let before = ema.module();
        let frozen = statistics(&before);
        ema.update(&norm).unwrap();
        assert_eq!(statistics(&before), frozen, "a handed-out average changed");
        let live = statistics(&norm.valid());
        let mean = expected.map_or_else(
            || live.clone(),
            |s| {
                s.iter()
                    .zip(&live)
                    .map(|(s, l)| 0.5 * s + 0.5 * l)
                    .collect()
            },
        );
        assert!(error(&statistics(&ema.module()), &mean) < 1e-6);
        expected = Some(mean);
    }
    assert_ne!(statistics(&ema.module()), statistics(&norm.valid()));
    let before = statistics(&ema.module());
    let _ = ema.module().map(&mut Double);
    assert_eq!(
        statistics(&ema.module()),
        before,
        "a mapped average changed"
    );

    let state = ema.state().unwrap();
    let (calls, config) = (ema.calls(), EmaConfig::Plain(PlainEma { decay: 0.5 }));
    let restored = Ema::restore(config, &norm, state, calls).unwrap();
    assert_eq!(statistics(&restored.module()), statistics(&ema.module()));
}

#[test]
fn bad_fields_are_named() {
    for (json, part) in [
        (r#"{"name":"plain","decay":1.0}"#, "ema.decay = 1"),
        (r#"{"name":"ema_pytorch","beta":-0.1}"#, "ema.beta = -0.1"),
        (
            r#"{"name":"ema_pytorch","update_every":0}"#,
            "ema.update_every = 0",
        ),
        (
            r#"{"name":"ema_pytorch","inv_gamma":0}"#,
            "ema.inv_gamma = 0",
        ),
        (r#"{"name":"ema_pytorch","power":0}"#, "ema.power = 0"),
        (
            r#"{"name":"ema_pytorch","beta":0.5,"min_value":0.6}"#,
            "ema.min_value = 0.6",
        ),
    ] {
        let config: EmaConfig = serde_json::from_str(json).unwrap();
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(serde_json::from_str::<EmaConfig>(r#"{"name":"plain","beta":1}"#).is_err());
}
