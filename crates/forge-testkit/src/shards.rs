//! Parameters that are not stored as they are used.

use burn::module::{Module, Param, Reparameterization, Reparameterizer};
use burn::tensor::Tensor;

/// The module with every trainable parameter stored twice as long along its first axis, the second
/// half being noise that its effective value leaves out. The module computes what it did, unless it
/// takes sizes or values from what is stored: then it would fail with parameters that are split
/// over processes, which are shorter than they look.
///
/// # Panics
/// If a parameter of the module is stored in some such way already.
#[must_use]
pub fn with_padded_parameters<M: Module>(module: M) -> M {
    module.apply_reparameterization(Pad)
}

#[derive(Module, Debug)]
struct FirstRows {
    rows: usize,
}

impl Reparameterization for FirstRows {
    const NAME: &'static str = "first_rows";

    fn apply<const D: usize>(&self, base: Tensor<D>) -> Tensor<D> {
        base.narrow(0, 0, self.rows)
    }
}

struct Pad;

impl Reparameterizer for Pad {
    type Reparam = FirstRows;

    fn reparameterize<const D: usize>(
        &mut self,
        _path: &str,
        param: Param<Tensor<D>>,
    ) -> (Param<Tensor<D>>, Option<FirstRows>) {
        let value = param.val();
        if !value.is_require_grad() {
            return (param, None);
        }
        let value = value.inner();
        let rows = value.dims()[0];
        let stored = Tensor::cat(vec![value.clone(), value * 3.0 + 1.0], 0);
        let stored = Tensor::from_inner(stored).require_grad();
        (
            Param::initialized(param.id, stored),
            Some(FirstRows { rows }),
        )
    }
}
