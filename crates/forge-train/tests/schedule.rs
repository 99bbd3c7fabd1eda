use forge_train::schedule::{
    CosLogFactor, CosineWarmup, FactorConfig, FactorSchedule, FlatCosFactor, OneCycle,
    ScheduleConfig,
};
use serde_json::json;

use crate::case::Case;

/// Fields of the oracle that are not ours: the momentum is not cycled.
const OTHERS: [&str; 3] = ["n_steps", "base_momentum", "max_momentum"];

#[test]
fn oracle_cases_pass() {
    let cases = Case::all("schedules");
    assert_eq!(cases.len(), 6);
    for mut case in cases {
        let fields = case.config.as_object_mut().unwrap();
        for other in OTHERS {
            fields.remove(other);
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
    let unknown = json!({"name": "constant", "rate": 1.0});
    assert!(serde_json::from_value::<ScheduleConfig>(unknown).is_err());
}
