//! What a column becomes before the network sees it.

use super::yeo_johnson::YeoJohnson;

/// Standardised values are cut here.
const CLIP: f64 = 100.0;
/// Values beyond so many deviations are drawn in.
const THRESHOLD: f64 = 4.0;
/// Deviations are at least this large.
const LEAST: f64 = 1e-6;

/// One column, from its values in the labelled rows: standardised, a power transform if wanted, and
/// values far outside drawn in logarithmically.
#[derive(Debug, Clone, Copy)]
pub(super) struct Preparation {
    mean: f64,
    scale: f64,
    power: Option<YeoJohnson>,
    low: f64,
    high: f64,
}

impl Preparation {
    pub(super) fn fit(values: &[f64], power: bool) -> Self {
        let (mean, deviation) = moments(values.iter().copied(), 0);
        let mut this = Self {
            mean,
            scale: deviation + LEAST,
            power: None,
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
        };
        let scaled: Vec<f64> = values.iter().map(|x| this.scaled(*x)).collect();
        this.power = power.then(|| YeoJohnson::fit(&scaled));
        let values: Vec<f64> = scaled.iter().map(|x| this.powered(*x)).collect();
        let (low, high) = bounds(values.iter().copied());
        // Once more without those that are outside.
        let inside = values.iter().copied().filter(|x| (low..=high).contains(x));
        (this.low, this.high) = bounds(inside);
        this
    }

    pub(super) fn apply(&self, x: f64) -> f64 {
        let x = self.powered(self.scaled(x));
        let x = x.max(self.low - x.abs().ln_1p());
        x.min(self.high + x.abs().ln_1p())
    }

    fn scaled(&self, x: f64) -> f64 {
        ((x - self.mean) / self.scale).clamp(-CLIP, CLIP)
    }

    fn powered(&self, x: f64) -> f64 {
        self.power.map_or(x, |power| power.apply(x))
    }
}

fn bounds(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let (mean, deviation) = moments(values, 1);
    let reach = THRESHOLD * deviation.max(LEAST);
    (mean - reach, mean + reach)
}

/// Mean and deviation, the latter over the number of values less `lost`.
pub(super) fn moments(values: impl Iterator<Item = f64> + Clone, lost: usize) -> (f64, f64) {
    let count = values.clone().count();
    let mean = values.clone().sum::<f64>() / count.max(1) as f64;
    let squares: f64 = values.map(|x| (x - mean).powi(2)).sum();
    let over = if count > 1 { count - lost } else { 1 };
    (mean, (squares / over as f64).sqrt())
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
            let preparation = Preparation::fit(&numbers(&case["train"]), power);
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
