//! Operations on shapes, places and masks.

use burn::backend::TensorMetadata;
use burn_ir::BaseOperationIr as Op;
use forge_nn::ops::Order;

use super::{Done, Run, compare, compare_scalar};
use crate::Level;

/// The operations that floats, integers and booleans share, with the functions of one kind.
macro_rules! common {
    ($run:ident, $op:ident, $read:ident, $put:ident, $reshape:expr, $swap:expr, $permute:expr,
     $flip:expr, $expand:expr, $slice:expr, $select:expr, $gather:expr, $repeat:expr, $cat:expr,
     { $($rest:tt)* }) => {
        match $op {
            Op::Reshape(op) => {
                let x = $run.$read(&op.input)?;
                $run.$put(&op.out, $reshape(x, op.out.shape.clone()));
            }
            Op::SwapDims(op) => {
                let x = $run.$read(&op.input)?;
                let mut axes: Vec<usize> = (0..x.shape().num_dims()).collect();
                axes.swap(op.dim1, op.dim2);
                let order = Order::of(&x.shape(), &axes);
                let plain = |x| $swap(x, op.dim1, op.dim2);
                $run.$put(&op.out, order.apply(x, plain, $reshape, $permute));
            }
            Op::Permute(op) => {
                let x = $run.$read(&op.input)?;
                let order = Order::of(&x.shape(), &op.axes);
                let plain = |x| $permute(x, &op.axes);
                $run.$put(&op.out, order.apply(x, plain, $reshape, $permute));
            }
            Op::Flip(op) => {
                let x = $run.$read(&op.input)?;
                $run.$put(&op.out, $flip(x, &op.axes));
            }
            Op::Expand(op) => {
                let x = $run.$read(&op.input)?;
                $run.$put(&op.out, $expand(x, op.out.shape.clone()));
            }
            Op::Slice(op) => {
                let x = $run.$read(&op.tensor)?;
                $run.$put(&op.out, $slice(x, &op.ranges));
            }
            Op::Select(op) => {
                let (x, places) = ($run.$read(&op.tensor)?, $run.ints(&op.indices)?);
                $run.$put(&op.out, $select(x, op.dim, places));
            }
            Op::Gather(op) => {
                let (x, places) = ($run.$read(&op.tensor)?, $run.ints(&op.indices)?);
                $run.$put(&op.out, $gather(op.dim, x, places));
            }
            Op::RepeatDim(op) => {
                let x = $run.$read(&op.tensor)?;
                $run.$put(&op.out, $repeat(x, op.dim, op.times));
            }
            Op::Cat(op) => {
                let parts = op.tensors.iter().map(|part| $run.$read(part));
                let parts = parts.collect::<Result<Vec<_>, _>>()?;
                $run.$put(&op.out, $cat(parts, op.dim));
            }
            $($rest)*
        }
    };
}

