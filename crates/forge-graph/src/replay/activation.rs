//! Activation functions.

use burn::backend::tensor::FloatTensor;
use burn_ir::ActivationOperationIr as Op;

use super::{Done, Run, binary, scalar, twice, unary};
use crate::Level;

impl<B: Level> Run<'_, B> {
    pub(super) fn activation(&mut self, op: &Op) -> Done {
        match op {
            Op::Relu(op) => unary!(self, op, B::relu),
            Op::LeakyRelu(op) => scalar!(self, op, B::leaky_relu),
            Op::PRelu(op) => binary!(self, op, B::prelu),
            Op::Gelu(op) => unary!(self, op, gelu::<B>),
            Op::Sigmoid(op) => unary!(self, op, B::sigmoid),
            Op::HardSigmoid(op) => {
                let x = self.float(&op.tensor)?;
                self.put_float(&op.out, hard_sigmoid::<B>(x, op));
            }
            Op::LogSigmoid(op) => unary!(self, op, log_sigmoid::<B>),
            Op::Softmax(op) => {
                let x = self.float(&op.input)?;
                self.put_float(&op.out, B::softmax(x, op.axis));
            }
            Op::LogSoftmax(op) => {
                let x = self.float(&op.input)?;
                self.put_float(&op.out, B::log_softmax(x, op.axis));
            }
            Op::Softmin(op) => {
                let x = self.float(&op.input)?;
                self.put_float(&op.out, B::softmin(x, op.axis));
            }
            _ => return Err(self.refuse()),
        }
        Ok(())
    }
}

/// `x Φ(x)`. Burn's own gradient of a gradient is that of the tanh approximation.
fn gelu<B: Level>(x: FloatTensor<B>) -> FloatTensor<B> {
    if B::DEPTH == 0 || (B::EXACT_GELU && !twice::<B>()) {
        return B::gelu(x);
    }
    let half = B::float_mul_scalar(x.clone(), 0.5.into());
    let erf = B::float_erf(B::float_mul_scalar(
        x,
        std::f64::consts::FRAC_1_SQRT_2.into(),
    ));
    B::float_mul(half, B::float_add_scalar(erf, 1.0.into()))
}

/// `clamp(α x + β, 0, 1)`, in the element type of `x`: Burn's own computes in f32.
fn hard_sigmoid<B: Level>(x: FloatTensor<B>, op: &burn_ir::HardSigmoidOpIr) -> FloatTensor<B> {
    let x = B::float_mul_scalar(x, op.alpha.into());
    let x = B::float_add_scalar(x, op.beta.into());
    B::float_clamp(x, 0.0.into(), 1.0.into())
}

/// `min(x, 0) - log(1 + exp(-|x|))`, whose gradients are those of the sigmoid at any level.
fn log_sigmoid<B: Level>(x: FloatTensor<B>) -> FloatTensor<B> {
    if !twice::<B>() {
        return B::log_sigmoid(x);
    }
    let tail = B::float_exp(B::float_neg(B::float_abs(x.clone())));
    let negative = B::float_clamp_max(x, 0.0.into());
    B::float_sub(negative, B::float_log1p(tail))
}
