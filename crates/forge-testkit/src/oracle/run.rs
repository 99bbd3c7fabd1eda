//! Cases, one after the other.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use forge_models::{ModelConfig, SeriesModelConfig};

use super::compare::compare;
use super::report::PrecisionReport;
use super::{Case, CaseReport, OracleError, Precision, Session, forecast, models};
use crate::components;

/// How many cases agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Cases that agreed.
    pub passed: usize,
    /// Cases that did not, could not be run or could not be read.
    pub failed: usize,
}

/// Runs the case in `path` in f64 and f32 on the flex backend.
///
/// Never panics: a panic in a model is a failed case.
#[must_use]
pub fn run_case(path: impl AsRef<Path>) -> CaseReport {
    let path = path.as_ref();
    let mut title = path.display().to_string();
    let run = catch_unwind(AssertUnwindSafe(|| {
        let case = Case::read(path)?;
        title = format!("{} {}", case.model, case.name);
        Ok::<_, OracleError>([run(&case, Precision::F64)?, run(&case, Precision::F32)?])
    }));
    let result = run.unwrap_or_else(|panic| Err(OracleError::new(message(panic.as_ref()))));
    match result {
        Ok(runs) => CaseReport {
            title,
            runs: Some(runs),
            reason: None,
        },
        Err(error) => CaseReport {
            title,
            runs: None,
            reason: Some(error.to_string()),
        },
    }
}

fn run(case: &Case, precision: Precision) -> Result<PrecisionReport, OracleError> {
    let session = Session::new(case, precision, &Device::flex().autodiff());
    // A backbone's cases are of the stack or of a layer of it, not of the model over it.
    if let Some(component) = components::find(&case.model) {
        (component.run)(&session)?;
    } else if forecast::knows(&case.model) {
        forecast::run(&session)?;
    } else if ModelConfig::NAMES.contains(&case.model.as_str()) {
        models::run(&session)?;
    } else {
        let names = components::ALL.iter().map(|component| component.name);
        let names = ModelConfig::NAMES
            .iter()
            .chain(SeriesModelConfig::NAMES)
            .copied()
            .chain(names)
            .collect::<Vec<_>>()
            .join(", ");
        return Err(OracleError::new(format!(
            "unknown model '{}', known: {names}",
            case.model
        )));
    }
    let (found, unread) = session.finish()?;
    let mut report = compare(case, precision, &found);
    report
        .problems
        .extend(unread.iter().map(|key| format!("{key} was not read")));
    Ok(report)
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without a message"))
}

/// Runs files, and all `.safetensors` files below folders, in name order; `each` gets every report
/// as it is there. A folder without any is a failed case.
pub fn run_paths(paths: &[PathBuf], mut each: impl FnMut(&CaseReport)) -> Summary {
    let mut summary = Summary::default();
    let mut count = |report: CaseReport| {
        if report.passed() {
            summary.passed += 1;
        } else {
            summary.failed += 1;
        }
        each(&report);
    };
    for path in paths {
        if !path.is_dir() {
            count(run_case(path));
            continue;
        }
        match files_below(path) {
            Ok(files) if !files.is_empty() => files.iter().for_each(|file| count(run_case(file))),
            other => {
                let reason = match other {
                    Ok(_) => "no .safetensors files in this folder".to_string(),
                    Err(error) => error.to_string(),
                };
                let title = path.display().to_string();
                count(CaseReport {
                    title,
                    runs: None,
                    reason: Some(reason),
                });
            }
        }
    }
    summary
}

fn files_below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = vec![];
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // Links are not followed into folders: they could lead in a circle.
        if entry.file_type()?.is_dir() {
            files.extend(files_below(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "safetensors")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// For tests: all cases in `folder` agree.
///
/// # Panics
/// With the line of every case that does not, or if there is none.
pub fn assert_cases(folder: impl AsRef<Path>) {
    let mut failed = vec![];
    run_paths(&[folder.as_ref().into()], |report| {
        if !report.passed() {
            failed.push(report.to_string());
        }
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
