//! What a module's tensors are called.

use std::collections::BTreeSet;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor};

use super::StateDict;
use crate::parameters::ParameterPath;

impl StateDict {
    /// The names that [`from_module`](Self::from_module) would give, without reading anything;
    /// parameters that have not been made yet are not made.
    #[must_use]
    pub fn names_of<M: Module>(module: &M) -> BTreeSet<String> {
        let mut names = Names::default();
        module.visit(&mut names);
        names.found
    }
}

#[derive(Default)]
struct Names {
    path: ParameterPath,
    found: BTreeSet<String>,
}

impl ModuleVisitor for Names {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
        self.found.insert(self.path.join());
    }

    fn visit_int<const D: usize>(&mut self, _: &Param<Tensor<D, Int>>) {
        self.found.insert(self.path.join());
    }

    fn visit_bool<const D: usize>(&mut self, _: &Param<Tensor<D, Bool>>) {
        self.found.insert(self.path.join());
    }
}
