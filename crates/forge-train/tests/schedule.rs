use forge_train::checkpoint::RunPart;
use forge_train::metric::Direction;
use forge_train::schedule::{
    CosLogFactor, CosineWarmup, FactorConfig, FactorSchedule, FlatCosFactor, OneCycle, Plateau,
    ReduceOnPlateau, ScheduleConfig,
};
use serde_json::{Value, json};

use crate::case::Case;

/// Fields of the oracle that are not ours: the momentum is not cycled.
const OTHERS: [&str; 3] = ["n_steps", "base_momentum", "max_momentum"];

#[test]
fn oracle_cases_pass() {
    let cases = Case::all("schedules");
    assert_eq!(cases.len(), 10);
    let of_steps = cases
        .into_iter()
        .filter(|case| !case.name.starts_with("plateau"));
    for mut case in of_steps {
        let fields = case.config.as_object_mut().unwrap();
        for other in OTHERS {
            fields.remove(other);
        }
        if let Some(steps) = fields.remove("anneal_epochs") {
            fields.insert("anneal_steps".into(), steps);
        }
        let config: ScheduleConfig = serde_json::from_value(case.config.clone()).unwrap();
        let schedule = config.build(1).unwrap();
        for (step, lr) in case.values("output/lr").iter().enumerate() {
            let ours = schedule.lr(step as u64);
            let bound = 1e-12 * config.peak_lr();
            assert!(
                (ours - lr).abs() <= bound,
                "{} {step}: {ours} {lr}",
                case.name
            );
        }
    }
}

/// The rate after each score, and the bad ones in a row; and from a saved state at each score.
#[test]
fn plateaus_are_pytorchs() {
    for name in ["plateau_max_abs", "plateau_min_rel"] {
        let cases = Case::all("schedules").into_iter();
        let mut case = cases.into_iter().find(|case| case.name == name).unwrap();
        case.config.as_object_mut().unwrap().remove("n_steps");
        let config: ScheduleConfig = serde_json::from_value(case.config.clone()).unwrap();
        let ScheduleConfig::ReduceOnPlateau(config) = config else {
            panic!("another kind");
        };
        let mut plateau = Plateau::new(config).unwrap();
        let bad = case.values("output/num_bad_epochs");
        let rates = case.values("output/lr").iter().zip(bad);
        for (score, (lr, bad)) in case.values("input/metric").iter().zip(rates) {
            let state = plateau.state().unwrap();
            plateau = Plateau::new(config).unwrap();
            plateau.restore(state).unwrap();
            // The config's mode counts, not what the score says.
            plateau.take_in(*score, Direction::Minimize);
            assert!(
                (plateau.lr() - lr).abs() <= 1e-15,
                "{name}: {}",
                plateau.lr()
            );
            assert_eq!(plateau.bad() as f64, *bad, "{name}");
        }
    }
}

/// PyTorch takes a share of a score below 0 for a worse one: it never falls there.
#[test]
fn a_plateau_below_zero_is_one() {
    let config = ReduceOnPlateau {
        patience: 2,
        ..ReduceOnPlateau::default()
    };
    for direction in [Direction::Minimize, Direction::Maximize] {
        let mut plateau = Plateau::new(config).unwrap();
        (0..4).for_each(|_| plateau.take_in(-1.0, direction));
        assert!(plateau.lr() < 1e-3, "{direction:?} {}", plateau.lr());
        // A hundredth better is better, whichever way that is.
        let better = match direction {
            Direction::Minimize => -1.01,
            Direction::Maximize => -0.99,
        };
        plateau.take_in(-1.0, direction);
        plateau.take_in(better, direction);
        assert_eq!(plateau.bad(), 0, "{direction:?}");
    }
}

/// Rates of PyTorch's schedulers (`cases/schedules.py`).
#[test]
fn rates_are_pytorchs() {
    let cases: Value = serde_json::from_str(include_str!("cases/schedules.json")).unwrap();
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 11);
    for case in cases {
        let config: ScheduleConfig = serde_json::from_value(case["config"].clone()).unwrap();
        let rates = case["lr"].as_array().unwrap();
        let schedule = config.build(rates.len() as u64).unwrap();
        for (step, lr) in rates.iter().enumerate() {
            let (lr, ours) = (lr.as_f64().unwrap(), schedule.lr(step as u64));
            let close = (ours - lr).abs() <= 1e-12 * config.peak_lr();
            assert!(close, "{} {step}: {ours} {lr}", case["config"]);
        }
        // Another peak multiplies all rates.
        let doubled = config.clone().with_peak_lr(2.0 * config.peak_lr());
        let doubled = doubled.build(rates.len() as u64).unwrap();
        for step in 0..rates.len() as u64 {
            let (one, two) = (schedule.lr(step), doubled.lr(step));
            assert!(
                (two - 2.0 * one).abs() <= 1e-12,
                "{} {step}",
                case["config"]
            );
        }
    }
}

