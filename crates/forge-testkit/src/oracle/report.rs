//! What came of a case.

use std::fmt;

use burn::tensor::DType;

/// The element type of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 64-bit floats, the reference's own.
    F64,
    /// 32-bit floats.
    F32,
}

impl Precision {
    pub(super) fn dtype(self) -> DType {
        match self {
            Self::F64 => DType::F64,
            Self::F32 => DType::F32,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
        }
    }

    /// The error allowed, relative to the largest magnitude expected in a tensor.
    pub(super) fn tolerance(self, gradient: bool) -> f64 {
        match (self, gradient) {
            (Self::F64, _) => 1e-9,
            (Self::F32, false) => 1e-5,
            (Self::F32, true) => 1e-4,
        }
    }

    /// The smallest absolute difference that counts, where `largest` is the largest magnitude
    /// among the file's outputs or gradients.
    ///
    /// Gradients that are zero by symmetry are sums of terms that cancel and come out at rounding
    /// level of the terms. In f64 the format of the cases puts the floor at 1e-10. In f32 rounding
    /// is 6e-8 of the terms, and they are as large as the other gradients of the file, so the floor
    /// is 1e-6 of the largest of them; an error that is not rounding is far above it.
    pub(super) fn floor(self, largest: f64) -> f64 {
        match self {
            Self::F64 => 1e-10,
            Self::F32 => (1e-6 * largest).max(1e-10),
        }
    }
}

/// What came of a case in one element type.
#[derive(Debug, Clone, Default)]
pub struct PrecisionReport {
    /// The largest relative error of an output; none if there was no output to compare.
    pub outputs: Option<f64>,
    /// The largest relative error of a gradient; none if there was no gradient to compare.
    pub gradients: Option<f64>,
    /// What is wrong. Empty: passed.
    pub problems: Vec<String>,
}

/// What came of a case. `Display` is the runner's line.
#[derive(Debug, Clone)]
pub struct CaseReport {
    /// Model and case, or the file's path where it could not be read that far.
    pub title: String,
    /// In f64 and in f32; none if it could not be run.
    pub runs: Option<[PrecisionReport; 2]>,
    /// Why it could not be run.
    pub reason: Option<String>,
}

impl CaseReport {
    /// Whether everything agreed.
    #[must_use]
    pub fn passed(&self) -> bool {
        let clean = |runs: &[PrecisionReport; 2]| runs.iter().all(|run| run.problems.is_empty());
        self.reason.is_none() && self.runs.as_ref().is_some_and(clean)
    }

    /// Everything that is wrong, in one line.
    #[must_use]
    pub fn problems(&self) -> String {
        const SHOWN: usize = 3;
        let runs = self.runs.iter().flatten().flat_map(|run| &run.problems);
        let all: Vec<&String> = self.reason.iter().chain(runs).collect();
        let shown = all
            .iter()
            .take(SHOWN)
            .map(|text| text.split_whitespace().collect::<Vec<_>>());
        let mut text = shown
            .map(|words| words.join(" "))
            .collect::<Vec<_>>()
            .join("; ");
        if all.len() > SHOWN {
            text += &format!("; and {} more", all.len() - SHOWN);
        }
        text
    }
}

impl fmt::Display for CaseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.title)?;
        if let Some([f64, f32]) = &self.runs {
            let show =
                |error: Option<f64>| error.map_or("-".into(), |error| format!("{error:.1e}"));
            write!(
                f,
                "  outputs f64 {} f32 {}",
                show(f64.outputs),
                show(f32.outputs)
            )?;
            write!(
                f,
                "  gradients f64 {} f32 {}",
                show(f64.gradients),
                show(f32.gradients)
            )?;
        }
        if self.passed() {
            write!(f, "  PASS")
        } else {
            write!(f, "  FAIL ({})", self.problems())
        }
    }
}
