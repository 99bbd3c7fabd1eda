//! Stochastic weight averaging: PyTorch's values, hand-made averages, runs.

use std::cell::Cell;

use forge_nn::burn;
use forge_nn::burn::module::{Module, Param};
use forge_nn::burn::nn::{Linear, LinearConfig};
use forge_nn::burn::tensor::{DType, Device, Tensor, activation::relu};
use forge_nn::norm::{BatchNorm, BatchNormConfig};
use forge_nn::{ForgeError, ModuleConfig};
use forge_train::averaging::{Averaging, Ema, EmaConfig, Swa, SwaConfig, recompute_statistics};
use forge_train::checkpoint::RunPart;
use forge_train::metric::Scores;
use forge_train::{StepContext, TrainTask, Trainer, TrainerConfig};
use serde_json::json;

use crate::case::{Case, error, read};

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    norm: BatchNorm,
    last: Linear,
}

impl Net {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let h = self.norm.forward(self.first.forward(x));
        self.last.forward(relu(h))
    }
}

/// Puts PyTorch's weights in, keeping the parameters' ids.
fn load(net: &mut Net, case: &Case, prefix: &str, device: &Device, dtype: DType) {
    let matrix = |key: &str| -> Tensor<2> {
        let key = format!("{prefix}{key}");
        let shape = case.shape(&key);
        case.tensor(&key, [shape[0], shape[1]], device, dtype)
    };
    let vector = |key: &str| -> Tensor<1> {
        let key = format!("{prefix}{key}");
        case.tensor(&key, [case.shape(&key)[0]], device, dtype)
    };
    let set = |param: &mut Param<Tensor<1>>, value: Tensor<1>| {
        *param = Param::initialized(param.id, value.require_grad());
    };
    for (layer, name) in [(&mut net.first, "0"), (&mut net.last, "3")] {
        // Burn's weights are `[in, out]`.
        let weight = matrix(&format!("{name}.weight")).transpose();
        layer.weight = Param::initialized(layer.weight.id, weight.require_grad());
        if let Some(bias) = &mut layer.bias {
            set(bias, vector(&format!("{name}.bias")));
        }
    }
    set(&mut net.norm.weight, vector("1.weight"));
    set(&mut net.norm.bias, vector("1.bias"));
}

fn weights(net: &Net) -> Vec<(&'static str, Vec<f64>)> {
    let bias = |layer: &Linear| read(&layer.bias.as_ref().unwrap().val());
    vec![
        ("0.weight", read(&net.first.weight.val().transpose())),
        ("0.bias", bias(&net.first)),
        ("1.weight", read(&net.norm.weight.val())),
        ("1.bias", read(&net.norm.bias.val())),
        ("3.weight", read(&net.last.weight.val().transpose())),
        ("3.bias", bias(&net.last)),
    ]
}

#[test]
fn oracle_cases_pass_in_both_types() {
    let device = Device::flex().autodiff();
    let cases = Case::all("swa");
    assert_eq!(cases.len(), 2);
    for case in &cases {
        let size = |key: &str| case.config[key].as_u64().unwrap() as usize;
        for (dtype, bound) in [(DType::F64, 1e-9), (DType::F32, 1e-5)] {
            let mut net = Net {
                first: LinearConfig::new(size("d_in"), size("d_hidden")).init(&device),
                norm: BatchNormConfig::new(size("d_hidden"))
                    .with_momentum(case.config["bn_momentum"].as_f64().unwrap())
                    .init(&device),
                last: LinearConfig::new(size("d_hidden"), size("d_out")).init(&device),
            };
            let batch = |k: usize, device: &Device| -> Tensor<2> {
                let key = format!("input/batch_{k}");
                let shape = case.shape(&key);
                case.tensor(&key, [shape[0], shape[1]], device, dtype)
            };
            net = net.map(&mut Cast(dtype));
            let mut swa = Swa::new(SwaConfig::default(), 10, &net).unwrap();
            for k in 0..size("n_snapshots") {
                load(
                    &mut net,
                    case,
                    &format!("input/snapshot_{k}/"),
                    &device,
                    dtype,
                );
                swa.update(&net).unwrap();
                let average = swa.candidate().unwrap();
                for (name, found) in weights(&average) {
                    let key = format!("output/average_{k}/{name}");
                    let e = error(&found, case.values(&key));
                    assert!(e <= bound, "{} {dtype:?} {key}: {e:e}", case.name);
                }
            }
            assert!(Averaging::<Net>::needs_statistics(&swa));
            let average = swa.candidate().unwrap();
            let sizes: Vec<usize> = (0..size("n_batches"))
                .map(|k| batch(k, &device).dims()[0])
                .collect();
            let fresh = recompute_statistics(&average, &sizes, |net, k| {
                let _ = net.forward(batch(k, &device));
                Ok(())
            })
            .unwrap();
            assert_eq!(weights(&fresh), weights(&average));
            for (found, key) in [
                (&fresh.norm.running_mean, "output/bn/1.running_mean"),
                (&fresh.norm.running_var, "output/bn/1.running_var"),
            ] {
                let e = error(&read(&found.value()), case.values(key));
                assert!(e <= bound, "{} {dtype:?} {key}: {e:e}", case.name);
            }
            let shape = case.shape("input/x");
            let x = case.tensor("input/x", [shape[0], shape[1]], &Device::flex(), dtype);
            let e = error(&read(&fresh.forward(x)), case.values("output/y"));
            assert!(e <= bound, "{} {dtype:?} y: {e:e}", case.name);
        }
    }
}

