//! Layers whose weights may be of each sample.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Shape, TensorMetadata};
use burn_ir::{
    BaseOperationIr, BatchNormOpIr, EmbeddingOpIr, FloatOperationIr, LayerNormOpIr, LinearOpIr,
    MatmulOpIr, ModuleOperationIr, OperationIr, SelectOpIr, TensorIr,
};
use forge_nn::ForgeError;

use super::{Batch, align};
use crate::Level;
use crate::capture::slot;
use crate::joined::is_layer;
use crate::replay::module::linear;

fn reshape<B: Level>(tensor: FloatTensor<B>, shape: Vec<usize>) -> FloatTensor<B> {
    B::float_reshape(tensor, Shape::from(shape))
}

/// `[samples or 1, 1 …, own]` with `rank` axes after the first.
fn ranked<B: Level>(tensor: FloatTensor<B>, each: bool, rank: usize) -> FloatTensor<B> {
    let own = tensor.shape().to_vec();
    let (first, own) = match each {
        true => (own[0], own[1..].to_vec()),
        false => (1, own),
    };
    let ones = vec![1; rank.saturating_sub(own.len())];
    reshape::<B>(tensor, [vec![first], ones, own].concat())
}

impl<B: Level> Batch<'_, B> {
    /// Runs an operation whose weights or places may be of each sample; `false` for any other.
    pub(super) fn layer(&mut self, operation: &OperationIr) -> Result<bool, ForgeError> {
        match operation {
            OperationIr::Module(ModuleOperationIr::Linear(op)) => self.linear(operation, op),
            OperationIr::Float(_, FloatOperationIr::Matmul(op)) if is_layer(op) => {
                self.product(operation, op)
            }
            OperationIr::Module(ModuleOperationIr::LayerNorm(op)) => self.layer_norm(op),
            OperationIr::Module(ModuleOperationIr::BatchNorm(op)) => self.batch_norm(op),
            OperationIr::Module(ModuleOperationIr::Embedding(op)) => self.embedding(op),
            OperationIr::BaseFloat(BaseOperationIr::Select(op)) if self.has_each(&op.indices) => {
                self.select(op)
            }
            _ => Ok(false),
        }
    }

    fn repeat(&self, tensor: FloatTensor<B>, each: bool) -> FloatTensor<B> {
        match each {
            true => tensor,
            false => align::repeated_float::<B>(tensor, self.samples),
        }
    }

    fn linear(&mut self, operation: &OperationIr, op: &LinearOpIr) -> Result<bool, ForgeError> {
        let bias_each = op.bias.as_ref().is_some_and(|bias| self.has_each(bias));
        let tapped = self.tapped.contains(&slot(&op.weight));
        if !(tapped || bias_each || self.has_each(&op.weight)) {
            return Ok(false);
        }
        let rank = op.x.shape.num_dims();
        let (x, x_each) = self.float(&op.x)?;
        let (weight, weight_each) = self.float(&op.weight)?;
        let bias = op.bias.as_ref().map(|bias| self.float(bias)).transpose()?;
        let mut y = if tapped {
            let x = self.repeat(x, x_each);
            let y = linear::<B>(x.clone(), weight, None);
            self.tap(operation, x, y)
        } else {
            // A vector is a row for the product.
            let deep = rank.max(2);
            let x = ranked::<B>(x, x_each, deep);
            let weight = ranked::<B>(weight, weight_each, deep);
            let y = B::float_matmul(x, weight);
            let own = op.out.shape.to_vec();
            let first = y.shape()[0];
            reshape::<B>(y, [vec![first], own].concat())
        };
        if let Some((bias, each)) = bias {
            y = B::float_add(y, ranked::<B>(bias, each, rank));
        }
        let y = self.repeat_first(y);
        self.run.put_float(&op.out, y);
        Ok(true)
    }

    /// Rows of each sample times a matrix of all: one product.
    fn product(&mut self, operation: &OperationIr, op: &MatmulOpIr) -> Result<bool, ForgeError> {
        if self.has_each(&op.rhs) {
            return Ok(false);
        }
        let (x, each) = self.float(&op.lhs)?;
        let (weight, _) = self.float(&op.rhs)?;
        let x = self.repeat(x, each);
        let [rows, inner] = [op.lhs.shape[0], op.lhs.shape[1]];
        let flat = reshape::<B>(x.clone(), vec![self.samples * rows, inner]);
        let y = B::float_matmul(flat, weight);
        let y = reshape::<B>(y, vec![self.samples, rows, op.rhs.shape[1]]);
        let y = match self.has_tap(operation) {
            true => self.tap(operation, x, y),
            false => y,
        };
        self.run.put_float(&op.out, y);
        Ok(true)
    }

    /// A result of all samples (a leading axis of length 1) for each.
    fn repeat_first(&self, y: FloatTensor<B>) -> FloatTensor<B> {
        let mut shape = y.shape().to_vec();
        if shape[0] == self.samples {
            return y;
        }
        shape[0] = self.samples;
        B::float_expand(y, Shape::from(shape))
    }

    fn layer_norm(&mut self, op: &LayerNormOpIr) -> Result<bool, ForgeError> {
        let beta_each = op.beta.as_ref().is_some_and(|beta| self.has_each(beta));
        if !(beta_each || self.has_each(&op.gamma)) {
            return Ok(false);
        }
        let rank = op.input.shape.num_dims();
        let (x, x_each) = self.float(&op.input)?;
        let (gamma, gamma_each) = self.float(&op.gamma)?;
        let beta = op.beta.as_ref().map(|beta| self.float(beta)).transpose()?;
        let width = Shape::from(vec![op.input.shape[rank - 1]]);
        let ones = B::float_ones(width, self.run.device, x.dtype().into());
        let x = ranked::<B>(x, x_each, rank);
        let normal = B::layer_norm(x, ones, None, op.epsilon.elem());
        let mut y = B::float_mul(normal, ranked::<B>(gamma, gamma_each, rank));
        if let Some((beta, each)) = beta {
            y = B::float_add(y, ranked::<B>(beta, each, rank));
        }
        let y = self.repeat_first(y);
        self.run.put_float(&op.out, y);
        Ok(true)
    }

    /// `(x - m) / √(v + ε) γ + β` over the second axis.
    fn batch_norm(&mut self, op: &BatchNormOpIr) -> Result<bool, ForgeError> {
        let rank = op.x.shape.num_dims();
        let (x, each) = self.float(&op.x)?;
        let x = ranked::<B>(x, each, rank);
        let mut part = |tensor: &TensorIr| -> Result<FloatTensor<B>, ForgeError> {
            let (tensor, each) = self.float(tensor)?;
            let own = tensor.shape().to_vec();
            let (first, channels) = if each { (own[0], own[1]) } else { (1, own[0]) };
            let ones = vec![1; rank - 2];
            Ok(reshape::<B>(
                tensor,
                [vec![first, 1, channels], ones].concat(),
            ))
        };
        let (gamma, beta) = (part(&op.gamma)?, part(&op.beta)?);
        let (mean, variance) = (part(&op.mean)?, part(&op.variance)?);
        let epsilon: f64 = op.epsilon.elem();
        let std = B::float_sqrt(B::float_add_scalar(variance, epsilon.into()));
        let normal = B::float_div(B::float_sub(x, mean), std);
        let y = B::float_add(B::float_mul(normal, gamma), beta);
        let y = self.repeat_first(y);
        self.run.put_float(&op.out, y);
        Ok(true)
    }

    /// Rows of a table that may be of each sample.
    fn embedding(&mut self, op: &EmbeddingOpIr) -> Result<bool, ForgeError> {
        let (weights, each) = self.float(&op.weights)?;
        let (codes, codes_each) = self.ints(&op.indices)?;
        let own = op.indices.shape.to_vec();
        let width = op.weights.shape[1];
        let codes = self.flat_places(codes, codes_each, each.then_some(op.weights.shape[0]));
        let weights = match each {
            true => reshape::<B>(weights, vec![self.samples * op.weights.shape[0], width]),
            false => weights,
        };
        let y = B::float_select(weights, 0, codes);
        let shape = [vec![self.samples], own, vec![width]].concat();
        self.run.put_float(&op.out, reshape::<B>(y, shape));
        Ok(true)
    }

    /// Rows along an axis by the places of each sample.
    fn select(&mut self, op: &SelectOpIr) -> Result<bool, ForgeError> {
        let (x, each) = self.float(&op.tensor)?;
        let (places, places_each) = self.ints(&op.indices)?;
        let axis = op.dim + 1;
        let x = B::float_swap_dims(self.repeat(x, each), 1, axis);
        let shape = x.shape().to_vec();
        let places = self.flat_places(places, places_each, Some(shape[1]));
        let rest = shape[2..].iter().product();
        let rows = B::float_select(reshape::<B>(x, vec![shape[0] * shape[1], rest]), 0, places);
        let taken = op.indices.shape[0];
        let shape = [vec![self.samples, taken], shape[2..].to_vec()].concat();
        let y = B::float_swap_dims(reshape::<B>(rows, shape), 1, axis);
        self.run.put_float(&op.out, y);
        Ok(true)
    }

    /// Places as a vector, sample by sample, each in its own block of `rows` rows, if there are blocks.
    fn flat_places(&self, places: IntTensor<B>, each: bool, rows: Option<usize>) -> IntTensor<B> {
        let all = match each {
            true => places,
            false => align::repeated_int::<B>(places, self.samples),
        };
        let len = all.shape().to_vec()[1..].iter().product::<usize>();
        let all = B::int_reshape(all, Shape::from(vec![self.samples, len]));
        let all = match rows {
            None => all,
            Some(rows) => {
                let dtype = all.dtype().into();
                let samples = i64::try_from(self.samples).unwrap_or(i64::MAX);
                let start = B::int_arange(0..samples, self.run.device, dtype);
                let rows = i64::try_from(rows).unwrap_or(i64::MAX);
                let start = B::int_mul_scalar(start, rows.into());
                let start = B::int_reshape(start, Shape::from(vec![self.samples, 1]));
                B::int_add(all, start)
            }
        };
        B::int_reshape(all, Shape::from(vec![self.samples * len]))
    }
}
