//! Arithmetic on backend primitives with operators, so that the references read as formulas.

use core::ops::{Add, Div, Mul, Neg, Sub};

use burn::backend::tensor::{BoolTensor, FloatTensor};
use burn::backend::{
    Backend, DType, FloatDType, Shape, Slice, TensorMetadata, get_or_init_device_settings,
};

use super::axes::Order;

/// A float primitive of backend `B`; cloning is cheap (a handle).
pub(crate) struct Expr<B: Backend>(pub(crate) FloatTensor<B>);

impl<B: Backend> Clone for Expr<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B: Backend> Expr<B> {
    pub(crate) fn shape(&self) -> Shape {
        self.0.shape()
    }

    pub(crate) fn dtype(&self) -> DType {
        self.0.dtype()
    }

    pub(crate) fn rank(&self) -> usize {
        self.0.shape().num_dims()
    }

    pub(crate) fn exp(self) -> Self {
        Self(B::float_exp(self.0))
    }

    pub(crate) fn log(self) -> Self {
        Self(B::float_log(self.0))
    }

    /// `log(1 + x)`.
    pub(crate) fn log_1p(self) -> Self {
        Self(B::float_log1p(self.0))
    }

    pub(crate) fn sqrt(self) -> Self {
        Self(B::float_sqrt(self.0))
    }

    pub(crate) fn sin(self) -> Self {
        Self(B::float_sin(self.0))
    }

    pub(crate) fn cos(self) -> Self {
        Self(B::float_cos(self.0))
    }

    pub(crate) fn tanh(self) -> Self {
        Self(B::float_tanh(self.0))
    }

    pub(crate) fn erf(self) -> Self {
        Self(B::float_erf(self.0))
    }

    /// `1 / (1 + exp(-x))`.
    pub(crate) fn sigmoid(self) -> Self {
        if self.dtype() == DType::F64 {
            // Burn computes it in f32 wherever a backend has none of its own.
            return self.mul_scalar(0.5).tanh().mul_scalar(0.5).add_scalar(0.5);
        }
        Self(B::sigmoid(self.0))
    }

    pub(crate) fn relu(self) -> Self {
        Self(B::relu(self.0))
    }

    /// `grad` where the ReLU's `output` is positive, else 0.
    pub(crate) fn relu_backward(output: Self, grad: Self) -> Self {
        Self(B::relu_backward(output.0, grad.0))
    }

    /// The larger of two elements; the gradient goes to it, and to `other` where they are equal.
    pub(crate) fn larger(self, other: Self) -> Self {
        let bools = get_or_init_device_settings::<B>(&self.0.device()).bool_dtype;
        let mask = B::float_greater(self.0.clone(), other.0.clone(), bools);
        Self(B::float_mask_where(other.0, mask, self.0))
    }

    /// The nearest number in `[-limit, limit]`; beyond it a constant for differentiation.
    pub(crate) fn within(self, limit: f64) -> Self {
        Self(B::float_clamp(self.0, (-limit).into(), limit.into()))
    }

    /// The smaller of an element and `limit`.
    pub(crate) fn at_most(self, limit: f64) -> Self {
        Self(B::float_clamp_max(self.0, limit.into()))
    }

    /// 1 where an element is greater than the other, else 0: a constant for differentiation.
    pub(crate) fn greater_than(self, other: Self) -> Self {
        let bools = get_or_init_device_settings::<B>(&self.0.device()).bool_dtype;
        let zeros = self.zeros_like(self.shape());
        let mask = B::float_greater(self.0, other.0, bools);
        zeros.mask_fill(mask, 1.0)
    }

    /// Zeros of the element type and on the device of `self`, which is not read.
    pub(crate) fn zeros_like(&self, shape: impl Into<Shape>) -> Self {
        let dtype: FloatDType = self.dtype().into();
        Self(B::float_zeros(shape.into(), &self.0.device(), dtype))
    }

    /// Whether there is no element. Backends refuse many operations on such tensors, so the
    /// references answer for them.
    pub(crate) fn is_empty(&self) -> bool {
        self.shape().contains(&0)
    }

    /// Sum over `dim`, kept with length 1.
    pub(crate) fn sum_dim(self, dim: usize) -> Self {
        Self(B::float_sum_dim(self.0, dim))
    }

    /// Mean over `dim`, kept with length 1.
    pub(crate) fn mean_dim(self, dim: usize) -> Self {
        Self(B::float_mean_dim(self.0, dim))
    }

    /// The maximum over `dim`, kept with length 1, as a constant for differentiation.
    pub(crate) fn constant_max_dim(self, dim: usize) -> Self {
        Self(B::float_max_dim(B::float_detach(self.0), dim))
    }

