//! Batch statistics that a skipped step must not leave behind.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// The buffers of a module (running statistics) at one moment.
#[derive(Debug)]
pub(super) struct Statistics(GradientsParams);

impl Statistics {
    pub(super) fn of<M: Module>(module: &M) -> Self {
        // `valid` writes pending updates in.
        let _ = module.valid();
        let mut take = Self(GradientsParams::new());
        module.visit(&mut take);
        take
    }

    /// Puts them back.
    pub(super) fn put_back<M: Module>(mut self, module: M) -> M {
        // Or else a pending update would overwrite what is put back.
        let _ = module.valid();
        module.map(&mut self)
    }
}

impl ModuleVisitor for Statistics {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            self.0.register(param.id, param.base());
        }
    }
}

impl ModuleMapper for Statistics {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.0.remove::<D>(param.id) {
            Some(value) => param.map(|_| value),
            None => param,
        }
    }
}