/// Read before each step of a run, at `t` = steps made over steps planned.
#[test]
fn factors_are_pytabkits() {
    let cases = Case::all("realmlp_schedules");
    assert_eq!(cases.len(), 2);
    for case in cases {
        let factor = match case.config["name"].as_str().unwrap() {
            "coslog4" => FactorConfig::CosLog(CosLogFactor::default()),
            "flat_cos" => FactorConfig::FlatCos(FlatCosFactor::default()),
            other => panic!("{other}"),
        };
        let steps = case.config["n"].as_u64().unwrap();
        let schedule = ScheduleConfig::Factor(FactorSchedule {
            base_lr: 0.04,
            factor,
            total_steps: None,
        });
        let schedule = schedule.with_peak_lr(0.2).build(steps).unwrap();
        let values = case.values("output/value");
        assert_eq!(values.len() as u64, steps + 1);
        for (step, expected) in (0..).zip(values) {
            let ours = [factor.at(step, steps), schedule.lr(step) / 0.2];
            let close = ours.iter().all(|ours| (ours - expected).abs() < 1e-12);
            assert!(close, "{} {step}: {ours:?} {expected}", case.name);
        }
        assert_eq!(factor.at(u64::MAX, steps), factor.at(steps, steps));
    }
    assert_eq!(FactorConfig::default().at(7, 9), 1.0);
}

#[test]
fn what_is_left_open_is_filled_from_the_run() {
    let config = ScheduleConfig::CosineWarmup(CosineWarmup::default());
    let filled = config.build(200).unwrap();
    let ScheduleConfig::CosineWarmup(c) = filled.config() else {
        panic!("another kind");
    };
    assert_eq!((c.warmup_steps, c.total_steps), (Some(10), Some(200)));
    assert_eq!(filled.lr(0), 0.0);
    assert_eq!(filled.lr(10), 1e-3);
    assert_eq!(filled.lr(200), 0.0);
    assert_eq!(filled.lr(u64::MAX), 0.0);
    // A run of one step has no warm-up to lose it to.
    assert_eq!(config.build(1).unwrap().lr(0), 1e-3);
    let one = ScheduleConfig::OneCycle(OneCycle::default());
    assert!((one.build(100).unwrap().lr(29) - 1e-3).abs() < 1e-15);
}

