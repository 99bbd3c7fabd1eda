//! What all averages of weights have in common, and those that are in no oracle.

use std::cell::Cell;

use forge_nn::burn;
use forge_nn::burn::module::{Module, Param};
use forge_nn::burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use forge_nn::burn::tensor::{Device, Tensor};
use forge_nn::{ForgeError, StateDict};
use forge_train::averaging::{
    Averaging, Ema, EmaConfig, Polyak, PolyakConfig, SnapshotConfig, Snapshots, Soup, SoupConfig,
    Swa, SwaConfig, SwaUnit, average_weights, greedy_soup,
};
use forge_train::metric::Direction;
use forge_train::schedule::{Constant, ScheduleConfig};
use forge_train::{Engine, EngineConfig, StepContext, Trainer};
use serde_json::json;

use crate::case::{error, read};
use crate::swa::{Weight, climb, weight};

#[derive(Module, Debug)]
struct Normed {
    linear: Linear,
    norm: BatchNorm,
}

impl Normed {
    fn new(device: &Device) -> Self {
        Self {
            linear: LinearConfig::new(2, 3).init(device),
            norm: BatchNormConfig::new(3).init(device),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.norm.forward(self.linear.forward(x))
    }
}

fn all(steps: u64, module: &Normed) -> Vec<Box<dyn Averaging<Normed>>> {
    let steps_of = |start| SwaConfig {
        start,
        unit: SwaUnit::Steps,
        ..SwaConfig::default()
    };
    let snapshots = SnapshotConfig {
        cycles: 3,
        keep: None,
    };
    vec![
        Box::new(Ema::new(EmaConfig::default(), module)),
        Box::new(Swa::new(steps_of(0.0), steps, module).unwrap()),
        Box::new(Polyak::new(PolyakConfig::Uniform {}, steps, module).unwrap()),
        Box::new(Snapshots::new(snapshots, steps, module).unwrap()),
        Box::new(Soup::new(SoupConfig::default(), module).unwrap()),
    ]
}

fn bits(module: &Normed) -> Vec<Vec<u8>> {
    let state = StateDict::from_module(module).unwrap();
    let tensors = state.tensors.into_values();
    tensors.map(|data| data.as_bytes().to_vec()).collect()
}

#[test]
fn no_average_touches_the_weights_that_are_trained() {
    let device = Device::flex().autodiff();
    device.seed(3);
    let run = |averaged: bool| {
        device.seed(3);
        let mut engine = Engine::new(Normed::new(&device), EngineConfig::default()).unwrap();
        let mut averages = all(6, engine.module());
        let mut trace = Vec::new();
        for step in 0..6 {
            engine
                .step(|net, at| {
                    let x = [[step as f32, 1.0], [0.5, -2.0], [3.0, 0.2 * step as f32]];
                    let y = net.forward(Tensor::from_data(x, at.device));
                    Ok((y - 1.0).square().mean())
                })
                .unwrap();
            if averaged {
                for average in &mut averages {
                    let at = StepContext::new(&device).at(step as usize, step);
                    average.on_step(engine.module(), &at).unwrap();
                    average.on_epoch(engine.module(), &at).unwrap();
                    // Neither what it offers nor a forward pass of that may lead back.
                    let offered = average.candidate().into_iter();
                    let kept = average.members().into_iter().flat_map(|m| m.modules);
                    for module in offered.chain(kept) {
                        let _ = module.train().forward(Tensor::ones([4, 2], &device) * 9.0);
                    }
                    let applied = average.apply(engine.module().clone());
                    let _ = applied
                        .module()
                        .forward(Tensor::ones([4, 2], &Device::flex()));
                    let live = applied.restore();
                    assert_eq!(bits(&live), bits(engine.module()), "{}", average.name());
                }
            }
            trace.push(bits(&engine.module().valid()));
        }
        trace
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn an_average_of_another_module_is_an_error() {
    let device = Device::flex();
    let narrow = LinearConfig::new(2, 3).init(&device);
    let wide = LinearConfig::new(2, 5).init(&device);
    let at = StepContext::new(&device);
    let swa = SwaConfig {
        start: 0.0,
        unit: SwaUnit::Steps,
        ..SwaConfig::default()
    };
    let averages: [Box<dyn Averaging<Linear>>; 3] = [
        Box::new(Ema::new(EmaConfig::default(), &narrow)),
        Box::new(Swa::new(swa, 9, &narrow).unwrap()),
        Box::new(Polyak::new(PolyakConfig::Uniform {}, 9, &narrow).unwrap()),
    ];
    for mut average in averages {
        average.on_step(&narrow, &at).unwrap();
        average.on_step(&narrow, &at).unwrap();
        let error = average.on_step(&wide, &at).unwrap_err();
        assert!(error.is_weights(), "{error}");
        for part in ["another module", "weight is [2, 5]", "begin a new average"] {
            assert!(error.to_string().contains(part), "{error}");
        }
    }
    // In a loop by hand too.
    let mut engine = Engine::new(narrow, EngineConfig::default()).unwrap();
    engine = engine.with_averaging(Ema::new(EmaConfig::default(), &wide.train()));
    let step = |engine: &mut Engine<'_, Linear>| {
        engine.step(|line, at| Ok(line.forward(Tensor::<2>::ones([1, 2], at.device)).mean()))
    };
    // The first call copies.
    step(&mut engine).unwrap();
    engine.set_module(LinearConfig::new(2, 7).init(&device.autodiff()));
    assert!(step(&mut engine).unwrap_err().is_weights());
}

#[test]
fn polyak_averages_are_those_of_their_formulas() {
    // A constant gradient moves Adam by its rate: w is k after k of 16 steps.
    let polynomial = |eta: f64| {
        (2..=16).fold(1.0, |s, n| {
            let n = f64::from(n);
            s + (eta + 1.0) / (n + eta) * (n - s)
        })
    };
    for (config, expected) in [
        (json!({"name": "uniform"}), 8.5),
        (json!({"name": "tail"}), 12.5),
        (json!({"name": "tail", "start": 0.75}), 14.5),
        (json!({"name": "polynomial_decay", "eta": 0.0}), 8.5),
        (json!({"name": "polynomial_decay"}), polynomial(3.0)),
    ] {
        let (mut task, trainer) = climb(1e6, json!({"polyak": config, "validate_every": 8}));
        let outcome = Trainer::new(trainer).unwrap().fit(&mut task, weight());
        let outcome = outcome.unwrap();
        assert_eq!(outcome.candidate, "polyak");
        let w = read(&outcome.module.w.val())[0];
        assert!((w - expected).abs() < 1e-5, "{config}: {w} for {expected}");
    }
    for (json, part) in [
        (r#"{"name": "tail", "start": 1.0}"#, "polyak.start = 1"),
        (
            r#"{"name": "polynomial_decay", "eta": -1}"#,
            "polyak.eta = -1",
        ),
    ] {
        let config: PolyakConfig = serde_json::from_str(json).unwrap();
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(serde_json::from_str::<PolyakConfig>(r#"{"name": "uniform", "start": 0}"#).is_err());
}

#[test]
fn snapshots_are_the_ends_of_the_cycles() {
    let config = |cycles, keep| SnapshotConfig { cycles, keep };
    // The peak stays that of the schedule; the cycles are even, the last one as well.
    let given = ScheduleConfig::Constant(Constant { lr: 0.2 });
    let cyclic = config(5, None).schedule(&given, 16).unwrap();
    let cyclic = cyclic.build(16).unwrap();
    for (step, expected) in [(0, 0.2), (2, 0.1), (4, 0.2), (7, 0.2), (15, 0.05)] {
        let lr = cyclic.lr(step);
        assert!((lr - expected).abs() < 1e-4, "step {step}: {lr}");
    }
    // Steps that are kept, by what w is then.
    for (cycles, keep, ends) in [
        (4, None, vec![4.0, 8.0, 12.0, 16.0]),
        (5, None, vec![4.0, 7.0, 10.0, 13.0, 16.0]),
        (3, None, vec![6.0, 11.0, 16.0]),
        (4, Some(2), vec![12.0, 16.0]),
    ] {
        let device = Device::flex();
        let mut part = Snapshots::new(config(cycles, keep), 16, &weight()).unwrap();
        for step in 0..16 {
            let w = Weight {
                w: Param::from_data([step as f32 + 1.0], &device),
            };
            let at = StepContext::new(&device).at(0, step);
            part.on_step(&w, &at).unwrap();
        }
        let kept = part.modules();
        let kept: Vec<f64> = kept.iter().map(|m| read(&m.w.val())[0]).collect();
        assert_eq!(kept, ends, "{cycles} cycles, {keep:?}");
    }
    for (config, part) in [
        (config(1, None), "snapshots.cycles = 1"),
        (config(101, None), "snapshots.cycles = 101"),
        (config(4, Some(1)), "snapshots.keep = 1"),
        (config(4, Some(5)), "snapshots.keep = 5"),
    ] {
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let error = Snapshots::new(config(5, None), 4, &weight()).unwrap_err();
    assert!(
        error.to_string().contains("snapshots.cycles = 5"),
        "{error}"
    );
}

#[test]
fn an_ensemble_is_kept_where_it_is_better_and_a_soup_where_that_is() {
    let run = |target: f64, fields| {
        let (mut task, config) = climb(target, fields);
        let outcome = Trainer::new(config).unwrap().fit(&mut task, weight());
        outcome.unwrap()
    };
    let snapshots = json!({"snapshots": {"cycles": 4}});
    let alone = run(1e6, snapshots.clone());
    assert_eq!(alone.candidate, "module");
    assert_eq!(alone.members.len(), 1);
    let ends = run(1e6, snapshots.clone());
    let last = read(&ends.module.w.val())[0];
    // Between two epochs the mean of the four ends is nearest; where that is, a first run tells.
    let probe = run(
        -1e6,
        json!({"snapshots": {"cycles": 4}, "validate_every": 8}),
    );
    assert_eq!(probe.candidate, "snapshots");
    assert_eq!(probe.members.len(), 4);
    let each: Vec<f64> = probe.members.iter().map(|m| read(&m.w.val())[0]).collect();
    let mean = each.iter().sum::<f64>() / 4.0;
    assert!((probe.score().unwrap() + (mean + 1e6).abs()).abs() < 1e-3);
    assert_eq!(read(&probe.module.w.val())[0], each[3]);
    assert!(
        each.is_sorted() && (each[3] - last).abs() < 1e-6,
        "{each:?}"
    );
    let together = run(mean, snapshots);
    assert_eq!(
        (together.candidate.as_str(), together.best_epoch),
        ("snapshots", None)
    );
    assert!(together.score().unwrap() > -1e-4);

    // Ends of epochs are 2, 4, .. 16; of 13 the nearest is 12 (14 is as near, and later), and both
    // together are exact.
    let soup = run(13.0, json!({"soup": {"keep": 4}}));
    assert_eq!(soup.candidate, "soup");
    assert!(soup.score().unwrap() > -1e-4);
    assert_eq!(soup.members.len(), 1);
    // Nothing is better than the one that is right already.
    assert_eq!(run(14.0, json!({"soup": {}})).candidate, "module");
    for (config, part) in [
        (SoupConfig { every: 0, keep: 2 }, "soup.every = 0"),
        (SoupConfig { every: 1, keep: 1 }, "soup.keep = 1"),
    ] {
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_greedy_soup_takes_what_helps() {
    let device = Device::flex();
    let of = |w: f32| Weight {
        w: Param::from_data([w], &device),
    };
    let ws = [10.0, 1.0, -3.0, 4.0, f32::NAN];
    let modules = ws.map(of);
    let prepared = Cell::new(0);
    let w = |m: &Weight| read(&m.w.val())[0];
    // Best alone: 1; with 4 it is 2.5, with -3 then ⅔, with 10 then 5.
    let soup = |direction| {
        greedy_soup(
            &modules,
            direction,
            |m| {
                prepared.set(prepared.get() + 1);
                Ok(m)
            },
            |m| Ok(-(w(m) - 1.8).abs()),
        )
    };
    let best = soup(Direction::Maximize).unwrap();
    assert_eq!(best.ingredients, [1, 3]);
    assert!((w(&best.module) - 2.5).abs() < 1e-6 && (best.score + 0.7).abs() < 1e-6);
    assert_eq!(prepared.get(), 3);
    let worst = soup(Direction::Minimize).unwrap();
    assert_eq!(worst.ingredients, [0]);

    let mean = average_weights(&modules[..4]).unwrap();
    assert!(error(&[w(&mean)], &[3.0]) < 1e-6);
    for refused in [
        greedy_soup(&modules[4..], Direction::Maximize, Ok, |m| Ok(w(m))).unwrap_err(),
        greedy_soup::<Weight>(&[], Direction::Maximize, Ok, |m| Ok(w(m))).unwrap_err(),
        average_weights::<Weight>([]).unwrap_err(),
    ] {
        assert!(refused.is_config(), "{refused}");
        assert!(refused.to_string().contains("modules"), "{refused}");
    }
    let failing = greedy_soup(&modules, Direction::Maximize, Ok, |_| {
        Err(ForgeError::training("no rows"))
    });
    assert!(failing.unwrap_err().is_training());
}
