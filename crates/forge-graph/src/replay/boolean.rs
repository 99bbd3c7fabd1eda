//! Logic.

use burn_ir::BoolOperationIr as Op;

use super::{Done, Run};
use crate::Level;

impl<B: Level> Run<'_, B> {
    pub(super) fn boolean(&mut self, op: &Op) -> Done {
        match op {
            Op::IntoFloat(op) => {
                let x = self.bools(&op.input)?;
                self.put_float(&op.out, B::bool_into_float(x, op.out.dtype.into()));
            }
            Op::IntoInt(op) => {
                let x = self.bools(&op.input)?;
                self.put_int(&op.out, B::bool_into_int(x, op.out.dtype.into()));
            }
            Op::Not(op) => {
                let x = self.bools(&op.input)?;
                self.put_bool(&op.out, B::bool_not(x));
            }
            Op::And(op) => {
                let (a, b) = (self.bools(&op.lhs)?, self.bools(&op.rhs)?);
                self.put_bool(&op.out, B::bool_and(a, b));
            }
            Op::Or(op) => {
                let (a, b) = (self.bools(&op.lhs)?, self.bools(&op.rhs)?);
                self.put_bool(&op.out, B::bool_or(a, b));
            }
            Op::Xor(op) => {
                let (a, b) = (self.bools(&op.lhs)?, self.bools(&op.rhs)?);
                self.put_bool(&op.out, B::bool_xor(a, b));
            }
        }
        Ok(())
    }
}
