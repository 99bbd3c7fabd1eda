use forge_nn::burn;
use forge_nn::burn::module::{Module, Param};
use forge_nn::burn::nn::{
    BatchNorm, BatchNormConfig, Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear,
    LinearConfig,
};
use forge_nn::burn::optim::GradientsParams;
use forge_nn::burn::tensor::{DType, Device, Tensor};
use forge_nn::parameters::{
    ParameterMapper, ParameterPath, ParameterVisitor, map_parameters, visit_parameters,
};
use forge_train::optimizer::{
    AdamWConfig, OptimizerConfig, OptimizerGroup, clip_global_norm, global_norm, is_finite, scale,
};

use forge_train::schedule::{
    Constant, FactorConfig, FactorSchedule, FlatCosFactor, ScheduleConfig,
};
use forge_train::{Engine, EngineConfig};

use crate::case::{Case, error, read};

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    second: Linear,
}

impl Net {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.second.forward(self.first.forward(x).tanh())
    }
}

fn linear(case: &Case, layer: &str, device: &Device, dtype: DType) -> Linear {
    let weight = format!("param/{layer}.weight");
    let bias = format!("param/{layer}.bias");
    let [d_out, d_in] = case.shape(&weight).try_into().unwrap();
    let mut linear = LinearConfig::new(d_in, d_out).init(device);
    let tensor = case.tensor::<2>(&weight, [d_out, d_in], device, dtype);
    linear.weight = Param::from_tensor(tensor.transpose());
    linear.bias = Some(Param::from_tensor(case.tensor(
        &bias,
        [d_out],
        device,
        dtype,
    )));
    linear
}

#[test]
fn clipped_adam_w_follows_pytorch_over_ten_steps() {
    let device = Device::flex().autodiff();
    let cases = Case::all("adamw_trajectory");
    assert_eq!(cases.len(), 2);
    for case in &cases {
        let number = |key: &str| case.config[key].as_f64().unwrap();
        for (dtype, bound) in [(DType::F64, 1e-9), (DType::F32, 1e-5)] {
            let mut net = Net {
                first: linear(case, "0", &device, dtype),
                second: linear(case, "2", &device, dtype),
            };
            let config = OptimizerConfig::AdamW(AdamWConfig {
                beta_1: number("beta_1"),
                beta_2: number("beta_2"),
                epsilon: number("epsilon"),
                weight_decay: number("weight_decay"),
                decay_biases: case.config["decay_biases"].as_bool().unwrap(),
                ..AdamWConfig::default()
            });
            let mut optimizer = config.build().unwrap();
            let x = case.tensor::<3>("input/x", [10, 7, 3], &device, dtype);
            let target = case.tensor::<3>("input/target", [10, 7, 2], &device, dtype);
            for k in 0..10 {
                let x = x.clone().narrow(0, k, 1).squeeze_dim::<2>(0);
                let target = target.clone().narrow(0, k, 1).squeeze_dim::<2>(0);
                let r = net.forward(x) - target;
                let loss = (r.clone() * r).mean();
                let e = error(&read(&loss), &[case.values("output/loss")[k]]);
                assert!(e <= bound, "{} {dtype:?} loss {k}: {e:e}", case.name);
                let grads = GradientsParams::from_grads(loss.backward(), &net);
                let (grads, norm) = clip_global_norm(&net, grads, number("max_grad_norm"));
                let norm = read(&norm.unwrap());
                let e = error(&norm, &[case.values("output/grad_norm")[k]]);
                assert!(e <= bound, "{} {dtype:?} norm {k}: {e:e}", case.name);
                net = optimizer.step(number("lr"), net, grads);
                for (layer, linear) in [("0", &net.first), ("2", &net.second)] {
                    let key = format!("output/step_{}/{layer}", k + 1);
                    let weight = read(&linear.weight.val().transpose());
                    let bias = read(&linear.bias.as_ref().unwrap().val());
                    for (part, found) in [("weight", weight), ("bias", bias)] {
                        let e = error(&found, case.values(&format!("{key}.{part}")));
                        assert!(e <= bound, "{} {dtype:?} {key}.{part}: {e:e}", case.name);
                    }
                }
            }
            let state = optimizer.state(&net);
            assert_eq!(state.scalars["first.weight.step"].as_u64(), Some(10));
            for moment in ["exp_avg", "exp_avg_sq"] {
                let data = &state.tensors[&format!("second.bias.{moment}")];
                let tensor = Tensor::<1>::from_data(data.clone(), (&device, dtype));
                let expected = case.values(&format!("output/{moment}/2.bias"));
                let e = error(&read(&tensor), expected);
                assert!(e <= bound, "{} {dtype:?} {moment}: {e:e}", case.name);
            }
        }
    }
}

