//! What a column becomes before a network sees it. Values that are not there stay NaN and do not
//! count.

/// Standardised values are cut here.
const CLIP: f64 = 100.0;
/// Added to deviations.
const LEAST: f64 = 1e-6;

/// A column standardised by its labelled rows and cut at ±100.
#[derive(Debug, Clone, Copy)]
pub(in crate::tabular) struct Standardised {
    mean: f64,
    scale: f64,
}

impl Standardised {
    /// With the deviation over the number of values less `lost`.
    pub(in crate::tabular) fn fit(values: &[f64], lost: usize) -> Self {
        let (mean, deviation) = moments(values.iter().copied(), lost);
        Self {
            mean,
            scale: deviation + LEAST,
        }
    }

    pub(in crate::tabular) fn apply(&self, x: f64) -> f64 {
        ((x - self.mean) / self.scale).clamp(-CLIP, CLIP)
    }
}

/// Values far from the labelled rows' mean drawn in logarithmically.
#[derive(Debug, Clone, Copy)]
pub(in crate::tabular) struct DrawnIn {
    low: f64,
    high: f64,
}

impl DrawnIn {
    /// Beyond `reach` deviations (each at least `least`), which are taken twice: the second time
    /// without the values that were outside.
    pub(in crate::tabular) fn fit(values: &[f64], reach: f64, least: f64) -> Self {
        let (low, high) = bounds(values.iter().copied(), reach, least);
        let inside = values.iter().copied();
        let inside = inside.filter(|x| (low..=high).contains(x));
        let (low, high) = bounds(inside, reach, least);
        Self { low, high }
    }

    pub(in crate::tabular) fn apply(&self, x: f64) -> f64 {
        if x.is_nan() {
            return x;
        }
        let x = x.max(self.low - x.abs().ln_1p());
        x.min(self.high + x.abs().ln_1p())
    }
}

fn bounds(values: impl Iterator<Item = f64> + Clone, reach: f64, least: f64) -> (f64, f64) {
    let (mean, deviation) = moments(values, 1);
    let reach = reach * deviation.max(least);
    (mean - reach, mean + reach)
}

/// Mean and deviation of the values that are there, the latter over their number less `lost`.
pub(in crate::tabular) fn moments(
    values: impl Iterator<Item = f64> + Clone,
    lost: usize,
) -> (f64, f64) {
    let values = values.filter(|x| !x.is_nan());
    let count = values.clone().count();
    let mean = values.clone().sum::<f64>() / count.max(1) as f64;
    let squares: f64 = values.map(|x| (x - mean).powi(2)).sum();
    let over = if count > 1 { count - lost } else { 1 };
    (mean, (squares / over as f64).sqrt())
}
