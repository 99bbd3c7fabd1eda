//! A column as the share of labelled rows below.

/// The empirical distribution at evenly spaced quantiles, linear between them: scikit-learn's
/// `QuantileTransformer` with uniform output.
#[derive(Debug, Clone)]
pub(in crate::tabular) struct Quantiles {
    /// Rising; empty where no value is there.
    quantiles: Vec<f64>,
}

impl Quantiles {
    /// At `count` quantiles, at least 2, but no more than there are rows.
    pub(in crate::tabular) fn fit(values: &[f64], count: usize) -> Self {
        let count = count.min(values.len()).max(1);
        let mut sorted: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else {
            return Self { quantiles: vec![] };
        };
        let at = |i: usize| {
            let place = i as f64 / (count - 1).max(1) as f64 * last as f64;
            let (low, share) = (place.floor(), place.fract());
            let (low, high) = (sorted[low as usize], sorted[last.min(low as usize + 1)]);
            (high - low).mul_add(share, low)
        };
        Self {
            quantiles: (0..count).map(at).collect(),
        }
    }

    /// In `[0, 1]`; NaN stays. Of several quantiles that are equal the middle one counts.
    pub(in crate::tabular) fn apply(&self, x: f64) -> f64 {
        let quantiles = &self.quantiles;
        let (Some(least), Some(most)) = (quantiles.first(), quantiles.last()) else {
            return x;
        };
        if x.is_nan() {
            return x;
        }
        if x <= *least {
            return 0.0;
        }
        if x >= *most {
            return 1.0;
        }
        let steps = (quantiles.len() - 1) as f64;
        let between = |low: usize| {
            let (left, right) = (quantiles[low], quantiles[low + 1]);
            (low as f64 + (x - left) / (right - left)) / steps
        };
        // The last quantile that is not above, and the first that is not below.
        let above = quantiles.partition_point(|q| *q <= x);
        let below = quantiles.partition_point(|q| *q < x);
        between(above - 1).midpoint(if quantiles[below] == x {
            below as f64 / steps
        } else {
            between(below - 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four columns through scikit-learn (`steps.py`): ordinary, with many ties, with more quantiles
    /// than rows, with missing values.
    #[test]
    fn columns_become_what_scikit_learn_makes_of_them() {
        let fixture: serde_json::Value =
            serde_json::from_str(include_str!("steps.json")).unwrap_or_default();
        let numbers = |value: &serde_json::Value| -> Vec<f64> {
            let values = value.as_array().into_iter().flatten();
            values.map(|x| x.as_f64().unwrap_or(f64::NAN)).collect()
        };
        let cases = fixture["quantiles"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        assert_eq!(cases.len(), 4);
        for case in cases {
            let count = case["count"].as_u64().unwrap_or(0) as usize;
            let quantiles = Quantiles::fit(&numbers(&case["train"]), count);
            let (given, expected) = (numbers(&case["given"]), numbers(&case["out"]));
            assert!(!given.is_empty() && given.len() == expected.len());
            for (x, expected) in given.iter().zip(expected) {
                let found = quantiles.apply(*x);
                assert!((found - expected).abs() < 1e-9, "{x}: {found} {expected}");
            }
            assert!(quantiles.apply(f64::NAN).is_nan());
        }
        assert!(Quantiles::fit(&[f64::NAN; 3], 2).apply(1.0) == 1.0);
    }
}
