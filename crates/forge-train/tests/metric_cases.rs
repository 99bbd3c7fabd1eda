//! Metrics and distributions against scikit-learn's and scipy's values, which
//! `cases/metrics.py` wrote.

use std::str::FromStr;

use forge_nn::ForgeError;
use forge_train::distribution::{Normal, StudentT};
use forge_train::metric::{
    ConfusionMatrix, ReliabilityCurve, RocCurve, auroc_one_vs_rest, average_precision, brier,
    log_loss, pinball,
};
use forge_train::objective::{Multiclass, Objective, ObjectiveConfig, Predictions, Targets};
use serde_json::Value;

fn cases(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("cases/metrics.json")).unwrap();
    all[kind].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap()).collect()
}

fn labels(value: &Value) -> Vec<usize> {
    numbers(value).iter().map(|v| *v as usize).collect()
}

fn close(what: &str, found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    let bound = 1e-9 * expected.abs().max(1e-3);
    assert!(
        (found - expected).abs() <= bound,
        "{what}: {found}, expected {expected}"
    );
}

fn all_close(what: &str, found: &[f64], expected: &Value) {
    let expected = expected.as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        close(&format!("{what} {i}"), *found, expected);
    }
}

#[test]
fn binary_metrics_are_scikit_learns() {
    for case in cases("binary") {
        let (y, p) = (labels(&case["labels"]), numbers(&case["p"]));
        let weights = case["weights"]
            .as_array()
            .map(|_| numbers(&case["weights"]));
        let w = weights.as_deref();
        let both: Vec<f64> = p.iter().flat_map(|p| [1.0 - p, *p]).collect();
        let positive: Vec<bool> = y.iter().map(|y| *y == 1).collect();
        close(
            "log_loss",
            log_loss(&both, 2, &y, w).unwrap(),
            &case["log_loss"],
        );
        close("brier", brier(&both, 2, &y, w).unwrap(), &case["brier"]);
        let ap = average_precision(&p, &positive, w).unwrap();
        close("average_precision", ap, &case["average_precision"]);
        let roc = RocCurve::compute(&p, &positive, w).unwrap();
        close("auroc", roc.area(), &case["auroc"]);
        all_close("fpr", &roc.false_positive_rate, &case["fpr"]);
        all_close("tpr", &roc.true_positive_rate, &case["tpr"]);
        all_close("thresholds", &roc.thresholds[1..], &case["thresholds"]);
        let predicted: Vec<usize> = p.iter().map(|p| usize::from(*p >= 0.5)).collect();
        let m = ConfusionMatrix::compute(&predicted, &y, 2, w).unwrap();
        for (name, value) in [
            ("accuracy", m.accuracy()),
            ("balanced_accuracy", m.balanced_accuracy()),
            ("f1", m.f1(1)),
            ("precision", m.precision(1)),
            ("recall", m.recall(1)),
            ("mcc", m.mcc()),
        ] {
            close(name, value, &case[name]);
        }
        let counts = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(t, p)| m.count(t, p));
        all_close("confusion", &counts, &case["confusion"]);
        if w.is_none() {
            let curve = ReliabilityCurve::compute(&p, &positive, 5, None).unwrap();
            let observed: Vec<f64> = curve.bins.iter().map(|b| b.observed).collect();
            let predicted: Vec<f64> = curve.bins.iter().map(|b| b.predicted).collect();
            all_close("observed", &observed, &case["observed"]);
            all_close("predicted", &predicted, &case["predicted"]);
            close("ece", curve.expected_calibration_error(), &case["ece"]);
        }
    }
}

#[test]
fn metrics_of_several_classes_are_scikit_learns() {
    for case in cases("multiclass") {
        let (y, p) = (labels(&case["labels"]), numbers(&case["p"]));
        let c = case["n_classes"].as_u64().unwrap() as usize;
        let targets = Targets::new(1, numbers(&case["labels"])).unwrap();
        let mut objective = ObjectiveConfig::from_str("multiclass:balanced").unwrap();
        objective.fit(&targets).unwrap();
        let ObjectiveConfig::Multiclass(Multiclass { class_weights, .. }) = &objective else {
            panic!("{objective}");
        };
        let weights = serde_json::to_value(class_weights).unwrap();
        all_close("class weights", &numbers(&weights), &case["class_weights"]);
        let pred = Predictions::Probabilities {
            n_classes: c,
            threshold: None,
            values: p.clone(),
        };
        let scores = objective.scores(&pred, &targets).unwrap();
        for name in [
            "log_loss",
            "auroc",
            "accuracy",
            "balanced_accuracy",
            "brier",
        ] {
            close(name, scores.get(name).unwrap(), &case[name]);
        }
        let m = ConfusionMatrix::compute(&pred.classes().unwrap(), &y, c, None).unwrap();
        close("mcc", m.mcc(), &case["mcc"]);
    }
}

#[test]
fn regression_scores_are_scikit_learns() {
    for case in cases("regression") {
        let slots = case["slots"].as_u64().unwrap() as usize;
        let targets = Targets::new(slots, numbers(&case["target"])).unwrap();
        let values = numbers(&case["pred"]);
        let pred = Predictions::Values { slots, values };
        let mut objective = ObjectiveConfig::default();
        objective.fit(&targets).unwrap();
        let scores = objective.scores(&pred, &targets).unwrap();
        for name in ["rmse", "mae", "r2"] {
            close(name, scores.get(name).unwrap(), &case[name]);
        }
        for (q, expected) in case["pinball"].as_object().unwrap() {
            let (pred, target) = (pred.point_of(0), targets.column(0));
            let found = pinball(&pred, &target, q.parse().unwrap(), None).unwrap();
            close(q, found, expected);
        }
    }
}

