//! Layers that Burn records as one operation.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Shape, TensorMetadata};
use burn_ir::ModuleOperationIr as Op;
use forge_nn::ops::LinearActivation;

use super::{Done, Run, twice};
use crate::Level;

impl<B: Level> Run<'_, B> {
    pub(super) fn module(&mut self, op: &Op) -> Done {
        match op {
            Op::Linear(op) => {
                let (x, weight) = (self.float(&op.x)?, self.float(&op.weight)?);
                let bias = op.bias.as_ref().map(|bias| self.float(bias)).transpose()?;
                self.put_float(&op.out, linear::<B>(x, weight, bias));
            }
            Op::LayerNorm(op) => {
                let (x, gamma) = (self.float(&op.input)?, self.float(&op.gamma)?);
                let beta = op.beta.as_ref().map(|beta| self.float(beta)).transpose()?;
                let y = B::layer_norm(x, gamma, beta, op.epsilon.elem());
                self.put_float(&op.out, y);
            }
            Op::BatchNorm(op) => {
                let (x, gamma) = (self.float(&op.x)?, self.float(&op.gamma)?);
                let (beta, mean) = (self.float(&op.beta)?, self.float(&op.mean)?);
                let variance = self.float(&op.variance)?;
                let y = B::batch_norm(x, gamma, beta, mean, variance, op.epsilon.elem());
                self.put_float(&op.out, y);
            }
            Op::Embedding(op) => {
                let (weights, codes) = (self.float(&op.weights)?, self.ints(&op.indices)?);
                self.put_float(&op.out, embedding::<B>(weights, codes));
            }
            Op::Conv1d(op) => {
                let (x, weight) = (self.float(&op.x)?, self.float(&op.weight)?);
                let bias = op.bias.as_ref().map(|bias| self.float(bias)).transpose()?;
                let y = B::conv1d(x, weight, bias, op.options.clone().into());
                self.put_float(&op.out, y);
            }
            Op::Conv2d(op) => {
                let (x, weight) = (self.float(&op.x)?, self.float(&op.weight)?);
                let bias = op.bias.as_ref().map(|bias| self.float(bias)).transpose()?;
                let y = B::conv2d(x, weight, bias, op.options.clone().into());
                self.put_float(&op.out, y);
            }
            _ => return Err(self.refuse()),
        }
        Ok(())
    }
}

/// `x W + b`; of simpler operations where its gradient is differentiated again, which those of the operation
/// are not made for.
pub(super) fn linear<B: Level>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
) -> FloatTensor<B> {
    if !twice::<B>() {
        return B::fused_linear(x, weight, bias.into(), LinearActivation::Identity);
    }
    let rank = x.shape().num_dims();
    let ranked = |tensor: FloatTensor<B>| {
        let own = tensor.shape().to_vec();
        let ones = vec![1; rank.saturating_sub(own.len())];
        B::float_reshape(tensor, Shape::from([ones, own].concat()))
    };
    // A vector is a row for the product.
    let y = match rank {
        1 => {
            let (len, width) = (x.shape()[0], weight.shape()[1]);
            let row = B::float_reshape(x, Shape::from(vec![1, len]));
            B::float_reshape(B::float_matmul(row, weight), Shape::from(vec![width]))
        }
        _ => B::float_matmul(x, ranked(weight)),
    };
    match bias {
        Some(bias) => B::float_add(y, ranked(bias)),
        None => y,
    }
}

/// Rows of `weights`; Burn cannot differentiate the gradient of its own embedding.
fn embedding<B: Level>(weights: FloatTensor<B>, codes: IntTensor<B>) -> FloatTensor<B> {
    if !twice::<B>() {
        return B::embedding(weights, codes);
    }
    let (mut shape, width) = (codes.shape().to_vec(), weights.shape()[1]);
    let flat = B::int_reshape(codes, Shape::from(vec![shape.iter().product::<usize>()]));
    shape.push(width);
    B::float_reshape(B::float_select(weights, 0, flat), Shape::from(shape))
}
