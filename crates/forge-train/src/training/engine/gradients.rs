//! From a loss to gradients.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor};
use forge_nn::ForgeError;

use super::statistics::Statistics;
use super::{Engine, Phase, StepContext};
use crate::optimizer::accumulate;
use crate::optimizer::ascend;
use crate::training::TrainTask;
use crate::training::micro_batches::pieces;
use crate::training::rule::Gradients;

const IN_STEP: &str = "volatilityforge trainer step seed";

impl<M: Module> Engine<'_, M> {
    /// The loss that `loss` computes, and its gradients. Nothing moves; change them as you like and
    /// give them to [`apply`](Self::apply).
    ///
    /// Burn's random numbers are seeded by the run's seed, the epoch and the step, once per step.
    /// With [`SamConfig`](crate::optimizer::SamConfig) the loss is asked for twice, each time with
    /// the same random numbers, and the gradients are those of the second time.
    /// Burn 0.22 frees the graph with the backward pass, and the gradients it returns are off the
    /// graph; gradients that are on it come from elsewhere (nested autodiff, a formula), and
    /// [`inner_step`](crate::inner_step) keeps them there.
    ///
    /// # Errors
    /// What `loss` finds; a shape error if the loss is not `[1]`; a training error if it depends on
    /// no trainable parameter.
    pub fn gradients(
        &mut self,
        mut loss: impl FnMut(&M, &StepContext<'_>) -> Result<Tensor<1>, ForgeError>,
    ) -> Result<Gradients, ForgeError> {
        self.open_step();
        let device = self.devices[0].clone();
        self.sharpened(&Phase::whole(), |engine, _| {
            let at = engine.clock.at(&device, Phase::WHOLE);
            let value = engine.forward(|module| loss(module, &at))?;
            engine.backward(value, 1.0, &at)
        })
    }

    /// The gradients of one phase over `rows`, computed in `parts` where asked.
    pub(crate) fn phase_gradients<T: TrainTask<Module = M>>(
        &mut self,
        task: &mut T,
        rows: &[usize],
        parts: usize,
        phase: &Phase,
    ) -> Result<Gradients, ForgeError> {
        self.open_step();
        let state = self.sam.map(|_| task.state()).transpose()?;
        self.sharpened(phase, |engine, again| {
            if let (true, Some(state)) = (again, &state) {
                task.restore(state.clone())?;
            }
            engine.gradients_of_parts(task, rows, parts, phase)
        })
    }

    fn gradients_of_parts<T: TrainTask<Module = M>>(
        &mut self,
        task: &mut T,
        rows: &[usize],
        parts: usize,
        phase: &Phase,
    ) -> Result<Gradients, ForgeError> {
        let device = self.devices[0].clone();
        let at = self.clock.at(&device, &phase.name);
        let whole = weight(task, rows)?;
        let mut total: Option<Gradients> = None;
        for piece in pieces(rows.len(), parts) {
            let piece = &rows[piece];
            let share = if piece.len() == rows.len() {
                1.0
            } else {
                weight(task, piece)? / whole
            };
            let value = self.forward(|module| task.loss(module, piece, &at))?;
            let part = self.backward(value, share, &at)?;
            total = Some(match total {
                None => part,
                Some(sum) => Gradients {
                    loss: sum.loss.add(part.loss),
                    params: accumulate(self.module(), sum.params, part.params),
                },
            });
        }
        total.ok_or_else(|| ForgeError::training("a batch without rows"))
    }

    /// The gradients that `pass` computes; with SAM it is called `again` where the loss is worst
    /// nearby, with the same random numbers. Batch statistics are those of the first time, as in the
    /// authors' code.
    fn sharpened(
        &mut self,
        phase: &Phase,
        mut pass: impl FnMut(&mut Self, bool) -> Result<Gradients, ForgeError>,
    ) -> Result<Gradients, ForgeError> {
        let Some(sam) = self.sam else {
            return pass(self, false);
        };
        let purpose = format!("{IN_STEP} {}", phase.name);
        self.seed_for(&purpose);
        let passes = self.open.passes;
        let Gradients { loss, params } = pass(self, false)?;
        let params = self.restrict(params, &self.moving(phase)?);
        let statistics = Statistics::of(self.module());
        let here = self.module().clone();
        self.module = Some(ascend(here.clone(), &params, &sam));
        self.seed_for(&purpose);
        self.open.passes = passes;
        let worst = pass(self, true);
        self.module = Some(statistics.put_back(here));
        let params = worst?.params;
        Ok(Gradients { loss, params })
    }

    /// What comes before a forward pass.
    fn open_step(&mut self) {
        if self.open.before.is_none() && self.rules.iter().any(|rule| rule.may_skip()) {
            self.open.before = Some(Statistics::of(self.module()));
        }
        if !self.open.begun {
            self.open.begun = true;
            self.seed_for(IN_STEP);
        }
    }

    /// `share` is the part of the whole loss that `loss` is the mean of.
    fn backward(
        &self,
        loss: Tensor<1>,
        share: f64,
        at: &StepContext<'_>,
    ) -> Result<Gradients, ForgeError> {
        if loss.dims() != [1] {
            let found = format!("{:?}", loss.dims());
            return Err(ForgeError::shape("the task's loss", found, "[1]"));
        }
        if !loss.is_tracked() {
            return Err(no_parameter(at));
        }
        let scaled = |loss: Tensor<1>, by: f64| match by {
            1.0 => loss,
            _ => loss.mul_scalar(by),
        };
        // A scaled loss must not overflow.
        let loss = match loss.dtype() {
            DType::F16 | DType::BF16 => loss.cast(DType::F32),
            _ => loss,
        };
        let loss = scaled(loss, share);
        let value = loss.clone().inner();
        let factor = self.rules.iter().map(|rule| rule.loss_factor(at)).product();
        let grads = scaled(loss, factor).backward();
        Ok(Gradients {
            loss: value,
            params: GradientsParams::from_grads(grads, self.module()),
        })
    }
}

pub(super) fn no_parameter(at: &StepContext<'_>) -> ForgeError {
    let phase = match at.phase {
        Phase::WHOLE => String::new(),
        phase => format!(" of phase {phase}"),
    };
    ForgeError::training(format!(
        "the loss{phase} does not depend on any trainable parameter of the module that it moves"
    ))
}

/// The weight of some rows in a mean over more.
fn weight<T: TrainTask>(task: &T, rows: &[usize]) -> Result<f64, ForgeError> {
    let weight = task.weight(rows);
    if weight.is_finite() && weight > 0.0 {
        Ok(weight)
    } else {
        Err(ForgeError::training(format!(
            "the weight of {} rows is {weight}; it must be finite and above 0",
            rows.len()
        )))
    }
}
