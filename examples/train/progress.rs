//! A progress bar, or plain lines where there is no terminal.

use std::io::IsTerminal;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use volatilityforge::train::metric::significant;
use volatilityforge::train::{BatchEvent, EndEvent, EpochEvent, Flow, Observer, StartEvent};

/// Shows one model's training.
pub(crate) struct Progress {
    model: String,
    bar: Option<ProgressBar>,
    validation: String,
    lines: usize,
}

impl Progress {
    pub(crate) fn new(model: &str) -> Self {
        Self {
            model: model.into(),
            bar: None,
            validation: "–".into(),
            lines: 0,
        }
    }
}

impl Observer for Progress {
    fn on_train_start(&mut self, event: &StartEvent) {
        let run = match event.run {
            0 => String::new(),
            run => format!("run {}: ", run + 1),
        };
        println!(
            "{}: {run}{} parameters, {} rows, up to {} epochs of {} steps",
            self.model, event.parameters, event.rows, event.epochs, event.batches
        );
        self.validation = "–".into();
        if let Some(step) = event.resumed_at {
            println!("{}: going on at step {step}", self.model);
        }
        // Without a terminal, about twenty lines a model.
        self.lines = event.epochs.div_ceil(20);
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(event.steps);
            let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(self.model.clone());
            self.bar = Some(bar);
        }
    }

    fn on_batch(&mut self, event: &BatchEvent) -> Flow {
        if let Some(bar) = &self.bar {
            bar.set_position(event.step);
            bar.set_message(format!(
                "loss {}, {} {:.0} samples/s {} left",
                event.loss.map_or("–".into(), significant),
                self.validation,
                event.samples_per_second,
                left(event.eta_seconds)
            ));
        }
        Flow::Continue
    }

    fn on_epoch(&mut self, event: &EpochEvent<'_>) -> Flow {
        if let Some(validation) = event.record.validation.first().and_then(|v| v.deciding()) {
            self.validation = validation.to_string();
        }
        let epoch = event.record.epoch + 1;
        if self.bar.is_none() && (epoch.is_multiple_of(self.lines.max(1)) || epoch == event.epochs)
        {
            let best = event.best.and_then(|best| best.deciding());
            let validated =
                best.map(|best| format!(", validation {} (best {best})", self.validation));
            println!(
                "{} epoch {epoch}/{}: loss {}{}, {:.0} samples/s, {} left",
                self.model,
                event.epochs,
                significant(event.record.train_loss),
                validated.unwrap_or_default(),
                event.samples_per_second,
                left(event.eta_seconds)
            );
        }
        Flow::Continue
    }

    fn on_end(&mut self, _event: &EndEvent) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn left(seconds: f64) -> String {
    let seconds = if seconds.is_finite() {
        seconds.max(0.0)
    } else {
        0.0
    };
    HumanDuration(std::time::Duration::from_secs_f64(seconds)).to_string()
}
