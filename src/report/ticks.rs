//! Round numbers along an axis.

/// Between three and nine multiples of 1, 2 or 5 times a power of ten within `low..=high`, and how
/// each is written. None for an axis that is empty or not finite.
pub(super) fn ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    let span = high - low;
    if !(span > 0.0 && span.is_finite()) {
        return Vec::new();
    }
    let rough = span / 6.0;
    let power = 10.0_f64.powf(rough.log10().floor());
    let step = [10.0, 5.0, 2.0, 1.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step <= 1.5 * rough)
        .unwrap_or(power);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last)
        .map(|n| (n as f64 * step, text(n as f64 * step, step)))
        .collect()
}

/// With as many decimals as the step has, or as a power of ten where that is shorter.
fn text(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let plain = format!("{value:.decimals$}");
    let short = format!("{value:.2e}");
    if plain.len() > 8 && short.len() < plain.len() {
        short
    } else {
        plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        let written = |low, high| {
            let all = ticks(low, high);
            all.into_iter().map(|(_, text)| text).collect::<Vec<_>>()
        };
        assert_eq!(
            written(-0.03, 1.02),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(
            written(12_000.0, 19_000.0).first().map(String::as_str),
            Some("12000")
        );
        assert!(ticks(1.0, 1.0).is_empty() && ticks(f64::NAN, 1.0).is_empty());
        for (low, high) in [(0.0, 7.0), (-3e-7, 2e-7), (1e6, 9e6), (0.999, 1.001)] {
            let all = ticks(low, high);
            assert!((3..=11).contains(&all.len()), "{low} {high} {all:?}");
            assert!(all.iter().all(|(v, _)| (low..=high).contains(v)));
        }
    }
}
