//! Which columns go with something.

/// Pearson's correlation over the rows where both are finite; 0 where either does not vary.
pub(super) fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let pairs = || {
        let all = a.iter().zip(b);
        all.filter(|(a, b)| a.is_finite() && b.is_finite())
    };
    let n = pairs().count() as f64;
    let (mean_a, mean_b) = (
        pairs().map(|(a, _)| a / n).sum::<f64>(),
        pairs().map(|(_, b)| b / n).sum::<f64>(),
    );
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in pairs() {
        let (da, db) = (a - mean_a, b - mean_b);
        aa += da * da;
        bb += db * db;
        ab += da * db;
    }
    let size = (aa * bb).sqrt();
    if size > 0.0 && size.is_finite() {
        ab / size
    } else {
        0.0
    }
}

/// The column of `features` that is most correlated with `with`, either way, other than `except`;
/// none where no column varies with it.
pub(super) fn strongest(
    features: &[(String, Vec<f64>)],
    with: &[f64],
    except: Option<usize>,
) -> Option<(usize, f64)> {
    (0..features.len())
        .filter(|i| Some(*i) != except)
        .map(|i| (i, correlation(&features[i].1, with)))
        .filter(|(_, r)| *r != 0.0)
        .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_column_is_found_whatever_its_sign_and_holes() {
        let y = [1.0, 2.0, 3.0, 5.0];
        let column = |name: &str, values: [f64; 4]| (name.to_string(), values.to_vec());
        let features = [
            column("weak", [1.0, -1.0, 1.0, 1.0]),
            column("constant", [7.0; 4]),
            column("falling", [-1.0, f64::NAN, -3.0, -5.0]),
        ];
        let (at, r) = strongest(&features, &y, None).unwrap_or_default();
        assert_eq!(at, 2);
        assert!((r + 1.0).abs() < 1e-12, "{r}");
        assert_eq!(strongest(&features, &y, Some(2)).map(|(at, _)| at), Some(0));
        assert_eq!(strongest(&features[1..2], &y, None), None);
    }
}
