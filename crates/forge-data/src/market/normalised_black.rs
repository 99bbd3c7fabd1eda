//! Black's formula without units, accurate where prices are tiny.
//!
//! With `x = −|ln(F/K)| ≤ 0` and `s = σ√T`, an out-of-the-money option is worth
//! `D·√(FK)·b(x, s)`, `b(x, s) = e^{x/2}Φ(x/s + s/2) − e^{−x/2}Φ(x/s − s/2)`, in `[0, e^{x/2})`.
//!
//! The difference loses all digits for small `s`. Written with the Mills ratio `Y = Φ/φ`, it is
//! `φ₀·(Y(h + t) − Y(h − t))`, `h = x/s`, `t = s/2`, `φ₀ = exp(−(h² + t²)/2)/√(2π)`, hence
//! `φ₀·∫ Y'` over `[h − t, h + t]` with the positive integrand `Y'(z) = 1 + z·Y(z)`: no
//! cancellation is left. (The forms in `Y` are those of Jäckel 2015, "Let's be rational".)

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Nodes and weights of the 8-point Gauss-Legendre rule on [−1, 1], one half.
#[allow(clippy::excessive_precision)] // as tabulated
const GAUSS: [(f64, f64); 4] = [
    (0.183_434_642_495_649_804_9, 0.362_683_783_378_361_982_97),
    (0.525_532_409_916_328_985_8, 0.313_706_645_877_887_287_34),
    (0.796_666_477_413_626_739_6, 0.222_381_034_453_374_470_54),
    (0.960_289_856_497_536_231_7, 0.101_228_536_290_376_259_15),
];

/// Up to this half-width, 8 points integrate `Y'` to rounding.
const NARROW: f64 = 0.4;

/// `b(x, s)`, `x ≤ 0`, `s ≥ 0`.
pub(super) fn price(x: f64, s: f64) -> f64 {
    if s <= 0.0 {
        return 0.0;
    }
    let (h, t) = (x / s, 0.5 * s);
    let front = vega(x, s);
    if front == 0.0 && h + t < 0.0 {
        return 0.0;
    }
    if t <= NARROW {
        let pair = |u: f64| mills_slope(h + t * u) + mills_slope(h - t * u);
        return front * t * GAUSS.iter().map(|(u, w)| w * pair(*u)).sum::<f64>();
    }
    if h + t < 0.0 {
        front * (mills(h + t) - mills(h - t))
    } else {
        (0.5 * x).exp() * normal(h + t) - front * mills(h - t)
    }
}

/// `e^{x/2} − b(x, s)`, what is missing to the most an option can be worth.
pub(super) fn complement(x: f64, s: f64) -> f64 {
    if s <= 0.0 {
        return (0.5 * x).exp();
    }
    let (h, t) = (x / s, 0.5 * s);
    (0.5 * x).exp() * normal(-h - t) + vega(x, s) * mills(h - t)
}

/// `∂b/∂s = φ₀ = exp(−(h² + t²)/2)/√(2π)`.
pub(super) fn vega(x: f64, s: f64) -> f64 {
    let (h, t) = (x / s, 0.5 * s);
    (-0.5 * (h * h + t * t)).exp() / (2.0 * PI).sqrt()
}

/// The `s` with `b(x, s) = beta`, for `0 < beta < e^{x/2}`, `x ≤ 0`; `missing = e^{x/2} − beta`
/// is passed beside it because the caller knows it to more digits where it is small.
///
/// Newton's method in a bracket. `b` is convex in `s` below `√(2|x|)` and concave above. Below,
/// `1/ln b` is nearly linear in `s²`, in the middle `b` itself is nearly linear, and near the
/// upper end `ln(e^{x/2} − b)` is: three objectives, each with a handful of steps.
pub(super) fn implied(x: f64, beta: f64, missing: f64) -> f64 {
    let turn = (2.0 * x.abs()).sqrt();
    let at_turn = price(x, turn);
    let (mut low, mut high);
    let objective = if beta < at_turn {
        (low, high) = (0.0, turn);
        Objective::InverseLog
    } else {
        low = turn;
        high = turn.max(1.0);
        // Beyond s = 80 the complement is below the smallest number.
        while price(x, high) < beta && high < 256.0 {
            low = high;
            high *= 2.0;
        }
        if beta > 0.5 * (0.5 * x).exp() && missing < 0.5 * complement(x, turn) {
            Objective::LogComplement
        } else {
            Objective::Price
        }
    };
    let guess = match objective {
        Objective::InverseLog => x.abs() / (-2.0 * beta.ln()).sqrt(),
        Objective::Price if low > 0.0 => low,
        Objective::Price => beta * (2.0 * PI).sqrt(),
        Objective::LogComplement => 0.5 * (low + high),
    };
    let mut s = if guess > low && guess < high {
        guess
    } else if guess == low && low > 0.0 {
        low
    } else {
        0.5 * (low + high)
    };
    for _ in 0..200 {
        let b = price(x, s);
        let slope = vega(x, s);
        let (above, step) = match objective {
            Objective::InverseLog => {
                let (l, target) = (b.ln(), beta.ln());
                (b > beta, l * (1.0 - l / target) * b / slope)
            }
            Objective::Price => (b > beta, (beta - b) / slope),
            Objective::LogComplement => {
                let c = complement(x, s);
                (c < missing, (c / missing).ln() * c / slope)
            }
        };
        if above {
            high = s;
        } else {
            low = s;
        }
        let newton = s + step;
        // NaN (an underflow to 0) and steps out of the bracket fail this.
        let next = if newton > low && newton < high {
            newton
        } else if step == 0.0 {
            return s;
        } else {
            0.5 * (low + high)
        };
        if (next - s).abs() <= f64::EPSILON * s {
            return next;
        }
        s = next;
    }
    s
}

/// What is brought to zero.
#[derive(Clone, Copy)]
enum Objective {
    InverseLog,
    Price,
    LogComplement,
}

/// `Φ(z)`.
fn normal(z: f64) -> f64 {
    0.5 * libm::erfc(-z * FRAC_1_SQRT_2)
}

/// From here down the asymptotic series of the Mills ratio is exact to rounding.
const ASYMPTOTIC: f64 = -14.0;

/// The Mills ratio `Y(z) = Φ(z)/φ(z)`, for `z` up to about 1.
fn mills(z: f64) -> f64 {
    if z < ASYMPTOTIC {
        return (mills_slope(z) - 1.0) / z;
    }
    // √(π/2)·exp(y²)·erfc(y). The rounding of y matters little to the product as long as both
    // factors see the same y; that of y² would matter, and is put back.
    let y = -z * FRAC_1_SQRT_2;
    let square = y * y;
    let rest = y.mul_add(y, -square);
    (0.5 * PI).sqrt() * square.exp() * (1.0 + rest) * libm::erfc(y)
}

/// `Y'(z) = 1 + z·Y(z)`, positive and increasing.
fn mills_slope(z: f64) -> f64 {
    if z < ASYMPTOTIC {
        // 1/z² − 3/z⁴ + 15/z⁶ − …; the 16th term is below 1e-17 of the first.
        let r = 1.0 / (z * z);
        let tail = (1..16)
            .rev()
            .fold(1.0, |sum, n| 1.0 - f64::from(2 * n + 1) * r * sum);
        return r * tail;
    }
    z.mul_add(mills(z), 1.0)
}
