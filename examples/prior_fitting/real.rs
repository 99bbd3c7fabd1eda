//! A real table, predicted with weights that have never seen it, beside baselines trained on it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use volatilityforge::experiment::{Experiment, ExperimentConfig, RunEvent, RunOptions};
use volatilityforge::{Error, ModelChoice};

use crate::leaderboard;
use crate::progress::Progress;

/// Prints the leaderboard of a fifth of the rows; the run's folder is `out`.
pub(crate) fn print(data: &Path, target: &str, weights: &Path, out: &Path) -> Result<(), Error> {
    let config = ExperimentConfig {
        data: Some(data.into()),
        target: vec![target.into()],
        models: vec![ModelChoice::pretrained("tabpfn_v1", weights)],
        ..ExperimentConfig::default()
    };
    let summary = Experiment::new(config)?.run(RunOptions {
        out: out.into(),
        resume: false,
        stop: Arc::new(AtomicBool::new(false)),
        on_event: Box::new(|event| {
            if let RunEvent::Note(note) = event {
                println!("{note}");
            }
        }),
        observer: Box::new(|model| Box::new(Progress::new(model))),
        sections: vec![],
    })?;
    if let Some(summary) = summary {
        leaderboard::print(&summary);
        println!("run folder: {}", out.display());
    }
    Ok(())
}