#[derive(Module, Debug)]
struct Parts {
    embedding: Embedding,
    table: Embedding,
    norm: LayerNorm,
    batch: BatchNorm,
    linear: Linear,
    tokenizer: Linear,
    pre_norm_block: Vec<Linear>,
}

fn parts(device: &Device) -> Parts {
    Parts {
        embedding: EmbeddingConfig::new(3, 2).init(device),
        table: EmbeddingConfig::new(3, 2).init(device),
        norm: LayerNormConfig::new(2).init(device),
        batch: BatchNormConfig::new(2).init(device),
        linear: LinearConfig::new(2, 2).init(device),
        tokenizer: LinearConfig::new(2, 2).init(device),
        pre_norm_block: vec![LinearConfig::new(2, 2).init(device)],
    }
}

struct Ones;

impl ParameterMapper for Ones {
    fn map<const D: usize>(&mut self, _: &ParameterPath, p: Param<Tensor<D>>) -> Param<Tensor<D>> {
        p.map(|t| t.ones_like().require_grad())
    }
}

/// The same gradient everywhere.
struct Flat {
    value: f64,
    grads: GradientsParams,
}

impl ParameterVisitor for Flat {
    fn visit<const D: usize>(&mut self, _: &ParameterPath, p: &Param<Tensor<D>>) {
        if p.is_require_grad() {
            let ones = p.val().inner().ones_like();
            self.grads.register(p.id, ones * self.value);
        }
    }
}

fn flat_gradients<M: Module>(module: &M, value: f64) -> GradientsParams {
    let grads = GradientsParams::new();
    let mut flat = Flat { value, grads };
    visit_parameters(module, &mut flat);
    flat.grads
}

/// By how much a step moves each parameter, all of which start at 1 (biases at 0 would hide decay)
/// and have `gradient`.
fn moves(config: AdamWConfig, gradient: f64) -> Vec<(String, f64)> {
    let module = map_parameters(parts(&Device::flex().autodiff()), &mut Ones);
    let grads = flat_gradients(&module, gradient);
    let before = forge_nn::StateDict::from_module(&module.valid()).unwrap();
    let mut optimizer = OptimizerConfig::AdamW(config).build().unwrap();
    optimizer.check(&module).unwrap();
    let after = optimizer.step(0.1, module, grads);
    let after = forge_nn::StateDict::from_module(&after.valid()).unwrap();
    let first = |data: &burn::tensor::TensorData| data.iter::<f64>().next().unwrap();
    before
        .tensors
        .into_iter()
        .map(|(name, data)| {
            let moved = first(&data) - first(&after.tensors[&name]);
            (name, moved)
        })
        .collect()
}

/// Every parameter with a gradient of 0: only decay moves it.
fn moved_by_decay(config: AdamWConfig) -> Vec<String> {
    let moves = moves(config, 0.0).into_iter();
    let moved = moves.filter(|(_, by)| *by != 0.0);
    moved.map(|(name, _)| name).collect()
}

