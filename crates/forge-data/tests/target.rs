use forge_data::{Column, Table, TargetTransform};
use proptest::prelude::{ProptestConfig, prop, prop_assert, proptest};

use crate::tables::{NAN, dates, labels};

fn table() -> Table {
    Table::new(vec![
        Column::numeric("y", vec![0.2, 0.4, 0.6, 99.0]),
        Column::numeric("gap", vec![0.2, NAN, f64::INFINITY, 1.0]),
        Column::numeric("flat", vec![5.0; 4]),
        labels("kind", &[Some("a"); 4]),
        dates("day", &[1, 2, 3, 4]),
    ])
    .unwrap()
}

#[test]
fn standardises_the_training_rows() {
    let t = TargetTransform::fit(&table(), "y", &[0, 1, 2]).unwrap();
    assert!((t.center() - 0.4).abs() < 1e-15);
    assert!((t.scale() - (0.08f64 / 3.0).sqrt()).abs() < 1e-15);
    let y = t.transform(&[0.4, 0.6]).unwrap();
    assert!(y[0].abs() < 1e-7 && (y[1] - 1.5f32.sqrt()).abs() < 1e-6);
}

#[test]
fn a_constant_target_has_scale_one() {
    let t = TargetTransform::fit(&table(), "flat", &[0, 1]).unwrap();
    assert!(t.is_constant());
    assert_eq!((t.center(), t.scale()), (5.0, 1.0));
    assert_eq!(t.inverse(&t.transform(&[5.0, 7.0]).unwrap()), [5.0, 7.0]);
}

#[test]
fn bad_targets_are_named() {
    let t = table();
    let error = |name: &str, rows: &[usize]| TargetTransform::fit(&t, name, rows).unwrap_err();
    let missing = error("gap", &[0, 1]);
    assert!(missing.is_value());
    assert!(
        missing
            .to_string()
            .starts_with("row 3: column 'gap': the target is missing")
    );
    assert!(
        error("gap", &[2])
            .to_string()
            .starts_with("row 4: column 'gap': the target is inf")
    );
    assert!(error("kind", &[0]).is_schema());
    assert!(error("day", &[0]).is_schema());
    assert!(error("nope", &[0]).is_schema());
    assert!(error("y", &[]).is_value());
    assert!(error("y", &[4]).is_config());
    assert!(TargetTransform::read(&t, "gap", None).is_err());
    let fitted = TargetTransform::fit(&t, "y", &[0, 1]).unwrap();
    assert!(fitted.transform(&[1e300]).unwrap_err().is_value());
    assert!(fitted.transform(&[NAN]).unwrap_err().is_value());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn inverse_undoes_transform(
        values in prop::collection::vec(-1e6f64..1e6, 2..50),
        exponent in -9i32..9,
    ) {
        let values: Vec<f64> = values.iter().map(|v| v * 10f64.powi(exponent)).collect();
        let t = TargetTransform::fit_values("y", &values).unwrap();
        let back = t.inverse(&t.transform(&values).unwrap());
        for (a, b) in back.iter().zip(&values) {
            // Only the rounding to f32 of the standardised value, which is below n.
            let z = (b - t.center()).abs();
            prop_assert!((a - b).abs() <= 1e-7 * z + 1e-12 * b.abs(), "{} vs {}", a, b);
        }
    }
}
