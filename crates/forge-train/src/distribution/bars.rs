//! The score of a distribution of bars.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use forge_nn::BarDistribution;

use super::Normal;

/// The continuous ranked probability score of probabilities of buckets when `y` happens, `∫ (F(x) - 1{x ≥ y})² dx`
/// (Gneiting and Raftery 2007, eq. 20 with its sign turned: less is better), in closed form. `F` is that of
/// [`BarDistribution::ln_density`]: even within buckets, half-normal in the outer ones and beyond.
///
/// ```
/// use forge_nn::BarDistribution;
/// use forge_train::distribution::bar_crps;
///
/// // Nearly all in a bucket from 0 to 1: ∫ x² dx from 0 to 1, where 1 happens.
/// let bars = BarDistribution::new(vec![-1e-9, 0.0, 1.0, 1.0 + 1e-9])?;
/// assert!((bar_crps(&bars, &[0.0, 1.0, 0.0], 1.0) - 1.0 / 3.0).abs() < 1e-8);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[must_use]
pub fn bar_crps(bars: &BarDistribution, p: &[f64], y: f64) -> f64 {
    let (borders, last) = (bars.borders(), bars.len() - 1);
    let mut below = 0.0;
    let buckets = p.iter().enumerate().take(last + 1);
    let parts = buckets.map(|(i, &p)| {
        let from = below;
        below += p;
        match i {
            0 => tail(p, bars.tail_scale(i), borders[1] - y),
            i if i == last => tail(p, bars.tail_scale(i), y - borders[last]),
            i => even([borders[i], borders[i + 1]], [from, below], y),
        }
    });
    parts.sum()
}

/// Of a half-normal tail with the probability `p`, in which what happens is `away` from where it begins (below 0:
/// is not in it). With `G(t) = 2 (1 - Φ(t))` the probability of more than `t` scales it is
/// `∫ p² G² dt + ∫₀^τ (1 - 2 p G) dt`.
fn tail(p: f64, scale: f64, away: f64) -> f64 {
    let squares = p * p * (4.0 / (2.0 * PI).sqrt() - 2.0 / PI.sqrt());
    if away <= 0.0 {
        return scale * squares;
    }
    if scale == 0.0 {
        return away;
    }
    let t = away / scale;
    let inner = t * libm::erfc(t * FRAC_1_SQRT_2) + 2.0 * (Normal.density(0.0) - Normal.density(t));
    scale * (squares + t - 2.0 * p * inner)
}

/// Of a bucket in which the cumulative probability rises evenly.
fn even([a, b]: [f64; 2], [from, to]: [f64; 2], y: f64) -> f64 {
    // The mean of the square of what goes evenly from u to v.
    let square = |u: f64, v: f64| (u * u + u * v + v * v) / 3.0;
    let (before, after) = (y.clamp(a, b) - a, b - y.clamp(a, b));
    if b <= a {
        return 0.0;
    }
    let here = from + (to - from) * before / (b - a);
    before * square(from, here) + after * square(1.0 - here, 1.0 - to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use forge_nn::ForgeError;

    /// The mixture of `cases.py` beside [`BarDistribution`], its cumulative function integrated by scipy's `quad`.
    #[test]
    fn the_score_is_the_integral() -> Result<(), ForgeError> {
        let bars = BarDistribution::new(vec![-1.5, -0.25, 0.5, 0.5, 2.0, 3.25])?;
        let p = bars.probabilities(&[0.3, -0.2, -5.0, 1.1, 0.4])?;
        for (y, expected) in [
            (-9.0, 8.965_378_828_402_333),
            (-1.0, 1.308_600_978_298_858),
            (-0.25, 0.813_764_454_848_592_5),
            (0.1, 0.625_445_722_514_442_1),
            (0.5, 0.459_313_907_819_718_8),
            (1.7, 0.474_184_061_342_288_3),
            (3.0, 1.259_764_360_792_208),
            (40.0, 37.951_676_038_923_71),
        ] {
            let found = bar_crps(&bars, &p, y);
            assert!((found - expected).abs() < 1e-9, "{y}: {found} {expected}");
        }
        Ok(())
    }

    #[test]
    fn many_bars_of_a_normal_distribution_score_as_it_does() -> Result<(), ForgeError> {
        let borders = (0..=4000).map(|i| f64::from(i - 2000) * 0.004);
        let bars = BarDistribution::new(borders.collect())?;
        let p = bars.masses(|y| Normal.cdf(y));
        for y in [-2.5, 0.0, 0.3, 7.0] {
            let (found, expected) = (bar_crps(&bars, &p, y), Normal.crps(y));
            assert!((found - expected).abs() < 1e-5, "{y}: {found} {expected}");
        }
        Ok(())
    }
}