struct Cast(DType);

impl burn::module::ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        // The weights are replaced by the case's own, the statistics take the type of the batches.
        if param.is_require_grad() {
            return param;
        }
        let dtype = self.0;
        param.map(|t| t.cast(dtype))
    }
}

#[test]
fn frozen_weights_stay_and_statistics_of_burns_own_layer_are_never_shared() {
    let device = Device::flex().autodiff();
    let norm = burn::nn::BatchNormConfig::new(2).init(&device);
    let mut swa = Swa::new(SwaConfig::default(), 10, &norm).unwrap();
    swa.update(&norm).unwrap();
    let _ = norm.forward(Tensor::<2>::from_data([[5.0, 1.0], [3.0, 9.0]], &device));
    let norm = norm.no_grad();
    swa.update(&norm).unwrap();
    let candidate = swa.candidate().unwrap();
    // Copied, not averaged with the zeros of the start.
    let live = read(&norm.valid().running_mean.value());
    assert_eq!(read(&candidate.running_mean.value()), live);
    assert_eq!(read(&candidate.gamma.val()), [1.0, 1.0]);
    let fresh = recompute_statistics(&candidate, &[2, 2], |norm, k| {
        let x = [[1.0 + k as f64, 0.0], [3.0 + k as f64, 4.0]];
        let _ = norm.forward(Tensor::<2>::from_data(x, &device));
        Ok(())
    })
    .unwrap();
    assert!(error(&read(&fresh.running_mean.value()), &[2.5, 2.0]) < 1e-5);
    assert_eq!(read(&candidate.running_mean.value()), live);
    assert_eq!(read(&norm.valid().running_mean.value()), live);
}

/// One weight that every step moves by a known amount: the loss is `-w`, and validation likes the
/// weight near a target.
pub(crate) struct Climb {
    pub(crate) target: f64,
    pub(crate) seen: Cell<usize>,
}

#[derive(Module, Debug)]
pub(crate) struct Weight {
    pub(crate) w: Param<Tensor<1>>,
}

impl TrainTask for Climb {
    type Module = Weight;

    fn n_rows(&self) -> usize {
        8
    }

    fn loss(
        &mut self,
        module: &Weight,
        _: &[usize],
        _: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        Ok(module.w.val().neg())
    }

    fn validate(&self, module: &Weight) -> Result<Option<Scores>, ForgeError> {
        self.seen.set(self.seen.get() + 1);
        let w = read(&module.w.val())[0];
        let score = -(w - self.target).abs();
        Ok(Some(Scores::new().maximize("closeness", score)))
    }

    fn validate_together(&self, modules: &[Weight]) -> Result<Option<Scores>, ForgeError> {
        let all = modules.iter().map(|module| read(&module.w.val())[0]);
        let mean = all.sum::<f64>() / modules.len() as f64;
        let score = -(mean - self.target).abs();
        Ok(Some(Scores::new().maximize("closeness", score)))
    }
}

