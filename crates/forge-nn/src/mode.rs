//! What a forward pass is for.

use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::tensor::Device;

/// What a forward pass is for, as the caller sets it with [`set_mode`].
///
/// | | dropout, stochastic depth | batch norm |
/// |---|---|---|
/// | `Train` | act | statistics of the batch, and updates the running ones |
/// | `Evaluate` | rest | running statistics |
/// | `Sample` | act | running statistics |
///
/// Whether gradients are recorded is another question: Monte-Carlo dropout samples on a plain
/// device, a frozen batch norm evaluates on an autodiff one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Fitting weights.
    Train,
    /// Predictions that depend on the input alone.
    Evaluate,
    /// Draws from the distribution that dropout stands for (Monte-Carlo dropout, Gal & Ghahramani,
    /// arXiv 1506.02142).
    Sample,
}

/// Sets the mode of every layer in `module`. Weights, gradients and devices stay as they are.
///
/// The mode is held in the layers' flags (`Param<Flag>`). A flag called `batch_statistics` or `fitting`, or in
/// a container called `BatchNorm`, is on in [`Mode::Train`] alone; every other one in
/// [`Mode::Train`] and [`Mode::Sample`]. A flag that `Module::freeze` turned off stays off.
///
/// Without this call a module built on an autodiff device trains and one built elsewhere
/// evaluates (see [`training_flag`]); Burn's `Module::valid` is [`Mode::Evaluate`] and leaves the
/// autodiff device, `Module::train` is [`Mode::Train`] and enters it. So the mode set here lasts
/// until the next `valid`, `train`, `freeze` or `unfreeze`. Burn's own layers that have a flag ask
/// for an autodiff device besides.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::regularisation::DropoutConfig;
/// use forge_nn::{Mode, ModuleConfig, set_mode};
///
/// let device = Device::flex();
/// let x = Tensor::<2>::ones([8, 8], &device);
/// let layer = DropoutConfig::new(0.5).init(&device);
/// assert_eq!(layer.forward(x.clone()).to_data(), x.to_data());
/// let layer = set_mode(layer, Mode::Sample);
/// assert_ne!(layer.forward(x.clone()).to_data(), x.to_data());
/// ```
#[must_use]
pub fn set_mode<M: Module>(module: M, mode: Mode) -> M {
    module.map(&mut Switch {
        mode,
        path: Vec::new(),
    })
}

/// The flag of a layer that is built on `device`: on for an autodiff device, off elsewhere, where
/// [`set_mode`] and Burn's `Module::train` turn it on.
///
/// A layer of your own that acts in [`Mode::Train`] and [`Mode::Sample`] holds one in a field of
/// any name; a layer that uses statistics of the batch in [`Mode::Train`] calls the field
/// `batch_statistics`, one that does anything else there alone `fitting`. The layer asks the flag alone, never the device.
#[must_use]
pub fn training_flag(device: &Device) -> Param<Flag> {
    let flag = Param::from_bool(true);
    match device.is_autodiff() {
        true => flag,
        false => flag.valid(),
    }
}

struct Switch {
    mode: Mode,
    /// Names, and the container that each is in.
    path: Vec<(String, String)>,
}

impl Switch {
    fn of_training_alone(&self) -> bool {
        self.path.last().is_some_and(|(name, container)| {
            ["batch_statistics", "fitting"].contains(&name.as_str())
                || container == "Struct:BatchNorm"
        })
    }
}

impl ModuleMapper for Switch {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push((name.into(), container.into()));
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        let on = match self.mode {
            Mode::Train => true,
            Mode::Evaluate => false,
            Mode::Sample => !self.of_training_alone(),
        };
        // `valid` remembers what `train` restores: a frozen flag stays off.
        match on {
            true => flag.train(),
            false => flag.valid(),
        }
    }
}
