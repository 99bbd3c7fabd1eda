//! Which activations there are.

/// An activation of [`activated`](super::activated).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `max(x, 0)`; the slope at 0 is 0.
    Relu,
    /// `x Φ(x)`, exact.
    Gelu,
    /// The tanh approximation of GELU: `x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`.
    GeluTanh,
    /// The slope of that approximation as the code of test-time training has it, whose constants are
    /// rounded: `x (1 - t²) (a + c x²) / 2 + (1 + t) / 2`, `t = tanh(a x (1 + 0.044715 x²))`,
    /// `a = 0.79788456`, `c = 0.1070322243`.
    GeluTanhSlope,
    /// `x σ(x)`.
    Silu,
    /// `x` above 0, `e^x - 1` below.
    Elu,
    /// `x tanh(log(1 + e^x))`.
    Mish,
    /// `sin x`.
    Sin,
    /// `cos x`.
    Cos,
}

/// `√(2/π)`.
pub(super) const ROOT: f64 = 0.797_884_560_802_865_4;
/// Of the cube within the tanh.
pub(super) const CUBE: f64 = 0.044_715;
/// The authors' `√(2/π)`.
pub(super) const ROUNDED_ROOT: f64 = 0.797_884_56;
/// The authors' `3 · CUBE · √(2/π)`.
pub(super) const ROUNDED_CUBE: f64 = 0.107_032_224_3;
/// Beyond it the tanh is exactly ±1 and both slopes stay as they are: powers of larger numbers would
/// leave the type's range.
pub(super) const SATURATED: f64 = 8.0;
