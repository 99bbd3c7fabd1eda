//! MAML in a run.

use burn::backend::Dispatch;
use burn::backend::ops::FloatTensorOps;
use burn::module::{Module, ModuleDisplay, Param};
use burn::tensor::{Device, Tensor};
use forge_graph::Tensors;
use forge_nn::ForgeError;
use serde_json::{Value, json};

use super::MetaLearner;
use super::with_gradient::with_gradient;
use crate::adaptation::{Maml, Task, TaskDistribution};
use crate::functional::{ParamTensor, Params};

/// What [`Maml`] trains: a module and, where [they are learned](crate::adaptation::MamlConfig::learn_rates),
/// its step sizes, which are parameters like any other.
#[derive(Module, Debug)]
pub struct MamlModule<M: Module> {
    /// The module that tasks begin with.
    pub net: M,
    /// The step sizes of each trainable parameter of `net`, flat, in their order; none where they are not
    /// learned.
    rates: Vec<Param<Tensor<1>>>,
}

impl<M: Module> MamlModule<M> {
    /// With the step sizes that learning starts at.
    ///
    /// # Errors
    /// As [`Maml::rates`].
    pub fn new<I>(maml: &Maml<I>, net: M) -> Result<Self, ForgeError>
    where
        I: Tensors + Clone + 'static,
    {
        let rates = maml.rates(&Params::of(&net))?;
        let own = rates.iter().filter(|_| maml.config().learn_rates);
        let own = own.map(|(_, rate)| Tensor::from_dispatch(rate.clone().flat()));
        let rates = own.map(Param::from_tensor).collect();
        Ok(Self { net, rates })
    }

    /// The learned step sizes, outside of any graph; absent where they are not learned. For
    /// [`Maml::adapt_by`].
    ///
    /// # Errors
    /// A weights error if the module has other parameters than it was made with.
    pub fn rates(&self) -> Result<Option<Params>, ForgeError> {
        if self.rates.is_empty() {
            return Ok(None);
        }
        let params = Params::of(&self.net);
        if params.len() != self.rates.len() {
            let (own, found) = (self.rates.len(), params.len());
            return Err(ForgeError::weights(format!(
                "there are step sizes for {own} parameters, and the module has {found}"
            )));
        }
        let pairs = params.iter().zip(&self.rates);
        let shaped = pairs.map(|((name, param), rate)| {
            let shape = param.shape().into();
            let rate = Dispatch::float_reshape(rate.val().into_dispatch(), shape);
            (name.to_string(), ParamTensor::from_dispatch(rate))
        });
        Ok(Some(Params::from_entries(shaped).detach()))
    }
}

impl<M, I> MetaLearner<MamlModule<M>, I> for Maml<I>
where
    M: Module + ModuleDisplay,
    I: Tensors + Clone + 'static,
{
    fn identity(&self) -> Value {
        json!({"maml": self.config()})
    }

    fn loss(
        &mut self,
        module: &MamlModule<M>,
        tasks: &dyn TaskDistribution<Batch = I>,
        numbers: &[u64],
        device: &Device,
    ) -> Result<Tensor<1>, ForgeError> {
        let device = device.clone().inner();
        let batch = numbers.iter().map(|number| tasks.task(*number, &device));
        let batch = batch.collect::<Result<Vec<_>, _>>()?;
        let params = Params::of(&module.net);
        let meta = self.meta_gradient(&params, module.rates()?.as_ref(), batch)?;
        let whole = |(_, tensor): (&str, &ParamTensor)| tensor.clone();
        let flat =
            |(_, tensor): (&str, &ParamTensor)| ParamTensor::from_dispatch(tensor.clone().flat());
        let of_net = meta.gradient.iter().map(whole);
        let of_rates = meta.rates.iter().flat_map(|rates| rates.iter().map(flat));
        with_gradient(meta.loss, module, of_net.chain(of_rates))
    }

    fn score(&self, module: &MamlModule<M>, task: Task<I>) -> Result<f64, ForgeError> {
        let params = Params::of(&module.net);
        let rates = match module.rates()? {
            Some(rates) => rates,
            None => self.rates(&params)?,
        };
        let steps = self.config().inner_steps;
        let adapted = self.adapt_by(&params, &rates, task.support, steps)?;
        Ok(self.loss().call(&adapted, task.query)?.into_scalar())
    }
}