    pub(crate) fn matmul(self, rhs: Self) -> Self {
        Self(B::float_matmul(self.0, rhs.0))
    }

    /// The matrix `self` `[m, k]` times each column of `columns` `[b, n, k, 1]`: `[b, n, m, 1]`.
    pub(crate) fn matmul_columns(self, columns: Self) -> Self {
        let ([m, _], [batch, n, k, _]) = (self.shape().dims(), columns.shape().dims());
        let columns = columns.reshape([batch * n, k]).transpose();
        let product = self.matmul(columns);
        product.transpose().reshape([batch, n, m, 1])
    }

    /// The last two axes swapped, as [`Axes`](super::Axes) does it.
    pub(crate) fn transpose(self) -> Self {
        let rank = self.rank();
        let mut axes: Vec<usize> = (0..rank).collect();
        axes.swap(rank - 2, rank - 1);
        let order = Order::of(&self.shape(), &axes);
        Self(order.apply(
            self.0,
            B::float_transpose,
            B::float_reshape,
            B::float_permute,
        ))
    }

    /// Repeats axes of length 1.
    pub(crate) fn expand(self, shape: impl Into<Shape>) -> Self {
        Self(B::float_expand(self.0, shape.into()))
    }

    /// Running sums along `dim`.
    pub(crate) fn cumsum(self, dim: usize) -> Self {
        Self(B::float_cumsum(self.0, dim))
    }

    /// The elements of `dim` in reverse.
    pub(crate) fn flip(self, dim: usize) -> Self {
        Self(B::float_flip(self.0, &[dim]))
    }

    pub(crate) fn reshape(self, shape: impl Into<Shape>) -> Self {
        Self(B::float_reshape(self.0, shape.into()))
    }

    /// The part `from..to` of `dim`.
    pub(crate) fn narrow(self, dim: usize, from: usize, to: usize) -> Self {
        let slices: Vec<Slice> = self
            .shape()
            .iter()
            .enumerate()
            .map(|(axis, &len)| {
                let range = if axis == dim { from..to } else { 0..len };
                Slice::from(range.start as isize..range.end as isize)
            })
            .collect();
        Self(B::float_slice(self.0, &slices))
    }

    pub(crate) fn cat(parts: Vec<Self>, dim: usize) -> Self {
        Self(B::float_cat(parts.into_iter().map(|p| p.0).collect(), dim))
    }

    pub(crate) fn add_scalar(self, value: f64) -> Self {
        Self(B::float_add_scalar(self.0, value.into()))
    }

    pub(crate) fn mul_scalar(self, value: f64) -> Self {
        Self(B::float_mul_scalar(self.0, value.into()))
    }

    pub(crate) fn mask_fill(self, mask: BoolTensor<B>, value: f64) -> Self {
        Self(B::float_mask_fill(self.0, mask, value.into()))
    }

    /// Collapses all axes but the last: `[rows, last]`.
    pub(crate) fn rows(self) -> Self {
        let shape = self.shape();
        let last = shape.num_dims() - 1;
        // Not by division: rows may be many and have no element.
        let rows: usize = shape[..last].iter().product();
        self.reshape([rows, shape[last]])
    }

    /// The sum over every axis but the last: `[last]`.
    pub(crate) fn sum_rows(self) -> Self {
        let rows = self.rows();
        let last = rows.shape()[1];
        if rows.is_empty() {
            return rows.zeros_like([last]);
        }
        rows.sum_dim(0).reshape([last])
    }

    /// A vector `[last]` seen as `[1, …, 1, last]` of the given rank.
    pub(crate) fn along_last(self, rank: usize) -> Self {
        let mut shape = vec![1; rank];
        shape[rank - 1] = self.shape()[0];
        self.reshape(Shape::from(shape))
    }
}

impl<B: Backend> Add for Expr<B> {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self(B::float_add(self.0, rhs.0))
    }
}

impl<B: Backend> Sub for Expr<B> {
    type Output = Self;
    fn sub(self, rhs: Self) -> Self {
        Self(B::float_sub(self.0, rhs.0))
    }
}

impl<B: Backend> Mul for Expr<B> {
    type Output = Self;
    fn mul(self, rhs: Self) -> Self {
        Self(B::float_mul(self.0, rhs.0))
    }
}

impl<B: Backend> Div for Expr<B> {
    type Output = Self;
    fn div(self, rhs: Self) -> Self {
        Self(B::float_div(self.0, rhs.0))
    }
}

impl<B: Backend> Neg for Expr<B> {
    type Output = Self;
    fn neg(self) -> Self {
        Self(B::float_neg(self.0))
    }
}
