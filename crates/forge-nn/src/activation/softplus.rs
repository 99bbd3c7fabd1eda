//! A smooth ramp whose gradient is right at 0.

use burn::tensor::Tensor;

/// `ln(1 + eˣ)`, element by element: above 0, near 0 for `x` far below 0 and near `x` far above.
///
/// Written `(x + |x|)/2 + ln(1 + e^-|x|)`: nothing overflows, values far below 0 keep their
/// relative precision until they underflow, and the derivative is `sigmoid(x)` everywhere. At 0,
/// where heads start, `relu(x) + ln(1 + e^-|x|)` would have the derivative 0 in place of ½, since
/// both of its kinks count for nothing there.
#[must_use]
pub fn softplus<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let a = x.clone().abs();
    let tail = a.clone().neg().exp().log1p();
    x.add(a).mul_scalar(0.5).add(tail)
}
