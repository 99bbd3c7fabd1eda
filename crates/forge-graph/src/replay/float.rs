//! Functions that only floats have.

use burn_ir::FloatOperationIr as Op;

use super::{Done, Run, binary, scalar, unary};
use crate::Level;

impl<B: Level> Run<'_, B> {
    pub(super) fn float_only(&mut self, op: &Op) -> Done {
        match op {
            Op::Exp(op) => unary!(self, op, B::float_exp),
            Op::Log(op) => unary!(self, op, B::float_log),
            Op::Log1p(op) => unary!(self, op, B::float_log1p),
            Op::Erf(op) => unary!(self, op, B::float_erf),
            Op::PowfScalar(op) => scalar!(self, op, B::float_powf_scalar),
            Op::Powf(op) => binary!(self, op, B::float_powf),
            Op::Sqrt(op) => unary!(self, op, B::float_sqrt),
            Op::Cos(op) => unary!(self, op, B::float_cos),
            Op::Cosh(op) => unary!(self, op, B::float_cosh),
            Op::Sin(op) => unary!(self, op, B::float_sin),
            Op::Sinh(op) => unary!(self, op, B::float_sinh),
            Op::Tan(op) => unary!(self, op, B::float_tan),
            Op::Tanh(op) => unary!(self, op, B::float_tanh),
            Op::ArcTan(op) => unary!(self, op, B::float_atan),
            Op::ArcTan2(op) => binary!(self, op, B::float_atan2),
            Op::Round(op) => unary!(self, op, B::float_round),
            Op::Floor(op) => unary!(self, op, B::float_floor),
            Op::Ceil(op) => unary!(self, op, B::float_ceil),
            Op::Trunc(op) => unary!(self, op, B::float_trunc),
            Op::IntoInt(op) => {
                let x = self.float(&op.input)?;
                self.put_int(&op.out, B::float_into_int(x, op.out.dtype.into()));
            }
            Op::Matmul(op) => binary!(self, op, B::float_matmul),
            Op::Recip(op) => unary!(self, op, B::float_recip),
            _ => return Err(self.refuse()),
        }
        Ok(())
    }
}
