//! A module made ready to be trained.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use forge_nn::ForgeError;
use forge_nn::parameters::draw_all;

/// The module, drawn, moved and in training mode, and the device to make inputs on.
pub(super) fn prepare<M: Module>(module: M, devices: &[Device]) -> Result<(M, Device), ForgeError> {
    let mut module = draw_all(module);
    let present = module.devices();
    match devices {
        [] if present.len() > 1 => {
            let value = format!("none, and the module lies on {}", present.len());
            return Err(ForgeError::config("devices", value, "one, to move it to"));
        }
        [] => {}
        [device] => {
            if present.iter().any(|at| at != device) {
                module = module.fork(device);
            }
        }
        _ => {
            let allowed = "one device: training on several at once is not there yet";
            return Err(ForgeError::config("devices", devices.len(), allowed));
        }
    }
    // `train` on a module that records gradients would lose its gradient-checkpointing strategy,
    // and its mode.
    if !records_gradients(&module) {
        module = module.train();
    }
    let device = module
        .devices()
        .into_iter()
        .next()
        .ok_or_else(|| ForgeError::training("the module has no parameters"))?;
    Ok((module, device.autodiff()))
}

/// Whether any parameter is on the graph already.
fn records_gradients<M: Module>(module: &M) -> bool {
    struct Look(bool);
    impl ModuleVisitor for Look {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 |= param.base().is_require_grad();
        }
    }
    let mut look = Look(false);
    module.visit(&mut look);
    look.0
}
