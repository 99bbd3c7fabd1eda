//! What goes into a forecasting model.

use burn::tensor::{Bool, Int, Tensor};
use forge_nn::ForgeError;

use super::{CalendarSteps, ForecastCapabilities, SeriesSpec};

/// One batch of windows: what is known at the end of each look-back.
#[derive(Debug, Clone)]
pub struct SeriesInput {
    /// The targets' past `[B, L, N]`.
    pub past: Tensor<3>,
    /// `[B, L]`, true for steps that are there. The values at the others are anything finite and
    /// change no forecast. Only for models that declare [`ForecastCapabilities::valid`]; absent: all
    /// are there.
    pub valid: Option<Tensor<2, Bool>>,
    /// Covariates of which the past alone is known, `[B, L, P]`.
    pub past_covariates: Option<Tensor<3>>,
    /// Covariates of which the future is known too, `[B, L + H, K]`.
    pub known: Option<Tensor<3>>,
    /// Numbers that do not change with time, `[B, S]`.
    pub fixed: Option<Tensor<2>>,
    /// Codes of categories that do not change with time, `[B, C]`, column `j` in
    /// `0..fixed_cardinalities[j]`.
    pub fixed_codes: Option<Tensor<2, Int>>,
    /// A vector per window that a foundation model computed, `[B, E]`.
    pub embedding: Option<Tensor<2>>,
    /// The calendar of the steps.
    pub calendar: Option<CalendarSteps>,
}

impl From<Tensor<3>> for SeriesInput {
    /// The targets' past alone.
    fn from(past: Tensor<3>) -> Self {
        Self {
            past,
            valid: None,
            past_covariates: None,
            known: None,
            fixed: None,
            fixed_codes: None,
            embedding: None,
            calendar: None,
        }
    }
}

impl SeriesInput {
    /// Number of windows.
    #[must_use]
    pub fn windows(&self) -> usize {
        self.past.dims()[0]
    }

    /// Checks that everything is there that `model` was sized for, in its shape, and nothing
    /// besides. Reads nothing back from the device.
    ///
    /// # Errors
    /// An unsupported error for a mask that is not declared; a shape error with both shapes for
    /// what is missing, left over or misshapen.
    pub fn check(
        &self,
        model: &str,
        spec: &SeriesSpec,
        capabilities: ForecastCapabilities,
    ) -> Result<(), ForgeError> {
        let batch = self.windows();
        let (past, whole) = (spec.lookback, spec.lookback + spec.horizon);
        fits(
            "past",
            Some(self.past.dims()),
            [batch, past, spec.n_targets],
        )?;
        let covariates = self.past_covariates.as_ref().map(Tensor::dims);
        fits("past_covariates", covariates, [batch, past, spec.n_past])?;
        let known = self.known.as_ref().map(Tensor::dims);
        fits("known", known, [batch, whole, spec.n_known])?;
        let fixed = self.fixed.as_ref().map(Tensor::dims);
        fits("fixed", fixed, [batch, spec.n_fixed])?;
        let codes = self.fixed_codes.as_ref().map(Tensor::dims);
        fits(
            "fixed_codes",
            codes,
            [batch, spec.fixed_cardinalities.len()],
        )?;
        let embedding = self.embedding.as_ref().map(Tensor::dims);
        fits("embedding", embedding, [batch, spec.d_embedding])?;
        match (&self.calendar, spec.bars_per_day) {
            (None, None) => {}
            (Some(calendar), Some(_)) => calendar.check(batch, whole)?,
            (None, Some(_)) => {
                let expected = format!("four of [{batch}, {whole}]");
                return Err(ForgeError::shape("calendar", "absent", expected));
            }
            (Some(_), None) => return Err(ForgeError::shape("calendar", "present", "absent")),
        }
        let Some(valid) = &self.valid else {
            return Ok(());
        };
        if !capabilities.valid {
            let what = "does not take padded windows: give it whole ones";
            return Err(ForgeError::unsupported(format!("{model} {what}")));
        }
        fits("valid", Some(valid.dims()), [batch, past])
    }

    /// Checks that every code is below its category's cardinality. Reads the codes back from the
    /// device.
    ///
    /// # Errors
    /// A shape error naming window, column and code; a weights error if the codes cannot be read.
    pub fn check_codes(&self, spec: &SeriesSpec) -> Result<(), ForgeError> {
        match &self.fixed_codes {
            Some(codes) => {
                crate::contract::check_codes("fixed_codes", codes, &spec.fixed_cardinalities)
            }
            None => Ok(()),
        }
    }

    /// The targets' past, for models that declare nothing else.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub(crate) fn only_past(
        self,
        model: &str,
        spec: &SeriesSpec,
        capabilities: ForecastCapabilities,
    ) -> Tensor<3> {
        self.assert_fits(model, spec, capabilities);
        self.past
    }

    /// # Panics
    /// If [`check`](Self::check) fails.
    pub(crate) fn assert_fits(
        &self,
        model: &str,
        spec: &SeriesSpec,
        capabilities: ForecastCapabilities,
    ) {
        if let Err(error) = self.check(model, spec, capabilities) {
            panic!("{error}");
        }
    }
}

/// Something of this shape, or nothing where the last size is 0.
fn fits<const D: usize>(
    name: &str,
    found: Option<[usize; D]>,
    expected: [usize; D],
) -> Result<(), ForgeError> {
    let wanted = (expected[D - 1] > 0).then_some(expected);
    if found == wanted {
        return Ok(());
    }
    let text = |shape: Option<[usize; D]>| {
        shape.map_or_else(|| "absent".to_string(), |shape| format!("{shape:?}"))
    };
    Err(ForgeError::shape(name, text(found), text(wanted)))
}
