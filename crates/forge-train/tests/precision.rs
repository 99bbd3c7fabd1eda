//! Half precision with weights in f32: the loss scale, the cast, what a step does with both.

use forge_nn::burn;
use forge_nn::burn::module::{Module, Param};
use forge_nn::burn::optim::GradientsParams;
use forge_nn::burn::tensor::{DType, Device, Tensor};
use forge_nn::norm::{BatchNorm, BatchNormConfig, LayerNorm, LayerNormConfig};
use forge_nn::{ForgeError, Linear, LinearConfig, ModuleConfig, StateDict};
use forge_train::checkpoint::RunPart;
use forge_train::precision::{LossScale, LossScaleConfig, Precision, autocast};
use forge_train::rule::{ClipNorm, Decision, GradientRule, Gradients};
use forge_train::{
    Engine, EngineConfig, StepContext, StepOutcome, TrainTask, Trainer, TrainerConfig,
};
use serde_json::json;

use crate::case::{Case, error, read};
use crate::swa::{climb, weight};

#[derive(Module, Debug)]
struct Theta {
    theta: Param<Tensor<1>>,
}

#[test]
fn the_loss_scale_is_that_of_the_oracle() {
    let device = Device::flex().autodiff();
    let cases = Case::all("grad_scaler");
    assert_eq!(cases.len(), 2);
    for case in &cases {
        let number = |key: &str| case.config[key].as_f64().unwrap();
        let mut scale = LossScale::new(LossScaleConfig {
            init_scale: number("init_scale"),
            growth_factor: number("growth_factor"),
            backoff_factor: number("backoff_factor"),
            growth_interval: number("growth_interval") as u64,
        })
        .unwrap();
        let mut clip = ClipNorm::new(number("max_grad_norm")).unwrap();
        let [n, d] = [case.shape("input/grad")[0], case.shape("input/grad")[1]];
        let row = |key: &str, k: usize| case.values(key)[k * d..(k + 1) * d].to_vec();
        let mut theta = case.values("input/theta")[..d].to_vec();
        let at = StepContext::new(&device);
        let mut skipped = 0;
        for k in 0..n {
            let module = Theta {
                theta: Param::from_tensor(
                    Tensor::from_data(&theta[..], (&device, DType::F64)).require_grad(),
                ),
            };
            let used = GradientRule::<Theta>::loss_factor(&scale, &at);
            assert_eq!(used, case.values("output/scale_used")[k]);
            // What a backward pass of the scaled loss would give.
            let overflows = case.values("input/overflow")[k] != 0.0;
            let factor = if overflows { f64::INFINITY } else { used };
            let grad: Vec<f64> = row("input/grad", k).iter().map(|g| g * factor).collect();
            let mut params = GradientsParams::new();
            let grad = Tensor::<1>::from_data(&grad[..], (&Device::flex(), DType::F64));
            params.register(module.theta.id, grad);
            let loss = Tensor::from_data([0.0], (&Device::flex(), DType::F64));
            let gradients = Gradients { loss, params };
            match scale.apply(&module, gradients, &at).unwrap() {
                Decision::Skip => skipped += 1,
                Decision::Proceed(gradients) => {
                    let Decision::Proceed(gradients) = clip.apply(&module, gradients, &at).unwrap()
                    else {
                        panic!("clipping never skips");
                    };
                    let grad = read(&gradients.params.get::<1>(module.theta.id).unwrap());
                    for (theta, grad) in theta.iter_mut().zip(grad) {
                        *theta -= number("lr") * grad;
                    }
                }
            }
            let expected = row("output/theta", k);
            let e = error(&theta, &expected);
            assert!(e <= 1e-9, "{} step {k}: {e:e}", case.name);
            assert_eq!(scale.scale(), case.values("output/scale_after")[k]);
            assert_eq!(
                scale.steady() as f64,
                case.values("output/growth_tracker")[k]
            );
        }
        let overflows = case.values("input/overflow");
        assert_eq!(skipped, overflows.iter().filter(|o| **o != 0.0).count());
        // It goes on from its state.
        let mut other = LossScale::new(LossScaleConfig::default()).unwrap();
        other.restore(scale.state().unwrap()).unwrap();
        assert_eq!(
            (other.scale(), other.steady()),
            (scale.scale(), scale.steady())
        );
    }
}

