//! The features' values against TA-Lib, pandas-ta-classic and pandas.

use forge_data::features::BarFeatures;

use super::{all_bar_features, bars_table, csv, numbers};

#[test]
fn all_features_of_bars_agree_with_python() {
    let expected = csv(include_str!("../oracle/features/expected.csv"));
    let (features, _) = BarFeatures::new(all_bar_features())
        .apply(&bars_table())
        .unwrap();
    assert_eq!(features.n_columns(), 25 + 6 + 7);
    let mut checked = 0;
    for column in features.columns().iter().skip(4) {
        let got = numbers(&features, &column.name);
        let want = numbers(&expected, &column.name);
        let largest = want
            .iter()
            .fold(0.0, |m: f64, x| if x.is_nan() { m } else { m.max(x.abs()) });
        for (row, (got, want)) in got.iter().zip(&want).enumerate() {
            assert_eq!(
                got.is_nan(),
                want.is_nan(),
                "{} in row {row}: {got} vs {want}",
                column.name
            );
            if !want.is_nan() {
                let error = (got - want).abs() / largest;
                assert!(
                    error <= 1e-10,
                    "{} in row {row}: {got} vs {want}",
                    column.name
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 2500, "{checked}");
}

#[test]
fn open_high_low_and_close_are_the_tables() {
    let bars = bars_table();
    let (features, _) = BarFeatures::new(all_bar_features()).apply(&bars).unwrap();
    for name in ["open", "high", "low", "close"] {
        assert_eq!(features.column(name).unwrap(), bars.column(name).unwrap());
    }
}