#[test]
fn decay_spares_biases_norms_and_embeddings() {
    let some = moved_by_decay(AdamWConfig::default());
    assert_eq!(some, ["linear.weight", "pre_norm_block.0.weight"]);
    let every = moved_by_decay(AdamWConfig {
        decay_biases: true,
        no_decay: Vec::new(),
        ..AdamWConfig::default()
    });
    // All parameters, and not the batch statistics.
    assert_eq!(every.len(), 12, "{every:?}");
    assert!(every.iter().all(|name| !name.contains("running")));
    let named = moved_by_decay(AdamWConfig {
        no_decay: vec!["LINEAR".into()],
        ..AdamWConfig::default()
    });
    assert_eq!(named, ["embedding.weight", "table.weight"]);
}

fn group(patterns: &[&str], rate: f64, weight_decay: Option<f64>) -> OptimizerGroup {
    OptimizerGroup {
        patterns: patterns.iter().map(ToString::to_string).collect(),
        rate,
        weight_decay,
        ..OptimizerGroup::default()
    }
}

#[test]
fn the_first_group_that_fits_sets_rate_and_decay() {
    let config = AdamWConfig {
        weight_decay: 0.5,
        groups: vec![
            group(&["*.bias"], 0.0, None),
            group(&["tokenizer", "pre_norm*"], 0.5, Some(0.25)),
            group(&["*block*", "norm.*"], 0.1, None),
        ],
        ..AdamWConfig::default()
    };
    // Adam's first step is the learning rate, whatever the size of the gradient.
    for (name, moved) in moves(config, 3.0) {
        let lr = 0.1;
        let expected = match name.as_str() {
            name if name.contains("running") || name.ends_with("bias") => 0.0,
            "tokenizer.weight" | "pre_norm_block.0.weight" => 0.5 * lr * (1.0 + 0.25),
            "norm.gamma" | "norm.beta" => 0.1 * lr,
            "linear.weight" => lr * (1.0 + 0.5),
            _ => lr,
        };
        assert!(
            (moved - expected).abs() < 1e-6,
            "{name}: {moved} {expected}"
        );
    }
    let decayed = moved_by_decay(AdamWConfig {
        groups: vec![group(&["norm", "linear"], 1.0, Some(0.1))],
        weight_decay: 0.0,
        ..AdamWConfig::default()
    });
    let all = ["linear.bias", "linear.weight", "norm.beta", "norm.gamma"];
    assert_eq!(decayed, all, "an own decay is that of the whole group");
}

