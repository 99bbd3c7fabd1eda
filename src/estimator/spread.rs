//! Mean and spread of several predictions.

use burn::tensor::{Distribution, Tensor};
use forge_data::{Features, Table, TabularDataset, TransformReport};
use forge_models::TabularInput;
use forge_nn::{Mode, set_mode};
use forge_train::objective::{Objective, Predictions, SpreadPredictions};

use super::fitted_model::scales;
use super::predict::{predictions_of_each, predictions_with};
use super::{FittedModel, Inference};
use crate::Error;

impl FittedModel {
    /// What the model says of some rows (0-based) or all when it is asked several times in different ways:
    /// the average in the targets' units, and how far the ways lie apart.
    ///
    /// The same seed gives the same numbers on the same device. A row's mean depends a little on which
    /// others come with it, since they share the draws.
    ///
    /// ```no_run
    /// use volatilityforge::{DeviceName, FittedModel, read_table};
    ///
    /// let model = FittedModel::load("model.safetensors", &DeviceName::Flex.open()?)?;
    /// let (new, _) = read_table("new.csv", &Default::default())?;
    /// let said = model.predictions_spread(&new, None, &"dropout:30".parse()?)?;
    /// println!("{:?} ± {:?}", said.mean.point_of(0), said.spread_of(0));
    /// # Ok::<(), volatilityforge::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`predictions`](Self::predictions); a config error for a bad setting; an unsupported error where
    /// nothing can differ: one member, no dropout, no numeric column.
    pub fn predictions_spread(
        &self,
        table: &Table,
        rows: Option<&[usize]>,
        how: &Inference,
    ) -> Result<SpreadPredictions, Error> {
        let (said, report) = self.spread_with_report(table, rows, how)?;
        report.refuse_mostly_unknown()?;
        Ok(said)
    }

    /// [`predictions_spread`](Self::predictions_spread) however many labels are unknown, and what there
    /// is to know of the rows, as
    /// [`predictions_with_report`](Self::predictions_with_report) tells.
    ///
    /// # Errors
    /// As [`predictions_spread`](Self::predictions_spread), but for unknown labels.
    pub fn spread_with_report(
        &self,
        table: &Table,
        rows: Option<&[usize]>,
        how: &Inference,
    ) -> Result<(SpreadPredictions, TransformReport), Error> {
        let (answers, report) = self.answers_with_report(table, rows, how)?;
        Ok((SpreadPredictions::of(&answers)?, report))
    }

    /// What each member or pass says of some rows (0-based) or all, however many labels are unknown, and
    /// what there is to know of the rows: what [`predictions_spread`](Self::predictions_spread) and
    /// [`predictive`](Self::predictive) are made of. A table without rows has one answer.
    ///
    /// # Errors
    /// As [`predictions_spread`](Self::predictions_spread), but for unknown labels.
    pub fn answers_with_report(
        &self,
        table: &Table,
        rows: Option<&[usize]>,
        how: &Inference,
    ) -> Result<(Vec<Predictions>, TransformReport), Error> {
        how.validate()?;
        let masks = self.model.capabilities().missing;
        let mut features = self.preprocessor.transform_with(table, rows, masks)?;
        let report = std::mem::take(&mut features.report);
        Ok((self.answers_of(features, how)?, report))
    }

    fn answers_of(&self, features: Features, how: &Inference) -> Result<Vec<Predictions>, Error> {
        let (passes, seed) = how.passes();
        let refuse = || how.without_effect(self.model.name());
        let scales = scales(&self.encoder);
        if features.n_rows == 0 {
            return Ok(vec![self.objective.decode(&[], &scales)?]);
        }
        let dataset = TabularDataset::new(features, &self.device);
        let context = self.context.as_ref().map(|c| c.to_device(&self.device));
        let context = context.as_ref();
        let numbers = self.preprocessor.n_values();
        if how.noise().is_some() && numbers == 0 {
            return Err(refuse().into());
        }
        let mut all = Vec::new();
        self.device.seed(seed);
        for member in &self.members {
            let member = match how {
                Inference::Members => {
                    let (objective, scales) = (&self.objective, &scales);
                    all.extend(predictions_of_each(
                        member, &dataset, context, objective, scales,
                    )?);
                    continue;
                }
                Inference::Dropout(_) => set_mode(member.clone(), Mode::Sample),
                Inference::Noise(_) => member.clone(),
            };
            for _ in 0..passes {
                let moved = |input: TabularInput| match how.noise() {
                    Some(scale) => noisy(input, numbers, scale),
                    None => input,
                };
                all.push(predictions_with(
                    &member,
                    &dataset,
                    context,
                    &self.objective,
                    &scales,
                    moved,
                )?);
            }
        }
        let drops = || {
            all.chunks(passes)
                .any(|of_one| of_one.iter().any(|p| *p != of_one[0]))
        };
        if all.len() < 2 || (matches!(how, Inference::Dropout(_)) && !drops()) {
            return Err(refuse().into());
        }
        for said in &mut all {
            self.put_right(said)?;
        }
        Ok(all)
    }
}

/// Numeric values moved by normal noise; indicators and one-hot columns, which come behind, stay.
fn noisy(mut input: TabularInput, numbers: usize, scale: f64) -> TabularInput {
    input.rows.x_num = input.rows.x_num.map(|x| {
        let [_, width] = x.dims();
        let values = x.clone().narrow(1, 0, numbers);
        let noise = values.random_like(Distribution::Normal(0.0, scale));
        let values = values.add(noise);
        match width - numbers {
            0 => values,
            others => Tensor::cat(vec![values, x.narrow(1, numbers, others)], 1),
        }
    });
    input
}
