//! Searches by strengths of operations.

use burn::optim::GradientsParams;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use forge_nn::cell::Genotype;
use forge_nn::parameters::draw_all;
use forge_nn::parameters::replace_value;
use forge_nn::{ForgeError, ModuleConfig};
use rand::RngExt;

use super::optimisers::step_weights;
use super::search::{Draw, Optimisers, SearchStep, StepContext, finite};
use super::{SearchConfig, SearchMethod, SearchTask};
use crate::functional::{Functional, ParamTensor, Params};
use crate::search::super_net::host_rows;
use crate::search::{
    Darts, DartsConfig, GateMode, GatedPaths, LatencyTable, SearchSpace, SuperNet, SuperNetConfig,
    Unrolling, gumbel_softmax,
};

type Batch = (Tensor<3>, Tensor<2>);

/// Calls of an operation that its latency is the median of.
const LATENCY_REPEATS: usize = 15;

#[derive(Debug)]
pub(super) struct StrengthSearch {
    pub(super) net: SuperNet,
    darts: Option<Darts<Batch>>,
    pub(super) latency: Option<LatencyTable>,
}

impl StrengthSearch {
    pub(super) fn new(
        config: &SearchConfig,
        task: &SearchTask,
        device: &Device,
    ) -> Result<Self, ForgeError> {
        let [_, tokens, features] = task.train.x.dims();
        let net = SuperNetConfig {
            space: config.space.clone(),
            d_in: features,
            d_model: config.d_model,
            d_out: task.train.y.dims()[1],
        };
        let net = draw_all(net.try_init(&device.clone().autodiff())?);
        let loss = task.loss;
        let darts = |unrolling: Unrolling| {
            let darts = DartsConfig {
                architecture: vec!["alpha".into()],
                xi: config.weight_rate,
                momentum: config.momentum,
                weight_decay: config.weight_decay,
                unrolling,
            };
            let loss = Functional::capture(&net, move |net: &SuperNet, (x, y): Batch| {
                loss.of(net.forward_relaxed(x), y)
            });
            Darts::new(darts, loss)
        };
        let darts = match config.method {
            SearchMethod::Darts { unrolling } => Some(darts(unrolling)?),
            _ => None,
        };
        let latency = match config.method {
            SearchMethod::ProxylessNas { latency_weight, .. } if latency_weight > 0.0 => {
                let shape = [config.batch_size, tokens, config.d_model];
                let space = &config.space;
                Some(LatencyTable::measure(
                    space,
                    shape,
                    LATENCY_REPEATS,
                    device,
                )?)
            }
            _ => None,
        };
        Ok(Self {
            net,
            darts,
            latency,
        })
    }

    pub(super) fn step(
        &mut self,
        at: &StepContext<'_>,
        optimisers: &mut Optimisers,
    ) -> Result<SearchStep, ForgeError> {
        let validation_loss = match at.config.method {
            SearchMethod::GumbelSoftmax { .. } => self.by_noise(at, optimisers)?,
            SearchMethod::ProxylessNas {
                gates,
                latency_weight,
            } => self.by_gates(at, optimisers, gates, latency_weight)?,
            _ => self.by_relaxation(at, optimisers)?,
        };
        let train_loss = self.train(at, optimisers)?;
        Ok(SearchStep {
            step: at.step + 1,
            train_loss,
            validation_loss: Some(validation_loss),
        })
    }

    /// DARTS's step of the strengths.
    fn by_relaxation(
        &mut self,
        at: &StepContext<'_>,
        optimisers: &mut Optimisers,
    ) -> Result<f64, ForgeError> {
        let Some(darts) = &self.darts else {
            return Err(ForgeError::unsupported("this method by relaxation"));
        };
        let params = Params::of(&self.net);
        let state = optimisers.weights.state(&self.net);
        let buffers = params.map(|name, tensor| {
            let data = state.tensors.get(&format!("{name}.momentum_buffer"));
            match data {
                Some(data) => {
                    ParamTensor::from_data(data.clone(), &tensor.device(), tensor.dtype())
                }
                None => tensor.zeros_like(),
            }
        });
        let batch = |set: &super::SearchData| (set.x.clone(), set.y.clone());
        let (train, validation) = (batch(&at.train), batch(&at.validation));
        let found = darts.gradient(&params, Some(&buffers), train, validation)?;
        let loss = finite(found.validation_loss, "validation", at.step)?;
        self.move_strengths(at, optimisers, found.gradient.get::<2>("alpha")?);
        Ok(loss)
    }

    /// The step of the strengths through a relaxed draw.
    fn by_noise(
        &mut self,
        at: &StepContext<'_>,
        optimisers: &mut Optimisers,
    ) -> Result<f64, ForgeError> {
        let alpha = self.net.alpha.val();
        let weights = self.draw(at, alpha.clone(), Draw::Architecture)?;
        let batch = at.validation.to_device(&at.device);
        let loss = at.task.loss.of(self.net.forward(batch.x, weights), batch.y);
        let value = finite(loss.clone().into_scalar(), "validation", at.step)?;
        let gradient = alpha.grad(&loss.backward());
        let gradient = gradient.unwrap_or_else(|| alpha.zeros_like().inner());
        self.move_strengths(at, optimisers, gradient);
        Ok(value)
    }

