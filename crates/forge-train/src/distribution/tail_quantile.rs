//! Where a symmetric distribution's tail has a given weight.

/// The `x >= 0` with `tail(x) = p`, for a `tail` (`P(X > x)`) that falls from ½ at 0, its `density`,
/// and `p` in `(0, ½]`.
///
/// Newton's steps on `ln tail`, kept within a bracket; halving where one would leave it.
pub(super) fn tail_quantile(
    p: f64,
    tail: impl Fn(f64) -> f64,
    density: impl Fn(f64) -> f64,
) -> f64 {
    if p >= 0.5 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while tail(high) > p {
        low = high;
        high *= 2.0;
        if !f64::is_finite(high) {
            return high;
        }
    }
    let mut x = 0.5 * (low + high);
    for _ in 0..200 {
        let t = tail(x);
        if t > p {
            low = x;
        } else {
            high = x;
        }
        let step = (t / p).ln() * t / density(x);
        let mut next = x + step;
        // Also where the step is not a number.
        if !(next > low && next < high) {
            next = 0.5 * (low + high);
        }
        if (next - x).abs() <= 2.0 * f64::EPSILON * next {
            return next;
        }
        x = next;
    }
    x
}
