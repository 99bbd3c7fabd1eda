//! Every optimiser against the trajectory that PyTorch or its authors' formula takes
//! (`cases/optimizers.py`), its state across a resumption, and the evaluation weights of the
//! schedule-free one.

use forge_nn::burn;
use forge_nn::burn::module::{Module, Param};
use forge_nn::burn::optim::GradientsParams;
use forge_nn::burn::tensor::{DType, Device, Tensor, TensorData};
use forge_train::optimizer::{
    AdaptiveClip, NamedOptimizer, OptimizerConfig, SamConfig, ascend, clip_adaptive,
};
use serde_json::{Value, json};

use crate::case::{error, read};

#[derive(Module, Debug)]
struct Two {
    w: Param<Tensor<2>>,
    b: Param<Tensor<1>>,
}

fn cases() -> Value {
    serde_json::from_str(include_str!("cases/optimizers.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    let numbers = value.as_array().unwrap().iter();
    numbers.map(|v| v.as_f64().unwrap()).collect()
}

fn tensor<const D: usize>(
    value: &Value,
    shape: [usize; D],
    device: &Device,
    dtype: DType,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(numbers(value), shape), (device, dtype))
}

fn start(cases: &Value, dtype: DType) -> Two {
    let device = Device::flex().autodiff();
    Two {
        w: Param::from_tensor(tensor(&cases["start"]["w"], [3, 5], &device, dtype)),
        b: Param::from_tensor(tensor(&cases["start"]["b"], [5], &device, dtype)),
    }
}

fn gradients(two: &Two, of: &Value, dtype: DType) -> GradientsParams {
    let device = Device::flex();
    let mut grads = GradientsParams::new();
    grads.register(two.w.id, tensor::<2>(&of["w"], [3, 5], &device, dtype));
    grads.register(two.b.id, tensor::<1>(&of["b"], [5], &device, dtype));
    grads
}

/// The config of a case, with a decay of everything, as PyTorch has it.
fn optimizer(config: &Value) -> NamedOptimizer {
    let mut config = config.clone();
    config["decay_biases"] = json!(true);
    config["no_decay"] = json!([]);
    let config: OptimizerConfig = serde_json::from_value(config).unwrap();
    config.build().unwrap()
}

fn close(two: &Two, expected: &Value, bound: f64, what: &str) {
    for (name, found) in [("w", read(&two.w.val())), ("b", read(&two.b.val()))] {
        let e = error(&found, &numbers(&expected[name]));
        assert!(e <= bound, "{what} {name}: {e:e}");
    }
}

#[test]
fn trajectories_are_those_of_the_references() {
    let cases = cases();
    let all = cases["cases"].as_array().unwrap();
    assert_eq!(all.len(), 13);
    for (dtype, bound) in [(DType::F64, 1e-12), (DType::F32, 1e-5)] {
        for case in all {
            let config = &case["config"];
            let mut optimizer = optimizer(config);
            let mut two = start(&cases, dtype);
            let averages = config["name"] == "schedule_free_adam_w";
            assert_eq!(optimizer.averages(), averages);
            for (k, rate) in numbers(&cases["rates"]).into_iter().enumerate() {
                let grads = gradients(&two, &cases["gradients"][k], dtype);
                two = optimizer.step(rate, two, grads);
                // Newton and Schulz's iteration blows rounding up; five steps of a cubic.
                let bound = if config["name"] == "muon" {
                    bound * 10.0
                } else {
                    bound
                };
                let what = format!("{config} {dtype:?} step {k}");
                close(&two, &case["steps"][k], bound, &what);
                if averages {
                    let average = optimizer.to_evaluate(two.valid());
                    close(&average, &cases["average"][k], bound, &what);
                }
            }
        }
    }
}

#[test]
fn every_state_goes_on_bit_by_bit() {
    let cases = cases();
    for dtype in [DType::F64, DType::F32] {
        for case in cases["cases"].as_array().unwrap() {
            let mut whole = optimizer(&case["config"]);
            let mut resumed = optimizer(&case["config"]);
            let mut two = start(&cases, dtype);
            for k in 0..3 {
                let grads = gradients(&two, &cases["gradients"][k], dtype);
                two = whole.step(0.1, two, grads);
            }
            // Through the text that a checkpoint holds.
            let mut state = whole.state(&two);
            let text = serde_json::to_string(&state.scalars).unwrap();
            state.scalars = serde_json::from_str(&text).unwrap();
            resumed.load(&two, state).unwrap();
            let ends = [&mut whole, &mut resumed].map(|optimizer| {
                let grads = gradients(&two, &cases["gradients"][4], dtype);
                let two = optimizer.step(0.1, two.clone(), grads);
                let average = optimizer.to_evaluate(two.valid());
                [
                    read(&two.w.val()),
                    read(&two.b.val()),
                    read(&average.w.val()),
                ]
            });
            assert_eq!(ends[0], ends[1], "{}", case["config"]);
            let state = (whole.state(&two), resumed.state(&two));
            assert_eq!(state.0, state.1, "{}", case["config"]);
        }
    }
}

#[test]
fn adaptive_clipping_is_the_authors() {
    let cases = cases();
    let expected = &cases["clip_adaptive"];
    for (dtype, bound) in [(DType::F64, 1e-12), (DType::F32, 1e-6)] {
        let two = start(&cases, dtype);
        let clip = |config: &AdaptiveClip| {
            let grads = gradients(&two, &cases["gradients"][0], dtype);
            let grads = clip_adaptive(&two, grads, config);
            let w = grads.get::<2>(two.w.id).unwrap();
            [read(&w), read(&grads.get::<1>(two.b.id).unwrap())]
        };
        let mut config = AdaptiveClip {
            factor: expected["factor"].as_f64().unwrap(),
            ..AdaptiveClip::default()
        };
        let [w, b] = clip(&config);
        assert!(error(&w, &numbers(&expected["w"])) <= bound);
        assert!(error(&b, &numbers(&expected["b"])) <= bound);
        config.except = vec!["w".into()];
        let raw = read(&tensor::<2>(
            &cases["gradients"][0]["w"],
            [3, 5],
            &Device::flex(),
            dtype,
        ));
        assert_eq!(clip(&config), [raw, b]);
    }
}

/// Along the gradient by `ρ` in all, and `p² g` in the adaptive form.
#[test]
fn sam_looks_where_the_loss_rises() {
    let cases = cases();
    let two = start(&cases, DType::F64);
    let (p, g) = (&cases["start"], &cases["gradients"][1]);
    for adaptive in [false, true] {
        let config = SamConfig { rho: 0.3, adaptive };
        let vector = |values: &Value, name: &str| numbers(&values[name]);
        let size = |name: &str| -> f64 {
            let pairs = vector(p, name).into_iter().zip(vector(g, name));
            pairs
                .map(|(p, g)| if adaptive { p * p * g * g } else { g * g })
                .sum()
        };
        let norm = (size("w") + size("b")).sqrt();
        let there = ascend(two.clone(), &gradients(&two, g, DType::F64), &config);
        for (name, found) in [("w", read(&there.w.val())), ("b", read(&there.b.val()))] {
            let pairs = vector(p, name).into_iter().zip(vector(g, name));
            let expected = pairs.map(|(p, g)| {
                let along = if adaptive { p * p * g } else { g };
                p + 0.3 * along / norm
            });
            let e = error(&found, &expected.collect::<Vec<_>>());
            assert!(e < 1e-12, "{name} {adaptive}: {e:e}");
        }
        assert!(there.w.is_require_grad() && there.w.id == two.w.id);
    }
}

#[test]
fn bad_optimizers_are_refused_by_name() {
    for (config, part) in [
        (
            json!({"name": "sgd", "momentum": 1.0}),
            "optimizer.momentum = 1",
        ),
        (
            json!({"name": "sgd", "momentum": 0.0, "nesterov": true}),
            "optimizer.nesterov = true",
        ),
        (
            json!({"name": "adan", "beta_3": -0.1}),
            "optimizer.beta_3 = -0.1",
        ),
        (
            json!({"name": "muon", "ns_steps": 0}),
            "optimizer.ns_steps = 0",
        ),
        (
            json!({"name": "muon", "adam_w": [""]}),
            "optimizer.adam_w[0]",
        ),
        (
            json!({"name": "schedule_free_adam_w", "beta_1": 0.0}),
            "optimizer.beta_1 = 0",
        ),
        (
            json!({"name": "lamb", "weight_decay": -1.0}),
            "optimizer.weight_decay = -1",
        ),
        (json!({"name": "lbfgs"}), "burn::optim::LBFGS"),
        (
            json!({"name": "adam", "layer_decay": {"layers": "blocks", "rate": 1.5}}),
            "optimizer.layer_decay.rate = 1.5",
        ),
        (
            json!({"name": "adam", "groups": [
                {"match": ["a"], "schedule": {"name": "reduce_on_plateau"}}
            ]}),
            "optimizer.groups[0].schedule",
        ),
    ] {
        let config: OptimizerConfig = serde_json::from_value(config).unwrap();
        let error = config.build().unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(part),
            "{error}"
        );
    }
    let unknown = json!({"name": "lion", "beta_3": 0.1});
    assert!(serde_json::from_value::<OptimizerConfig>(unknown).is_err());
}