    /// Weights of all operations, drawn with Gumbel noise at the temperature of the step.
    fn draw(
        &self,
        at: &StepContext<'_>,
        alpha: Tensor<2>,
        of: Draw,
    ) -> Result<Tensor<2>, ForgeError> {
        let SearchMethod::GumbelSoftmax {
            first_temperature: first,
            last_temperature: last,
            hard,
        } = at.config.method
        else {
            return Ok(softmax(alpha, 1));
        };
        let part = at.step as f64 / at.config.steps.saturating_sub(1).max(1) as f64;
        let temperature = first * (last / first).powf(part.min(1.0));
        let mut random = at.random(of);
        let [edges, width] = alpha.dims();
        // On the host, and not 0, whose logarithm is not finite.
        let noise = (0..edges * width).map(|_| -(-random.random_range(1e-12..1.0_f64).ln()).ln());
        let noise = TensorData::new(noise.collect::<Vec<f64>>(), [edges, width]);
        let noise = Tensor::from_data(noise, (&alpha.device(), alpha.dtype()));
        gumbel_softmax(alpha, noise, temperature, hard)
    }

    /// ProxylessNAS's step of the strengths.
    fn by_gates(
        &mut self,
        at: &StepContext<'_>,
        optimisers: &mut Optimisers,
        mode: GateMode,
        latency_weight: f64,
    ) -> Result<f64, ForgeError> {
        let (strengths, paths) = self.draw_paths(at, mode, Draw::Architecture)?;
        let width = at.config.space.operations.len();
        let gates = self.gates(&paths, width).require_grad();
        let members: Vec<Vec<usize>> = paths.iter().map(|path| path.members(width)).collect();
        let batch = at.validation.to_device(&at.device);
        let outputs = self.net.forward_paths(batch.x, gates.clone(), &members);
        let loss = at.task.loss.of(outputs, batch.y);
        let value = finite(loss.clone().into_scalar(), "validation", at.step)?;
        let slopes = match gates.grad(&loss.backward()) {
            Some(slopes) => host_rows(slopes),
            // Every open gate is that of `none`.
            None => vec![vec![0.0; width]; paths.len()],
        };
        let mut gradient = vec![];
        for ((path, strengths), slopes) in paths.iter().zip(&strengths).zip(&slopes) {
            let costs = self.latency.as_ref().map(|table| &table.milliseconds);
            let cost = |k: usize| costs.map_or(0.0, |costs| latency_weight * costs[k]);
            let values: Vec<f64> = slopes
                .iter()
                .enumerate()
                .map(|(k, g)| g + cost(k))
                .collect();
            gradient.extend(path.strength_gradient(strengths, &values)?);
        }
        let gradient = self.like_alpha(gradient).inner();
        self.move_strengths(at, optimisers, gradient);
        let moved = self.net.strengths();
        let edges = paths.iter().zip(strengths.iter().zip(&moved));
        let rescaled = edges.flat_map(|(path, (before, after))| path.rescaled(before, after));
        let rescaled = self.like_alpha(rescaled.collect());
        self.net.alpha = replace_value(self.net.alpha.clone(), |_| rescaled.inner());
        Ok(value)
    }

    /// One draw on each edge, and the strengths that it is by.
    fn draw_paths(
        &self,
        at: &StepContext<'_>,
        mode: GateMode,
        of: Draw,
    ) -> Result<(Vec<Vec<f64>>, Vec<GatedPaths>), ForgeError> {
        let (strengths, mut random) = (self.net.strengths(), at.random(of));
        let edges = strengths.iter();
        let paths = edges.map(|edge| GatedPaths::draw(edge, mode, &mut random));
        let paths = paths.collect::<Result<_, _>>()?;
        Ok((strengths, paths))
    }

    fn gates(&self, paths: &[GatedPaths], width: usize) -> Tensor<2> {
        let gates = paths.iter().flat_map(|path| path.gates(width));
        self.like_alpha(gates.collect())
    }

    /// Numbers for all operations on all edges, on the device of the strengths and in their type.
    fn like_alpha(&self, numbers: Vec<f64>) -> Tensor<2> {
        let alpha = self.net.alpha.val();
        let data = TensorData::new(numbers, alpha.dims());
        Tensor::from_data(data, (&alpha.device(), alpha.dtype()))
    }

    fn move_strengths(
        &mut self,
        at: &StepContext<'_>,
        optimisers: &mut Optimisers,
        gradient: Tensor<2>,
    ) {
        let mut gradients = GradientsParams::new();
        gradients.register(self.net.alpha.id, gradient);
        let rate = at.config.architecture_rate;
        self.net = optimisers
            .architecture
            .step(rate, self.net.clone(), gradients);
    }

    /// The step of the weights.
    fn train(
        &mut self,
        at: &StepContext<'_>,
        optimisers: &mut Optimisers,
    ) -> Result<f64, ForgeError> {
        let batch = at.train.to_device(&at.device);
        let outputs = match at.config.method {
            SearchMethod::ProxylessNas { .. } => {
                let (_, paths) = self.draw_paths(at, GateMode::Full, Draw::Weights)?;
                let gates = self.gates(&paths, at.config.space.operations.len());
                let active: Vec<Vec<usize>> = paths.iter().map(|path| vec![path.active]).collect();
                self.net.forward_paths(batch.x, gates, &active)
            }
            _ => {
                let weights = self.draw(at, self.net.alpha.val().detach(), Draw::Weights)?;
                self.net.forward(batch.x, weights)
            }
        };
        let loss = at.task.loss.of(outputs, batch.y);
        let value = finite(loss.clone().into_scalar(), "training", at.step)?;
        let mut gradients = GradientsParams::from_grads(loss.backward(), &self.net);
        gradients.remove::<2>(self.net.alpha.id);
        let (weights, net) = (&mut optimisers.weights, self.net.clone());
        self.net = step_weights(weights, at.config, net, gradients);
        Ok(value)
    }

    pub(super) fn genotype(&self, space: &SearchSpace) -> Result<Genotype, ForgeError> {
        let strengths = self.net.strengths();
        if strengths.iter().flatten().any(|s| !s.is_finite()) {
            return Err(ForgeError::training("a strength is not finite"));
        }
        space.genotype_of_strengths(&strengths)
    }
}
