//! Whether a split came out as it was asked for.

use forge_data::{DataError, Split, SplitConfig};

use crate::Error;

/// A part is off if it differs from what was asked for by more than this share of that.
const OFF: f64 = 0.5;
/// Training rows that are fewer than this share of those asked for are no training.
const FEWEST: f64 = 0.1;

/// Whole dates and groups may be far from the parts that were asked for: says so with the numbers.
///
/// # Errors
/// A data error if next to nothing is left to train on.
pub(super) fn check_parts(
    rule: &SplitConfig,
    split: &Split,
    validation: f64,
) -> Result<Option<String>, Error> {
    let Some(column) = rule.keeps_together() else {
        return Ok(None);
    };
    let found = [split.train.len(), split.validation.len(), split.test.len()];
    let all: usize = found.iter().sum();
    let test = rule.fraction() * all as f64;
    let validation = validation * (all as f64 - test);
    let asked = [all as f64 - test - validation, validation, test];
    let off = found.iter().zip(&asked).any(|(found, asked)| {
        let distance = (*found as f64 - asked).abs();
        distance > 1.0 && distance > OFF * asked
    });
    if !off {
        return Ok(None);
    }
    let [train, validation, test] = found;
    let [asked_train, asked_validation, asked_test] = asked.map(f64::round);
    let numbers = format!(
        "{train} training, {validation} validation and {test} hold-out rows, where {asked_train}, \
         {asked_validation} and {asked_test} were asked for: what is kept together is of very \
         different size"
    );
    if (train as f64) < FEWEST * asked_train {
        return Err(DataError::value(format!(
            "the split gives {numbers}. Split by another column or at random, or set other fractions"
        ))
        .at_column(column)
        .into());
    }
    Ok(Some(format!("warning: split by {column}: {numbers}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn split(parts: [usize; 3]) -> Split {
        let [train, validation, test] = parts.map(|n| (0..n).collect());
        Split {
            train,
            validation,
            test,
        }
    }

    #[test]
    fn lopsided_parts_are_told_with_the_numbers_and_hardly_any_training_rows_refused() {
        let rule: SplitConfig = "group:g".parse().unwrap();
        let check = |parts| check_parts(&rule, &split(parts), 0.15);
        assert_eq!(check([272, 48, 80]).unwrap(), None);
        assert_eq!(check([240, 60, 100]).unwrap(), None);
        let note = check([150, 50, 200]).unwrap().unwrap();
        for part in ["150 training", "200 hold-out", "272, 48 and 80", "by g"] {
            assert!(note.contains(part), "{part}: {note}");
        }
        let error = check([1, 398, 1]).unwrap_err();
        assert!(error.is_data());
        let error = error.to_string();
        for part in ["1 training", "398 validation", "272, 48 and 80", "'g'"] {
            assert!(error.contains(part), "{part}: {error}");
        }
        // Single rows are held out as asked, whatever their number.
        let random = SplitConfig::default();
        assert_eq!(check_parts(&random, &split([2, 1, 7]), 0.15).unwrap(), None);
    }
}
