//! Awkward files, beside these tests in `cases/`, and runs on them.

use std::path::{Path, PathBuf};

use volatilityforge::experiment::{ExperimentConfig, Summary};
use volatilityforge::{DeviceName, Error, FittedModel};

use crate::experiment::{quick, run_with_notes};

/// Where the files are.
pub(crate) fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(name)
}

/// Training of implied volatility on a file: a few epochs.
pub(crate) fn config(data: &str, target: &str) -> ExperimentConfig {
    ExperimentConfig {
        data: Some(case(data)),
        target: vec![target.into()],
        models: vec!["tabular_mlp".into()],
        estimator: quick(),
        ..ExperimentConfig::default()
    }
}

/// A run that went to its end, and its folder.
pub(crate) struct Run {
    pub(crate) summary: Summary,
    pub(crate) notes: Vec<String>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) model: FittedModel,
}

impl Run {
    pub(crate) fn of(config: &ExperimentConfig) -> Result<Self, Error> {
        let folder = tempfile::tempdir().unwrap();
        let (summary, notes) = run_with_notes(config, &folder.path().join("run"))?;
        let device = DeviceName::Flex.open().unwrap();
        let model = FittedModel::load(folder.path().join("run/model.safetensors"), &device)?;
        Ok(Self {
            summary,
            notes,
            folder,
            model,
        })
    }

    /// A place for a file.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The hold-out score that decides.
    pub(crate) fn score(&self) -> f64 {
        self.summary.models[0].scores.deciding().unwrap().value
    }

    /// Whether a line that has all of `parts` was told, and stands in the run's folder.
    pub(crate) fn told(&self, parts: &[&str]) -> bool {
        let html = std::fs::read_to_string(self.file("run/report.html")).unwrap();
        let has = |text: &str| parts.iter().all(|part| text.contains(part));
        let escaped = |line: &&String| {
            let line = line.replace('&', "&amp;").replace('"', "&quot;");
            html.contains(&line.replace('<', "&lt;").replace('>', "&gt;"))
        };
        self.notes
            .iter()
            .filter(|line| has(line))
            .any(|line| escaped(&line))
    }
}
