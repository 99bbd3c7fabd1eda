//! Bins that hold as many values each.

/// The quantiles at `n_bins + 1` equally spaced levels, between neighbours in proportion; at most as
/// many bins as there are gaps between values.
pub(super) fn edges(sorted: &[f64], n_bins: usize) -> Vec<f64> {
    let gaps = sorted.len() - 1;
    let n_bins = n_bins.min(gaps.max(1));
    let level = |i: usize| {
        // In whole numbers: a level that falls on a value is that value to the bit.
        let (at, part) = (i * gaps / n_bins, i * gaps % n_bins);
        match part {
            0 => sorted[at],
            _ => {
                let (low, high) = (sorted[at], sorted[at + 1]);
                low + (high - low) * (part as f64 / n_bins as f64)
            }
        }
    };
    (0..=n_bins).map(level).collect()
}
