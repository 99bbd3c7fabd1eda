//! Arithmetic of integers, which has no gradient.

use burn_ir::{IntOperationIr, NumericOperationIr as Op};

use super::{Done, Run, compare, compare_scalar};
use crate::Level;

macro_rules! unary_int {
    ($run:ident, $op:ident, $f:expr) => {{
        let x = $run.ints(&$op.input)?;
        $run.put_int(&$op.out, $f(x));
    }};
}

macro_rules! binary_int {
    ($run:ident, $op:ident, $f:expr) => {{
        let (a, b) = ($run.ints(&$op.lhs)?, $run.ints(&$op.rhs)?);
        $run.put_int(&$op.out, $f(a, b));
    }};
}

macro_rules! scalar_int {
    ($run:ident, $op:ident, $f:expr) => {{
        let x = $run.ints(&$op.lhs)?;
        $run.put_int(&$op.out, $f(x, $op.rhs.into()));
    }};
}

impl<B: Level> Run<'_, B> {
    pub(super) fn numeric_int(&mut self, op: &Op) -> Done {
        match op {
            Op::Add(op) => binary_int!(self, op, B::int_add),
            Op::AddScalar(op) => scalar_int!(self, op, B::int_add_scalar),
            Op::Sub(op) => binary_int!(self, op, B::int_sub),
            Op::SubScalar(op) => scalar_int!(self, op, B::int_sub_scalar),
            Op::Mul(op) => binary_int!(self, op, B::int_mul),
            Op::MulScalar(op) => scalar_int!(self, op, B::int_mul_scalar),
            Op::Div(op) => binary_int!(self, op, B::int_div),
            Op::DivScalar(op) => scalar_int!(self, op, B::int_div_scalar),
            Op::RemScalar(op) => scalar_int!(self, op, B::int_remainder_scalar),
            Op::Abs(op) => unary_int!(self, op, B::int_abs),
            Op::Neg(op) => unary_int!(self, op, B::int_neg),
            Op::Full(op) => {
                let (shape, dtype) = (op.out.shape.clone(), op.out.dtype.into());
                let y = B::int_full(shape, op.value.into(), self.device, dtype);
                self.put_int(&op.out, y);
            }
            Op::Sum(op) => unary_int!(self, op, B::int_sum),
            Op::SumDim(op) => {
                let x = self.ints(&op.input)?;
                self.put_int(&op.out, B::int_sum_dim(x, op.axis));
            }
            Op::CumSum(op) => {
                let x = self.ints(&op.input)?;
                self.put_int(&op.out, B::int_cumsum(x, op.axis));
            }
            Op::Greater(op) => compare!(self, op, ints, B::int_greater),
            Op::GreaterElem(op) => compare_scalar!(self, op, ints, B::int_greater_elem),
            Op::GreaterEqual(op) => compare!(self, op, ints, B::int_greater_equal),
            Op::GreaterEqualElem(op) => {
                compare_scalar!(self, op, ints, B::int_greater_equal_elem);
            }
            Op::Lower(op) => compare!(self, op, ints, B::int_lower),
            Op::LowerElem(op) => compare_scalar!(self, op, ints, B::int_lower_elem),
            Op::LowerEqual(op) => compare!(self, op, ints, B::int_lower_equal),
            Op::LowerEqualElem(op) => compare_scalar!(self, op, ints, B::int_lower_equal_elem),
            Op::Clamp(op) => {
                let x = self.ints(&op.tensor)?;
                self.put_int(&op.out, B::int_clamp(x, op.min.into(), op.max.into()));
            }
            Op::ClampMin(op) => scalar_int!(self, op, B::int_clamp_min),
            Op::ClampMax(op) => scalar_int!(self, op, B::int_clamp_max),
            Op::ArgSort(op) => {
                let x = self.ints(&op.input)?;
                self.put_int(&op.out, B::int_argsort(x, op.dim, op.descending));
            }
            _ => return Err(self.refuse()),
        }
        Ok(())
    }

    pub(super) fn int(&mut self, op: &IntOperationIr) -> Done {
        match op {
            IntOperationIr::IntoFloat(op) => {
                let x = self.ints(&op.input)?;
                self.put_float(&op.out, B::int_into_float(x, op.out.dtype.into()));
                Ok(())
            }
            _ => Err(self.refuse()),
        }
    }
}
