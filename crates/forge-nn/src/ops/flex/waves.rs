//! Sines and cosines by vector instructions.

use core::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wave {
    Sine,
    Cosine,
}

/// Sines and cosines of many numbers at once.
pub(crate) trait Waves: Sized {
    /// Every number's sine or cosine. In `f32` within 1e-7 of the exact value for numbers up to
    /// [`NEAR`], by the standard library in blocks with others; in `f64` by the standard library.
    fn waves(values: &mut [Self], wave: Wave);

    /// The cosines and the sines of `x`, the same as by [`waves`](Self::waves).
    fn both_waves(x: &[Self], cosines: &mut [Self], sines: &mut [Self]);
}

/// Up to here one product in `f64` says exactly enough how many quarter turns a number is.
const NEAR: f32 = 8_388_608.0;

/// Numbers that go to the standard library together if one of them has to.
const BLOCK: usize = 64;

impl Waves for f32 {
    #[inline(always)]
    fn waves(values: &mut [Self], wave: Wave) {
        // In quarter turns: cos x = sin(x + π/2).
        let ahead = match wave {
            Wave::Sine => 0,
            Wave::Cosine => 1,
        };
        for block in values.chunks_mut(BLOCK) {
            if are_near(block) {
                for x in block {
                    let near = Near::of(*x);
                    *x = near.sine(ahead);
                }
            } else {
                for x in block {
                    *x = match wave {
                        Wave::Sine => x.sin(),
                        Wave::Cosine => x.cos(),
                    };
                }
            }
        }
    }

    #[inline(always)]
    fn both_waves(x: &[Self], cosines: &mut [Self], sines: &mut [Self]) {
        let outputs = cosines.chunks_mut(BLOCK).zip(sines.chunks_mut(BLOCK));
        for (x, (cosines, sines)) in x.chunks(BLOCK).zip(outputs) {
            let places = x.iter().zip(cosines).zip(sines);
            if are_near(x) {
                for ((&x, cosine), sine) in places {
                    let near = Near::of(x);
                    (*cosine, *sine) = (near.sine(1), near.sine(0));
                }
            } else {
                for ((x, cosine), sine) in places {
                    (*cosine, *sine) = (x.cos(), x.sin());
                }
            }
        }
    }
}

/// Whether all are up to [`NEAR`]. The comparison holds for no NaN. Without an early end, which would cost
/// the registers.
#[inline(always)]
fn are_near(block: &[f32]) -> bool {
    block.iter().fold(true, |near, x| near & (x.abs() <= NEAR))
}

/// A number up to [`NEAR`] as quarter turns and what is left of it: sine and cosine of that rest.
struct Near {
    quarters: u32,
    sine: f32,
    cosine: f32,
}

impl Near {
    #[inline(always)]
    fn of(x: f32) -> Self {
        // 1.5 · 2^52: adding it rounds to an integer in the low bits of the mantissa.
        const ROUND: f64 = 6_755_399_441_055_744.0;
        let x = f64::from(x);
        let shifted = x * FRAC_2_PI + ROUND;
        let r = (x - (shifted - ROUND) * FRAC_PI_2) as f32;
        // Least largest relative errors over |r| <= π/4, 4e-9 and 2e-10, by reweighted least squares.
        let s = r * r;
        let mut p = -1.951_515_3e-4;
        p = p * s + 8.332_16e-3;
        p = p * s - 1.666_665_5e-1;
        let mut q = 2.443_300_8e-5;
        q = q * s - 1.388_731_5e-3;
        q = q * s + 4.166_664_6e-2;
        Self {
            quarters: shifted.to_bits() as u32,
            sine: r + r * (s * p),
            cosine: 1.0 - 0.5 * s + s * (s * q),
        }
    }

    /// The sine of the number and so many quarter turns.
    #[inline(always)]
    fn sine(&self, ahead: u32) -> f32 {
        let quarters = self.quarters.wrapping_add(ahead);
        let size = if quarters & 1 == 0 {
            self.sine
        } else {
            self.cosine
        };
        // The second half of a turn has the other sign.
        f32::from_bits(size.to_bits() ^ ((quarters & 2) << 30))
    }
}

impl Waves for f64 {
    #[inline(always)]
    fn waves(values: &mut [Self], wave: Wave) {
        for x in values {
            *x = match wave {
                Wave::Sine => x.sin(),
                Wave::Cosine => x.cos(),
            };
        }
    }

    #[inline(always)]
    fn both_waves(x: &[Self], cosines: &mut [Self], sines: &mut [Self]) {
        for ((x, cosine), sine) in x.iter().zip(cosines).zip(sines) {
            (*sine, *cosine) = x.sin_cos();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NEAR, Wave, Waves};

    fn worst(from: f64, to: f64) -> f64 {
        let numbers: Vec<f32> = (0..=200_003)
            .map(|i| (from + (to - from) * f64::from(i) / 200_003.0) as f32)
            .collect();
        let error = |wave, exact: fn(f64) -> f64| {
            let mut values = numbers.clone();
            f32::waves(&mut values, wave);
            let both = numbers.iter().zip(values);
            both.map(|(&x, y)| (f64::from(y) - exact(f64::from(x))).abs())
                .fold(0.0, f64::max)
        };
        error(Wave::Sine, f64::sin).max(error(Wave::Cosine, f64::cos))
    }

    #[test]
    fn sines_and_cosines_are_within_their_bound() {
        let near = f64::from(NEAR);
        for (from, to) in [(-8.0, 8.0), (-3e3, 3e3), (-near, near), (near, 1e12)] {
            let error = worst(from, to);
            assert!(error < 1e-7, "{from} to {to}: {error:e}");
        }
    }

    /// In a row of blocks, some of which have numbers for the standard library.
    #[test]
    fn both_are_what_each_is() {
        let mut x: Vec<f32> = (0..333).map(|i| (i as f32 - 150.0) * 1.7).collect();
        (x[70], x[300]) = (f32::NAN, 3e9);
        let (mut cosines, mut sines) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        f32::both_waves(&x, &mut cosines, &mut sines);
        for (wave, both) in [(Wave::Cosine, cosines), (Wave::Sine, sines)] {
            let mut alone = x.clone();
            f32::waves(&mut alone, wave);
            let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
            assert_eq!(bits(both), bits(alone), "{wave:?}");
        }
    }

    #[test]
    fn small_numbers_are_their_own_sine_and_others_say_so() {
        let numbers = [0.0, 1e-30, -1e-5, f32::MIN_POSITIVE];
        let mut values = numbers;
        f32::waves(&mut values, Wave::Sine);
        assert_eq!(values, numbers);
        f32::waves(&mut values, Wave::Cosine);
        assert_eq!(values, [1.0; 4]);
        let mut odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.5];
        f32::waves(&mut odd, Wave::Sine);
        assert!(odd[..3].iter().all(|x| x.is_nan()));
        assert_eq!(odd[3], 0.5f32.sin());
    }
}
