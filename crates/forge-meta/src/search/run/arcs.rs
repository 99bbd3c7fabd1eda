//! Searches by whole cells.

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use forge_nn::cell::Genotype;
use forge_nn::parameters::draw_all;
use forge_nn::{ForgeError, ModuleConfig};
use rand_chacha::ChaCha8Rng;

use super::optimisers::step_weights;
use super::search::{Draw, Optimisers, SearchStep, StepContext, finite};
use super::{SearchConfig, SearchData, SearchLoss, SearchMethod, SearchTask};
use crate::search::{CellArc, EnasChild, EnasChildConfig, EnasController, MovingBaseline};

#[derive(Debug)]
pub(super) struct ArcSearch {
    pub(super) child: EnasChild,
    /// Absent where all cells are equally likely.
    pub(super) proposer: Option<Proposer>,
}

/// What `enas` proposes cells by.
#[derive(Debug)]
pub(super) struct Proposer {
    pub(super) controller: EnasController,
    pub(super) baseline: MovingBaseline,
    arcs_per_step: usize,
}

impl ArcSearch {
    pub(super) fn new(
        config: &SearchConfig,
        task: &SearchTask,
        device: &Device,
    ) -> Result<Self, ForgeError> {
        let device = device.clone().autodiff();
        let child = EnasChildConfig {
            space: config.space.clone(),
            d_in: task.train.x.dims()[2],
            d_model: config.d_model,
            d_out: task.train.y.dims()[1],
        };
        let child = draw_all(child.try_init(&device)?);
        let proposer = match (&config.method, config.controller()) {
            (
                SearchMethod::Enas {
                    arcs_per_step,
                    baseline_decay,
                    entropy_weight,
                    ..
                },
                Some(controller),
            ) => Some(Proposer {
                controller: draw_all(controller.try_init(&device)?),
                baseline: MovingBaseline {
                    value: 0.0,
                    decay: *baseline_decay,
                    entropy_weight: *entropy_weight,
                },
                arcs_per_step: *arcs_per_step,
            }),
            _ => None,
        };
        Ok(Self { child, proposer })
    }

    pub(super) fn step(
        &mut self,
        at: &StepContext<'_>,
        optimisers: &mut Optimisers,
    ) -> Result<SearchStep, ForgeError> {
        let train_loss = self.train(at, optimisers)?;
        let validation_loss = match &mut self.proposer {
            Some(proposer) => Some(proposer.learn(&self.child, at, optimisers)?),
            None => None,
        };
        Ok(SearchStep {
            step: at.step + 1,
            train_loss,
            validation_loss,
        })
    }

    /// Some cells.
    fn propose(
        &self,
        count: usize,
        config: &SearchConfig,
        random: &mut ChaCha8Rng,
    ) -> Result<Vec<CellArc>, ForgeError> {
        match &self.proposer {
            Some(proposer) => Ok(proposer.controller.sample(count, random)?.arcs),
            None => Ok((0..count)
                .map(|_| config.space.random_arc(random))
                .collect()),
        }
    }

    /// The step of the weights that one cell uses.
    fn train(
        &mut self,
        at: &StepContext<'_>,
        optimisers: &mut Optimisers,
    ) -> Result<f64, ForgeError> {
        let arcs = self.propose(1, at.config, &mut at.random(Draw::Weights))?;
        let batch = at.train.to_device(&at.device);
        let outputs = self.child.forward(batch.x, &arcs[0])?;
        let loss = at.task.loss.of(outputs, batch.y);
        let value = finite(loss.clone().into_scalar(), "training", at.step)?;
        let gradients = GradientsParams::from_grads(loss.backward(), &self.child);
        let (weights, child) = (&mut optimisers.weights, self.child.clone());
        self.child = step_weights(weights, at.config, child, gradients);
        Ok(value)
    }

    /// The best of some cells on the validation set.
    pub(super) fn genotype(
        &self,
        config: &SearchConfig,
        task: &SearchTask,
        random: &mut ChaCha8Rng,
    ) -> Result<Genotype, ForgeError> {
        let count = match config.method {
            SearchMethod::Enas { candidates, .. } | SearchMethod::Random { candidates } => {
                candidates
            }
            _ => 1,
        };
        let mut best: Option<(f64, CellArc)> = None;
        let mut rejected = 0;
        for arc in self.propose(count, config, random)? {
            let loss = loss_of(&self.child, &task.validation, task.loss, &arc)?;
            if !loss.is_finite() {
                rejected += 1;
            } else if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                best = Some((loss, arc));
            }
        }
        let (_, arc) = best.ok_or_else(|| {
            ForgeError::training(format!(
                "the loss of all {rejected} candidates is not finite"
            ))
        })?;
        config.space.genotype_of_arc(&arc)
    }
}

/// The loss of a cell with the weights as they are.
fn loss_of(
    child: &EnasChild,
    set: &SearchData,
    loss: SearchLoss,
    arc: &CellArc,
) -> Result<f64, ForgeError> {
    let set = set.to_device(&child.classifier.weight.val().device());
    let outputs = child.forward(set.x, arc)?;
    Ok(loss.of(outputs, set.y).into_scalar())
}

impl Proposer {
    /// REINFORCE on some cells; the mean of their losses.
    fn learn(
        &mut self,
        child: &EnasChild,
        at: &StepContext<'_>,
        optimisers: &mut Optimisers,
    ) -> Result<f64, ForgeError> {
        let count = self.arcs_per_step;
        let mut random = at.random(Draw::Architecture);
        let said = self.controller.sample(count, &mut random)?;
        let entropies: Vec<f64> = said.entropy.into_data().iter().collect();
        let (mut advantages, mut sum) = (vec![], 0.0);
        for (arc, entropy) in said.arcs.iter().zip(entropies) {
            let loss = loss_of(child, &at.validation, at.task.loss, arc)?;
            let loss = finite(loss, "validation", at.step)?;
            sum += loss;
            advantages.push(self.baseline.take(1.0 / (1.0 + loss), entropy)?.advantage);
        }
        let like = &said.log_probability;
        let data = TensorData::new(advantages, [count]);
        let advantages = Tensor::<1>::from_data(data, (&like.device(), like.dtype()));
        let objective = (said.log_probability * advantages).mean().neg();
        let gradients = GradientsParams::from_grads(objective.backward(), &self.controller);
        let rate = at.config.architecture_rate;
        let controller = self.controller.clone();
        self.controller = optimisers.architecture.step(rate, controller, gradients);
        Ok(sum / count as f64)
    }
}