#[test]
fn a_loss_that_is_never_finite_ends_the_run() {
    let mut scale = LossScale::new(LossScaleConfig::default()).unwrap();
    let steps = (0..1000).position(|_| scale.update(false).is_err());
    assert!((100..200).contains(&steps.unwrap()));
    for (config, part) in [
        (json!({"init_scale": 0.0}), "loss_scale.init_scale = 0"),
        (
            json!({"growth_factor": 1.0}),
            "loss_scale.growth_factor = 1",
        ),
        (
            json!({"backoff_factor": 1.0}),
            "loss_scale.backoff_factor = 1",
        ),
        (
            json!({"growth_interval": 0}),
            "loss_scale.growth_interval = 0",
        ),
    ] {
        let config: LossScaleConfig = serde_json::from_value(config).unwrap();
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    norm: LayerNorm,
    batch: BatchNorm,
    last: Linear,
}

impl Net {
    fn new(device: &Device) -> Self {
        device.seed(11);
        Self {
            first: LinearConfig::new(3, 8).init(device),
            norm: LayerNormConfig::new(8).init(device),
            batch: BatchNormConfig::new(8).init(device),
            last: LinearConfig::new(8, 1).init(device),
        }
        .materialize()
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let h = self.norm.forward(self.first.forward(x)).tanh();
        self.last.forward(self.batch.forward(h))
    }
}

fn rows(step: u64) -> ([[f32; 3]; 4], [[f32; 1]; 4]) {
    let at = |i: usize, j: usize| ((step as f32 + 1.0) * 0.7 + i as f32 * 1.3 + j as f32).sin();
    let x = [0, 1, 2, 3].map(|i| [0, 1, 2].map(|j| at(i, j)));
    (x, x.map(|[a, b, c]| [a * b - 0.5 * c]))
}

/// Losses of some steps, and the net after them.
fn train(precision: Precision, steps: u64, scale: Option<&mut LossScale>) -> (Vec<f64>, Net) {
    let config = EngineConfig {
        precision,
        steps,
        ..EngineConfig::default()
    };
    let mut engine = Engine::new(Net::new(&Device::flex()), config).unwrap();
    if let Some(scale) = scale {
        engine = engine.with_rule(scale);
    }
    let mut losses = Vec::new();
    for step in 0..steps {
        let outcome = engine.step(|net, at| {
            let (x, y) = rows(step);
            let x = at.precision.cast(Tensor::<2>::from_data(x, at.device));
            let out = net.forward(x);
            assert_eq!(out.dtype(), precision.dtype());
            let y = Tensor::<2>::from_data(y, at.device);
            Ok((out.cast(DType::F32) - y).square().mean())
        });
        let StepOutcome { loss, .. } = outcome.unwrap();
        losses.push(read(&loss)[0]);
    }
    (losses, engine.into_module().valid())
}

fn values(net: &Net) -> Vec<(String, Vec<f64>)> {
    let state = StateDict::from_module(net).unwrap();
    let tensors = state.tensors.into_iter();
    tensors
        .map(|(name, data)| {
            assert_eq!(data.dtype(), DType::F32, "{name}");
            (name, data.iter::<f64>().collect())
        })
        .collect()
}

#[test]
fn a_half_precision_step_moves_f32_weights() {
    let (exact, f32_net) = train(Precision::F32, 12, None);
    for (precision, bound) in [(Precision::Bf16, 0.04), (Precision::F16, 0.006)] {
        // The default overflows in the first step, which is then left out.
        let config = LossScaleConfig {
            init_scale: 256.0,
            ..LossScaleConfig::default()
        };
        let mut scale = LossScale::new(config).unwrap();
        let rule = (precision == Precision::F16).then_some(&mut scale);
        let (losses, net) = train(precision, 12, rule);
        assert_ne!(losses, exact, "{precision:?} computed in f32");
        let e = error(&losses, &exact);
        assert!(e < bound, "{precision:?}: {e}");
        for ((name, half), (_, full)) in values(&net).iter().zip(values(&f32_net)) {
            let e = error(half, &full);
            // AdamW makes steps of one size of gradients that are all rounding.
            assert!(e < 8.0 * bound, "{precision:?} {name}: {e}");
        }
        // Running statistics are those of the steps, not lost with the cast copy.
        let mean = &values(&net)[1];
        assert!(mean.0.contains("running_mean") && mean.1.iter().any(|m| m.abs() > 1e-3));
    }
}

#[test]
fn what_is_cast_and_what_is_not() {
    let device = Device::flex().autodiff();
    let net = Net::new(&device);
    let half = autocast(&net, Precision::Bf16);
    assert_eq!(half.first.weight.val().dtype(), DType::BF16);
    assert_eq!(half.norm.weight.as_ref().unwrap().val().dtype(), DType::F32);
    assert_eq!(half.batch.weight.val().dtype(), DType::F32);
    assert_eq!(half.batch.running_mean.value().dtype(), DType::F32);
    // Gradients come out at the f32 weights, in f32.
    let x = Precision::Bf16.cast(Tensor::<2>::ones([4, 3], &device));
    let grads = half.first.forward(x).cast(DType::F32).sum().backward();
    let gradient = net.first.weight.val().grad(&grads).unwrap();
    assert_eq!(gradient.dtype(), DType::F32);
    assert!(read(&gradient).iter().all(|g| *g == 4.0));
    let same = autocast(&net, Precision::F32);
    assert_eq!(same.first.weight.val().dtype(), DType::F32);
    // Mean and deviation are computed in f32: 60 + 0.25 j is out of bf16's steps.
    let wide = LayerNormConfig::new(64).init(&device);
    let x = (0..64)
        .map(|j| 60.0 + 0.25 * (j % 7) as f32)
        .collect::<Vec<f32>>();
    let x = Tensor::<1>::from_data(&x[..], &device).unsqueeze::<2>();
    let x = x.cast(DType::BF16);
    let found = wide.forward(x.clone());
    assert_eq!(found.dtype(), DType::BF16);
    let exact = wide.forward(x.cast(DType::F32)).cast(DType::BF16);
    assert_eq!(read(&found), read(&exact));
}

#[test]
fn a_small_gradient_survives_f16_by_its_scale() {
    // 1e-8 is below the range of f16; the gradient of w is 1e-8 x.
    let run = |scaled: bool| {
        let config = EngineConfig {
            precision: Precision::F16,
            ..EngineConfig::default()
        };
        let line = LinearConfig::new(1, 1)
            .with_bias(false)
            .init(&Device::flex());
        let mut engine = Engine::new(line, config).unwrap();
        if scaled {
            let scale = LossScale::new(LossScaleConfig::default()).unwrap();
            engine = engine.with_rule(scale);
        }
        let gradients = engine.gradients(|line, at| {
            let x = at.precision.cast(Tensor::<2>::ones([1, 1], at.device));
            Ok(line.forward(x).cast(DType::F32).sum() * 1e-8)
        });
        let gradients = gradients.unwrap();
        read(
            &gradients
                .params
                .get::<2>(engine.module().weight.id)
                .unwrap(),
        )[0]
    };
    assert_eq!(run(false), 0.0);
    assert!((run(true) / 65536.0 - 1e-8).abs() < 1e-11);
}

#[test]
fn where_half_precision_is_no_use_it_is_refused() {
    let fit = |fields| {
        let (mut task, config) = climb(1.0, fields);
        let trainer = Trainer::new(config)?;
        trainer.fit(&mut task, weight()).map(drop)
    };
    for name in ["bf16", "f16"] {
        let error = fit(json!({"precision": name})).unwrap_err();
        assert!(error.is_config(), "{error}");
        for part in [format!("precision = {name}"), "slower than f32".into()] {
            assert!(error.to_string().contains(&part), "{error}");
        }
    }
    fit(json!({"precision": "f32"})).unwrap();
    let error = fit(json!({"loss_scale": {}})).unwrap_err().to_string();
    assert!(error.contains("only f16 needs it"), "{error}");
    assert!(serde_json::from_value::<TrainerConfig>(json!({"precision": "f64"})).is_err());
}

/// A deep net whose blocks are computed again.
struct Blocks;

#[derive(Module, Debug)]
struct Deep {
    blocks: Vec<Linear>,
    dropout: forge_nn::regularisation::Dropout,
}

impl TrainTask for Blocks {
    type Module = Deep;

    fn n_rows(&self) -> usize {
        24
    }

    fn loss(
        &mut self,
        deep: &Deep,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        let x: Vec<f32> = rows.iter().map(|r| (*r as f32 * 0.3).sin()).collect();
        let x = Tensor::<1>::from_data(&x[..], at.device).unsqueeze_dim::<2>(1);
        let x = x.repeat_dim(1, 4);
        let dropout = deep.dropout.clone();
        let y = deep.blocks.iter().fold(x, |x, block| {
            let dropout = dropout.clone();
            forge_nn::recomputed(block, x, move |block, x| {
                dropout.residual(block.forward(x.clone()).tanh(), x)
            })
        });
        Ok(y.square().mean())
    }
}

#[test]
fn checkpointing_changes_no_gradient_and_resumes_exactly() {
    let deep = |rate: f64| {
        let device = Device::flex();
        device.seed(2);
        Deep {
            blocks: (0..3)
                .map(|_| LinearConfig::new(4, 4).init(&device))
                .collect(),
            dropout: forge_nn::regularisation::DropoutConfig::new(rate).init(&device),
        }
        .materialize()
    };
    let run = |gradient_checkpointing: bool, rate: f64, parts: usize| {
        let config: TrainerConfig = serde_json::from_value(json!({
            "epochs": 3, "batch_size": 8, "micro_batches": parts, "seed": 4,
            "gradient_checkpointing": gradient_checkpointing,
        }))
        .unwrap();
        let outcome = Trainer::new(config).unwrap().fit(&mut Blocks, deep(rate));
        let module = outcome.unwrap().module;
        let weights = module.blocks.iter().flat_map(|b| read(&b.weight.val()));
        weights.collect::<Vec<f64>>()
    };
    for parts in [1, 2] {
        let e = error(&run(true, 0.0, parts), &run(false, 0.0, parts));
        assert!(e < 1e-5, "{e:e}");
    }
    // With dropout the masks are others than without, but always the same ones.
    assert_eq!(run(true, 0.3, 2), run(true, 0.3, 2));
    assert_ne!(run(true, 0.3, 2), run(true, 0.0, 2));
}
