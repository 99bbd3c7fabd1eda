//! The element types that the kernels are written for.

use core::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

use burn::backend::{DType, Element};

use super::waves::Waves;

/// `f32` or `f64`, with elementary functions that vectorise for `f32`.
///
/// The `f32` functions are branch-free polynomials; bounds against the exact values are tested in
/// this file. `f64` calls the standard library and `libm`, one element at a time.
pub(crate) trait Real:
    Element
    + Waves
    + bytemuck::Pod
    + Send
    + Sync
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + MulAssign
    + 'static
{
    const ZERO: Self;
    const ONE: Self;
    /// The lowest finite number.
    const LOWEST: Self;
    /// Stands for a hidden attention score, -∞: its exponential is 0 beside any maximum that is
    /// [`Self::LOWEST`] at least, so that hidden scores need no test of their own.
    const HIDDEN: Self;
    /// Below this the sigmoid is 0.
    const LOWEST_SIGMOID: Self;
    /// From this size on [`gelu`](Self::gelu) is 0 or its argument, and its slope 0 or 1.
    const GELU_END: Self;
    const DTYPE: DType;

    fn of(value: f64) -> Self;
    fn sqrt(self) -> Self;
    /// `e^x`. In `f32`: within 2 ulp for `x` in `[-87, 88]`, 0 below, `e^88` above.
    fn exp(self) -> Self;
    /// In `f32`: within 5e-7, and exactly ±1 from |x| = 4 on, where the exact value rounds to that:
    /// what is left of `1 - erf` is multiplied by numbers of any size.
    fn erf(self) -> Self;
    /// In `f32`: within 5e-7.
    fn tanh(self) -> Self;

    /// `log(1 + x)`, by the standard library.
    fn ln_1p(self) -> Self;

    /// `log(1 / (1 + e^-x))`.
    #[inline(always)]
    fn log_sigmoid(self) -> Self {
        let (below, size) = if self < Self::ZERO {
            (self, -self)
        } else {
            (Self::ZERO, self)
        };
        below - (-size).exp().ln_1p()
    }

    /// The larger of the two; NaN if `self` is.
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        if self < other { other } else { self }
    }

    /// The nearest number in `[-limit, limit]`; NaN if `self` is.
    #[inline(always)]
    fn within(self, limit: Self) -> Self {
        let x = if self > limit { limit } else { self };
        if x < -limit { -limit } else { x }
    }

    /// `1 / (1 + e^-x)`; exactly 0 where `e^-x` exceeds the range of [`exp`](Self::exp), since it is
    /// multiplied by numbers of any size.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let s = Self::ONE / (Self::ONE + (-self).exp());
        if self < Self::LOWEST_SIGMOID {
            Self::ZERO
        } else {
            s
        }
    }

    /// `x Φ(x)`.
    #[inline(always)]
    fn gelu(self) -> Self {
        let root = Self::of(core::f64::consts::FRAC_1_SQRT_2);
        self * Self::of(0.5) * (Self::ONE + (self * root).erf())
    }

    /// The derivative of [`gelu`](Self::gelu), `Φ(x) + x φ(x)`. In `f32` exactly 0 or 1 where the
    /// function itself is 0 or `x`: what else is left there, down to 1e-37, times a gradient is a
    /// subnormal number, with which some processors multiply a hundred times as slowly.
    #[inline(always)]
    fn gelu_slope(self) -> Self {
        let root = Self::of(core::f64::consts::FRAC_1_SQRT_2);
        let density = Self::of(0.398_942_280_401_432_7);
        let half = Self::of(0.5);
        let cdf = half * (Self::ONE + (self * root).erf());
        let rest = self * density * (-half * self * self).exp();
        let far = self >= Self::GELU_END || self <= -Self::GELU_END;
        if far { cdf } else { cdf + rest }
    }

    /// `x σ(x)`.
    #[inline(always)]
    fn silu(self) -> Self {
        self * self.sigmoid()
    }

    /// The derivative of [`silu`](Self::silu), `σ(x) + x σ(x) (1 - σ(x))`.
    #[inline(always)]
    fn silu_slope(self) -> Self {
        let s = self.sigmoid();
        s + self * s * (Self::ONE - s)
    }
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const LOWEST: Self = f32::MIN;
    const HIDDEN: Self = f32::NEG_INFINITY;
    const LOWEST_SIGMOID: Self = -88.0;
    // 4 √2: `erf` ends at 4. What is left out is below 3e-7.
    const GELU_END: Self = 5.656_854;
    const DTYPE: DType = DType::F32;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }

    #[inline(always)]
    fn exp(self) -> Self {
        // 1.5 · 2^23: adding it rounds to an integer in the low bits of the mantissa.
        const ROUND: f32 = 12_582_912.0;
        // ln 2 in two parts, the first with trailing zeros so that its products are exact.
        const LN2_HIGH: f32 = 0.693_359_4;
        const LN2_LOW: f32 = -2.121_944_4e-4;
        // The comparisons let NaN through.
        let x = if self > 88.0 { 88.0 } else { self };
        let clamped = if x < -87.0 { -87.0 } else { x };
        let shifted = clamped * core::f32::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        let r = (clamped - n * LN2_HIGH) - n * LN2_LOW;
        // Taylor to r^7; |r| <= ln 2 / 2, so the rest is below 6e-9.
        let mut p = 1.0 / 5040.0;
        p = p * r + 1.0 / 720.0;
        p = p * r + 1.0 / 120.0;
        p = p * r + 1.0 / 24.0;
        p = p * r + 1.0 / 6.0;
        p = p * r + 0.5;
        p = p * r + 1.0;
        p = p * r + 1.0;
        // n sits in the low bits of `shifted`; moved to the exponent it multiplies by 2^n.
        let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
        if x < -87.0 { 0.0 } else { p * power }
    }

    #[inline(always)]
    fn erf(self) -> Self {
        // The rational minimax approximation used by Eigen and XLA, which ends at 1 - 1e-7.
        let x = self;
        let s = x * x;
        let mut p = -2.726_142_3e-10;
        p = p * s + 2.770_681_4e-8;
        p = p * s - 2.101_024e-6;
        p = p * s - 5.692_506_4e-5;
        p = p * s - 7.349_906e-4;
        p = p * s - 2.954_6e-3;
        p = p * s - 1.609_603_3e-2;
        let mut q = -1.456_607_2e-5;
        q = q * s - 2.133_740_6e-4;
        q = q * s - 1.682_827e-3;
        q = q * s - 7.373_329_2e-3;
        q = q * s - 1.426_473_9e-2;
        // The comparisons let NaN through. Beyond 4 the quotient may be anything.
        let inner = if x >= 4.0 { 1.0 } else { x * p / q };
        if x <= -4.0 { -1.0 } else { inner }
    }

    #[inline(always)]
    fn tanh(self) -> Self {
        1.0 - 2.0 / (Real::exp(2.0 * self) + 1.0)
    }

    #[inline(always)]
    fn ln_1p(self) -> Self {
        self.ln_1p()
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const LOWEST: Self = f64::MIN;
    const HIDDEN: Self = f64::NEG_INFINITY;
    // `exp` itself ends at infinity.
    const LOWEST_SIGMOID: Self = f64::NEG_INFINITY;
    const GELU_END: Self = f64::INFINITY;
    const DTYPE: DType = DType::F64;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }

    #[inline(always)]
    fn exp(self) -> Self {
        self.exp()
    }

    #[inline(always)]
    fn erf(self) -> Self {
        libm::erf(self)
    }

    #[inline(always)]
    fn tanh(self) -> Self {
        self.tanh()
    }

    #[inline(always)]
    fn ln_1p(self) -> Self {
        self.ln_1p()
    }
}