#[test]
fn state_is_resumed_into_the_same_groups() {
    let config = OptimizerConfig::AdamW(AdamWConfig {
        groups: vec![
            group(&["first"], 0.1, Some(0.3)),
            group(&["*.bias"], 2.0, None),
        ],
        ..AdamWConfig::default()
    });
    let device = Device::flex().autodiff();
    let net = Net {
        first: LinearConfig::new(3, 2).init(&device),
        second: LinearConfig::new(2, 1).init(&device),
    };
    let step = |optimizer: &mut forge_train::optimizer::NamedOptimizer, net: Net| {
        let grads = flat_gradients(&net, 0.7);
        optimizer.step(0.05, net, grads)
    };
    let mut whole = config.build().unwrap();
    let net = step(&mut whole, net);
    let mut resumed = config.build().unwrap();
    resumed.load(&net, whole.state(&net)).unwrap();
    let read = |net: &Net| forge_nn::StateDict::from_module(net).unwrap().tensors;
    let ends = [step(&mut whole, net.clone()), step(&mut resumed, net)].map(|net| read(&net));
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn groups_with_slips_in_them_are_refused() {
    let config = |json: &str| serde_json::from_str::<OptimizerConfig>(json);
    let net = parts(&Device::flex().autodiff());
    let slip = config(r#"{"name": "adam_w", "groups": [{"match": ["linear", "tokeniser.*"]}]}"#);
    let mut optimizer = slip.unwrap().build().unwrap();
    let error = optimizer.check(&net).unwrap_err();
    assert!(error.is_config());
    assert!(error.to_string().contains("'tokeniser.*'"), "{error}");
    assert!(optimizer.load(&net, Default::default()).is_err());
    for (groups, part) in [
        (r#"{"match": []}"#, "optimizer.groups[0].match = []"),
        (r#"{"match": [""]}"#, r#"optimizer.groups[0].match = [""]"#),
        (
            r#"{"match": ["a"], "rate": -1.0}"#,
            "optimizer.groups[0].rate = -1",
        ),
        (
            r#"{"match": ["a"], "weight_decay": -0.1}"#,
            "optimizer.groups[0].weight_decay = -0.1",
        ),
        (
            r#"{"match": ["a"], "decay": -0.1}"#,
            "optimizer.groups[0].decay = -0.1",
        ),
        (
            r#"{"match": ["a"], "decay": 1.0, "weight_decay": 0.1}"#,
            "absent where weight_decay is set",
        ),
        (
            r#"{"match": ["a"], "schedule": {"name": "constant", "lr": 0.0}}"#,
            "schedule.lr = 0",
        ),
    ] {
        let json = format!(r#"{{"name": "adam_w", "groups": [{groups}]}}"#);
        let error = config(&json).unwrap().build().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(config(r#"{"name": "adam_w", "groups": [{"match": ["a"], "lr": 1}]}"#).is_err());
    assert!(config(r#"{"name": "adam_w", "groups": [{"rate": 1}]}"#).is_err());
}

/// A decay as a factor is one of the optimiser's decay; a schedule scales every decay, a group's own
/// rate follows its own schedule, and a group that nothing fits is taken where it may be.
#[test]
fn decay_and_the_rates_of_groups_follow_their_schedules() {
    let flat_cos = FactorConfig::FlatCos(FlatCosFactor::default());
    let optimizer = OptimizerConfig::AdamW(AdamWConfig {
        weight_decay: 0.5,
        decay_schedule: flat_cos,
        groups: vec![
            OptimizerGroup {
                optional: true,
                ..group(&["nowhere"], 1.0, None)
            },
            OptimizerGroup {
                decay: Some(0.2),
                schedule: Some(ScheduleConfig::Factor(FactorSchedule {
                    base_lr: 0.8,
                    factor: flat_cos,
                    total_steps: None,
                })),
                ..group(&["*.bias"], 0.1, None)
            },
        ],
        ..AdamWConfig::default()
    });
    let config = EngineConfig {
        optimizer,
        schedule: ScheduleConfig::Constant(Constant { lr: 0.1 }),
        steps: 8,
        ..EngineConfig::default()
    };
    let device = Device::flex();
    let net = Net {
        first: LinearConfig::new(3, 2).init(&device),
        second: LinearConfig::new(2, 1).init(&device),
    };
    let net = map_parameters(net.train(), &mut Ones);
    let mut engine = Engine::new(net, config).unwrap();
    let mut expected = [1.0_f64, 1.0];
    for step in 0..8 {
        // No gradient moves anything, so only decay does.
        engine
            .step(|net, _| {
                Ok(net
                    .forward(Tensor::ones([1, 3], &net.first.weight.device()))
                    .sum()
                    * 0.0)
            })
            .unwrap();
        let factor = flat_cos.at(step, 8);
        expected[0] *= 1.0 - 0.1 * 0.5 * factor;
        expected[1] *= 1.0 - (0.1 * 0.8 * factor) * (0.2 * 0.5 * factor);
        let net = engine.module();
        let found = [
            read(&net.first.weight.val())[0],
            read(&net.first.bias.as_ref().unwrap().val())[0],
        ];
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-5,
                "{step}: {found} {expected}"
            );
        }
    }
}

#[test]
fn finite_means_every_element_and_not_the_norm() {
    let net = parts(&Device::flex().autodiff());
    // The square of this overflows, the gradients do not.
    let large = flat_gradients(&net, 1e30);
    assert!(read(&global_norm(&net, &large).unwrap())[0].is_infinite());
    assert!(is_finite(&net, &large).unwrap());
    assert!(is_finite(&net, &GradientsParams::new()).unwrap());
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut grads = flat_gradients(&net, 1.0);
        let id = net.linear.weight.id;
        let one = Tensor::<2>::from_data([[0.0, 0.0], [0.0, bad]], &Device::flex());
        grads.register(id, one);
        assert!(!is_finite(&net, &grads).unwrap(), "{bad}");
    }
    let half = scale(&net, large, Tensor::from_data([0.5], &Device::flex()));
    let found = half.get::<2>(net.linear.weight.id).unwrap();
    assert!(read(&found).iter().all(|g| (g / 5e29 - 1.0).abs() < 1e-6));
}

#[test]
fn the_norm_is_that_of_all_gradients_together() {
    let device = Device::flex().autodiff();
    let net = Net {
        first: LinearConfig::new(3, 2).init(&device),
        second: LinearConfig::new(2, 1).init(&device),
    };
    let grads = || {
        let x = Tensor::<2>::from_data([[1.0, -2.0, 0.5], [0.0, 1.0, 3.0]], &device);
        let loss = net.forward(x).sum() * 50.0;
        GradientsParams::from_grads(loss.backward(), &net)
    };
    let norm = read(&global_norm(&net, &grads()).unwrap())[0];
    let (clipped, before) = clip_global_norm(&net, grads(), 0.5);
    assert!((read(&before.unwrap())[0] - norm).abs() < 1e-3);
    let after = read(&global_norm(&net, &clipped).unwrap())[0];
    assert!((after - 0.5).abs() < 1e-5, "{after}");
    let (kept, _) = clip_global_norm(&net, grads(), 1e6);
    let id = net.first.weight.id;
    let as_they_were = grads().get::<2>(id).unwrap();
    assert_eq!(read(&kept.get::<2>(id).unwrap()), read(&as_they_were));

    // One bad gradient must not be lost.
    let mut bad = grads();
    bad.register(
        net.second.weight.id,
        as_they_were.slice([0..2, 0..1]) * f64::NAN,
    );
    let (bad, _) = clip_global_norm(&net, bad, 0.5);
    assert!(read(&bad.get::<2>(id).unwrap()).iter().all(|g| g.is_nan()));
    assert!(global_norm(&net, &GradientsParams::new()).is_none());
}

#[test]
fn state_that_does_not_fit_is_refused() {
    let device = Device::flex().autodiff();
    let net = Net {
        first: LinearConfig::new(3, 2).init(&device),
        second: LinearConfig::new(2, 1).init(&device),
    };
    let mut optimizer = OptimizerConfig::default().build().unwrap();
    let loss = net.forward(Tensor::ones([2, 3], &device)).sum();
    let grads = GradientsParams::from_grads(loss.backward(), &net);
    let net = optimizer.step(0.1, net, grads);
    let good = optimizer.state(&net);
    assert_eq!(good.tensors.len(), 8);

    let load = |state| {
        let mut optimizer = OptimizerConfig::default().build().unwrap();
        optimizer.load(&net, state).map(|()| optimizer.state(&net))
    };
    assert_eq!(load(good.clone()).unwrap(), good);
    let mut missing = good.clone();
    missing.tensors.remove("first.bias.exp_avg");
    let mut strange = good.clone();
    let moved = strange.tensors.remove("first.bias.exp_avg").unwrap();
    strange.tensors.insert("third.bias.exp_avg".into(), moved);
    let mut misshapen = good.clone();
    let other = misshapen.tensors["second.bias.exp_avg"].clone();
    misshapen.tensors.insert("first.bias.exp_avg".into(), other);
    let mut negative = good.clone();
    negative
        .scalars
        .insert("first.bias.step".into(), (-1).into());
    for (state, part) in [
        (missing, "first.bias is incomplete"),
        (strange, "third.bias.exp_avg belongs to no parameter"),
        (
            misshapen,
            "first.bias.exp_avg has shape [1], the parameter [2]",
        ),
        (negative, "first.bias is incomplete"),
    ] {
        let error = load(state).unwrap_err();
        assert!(error.is_weights());
        assert!(error.to_string().contains(part), "{error}");
    }
}
