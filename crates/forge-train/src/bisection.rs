//! Where something changes between two numbers.

/// The two neighbouring numbers between `low` and `high` where `is_low` changes from true to false, by
/// halving: nothing lies between them, so either is the place to the precision of f64. It is taken to be
/// true at `low`, false at `high`, and to change once. `middle` halves: the mean of both, or the root of
/// their product where they differ by orders of magnitude.
///
/// ```
/// use forge_train::bisect;
///
/// let (low, high) = bisect(1.0, 2.0, |low, high| 0.5 * (low + high), |x| x * x < 2.0);
/// assert!(low < 2f64.sqrt() && 2f64.sqrt() <= high && high - low < 1e-15);
/// ```
pub fn bisect(
    mut low: f64,
    mut high: f64,
    middle: impl Fn(f64, f64) -> f64,
    is_low: impl Fn(f64) -> bool,
) -> (f64, f64) {
    loop {
        let at = middle(low, high);
        if !(low < at && at < high) {
            return (low, high);
        }
        match is_low(at) {
            true => low = at,
            false => high = at,
        }
    }
}
