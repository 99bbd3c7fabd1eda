//! A window that is asked for by itself.

use burn::tensor::{Int, Tensor};
use forge_models::{CalendarSteps, SeriesInput};

/// A single window two times over. A product with one row goes another way than one with several and
/// rounds otherwise; so a window says the same by itself, in a stream say, as among others.
pub(super) fn twice(input: SeriesInput) -> SeriesInput {
    // Tensors of three kinds: no function is generic over them.
    macro_rules! both {
        () => {
            |x| Tensor::cat(vec![x.clone(), x], 0)
        };
    }
    SeriesInput {
        past: Tensor::cat(vec![input.past.clone(), input.past], 0),
        valid: input.valid.map(both!()),
        past_covariates: input.past_covariates.map(both!()),
        known: input.known.map(both!()),
        fixed: input.fixed.map(both!()),
        fixed_codes: input.fixed_codes.map(both!()),
        embedding: input.embedding.map(both!()),
        calendar: input.calendar.map(|steps| {
            let both = |x: Tensor<2, Int>| Tensor::cat(vec![x.clone(), x], 0);
            CalendarSteps {
                bar_in_day: both(steps.bar_in_day),
                day_of_week: both(steps.day_of_week),
                day_of_month: both(steps.day_of_month),
                day_of_year: both(steps.day_of_year),
            }
        }),
    }
}
