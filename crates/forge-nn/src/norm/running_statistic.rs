//! Statistics that a forward pass updates.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::module::{
    Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
    Param, ParamId,
};
use burn::tensor::{Device, Tensor};

use crate::ops::stop_gradient;

/// A statistic that `forward` updates: a buffer that is saved, moved and averaged with the module
/// but never trained.
///
/// A clone holds its own value: what happens to one copy of a model (an update, a move to another
/// device, a mapper such as an average of weights) never reaches another. Burn's `RunningState`
/// shares one value among all clones and changes it in place. Updates take effect at once, on
/// whichever thread they happen.
#[derive(Debug)]
pub struct RunningStatistic {
    id: ParamId,
    value: Mutex<Tensor<1>>,
}

impl RunningStatistic {
    /// A statistic with its first value.
    #[must_use]
    pub fn new(value: Tensor<1>) -> Self {
        Self::with_id(ParamId::new(), value)
    }

    fn with_id(id: ParamId, value: Tensor<1>) -> Self {
        let value = Mutex::new(value);
        Self { id, value }
    }

    fn lock(&self) -> MutexGuard<'_, Tensor<1>> {
        // The value is replaced whole, so a panic elsewhere cannot leave it half written.
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current value.
    #[must_use]
    pub fn value(&self) -> Tensor<1> {
        self.lock().clone()
    }

    /// `value ← (1 - momentum) · value + momentum · observed`, outside of any gradient.
    pub fn update(&self, observed: Tensor<1>, momentum: f64) {
        let mut value = self.lock();
        let observed = stop_gradient(observed).to_device(&value.device());
        let observed = observed.cast(value.dtype());
        *value = value.clone() * (1.0 - momentum) + observed * momentum;
    }

    fn map_value(self, change: impl FnOnce(Tensor<1>) -> Tensor<1>) -> Self {
        let value = self
            .value
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        Self::with_id(self.id, change(value))
    }
}

impl Clone for RunningStatistic {
    fn clone(&self) -> Self {
        Self::with_id(self.id, self.value())
    }
}

impl Module for RunningStatistic {
    fn collect_devices(&self, mut devices: Devices) -> Devices {
        let device = self.lock().device();
        if !devices.contains(&device) {
            devices.push(device);
        }
        devices
    }

    fn fork(self, device: &Device) -> Self {
        self.to_device(device)
    }

    fn to_device(self, device: &Device) -> Self {
        self.map_value(|value| value.to_device(device).detach())
    }

    fn train(self) -> Self {
        self.map_value(|value| match value.device().is_autodiff() {
            true => value,
            false => Tensor::from_inner(value),
        })
    }

    fn valid(&self) -> Self {
        Self::with_id(self.id, self.value().without_autodiff())
    }

    fn materialize(self) -> Self {
        self
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        visitor.visit_float(&Param::initialized(self.id, self.value()));
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        let value = self.value();
        let (id, value, _) = mapper
            .map_float(Param::initialized(self.id, value))
            .consume();
        // A mapper may change the value, not make a buffer trainable.
        Self::with_id(id, value.set_require_grad(false))
    }
}

impl ModuleDisplayDefault for RunningStatistic {
    fn content(&self, content: Content) -> Option<Content> {
        content
            .add_formatted(&format!("RunningStatistic {:?}", self.lock().dims()))
            .optional()
    }
}

impl ModuleDisplay for RunningStatistic {}

impl std::fmt::Display for RunningStatistic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RunningStatistic {:?}", self.lock().dims())
    }
}
