//! Burn's terminal dashboard.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::sync::Arc;

use burn::train::Interrupter;
use burn::train::metric::{
    MetricDefinition, MetricEntry, MetricId, NumericAttributes, NumericEntry, SerializedEntry,
};
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::renderer::{MetricState, MetricsRenderer};
use forge_nn::ForgeError;

use crate::metric::{Direction, significant};
use crate::{BatchEvent, EndEvent, EpochEvent, Flow, Observer, StartEvent};

/// Shows a run on Burn's terminal dashboard: plots of loss, rate and scores, and how far it is. Its keys stop
/// the run after the step in progress (a checkpoint is kept where there is a folder), or end the process at
/// once.
///
/// ```no_run
/// use forge_train::log::Dashboard;
///
/// let mut dashboard = Dashboard::new()?;
/// // trainer.with_observer(&mut dashboard)
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
pub struct Dashboard {
    renderer: Box<dyn MetricsRenderer>,
    interrupter: Interrupter,
    registered: BTreeSet<String>,
    /// Rows of an epoch, and of those done of this one.
    rows: (usize, usize),
}

impl std::fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dashboard").finish_non_exhaustive()
    }
}

impl Dashboard {
    /// Takes over the terminal until it is dropped.
    ///
    /// # Errors
    /// A config error where standard output is no terminal.
    pub fn new() -> Result<Self, ForgeError> {
        if !std::io::stdout().is_terminal() {
            let allowed = "a terminal; elsewhere leave the dashboard out";
            return Err(ForgeError::config(
                "standard output",
                "no terminal",
                allowed,
            ));
        }
        let interrupter = Interrupter::new();
        let renderer = TuiMetricsRendererWrapper::new(interrupter.clone(), None);
        Ok(Self::on(Box::new(renderer), interrupter))
    }

    /// Shows it by another of Burn's renderers; what sets `interrupter` ends the run.
    #[must_use]
    pub fn on(renderer: Box<dyn MetricsRenderer>, interrupter: Interrupter) -> Self {
        Self {
            renderer,
            interrupter,
            registered: BTreeSet::new(),
            rows: (0, 0),
        }
    }

    /// A number as a point of the plot of this name.
    fn point(&mut self, name: &str, value: f64, higher_is_better: bool) -> MetricState {
        let name = Arc::new(name.to_string());
        let id = MetricId::new(Arc::clone(&name));
        if self.registered.insert(name.to_string()) {
            let attributes = NumericAttributes {
                unit: None,
                higher_is_better,
            };
            self.renderer.register_metric(MetricDefinition {
                metric_id: id.clone(),
                name,
                description: None,
                attributes: attributes.into(),
            });
        }
        let entry = SerializedEntry::new(significant(value), value.to_string());
        MetricState::Numeric(
            MetricEntry::new(id, entry),
            Some(NumericEntry::Value(value)),
        )
    }

    fn asked(&self) -> Flow {
        match self.interrupter.should_stop() {
            true => Flow::Stop("stopped from the dashboard".into()),
            false => Flow::Continue,
        }
    }
}

impl Observer for Dashboard {
    fn on_train_start(&mut self, event: &StartEvent) {
        self.rows = (event.rows, 0);
        let done = event.resumed_at.unwrap_or(0) / event.batches.max(1) as u64;
        // Burn counts epochs from 1, the one in progress included.
        let first = usize::try_from(done).unwrap_or(0) + 1;
        self.renderer
            .start(event.epochs, first, Some(event.rows), None);
        self.renderer.start_split("train", event.rows);
    }

    fn on_batch(&mut self, event: &BatchEvent) -> Flow {
        if event.batch == 1 {
            self.rows.1 = 0;
            self.renderer.start_split("train", self.rows.0);
        }
        if let Some(loss) = event.loss {
            let point = self.point("loss", loss, false);
            self.renderer.update_train(point);
        }
        let point = self.point("learning rate", event.lr, false);
        self.renderer.update_train(point);
        self.rows.1 += event.rows;
        self.renderer.update_split(self.rows.1);
        self.asked()
    }

    fn on_epoch(&mut self, event: &EpochEvent<'_>) -> Flow {
        self.renderer.end_split();
        if let Some(best) = event.record.validation.first() {
            for score in best.scores.iter() {
                let higher = score.direction == Direction::Maximize;
                let point = self.point(&score.name, score.value, higher);
                self.renderer.update_valid(point);
            }
        }
        self.renderer.update_epoch(event.record.epoch + 1);
        self.asked()
    }

    fn on_end(&mut self, _: &EndEvent) {
        self.renderer.end();
        if let Err(error) = self.renderer.on_train_end(None) {
            tracing::warn!(%error, "the dashboard did not close");
        }
    }
}