#[cfg(test)]
mod tests {
    use super::Real;

    fn worst(from: f32, to: f32, f: impl Fn(f32) -> f64) -> f64 {
        let steps = 200_003;
        (0..=steps)
            .map(|i| f(from + (to - from) * i as f32 / steps as f32))
            .fold(0.0, f64::max)
    }

    #[test]
    fn exp_is_within_two_ulp() {
        let error = worst(-87.0, 88.0, |x| {
            let exact = f64::from(x).exp();
            (f64::from(Real::exp(x)) / exact - 1.0).abs()
        });
        assert!(error < 2.0 * f64::from(f32::EPSILON), "{error:e}");
        assert_eq!(Real::exp(-87.5f32), 0.0);
        assert_eq!(Real::exp(f32::MIN), 0.0);
        assert_eq!(Real::exp(0.0f32), 1.0);
        assert!(Real::exp(1e9f32).is_finite());
        assert!(Real::exp(f32::NAN).is_nan());
        assert!(Real::erf(f32::NAN).is_nan());
        assert!(f32::NAN.larger(0.0).is_nan());
    }

    #[test]
    fn erf_and_tanh_are_within_their_bounds() {
        let error = worst(-6.0, 6.0, |x| {
            (f64::from(Real::erf(x)) - libm::erf(f64::from(x))).abs()
        });
        assert!(error < 5e-7, "{error:e}");
        let error = worst(-60.0, 60.0, |x| {
            (f64::from(Real::tanh(x)) - f64::from(x).tanh()).abs()
        });
        assert!(error < 5e-7, "{error:e}");
    }

    /// Nothing is so small that its product with a gradient would be subnormal.
    #[test]
    fn slopes_of_gelu_end() {
        let exact = |x: f64| {
            let cdf = 0.5 * (1.0 + libm::erf(x * core::f64::consts::FRAC_1_SQRT_2));
            cdf + x * 0.398_942_280_401_432_7 * (-0.5 * x * x).exp()
        };
        let error = worst(-20.0, 20.0, |x| {
            (f64::from(x.gelu_slope()) - exact(f64::from(x))).abs()
        });
        assert!(error < 1e-6, "{error:e}");
        let small = worst(-20.0, -1.0, |x| match f64::from(x.gelu_slope()).abs() {
            0.0 => 0.0,
            slope => 1.0 / slope,
        });
        assert!(small < 1e8, "{small:e}");
        assert_eq!(f32::INFINITY.gelu_slope(), 1.0);
        assert_eq!(f32::NEG_INFINITY.gelu_slope(), 0.0);
        assert!(f32::NAN.gelu_slope().is_nan());
    }
}
