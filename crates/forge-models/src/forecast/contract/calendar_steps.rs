//! Where steps lie in day, week, month and year.

use burn::tensor::{Int, Tensor};
use forge_nn::ForgeError;

/// Where each step lies in the calendar, `[B, L + H]` each: the look-back's steps, then those to
/// forecast.
#[derive(Debug, Clone)]
pub struct CalendarSteps {
    /// Bar within the day, `0..bars_per_day`; 0 at a padded step.
    pub bar_in_day: Tensor<2, Int>,
    /// Day of the week, 0 (Monday) to 6.
    pub day_of_week: Tensor<2, Int>,
    /// Day of the month, 1 to 31.
    pub day_of_month: Tensor<2, Int>,
    /// Day of the year, 1 to 366.
    pub day_of_year: Tensor<2, Int>,
}

impl CalendarSteps {
    /// The four by name.
    fn named(&self) -> [(&'static str, &Tensor<2, Int>); 4] {
        [
            ("calendar.bar_in_day", &self.bar_in_day),
            ("calendar.day_of_week", &self.day_of_week),
            ("calendar.day_of_month", &self.day_of_month),
            ("calendar.day_of_year", &self.day_of_year),
        ]
    }

    /// The first `steps` of them.
    pub(crate) fn first(&self, steps: usize) -> Self {
        let first = |field: &Tensor<2, Int>| field.clone().narrow(1, 0, steps);
        Self {
            bar_in_day: first(&self.bar_in_day),
            day_of_week: first(&self.day_of_week),
            day_of_month: first(&self.day_of_month),
            day_of_year: first(&self.day_of_year),
        }
    }

    /// Checks that all are `[batch, steps]`.
    pub(crate) fn check(&self, batch: usize, steps: usize) -> Result<(), ForgeError> {
        let expected = [batch, steps];
        let wrong = self.named().into_iter().find(|(_, t)| t.dims() != expected);
        match wrong {
            None => Ok(()),
            Some((name, found)) => {
                let (found, expected) = (format!("{:?}", found.dims()), format!("{expected:?}"));
                Err(ForgeError::shape(name, found, expected))
            }
        }
    }
}
