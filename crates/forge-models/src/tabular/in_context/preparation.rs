//! The steps that a column goes through before TabICL and the first TabPFN see it.

use super::{DrawnIn, Standardised, YeoJohnson};

/// Values beyond so many deviations are drawn in.
const REACH: f64 = 4.0;

/// What two packages do otherwise.
#[derive(Debug, Clone, Copy)]
pub(in crate::tabular) struct Habits {
    /// Deviations are over the number of values less this.
    pub(in crate::tabular) lost: usize,
    /// The least deviation when far values are drawn in.
    pub(in crate::tabular) least: f64,
}

/// One column, from its values in the labelled rows: standardised, a power transform if wanted, and
/// values far outside drawn in logarithmically.
#[derive(Debug, Clone, Copy)]
pub(in crate::tabular) struct Preparation {
    standardised: Standardised,
    power: Option<YeoJohnson>,
    drawn_in: DrawnIn,
}

impl Preparation {
    pub(in crate::tabular) fn fit(values: &[f64], power: bool, habits: Habits) -> Self {
        let standardised = Standardised::fit(values, habits.lost);
        let scaled: Vec<f64> = values.iter().map(|x| standardised.apply(*x)).collect();
        let power = power.then(|| YeoJohnson::fit(&scaled));
        let powered = |x: f64| power.map_or(x, |power| power.apply(x));
        let values: Vec<f64> = scaled.iter().map(|x| powered(*x)).collect();
        Self {
            standardised,
            power,
            drawn_in: DrawnIn::fit(&values, REACH, habits.least),
        }
    }

    pub(in crate::tabular) fn apply(&self, x: f64) -> f64 {
        let x = self.standardised.apply(x);
        self.drawn_in
            .apply(self.power.map_or(x, |power| power.apply(x)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three columns through the package's `PreprocessingPipeline` (tabicl at 8f1aa20): ordinary,
    /// with an outlier, skewed; then three values that were not there when it was fitted.
    #[test]
    fn columns_become_what_the_package_makes_of_them() {
        let fixture = include_str!("preparation.json");
        let fixture: serde_json::Value = serde_json::from_str(fixture).unwrap_or_default();
        let numbers = |value: &serde_json::Value| -> Vec<f64> {
            let values = value.as_array().into_iter().flatten();
            values.filter_map(serde_json::Value::as_f64).collect()
        };
        let cases = fixture.as_array().map_or(&[][..], Vec::as_slice);
        assert_eq!(cases.len(), 6);
        for case in cases {
            let power = case["normalization"] == "power";
            let habits = Habits {
                lost: 0,
                least: 1e-6,
            };
            let preparation = Preparation::fit(&numbers(&case["train"]), power, habits);
            for (given, expected) in [("train", "train_out"), ("test", "test_out")] {
                let (given, expected) = (numbers(&case[given]), numbers(&case[expected]));
                assert!(!given.is_empty() && given.len() == expected.len());
                for (x, expected) in given.iter().zip(expected) {
                    let found = preparation.apply(*x);
                    assert!(
                        (found - expected).abs() < 1e-5 * expected.abs().max(1.0),
                        "{}: {x} became {found}, expected {expected}",
                        case["normalization"]
                    );
                }
            }
        }
    }
}
