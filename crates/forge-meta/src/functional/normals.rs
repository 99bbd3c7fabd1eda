//! Draws that are the same on every backend.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Standard normal numbers (Box-Muller).
pub(crate) fn normals(count: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
    let mut numbers = Vec::with_capacity(count + 1);
    while numbers.len() < count {
        let (u, v): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
        let (r, angle) = ((-2.0 * u.ln()).sqrt(), std::f64::consts::TAU * v);
        numbers.extend([r * angle.cos(), r * angle.sin()]);
    }
    numbers.truncate(count);
    numbers
}