pub(crate) fn climb(target: f64, averages: serde_json::Value) -> (Climb, TrainerConfig) {
    let mut config = json!({
        "epochs": 8, "batch_size": 4,
        "optimizer": {"name": "adam_w", "weight_decay": 0.0},
        "schedule": {"name": "constant", "lr": 1.0},
    });
    let fields = averages.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(fields);
    let seen = Cell::new(0);
    (
        Climb { target, seen },
        serde_json::from_value(config).unwrap(),
    )
}

pub(crate) fn weight() -> Weight {
    Weight {
        w: Param::from_data([0.0], &Device::flex()),
    }
}

#[test]
fn the_average_is_that_of_the_last_part_of_the_run() {
    // A constant gradient moves Adam by its rate: w is k after k steps, two steps per epoch.
    for (swa, expected) in [
        // Ends of the epochs 6 and 7: 14 and 16.
        (json!({"swa": {}}), 15.0),
        // Ends of the epochs 4 and 6: 10 and 14.
        (json!({"swa": {"start": 0.5, "every": 2}}), 12.0),
        // Steps 13, 14, 15 and 16.
        (json!({"swa": {"unit": "steps"}}), 14.5),
        // Steps 13 and 16.
        (json!({"swa": {"unit": "steps", "every": 3}}), 14.5),
        // From the first epoch on: 2, 4, .. 16.
        (json!({"swa": {"start": 0.0}}), 9.0),
    ] {
        // Always better, so that the last average is what comes back.
        let (mut task, config) = climb(1e6, swa.clone());
        let outcome = Trainer::new(TrainerConfig {
            validate_every: 8,
            ..config
        })
        .unwrap()
        .fit(&mut task, weight())
        .unwrap();
        assert_eq!(outcome.candidate, "swa");
        let w = read(&outcome.module.w.val())[0];
        assert!((w - expected).abs() < 1e-5, "{swa}: {w}");
    }
}

#[test]
fn of_several_averages_the_better_one_is_kept_and_named() {
    let averages = json!({"swa": {"start": 0.5}, "ema": {"name": "plain", "decay": 0.5}});
    // Near the mean of 10, 12, 14, 16; the exponential average ends near 15.
    for (target, expected) in [(12.9, "swa"), (15.2, "ema")] {
        let (mut task, config) = climb(target, averages.clone());
        let outcome = Trainer::new(TrainerConfig {
            validate_every: 8,
            ..config
        })
        .unwrap()
        .fit(&mut task, weight())
        .unwrap();
        assert_eq!(outcome.candidate, expected);
        let last = outcome.history.last().unwrap();
        let names: Vec<_> = last
            .validation
            .iter()
            .map(|v| v.candidate.as_str())
            .collect();
        let other = if expected == "swa" { "ema" } else { "swa" };
        assert_eq!(names, [expected, other]);
        // More is better, in the score's own direction.
        assert!(
            last.validation[0].deciding().unwrap().value
                > last.validation[1].deciding().unwrap().value
        );
        assert_eq!(outcome.score(), last.score());
        assert_eq!(task.seen.get(), 2);
    }
}

#[test]
fn a_third_average_can_be_added() {
    struct Last(Option<Weight>);
    impl RunPart for Last {
        fn name(&self) -> &str {
            "last"
        }
    }
    impl Averaging<Weight> for Last {
        fn on_step(&mut self, module: &Weight, _: &StepContext<'_>) -> Result<(), ForgeError> {
            self.0 = Some(module.valid());
            Ok(())
        }

        fn candidate(&self) -> Option<Weight> {
            self.0.clone()
        }
    }
    let (mut task, config) = climb(16.0, json!({"swa": {}}));
    let outcome = Trainer::new(config)
        .unwrap()
        .with_averaging(|_, _| Ok(Last(None)))
        .with_averaging(|module, _| Ok(Ema::new(EmaConfig::default(), module)))
        .fit(&mut task, weight())
        .unwrap();
    assert_eq!(outcome.candidate, "last");
    // It ends at the target, but for rounding.
    assert!(outcome.score().unwrap() > -1e-4);
}

#[test]
fn bad_fields_are_named() {
    for (json, part) in [
        (r#"{"start": 1.0}"#, "swa.start = 1"),
        (r#"{"start": -0.1}"#, "swa.start = -0.1"),
        (r#"{"every": 0}"#, "swa.every = 0"),
    ] {
        let config: SwaConfig = serde_json::from_str(json).unwrap();
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(serde_json::from_str::<SwaConfig>(r#"{"every_epochs": 1}"#).is_err());
}