#[test]
fn bad_fields_are_named() {
    for (config, part) in [
        (json!({"name": "constant", "lr": 0.0}), "schedule.lr = 0"),
        (
            json!({"name": "cosine_warmup", "min_lr": 1.0}),
            "schedule.min_lr = 1",
        ),
        (
            json!({"name": "cosine_warmup", "warmup_steps": 9, "total_steps": 9}),
            "schedule.warmup_steps = 9",
        ),
        (
            json!({"name": "cosine_warm_restarts", "t_0": 0}),
            "schedule.t_0 = 0",
        ),
        (
            json!({"name": "one_cycle", "pct_start": 0.6, "three_phase": true}),
            "schedule.pct_start = 0.6",
        ),
        (
            json!({"name": "one_cycle", "div_factor": 0.5}),
            "schedule.div_factor",
        ),
        (
            json!({"name": "polynomial", "power": 0.0}),
            "schedule.power = 0",
        ),
        (
            json!({"name": "multi_step", "milestones": [5, 2]}),
            "schedule.milestones = [5, 2]",
        ),
        (
            json!({"name": "exponential", "gamma": 1.5}),
            "schedule.gamma = 1.5",
        ),
        (json!({"name": "step", "every": 0}), "schedule.every = 0"),
        (
            json!({"name": "linear", "start_factor": 0.0}),
            "schedule.start_factor = 0",
        ),
        (
            json!({"name": "swa_lr", "swa_lr": -1.0}),
            "schedule.swa_lr = -1",
        ),
        (
            json!({"name": "reduce_on_plateau", "factor": 1.0}),
            "schedule.factor = 1",
        ),
        (
            json!({"name": "sequential", "parts": [
                {"schedule": {"name": "constant"}}, {"schedule": {"name": "constant"}}
            ]}),
            "schedule.parts[0].steps = absent",
        ),
        (
            json!({"name": "sequential", "parts": [
                {"schedule": {"name": "constant", "lr": 0.0}}
            ]}),
            "schedule.parts[0].schedule",
        ),
        (
            json!({"name": "chained", "base_lr": 0.1, "factors": [{"name": "reduce_on_plateau"}]}),
            "schedule.factors[0] = reduce_on_plateau",
        ),
        (
            json!({"name": "factor", "factor": {"name": "flat_cos", "flat": 1.0}}),
            "schedule.factor.flat = 1",
        ),
        (
            json!({"name": "factor", "factor": {"name": "cos_log", "cycles": 0}}),
            "schedule.factor.cycles = 0",
        ),
    ] {
        let config: ScheduleConfig = serde_json::from_value(config).unwrap();
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let late = json!({"name": "cosine_warmup", "warmup_steps": 100});
    let late: ScheduleConfig = serde_json::from_value(late).unwrap();
    assert!(late.build(100).unwrap_err().is_config());
    for (config, part) in [
        (
            json!({"name": "multi_step", "milestones": [2, 10]}),
            "schedule.milestones = 10",
        ),
        (
            json!({"name": "sequential", "parts": [
                {"steps": 10, "schedule": {"name": "linear"}}, {"schedule": {"name": "constant"}}
            ]}),
            "schedule.parts[1].steps = from 10",
        ),
        (
            json!({"name": "sequential", "parts": [
                {"steps": 4, "schedule": {"name": "cosine_warmup", "warmup_steps": 4}},
                {"schedule": {"name": "constant"}}
            ]}),
            "schedule.parts[0].schedule = 4 steps long",
        ),
    ] {
        let config: ScheduleConfig = serde_json::from_value(config).unwrap();
        config.validate().unwrap();
        let error = config.build(10).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let unknown = json!({"name": "constant", "rate": 1.0});
    assert!(serde_json::from_value::<ScheduleConfig>(unknown).is_err());
}

/// The rates of the linear models' and PatchTST's scripts by epoch (`cases/rates_by_epoch.py`), where the
/// function that sets them is called after an epoch with the number of those done.
#[test]
fn rates_fall_by_epoch_as_scripts_have_them() {
    let cases: Value = serde_json::from_str(include_str!("cases/rates_by_epoch.json")).unwrap();
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 2);
    for case in cases {
        let flat = case["flat"].as_u64().unwrap() as f64;
        let rates = case["rates"].as_array().unwrap();
        let epochs = rates.len() as u64;
        let lr = rates[0].as_f64().unwrap();
        let config: ScheduleConfig =
            serde_json::from_value(json!({"name": "sequential", "parts": [
                {"share": flat / epochs as f64, "schedule": {"name": "constant", "lr": lr}},
                {"schedule": {"name": "step", "base_lr": lr, "gamma": case["gamma"],
                    "share": 1.0 / (epochs as f64 - flat)}},
            ]}))
            .unwrap();
        // Whatever the steps of an epoch are, none is off by one.
        for steps in [1, 7, 33, 1_021] {
            let schedule = config.build(epochs * steps).unwrap();
            for (epoch, rate) in rates.iter().enumerate() {
                let rate = rate.as_f64().unwrap();
                for step in [0, steps - 1] {
                    let ours = schedule.lr(epoch as u64 * steps + step);
                    assert!(
                        (ours - rate).abs() <= 1e-12 * lr,
                        "{epoch} {step}/{steps}: {ours} {rate}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_share_of_falls_is_no_length_in_steps_too() {
    let step = |fields: Value| -> ScheduleConfig { serde_json::from_value(fields).unwrap() };
    for (share, every) in [(json!(1.5), json!(null)), (json!(0.5), json!(10))] {
        let config = step(json!({"name": "step", "share": share, "every": every}));
        let error = config.build(100).unwrap_err().to_string();
        assert!(error.contains("schedule.share"), "{error}");
    }
}
