//! Training behaviour on or off, layer by layer.

use burn::module::{Flag, ModuleMapper, Param};

use super::Mode;

/// Sets every training flag of a module on an autodiff device as the mode of a case asks: all off
/// in eval mode, dropout alone off in train mode. Weights stay trainable.
pub(crate) struct Switches {
    mode: Mode,
    containers: Vec<String>,
}

impl Switches {
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            mode,
            containers: vec![],
        }
    }
}

impl ModuleMapper for Switches {
    fn enter_module(&mut self, _name: &str, container: &str) {
        self.containers.push(container.into());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.containers.pop();
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        let batch_norm = self
            .containers
            .last()
            .is_some_and(|name| name.contains("BatchNorm"));
        flag.with_value(self.mode == Mode::Train && batch_norm)
    }
}
