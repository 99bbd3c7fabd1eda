//! The lowest frequencies of a window, and a series from them, as products with a matrix: a window
//! has few frequencies that are kept, and of the series only the end is wanted.

use std::f64::consts::TAU;

use burn::tensor::{DType, Device, Tensor, TensorData};

/// `cos(2πi/n)` and `sin(2πi/n)` for i from 0 to n - 1.
struct UnitCircle(Vec<(f64, f64)>);

impl UnitCircle {
    fn new(n: usize) -> Self {
        let angle = |i| TAU * i as f64 / n as f64;
        Self((0..n).map(|i| (angle(i).cos(), angle(i).sin())).collect())
    }

    /// At the angle of frequency `k` at step `t`.
    fn at(&self, k: usize, t: usize) -> (f64, f64) {
        self.0[(k * t) % self.0.len()]
    }
}

/// `[L, 2·F]`: a window times it is the first `F` frequencies of NumPy's `rfft`, their real parts
/// before their imaginary ones.
pub(super) fn to_frequencies(steps: usize, frequencies: usize, of: (&Device, DType)) -> Tensor<2> {
    let circle = UnitCircle::new(steps);
    let mut values = Vec::with_capacity(steps * 2 * frequencies);
    for t in 0..steps {
        values.extend((0..frequencies).map(|k| circle.at(k, t).0));
        values.extend((0..frequencies).map(|k| -circle.at(k, t).1));
    }
    Tensor::from_data(TensorData::new(values, [steps, 2 * frequencies]), of)
}

/// `[2·F, H]`: the first `F` frequencies times it are the last `H` of the `n` steps of NumPy's
/// `irfft`, all further frequencies 0, times `scale`. `F` is at most `n / 2`.
pub(super) fn to_last_steps(
    frequencies: usize,
    n: usize,
    horizon: usize,
    scale: f64,
    of: (&Device, DType),
) -> Tensor<2> {
    let circle = UnitCircle::new(n);
    // Every frequency but 0 stands for its conjugate as well.
    let weight = |k: usize| if k == 0 { scale } else { 2.0 * scale } / n as f64;
    let steps = n - horizon..n;
    let mut values = Vec::with_capacity(2 * frequencies * horizon);
    for k in 0..frequencies {
        values.extend(steps.clone().map(|t| weight(k) * circle.at(k, t).0));
    }
    for k in 0..frequencies {
        values.extend(steps.clone().map(|t| -weight(k) * circle.at(k, t).1));
    }
    Tensor::from_data(TensorData::new(values, [2 * frequencies, horizon]), of)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A series of its lowest frequencies comes back, of even and odd length.
    #[test]
    fn low_frequencies_there_and_back() {
        let device = Device::flex();
        for n in [12_usize, 15] {
            let value = |t: usize| {
                let angle = TAU * t as f64 / n as f64;
                0.5 + (2.0 * angle).cos() - 0.7 * (3.0 * angle).sin()
            };
            let series: Vec<f64> = (0..n).map(value).collect();
            let of = (&device, DType::F64);
            let x = Tensor::<2>::from_data(TensorData::new(series.clone(), [1, n]), of);
            let spectrum = x.matmul(to_frequencies(n, 4, of));
            let y = spectrum.matmul(to_last_steps(4, n, 5, 3.0, of));
            let found = y.into_data().try_into_vec::<f64>().expect("f64");
            for (found, series) in found.iter().zip(&series[n - 5..]) {
                assert!((found - 3.0 * series).abs() < 1e-12, "{n}");
            }
        }
    }
}
