//! The random numbers that tell groups of columns apart.

use std::f64::consts::TAU;

/// Length of the generator's state.
const STATE: usize = 624;
/// Numbers that PyTorch makes at a time.
const CHUNK: usize = 16;

/// The first `count` numbers of `torch.randn` on the CPU after `torch.manual_seed(0)`, which is what
/// the reference's estimators begin with.
///
/// Exact to the rounding of f32 for tensors of a multiple of 16 numbers, as those of the released
/// width are (48 per group): PyTorch fills other tensors another way.
pub(super) fn standard_normal(count: usize) -> Vec<f64> {
    let mut random = MersenneTwister::new(0);
    let mut numbers = Vec::with_capacity(count.next_multiple_of(CHUNK));
    while numbers.len() < count {
        // Box–Muller on the chunk's halves, of uniform numbers with 24 bits.
        let uniform: Vec<f64> = (0..CHUNK).map(|_| random.uniform()).collect();
        let (radii, angles) = uniform.split_at(CHUNK / 2);
        let pairs = radii.iter().zip(angles);
        let pairs = pairs.map(|(u, v)| ((-2.0 * (1.0 - u).ln()).sqrt(), TAU * v));
        let pairs: Vec<(f64, f64)> = pairs.collect();
        numbers.extend(pairs.iter().map(|(radius, angle)| radius * angle.cos()));
        numbers.extend(pairs.iter().map(|(radius, angle)| radius * angle.sin()));
    }
    numbers.truncate(count);
    numbers
}

/// Matsumoto and Nishimura 1998, MT19937.
struct MersenneTwister {
    state: [u32; STATE],
    next: usize,
}

impl MersenneTwister {
    fn new(seed: u32) -> Self {
        let mut state = [seed; STATE];
        for i in 1..STATE {
            let last = state[i - 1];
            state[i] = (last ^ (last >> 30))
                .wrapping_mul(1_812_433_253)
                .wrapping_add(i as u32);
        }
        Self { state, next: STATE }
    }

    fn renew(&mut self) {
        for i in 0..STATE {
            let bits = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % STATE] & 0x7fff_ffff);
            let twisted = (bits >> 1) ^ if bits & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + 397) % STATE] ^ twisted;
        }
        self.next = 0;
    }

    /// In `[0, 1)`, of 24 bits.
    fn uniform(&mut self) -> f64 {
        if self.next == STATE {
            self.renew();
        }
        let mut bits = self.state[self.next];
        self.next += 1;
        bits ^= bits >> 11;
        bits ^= (bits << 7) & 0x9d2c_5680;
        bits ^= (bits << 15) & 0xefc6_0000;
        bits ^= bits >> 18;
        f64::from(bits & 0x00ff_ffff) / f64::from(1 << 24)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `torch.manual_seed(0); torch.randn(4, 4)` prints.
    #[test]
    fn numbers_are_those_of_pytorch() {
        let expected = [
            -1.1258, -1.1524, -0.2506, -0.4339, 0.8487, 0.6920, -0.3160, -2.1152, 0.3223, -1.2633,
            0.3500, 0.3081, 0.1198, 1.2377, 1.1168, -0.2473,
        ];
        for (found, expected) in standard_normal(16).iter().zip(expected) {
            assert!((found - expected).abs() < 5.1e-5, "{found} {expected}");
        }
        // More numbers begin with the same ones, beyond the length of the state too.
        let many = standard_normal(2_000);
        assert_eq!(many.len(), 2_000);
        assert_eq!(many[..700], standard_normal(700)[..]);
        let mean = many.iter().sum::<f64>() / 2_000.0;
        let square = many.iter().map(|x| x * x).sum::<f64>() / 2_000.0;
        assert!(
            mean.abs() < 0.1 && (square - 1.0).abs() < 0.1,
            "{mean} {square}"
        );
    }
}
