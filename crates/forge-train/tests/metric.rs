use forge_train::metric::RegressionMetrics;
use proptest::prelude::*;

#[test]
fn known_values() {
    let m = RegressionMetrics::compute(&[2.5, 0.0, 2.0, 8.0], &[3.0, -0.5, 2.0, 7.0]).unwrap();
    assert!((m.rmse - 0.375_f64.sqrt()).abs() < 1e-15);
    assert!((m.mae - 0.5).abs() < 1e-15);
    // The example of scikit-learn's documentation.
    assert!((m.r2.unwrap() - 0.948_608_137_044_967_9).abs() < 1e-15);
    assert_eq!(m.n, 4);
}

#[test]
fn constant_targets_and_extremes() {
    let r2 = |p: &[f64], t: &[f64]| RegressionMetrics::compute(p, t).unwrap().r2;
    assert_eq!(r2(&[5.0, 5.0], &[5.0, 5.0]), None);
    assert_eq!(r2(&[5.0, 6.0], &[5.0, 5.0]), None);
    assert_eq!(r2(&[4.0], &[5.0]), None);
    assert_eq!(r2(&[0.1 + 0.2, 0.3], &[0.1 + 0.2, 0.3]), Some(1.0));
    let big = RegressionMetrics::compute(&[1e200, -1e200], &[-1e200, 1e200]).unwrap();
    assert_eq!((big.rmse, big.mae, big.r2), (2e200, 2e200, Some(-3.0)));
}

#[test]
fn bad_input_is_refused() {
    let error = |p: &[f64], t: &[f64]| RegressionMetrics::compute(p, t).unwrap_err();
    assert!(error(&[], &[]).is_shape());
    assert!(error(&[1.0], &[1.0, 2.0]).is_shape());
    let bad = error(&[1.0, f64::NAN], &[1.0, 2.0]);
    assert!(bad.to_string().contains("row 1"), "{bad}");
}

proptest! {
    #[test]
    fn bounds_hold(pairs in prop::collection::vec((-1e3..1e3_f64, -1e3..1e3_f64), 1..50)) {
        let (p, t): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let m = RegressionMetrics::compute(&p, &t).unwrap();
        prop_assert!(m.r2.is_none_or(|r2| r2 <= 1.0));
        prop_assert!(m.mae <= m.rmse * (1.0 + 1e-12));
        let reversed = RegressionMetrics::compute(
            &p.iter().rev().copied().collect::<Vec<_>>(),
            &t.iter().rev().copied().collect::<Vec<_>>(),
        ).unwrap();
        prop_assert!((m.rmse - reversed.rmse).abs() <= 1e-9 * m.rmse);
    }
}