impl<B: Level> Run<'_, B> {
    pub(super) fn base_float(&mut self, op: &Op) -> Done {
        common!(self, op, float, put_float, B::float_reshape, B::float_swap_dims,
            B::float_permute, B::float_flip, B::float_expand, B::float_slice, B::float_select,
            B::float_gather, B::float_repeat_dim, B::float_cat, {
            Op::Unfold(op) => {
                let x = self.float(&op.input)?;
                self.put_float(&op.out, B::float_unfold(x, op.dim, op.size, op.step));
            }
            Op::SliceAssign(op) => {
                let (x, part) = (self.float(&op.tensor)?, self.float(&op.value)?);
                self.put_float(&op.out, B::float_slice_assign(x, &op.ranges, part));
            }
            Op::SelectAssign(op) => {
                let (x, places) = (self.float(&op.tensor)?, self.ints(&op.indices)?);
                let part = self.float(&op.value)?;
                let y = B::float_select_assign(x, op.dim, places, part, op.update);
                self.put_float(&op.out, y);
            }
            Op::Scatter(op) => {
                let (x, places) = (self.float(&op.tensor)?, self.ints(&op.indices)?);
                let part = self.float(&op.value)?;
                let y = B::float_scatter(op.dim, x, places, part, op.update);
                self.put_float(&op.out, y);
            }
            Op::MaskWhere(op) => {
                let (x, mask) = (self.float(&op.tensor)?, self.bools(&op.mask)?);
                let other = self.float(&op.value)?;
                self.put_float(&op.out, B::float_mask_where(x, mask, other));
            }
            Op::MaskFill(op) => {
                let (x, mask) = (self.float(&op.tensor)?, self.bools(&op.mask)?);
                self.put_float(&op.out, B::float_mask_fill(x, mask, op.value.into()));
            }
            Op::Equal(op) => compare!(self, op, float, B::float_equal),
            Op::EqualElem(op) => compare_scalar!(self, op, float, B::float_equal_elem),
            Op::NotEqual(op) => compare!(self, op, float, B::float_not_equal),
            Op::NotEqualElem(op) => compare_scalar!(self, op, float, B::float_not_equal_elem),
            Op::Cast(op) => {
                let x = self.float(&op.input)?;
                self.put_float(&op.out, B::float_cast(x, op.out.dtype.into()));
            }
            // What an empty tensor holds is anything: zeros, so that two replays are equal.
            Op::Zeros(op) | Op::Empty(op) => {
                let y = B::float_zeros(op.out.shape.clone(), self.device, op.out.dtype.into());
                self.put_float(&op.out, y);
            }
            Op::Ones(op) => {
                let y = B::float_ones(op.out.shape.clone(), self.device, op.out.dtype.into());
                self.put_float(&op.out, y);
            }
            _ => return Err(self.refuse()),
        });
        Ok(())
    }

    pub(super) fn base_int(&mut self, op: &Op) -> Done {
        common!(self, op, ints, put_int, B::int_reshape, B::int_swap_dims, B::int_permute,
            B::int_flip, B::int_expand, B::int_slice, B::int_select, B::int_gather,
            B::int_repeat_dim, B::int_cat, {
            Op::SliceAssign(op) => {
                let (x, part) = (self.ints(&op.tensor)?, self.ints(&op.value)?);
                self.put_int(&op.out, B::int_slice_assign(x, &op.ranges, part));
            }
            Op::Scatter(op) => {
                let (x, places) = (self.ints(&op.tensor)?, self.ints(&op.indices)?);
                let part = self.ints(&op.value)?;
                self.put_int(&op.out, B::int_scatter(op.dim, x, places, part, op.update));
            }
            Op::MaskWhere(op) => {
                let (x, mask) = (self.ints(&op.tensor)?, self.bools(&op.mask)?);
                let other = self.ints(&op.value)?;
                self.put_int(&op.out, B::int_mask_where(x, mask, other));
            }
            Op::MaskFill(op) => {
                let (x, mask) = (self.ints(&op.tensor)?, self.bools(&op.mask)?);
                self.put_int(&op.out, B::int_mask_fill(x, mask, op.value.into()));
            }
            Op::Equal(op) => compare!(self, op, ints, B::int_equal),
            Op::EqualElem(op) => compare_scalar!(self, op, ints, B::int_equal_elem),
            Op::NotEqual(op) => compare!(self, op, ints, B::int_not_equal),
            Op::NotEqualElem(op) => compare_scalar!(self, op, ints, B::int_not_equal_elem),
            Op::Cast(op) => {
                let x = self.ints(&op.input)?;
                self.put_int(&op.out, B::int_cast(x, op.out.dtype.into()));
            }
            Op::Zeros(op) => {
                let y = B::int_zeros(op.out.shape.clone(), self.device, op.out.dtype.into());
                self.put_int(&op.out, y);
            }
            Op::Ones(op) => {
                let y = B::int_ones(op.out.shape.clone(), self.device, op.out.dtype.into());
                self.put_int(&op.out, y);
            }
            _ => return Err(self.refuse()),
        });
        Ok(())
    }

    pub(super) fn base_bool(&mut self, op: &Op) -> Done {
        common!(self, op, bools, put_bool, B::bool_reshape, B::bool_swap_dims, B::bool_permute,
            B::bool_flip, B::bool_expand, B::bool_slice, B::bool_select, B::bool_gather,
            B::bool_repeat_dim, B::bool_cat, {
            Op::Equal(op) => {
                let (a, b) = (self.bools(&op.lhs)?, self.bools(&op.rhs)?);
                self.put_bool(&op.out, B::bool_equal(a, b));
            }
            Op::NotEqual(op) => {
                let (a, b) = (self.bools(&op.lhs)?, self.bools(&op.rhs)?);
                self.put_bool(&op.out, B::bool_not_equal(a, b));
            }
            Op::Zeros(op) | Op::Empty(op) => {
                let y = B::bool_zeros(op.out.shape.clone(), self.device, op.out.dtype.into());
                self.put_bool(&op.out, y);
            }
            Op::Ones(op) => {
                let y = B::bool_ones(op.out.shape.clone(), self.device, op.out.dtype.into());
                self.put_bool(&op.out, y);
            }
            Op::Any(op) => {
                let x = self.bools(&op.input)?;
                self.put_bool(&op.out, B::bool_any(x));
            }
            Op::All(op) => {
                let x = self.bools(&op.input)?;
                self.put_bool(&op.out, B::bool_all(x));
            }
            Op::AnyDim(op) => {
                let x = self.bools(&op.input)?;
                self.put_bool(&op.out, B::bool_any_dim(x, op.axis));
            }
            Op::AllDim(op) => {
                let x = self.bools(&op.input)?;
                self.put_bool(&op.out, B::bool_all_dim(x, op.axis));
            }
            _ => return Err(self.refuse()),
        });
        Ok(())
    }
}