#[test]
fn distributions_are_scipys() {
    for case in cases("distribution") {
        let (z, q) = (numbers(&case["z"]), numbers(&case["q"]));
        let all = |values: &[f64], normal: fn(f64) -> f64, t: fn(StudentT, f64) -> f64| {
            let one = |x: &f64| match case["df"].as_f64() {
                Some(df) => t(StudentT { df }, *x),
                None => normal(*x),
            };
            values.iter().map(one).collect::<Vec<f64>>()
        };
        let what = format!("df {}", case["df"]);
        let ln = all(&z, |x| Normal.ln_density(x), StudentT::ln_density);
        all_close(&format!("{what}, density"), &ln, &case["ln_density"]);
        let cdf = all(&z, |x| Normal.cdf(x), StudentT::cdf);
        all_close(&format!("{what}, cdf"), &cdf, &case["cdf"]);
        let crps_z = numbers(&case["crps_z"]);
        let crps = all(&crps_z, |x| Normal.crps(x), StudentT::crps);
        all_close(&format!("{what}, crps"), &crps, &case["crps"]);
        let quantile = all(&q, |x| Normal.quantile(x), StudentT::quantile);
        all_close(&format!("{what}, quantile"), &quantile, &case["quantile"]);
    }
    assert_eq!(Normal.quantile(0.0), f64::NEG_INFINITY);
    assert_eq!(StudentT { df: 3.0 }.quantile(1.0), f64::INFINITY);
    assert!(Normal.quantile(1.5).is_nan());
    // Tails keep their relative precision.
    let far = Normal.quantile(1e-300);
    assert!((far + 37.047_096_299_361_2).abs() < 1e-9, "{far}");
}

#[test]
fn weights_count_rows_like_copies() {
    let (p, y) = ([0.2, 0.7, 0.7, 0.4], [false, true, false, true]);
    let weights = [2.0, 1.0, 0.0, 3.0];
    let copies = [0, 0, 1, 3, 3, 3];
    let (many_p, many_y) = (copies.map(|i: usize| p[i]), copies.map(|i: usize| y[i]));
    type Metric = fn(&[f64], &[bool], Option<&[f64]>) -> Result<f64, ForgeError>;
    let ece: Metric = |p, y, w| {
        let curve = ReliabilityCurve::compute(p, y, 10, w)?;
        Ok(curve.expected_calibration_error())
    };
    let auroc: Metric = forge_train::metric::auroc;
    for metric in [auroc, average_precision, ece] {
        let weighted = metric(&p, &y, Some(&weights)).unwrap();
        let copied = metric(&many_p, &many_y, None).unwrap();
        assert!((weighted - copied).abs() < 1e-12, "{weighted} {copied}");
    }
    // Weights can leave one class only.
    let error = auroc(&p, &y, Some(&[1.0, 0.0, 1.0, 0.0])).unwrap_err();
    assert!(error.to_string().contains("none positive"), "{error}");
}

#[test]
fn what_is_undefined_or_does_not_fit_is_refused() {
    let text = |result: Result<f64, ForgeError>| result.unwrap_err().to_string();
    let auroc = forge_train::metric::auroc;
    let yes = [true, true];
    for (error, part) in [
        (
            text(auroc(&[0.1, 0.2], &yes, None)),
            "every row is positive, none negative",
        ),
        (
            text(auroc(&[0.1], &yes, None)),
            "1 rows, expected the target's 2",
        ),
        (text(auroc(&[], &[], None)), "0 rows"),
        (
            text(auroc(&[0.1, f64::NAN], &[true, false], None)),
            "row 1 is NaN",
        ),
        (
            text(auroc(&[0.1, 0.2], &[true, false], Some(&[1.0]))),
            "weights is 1 rows",
        ),
        (
            text(auroc(&[0.1, 0.2], &[true, false], Some(&[1.0, -1.0]))),
            "weight of row 1 is -1",
        ),
        (
            text(average_precision(&[0.1], &[false], None)),
            "no row is positive",
        ),
        (
            text(log_loss(&[0.5, 0.5], 2, &[2], None)),
            "row 0 is of class 2",
        ),
        (text(log_loss(&[0.5, 0.6], 2, &[1], None)), "sum to 1"),
        (text(log_loss(&[0.5, 0.5, 0.1], 2, &[1], None)), "3 values"),
        (
            text(log_loss(&[0.5, 0.5], 2, &[1], Some(&[0.0]))),
            "every weight is 0",
        ),
        (
            text(auroc_one_vs_rest(&[0.5, 0.2, 0.3], 3, &[1], None)),
            "class 0 has no row",
        ),
        (text(brier(&[1.0], 1, &[0], None)), "n_classes = 1"),
        (text(pinball(&[1.0], &[1.0], 1.0, None)), "quantile[0] = 1"),
        (text(pinball(&[1.0, 2.0], &[1.0], 0.5, None)), "2 rows"),
    ] {
        assert!(error.contains(part), "{error}");
    }
    let curve = ReliabilityCurve::compute(&[1.1], &[true], 5, None).unwrap_err();
    assert!(curve.to_string().contains("row 0 has probability 1.1"));
    assert!(
        ReliabilityCurve::compute(&[1.0], &[true], 0, None)
            .unwrap_err()
            .is_config()
    );
}
