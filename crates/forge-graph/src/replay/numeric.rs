//! Arithmetic, reductions and order of floats.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Scalar, TensorMetadata};
use burn::tensor::DType;
use burn_ir::NumericOperationIr as Op;

use super::{Done, Run, binary, compare, compare_scalar, scalar, unary};
use crate::Level;

/// `y = f(x, axis)`.
macro_rules! along {
    ($run:ident, $op:ident, $f:expr) => {{
        let x = $run.float(&$op.input)?;
        $run.put_float(&$op.out, $f(x, $op.axis));
    }};
}

/// Extremes with where they are.
macro_rules! with_indices {
    ($run:ident, $op:ident, $f:expr) => {{
        let x = $run.float(&$op.tensor)?;
        let (y, places) = $f(x, $op.dim, $op.out_indices.dtype.into());
        $run.put_float(&$op.out, y);
        $run.put_int(&$op.out_indices, places);
    }};
}

impl<B: Level> Run<'_, B> {
    pub(super) fn numeric_float(&mut self, op: &Op) -> Done {
        match op {
            Op::Add(op) => binary!(self, op, B::float_add),
            Op::AddScalar(op) => scalar!(self, op, B::float_add_scalar),
            Op::Sub(op) => binary!(self, op, B::float_sub),
            Op::SubScalar(op) => scalar!(self, op, B::float_sub_scalar),
            Op::Div(op) => binary!(self, op, B::float_div),
            Op::DivScalar(op) => scalar!(self, op, div_scalar::<B>),
            Op::RemScalar(op) => scalar!(self, op, B::float_remainder_scalar),
            Op::Mul(op) => binary!(self, op, B::float_mul),
            Op::MulScalar(op) => scalar!(self, op, B::float_mul_scalar),
            Op::Abs(op) => unary!(self, op, B::float_abs),
            Op::Full(op) => {
                let (shape, dtype) = (op.out.shape.clone(), op.out.dtype.into());
                let y = B::float_full(shape, op.value.into(), self.device, dtype);
                self.put_float(&op.out, y);
            }
            Op::MeanDim(op) => along!(self, op, B::float_mean_dim),
            Op::Mean(op) => unary!(self, op, B::float_mean),
            Op::Sum(op) => unary!(self, op, B::float_sum),
            Op::SumDim(op) => along!(self, op, B::float_sum_dim),
            Op::SumDims(op) => {
                let x = self.float(&op.input)?;
                self.put_float(&op.out, B::float_sum_dims(x, &op.axes));
            }
            Op::Prod(op) => unary!(self, op, B::float_prod),
            Op::ProdDim(op) => along!(self, op, B::float_prod_dim),
            Op::Greater(op) => compare!(self, op, float, B::float_greater),
            Op::GreaterElem(op) => compare_scalar!(self, op, float, B::float_greater_elem),
            Op::GreaterEqual(op) => compare!(self, op, float, B::float_greater_equal),
            Op::GreaterEqualElem(op) => {
                compare_scalar!(self, op, float, B::float_greater_equal_elem);
            }
            Op::Lower(op) => compare!(self, op, float, B::float_lower),
            Op::LowerElem(op) => compare_scalar!(self, op, float, B::float_lower_elem),
            Op::LowerEqual(op) => compare!(self, op, float, B::float_lower_equal),
            Op::LowerEqualElem(op) => {
                compare_scalar!(self, op, float, B::float_lower_equal_elem);
            }
            Op::ArgMax(op) => {
                let x = self.float(&op.input)?;
                self.put_int(&op.out, B::float_argmax(x, op.axis, op.out.dtype.into()));
            }
            Op::ArgMin(op) => {
                let x = self.float(&op.input)?;
                self.put_int(&op.out, B::float_argmin(x, op.axis, op.out.dtype.into()));
            }
            Op::ArgTopK(op) => {
                let (x, k) = (self.float(&op.input)?, op.accumulator_len);
                self.put_int(
                    &op.out,
                    B::float_argtopk(x, op.axis, k, op.out.dtype.into()),
                );
            }
            Op::TopK(op) => {
                let (x, k) = (self.float(&op.input)?, op.accumulator_len);
                self.put_float(&op.out, B::float_topk(x, op.axis, k));
            }
            Op::TopKWithIndices(op) => with_indices!(self, op, |x, dim, dtype| {
                B::float_topk_with_indices(x, dim, op.k, dtype)
            }),
            Op::Max(op) => unary!(self, op, B::float_max),
            Op::Min(op) => unary!(self, op, B::float_min),
            Op::MaxDim(op) => along!(self, op, B::float_max_dim),
            Op::MinDim(op) => along!(self, op, B::float_min_dim),
            Op::MaxDimWithIndices(op) => with_indices!(self, op, B::float_max_dim_with_indices),
            Op::MinDimWithIndices(op) => with_indices!(self, op, B::float_min_dim_with_indices),
            Op::MaxAbs(op) => unary!(self, op, B::float_max_abs),
            Op::MaxAbsDim(op) => along!(self, op, B::float_max_abs_dim),
            Op::Clamp(op) => {
                let x = self.float(&op.tensor)?;
                self.put_float(&op.out, B::float_clamp(x, op.min.into(), op.max.into()));
            }
            Op::ClampMin(op) => scalar!(self, op, B::float_clamp_min),
            Op::ClampMax(op) => scalar!(self, op, B::float_clamp_max),
            Op::PowiScalar(op) => scalar!(self, op, B::float_powi_scalar),
            Op::CumSum(op) => along!(self, op, B::float_cumsum),
            Op::CumProd(op) => along!(self, op, B::float_cumprod),
            Op::Neg(op) => unary!(self, op, B::float_neg),
            Op::Sign(op) => unary!(self, op, B::float_sign),
            Op::Sort(op) => {
                let x = self.float(&op.input)?;
                self.put_float(&op.out, B::float_sort(x, op.dim, op.descending));
            }
            Op::SortWithIndices(op) => {
                let (x, dtype) = (self.float(&op.input)?, op.out_indices.dtype.into());
                let (y, places) = B::float_sort_with_indices(x, op.dim, op.descending, dtype);
                self.put_float(&op.out, y);
                self.put_int(&op.out_indices, places);
            }
            Op::ArgSort(op) => {
                let (x, dtype) = (self.float(&op.input)?, op.out.dtype.into());
                self.put_int(&op.out, B::float_argsort(x, op.dim, op.descending, dtype));
            }
            Op::Pad(op) => {
                let x = self.float(&op.input)?;
                self.put_float(&op.out, B::float_pad(x, &op.padding, op.mode.into()));
            }
            _ => return Err(self.refuse()),
        }
        Ok(())
    }
}

/// `x / number`. Burn's gradient of it rounds the number to f32: in f64 it is a product instead.
fn div_scalar<B: Level>(x: FloatTensor<B>, by: Scalar) -> FloatTensor<B> {
    match B::DEPTH > 0 && x.dtype() == DType::F64 {
        true => B::float_mul_scalar(x, (1.0 / by.elem::<f64>()).into()),
        false => B::float_div_scalar(x, by),
    }
}
