//! Where a step stands.

use burn::tensor::Device;

use crate::precision::Precision;

/// Where a step stands: what a loss may depend on beside module and rows.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct StepContext<'a> {
    /// The device to compute this step on, recording gradients: make inputs there.
    pub device: &'a Device,
    /// From 0.
    pub epoch: usize,
    /// Optimiser steps of the run before this one.
    pub step: u64,
    /// Optimiser steps that the run is planned for.
    pub steps: u64,
    /// The [`Phase`](crate::Phase) of the step, by its name.
    pub phase: &'a str,
    /// In which type the module computes that the loss is given; cast float inputs with
    /// [`Precision::cast`].
    pub precision: Precision,
}

impl<'a> StepContext<'a> {
    /// The first step of a run of one step; to call a task's loss by hand.
    #[must_use]
    pub fn new(device: &'a Device) -> Self {
        Self {
            device,
            epoch: 0,
            step: 0,
            steps: 1,
            phase: super::Phase::WHOLE,
            precision: Precision::F32,
        }
    }

    /// At another step.
    #[must_use]
    pub fn at(self, epoch: usize, step: u64) -> Self {
        let steps = self.steps.max(step + 1);
        Self {
            epoch,
            step,
            steps,
            ..self
        }
    }

    /// In a precision.
    #[must_use]
    pub fn in_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// In a phase.
    #[must_use]
    pub fn in_phase(self, phase: &'a str) -> Self {
        Self { phase, ..self }
    }
}
