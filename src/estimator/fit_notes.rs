//! What a person should know of the data of a fit.

use forge_data::{ClassTarget, Features, PreprocessReport, TargetEncoder};
use forge_train::metric::significant;

use super::fitted_model::constants;

/// Lines about columns at most: tables may have thousands.
const MOST: usize = 30;
/// A class with fewer training rows is named.
const FEW: u64 = 5;

/// What there is to say, one line each.
pub(super) fn notes(
    preprocessing: &PreprocessReport,
    encoder: &TargetEncoder,
    validation: Option<&Features>,
) -> Vec<String> {
    let mut notes = Vec::new();
    for (slot, value) in constants(encoder) {
        notes.push(format!(
            "warning: target '{}' is {} in every training row: there is nothing to learn, and that \
             is what is predicted",
            encoder.names()[slot],
            significant(value)
        ));
    }
    notes.extend(encoder.classes().and_then(few_rows));
    // The first line counts the rows, which the split tells.
    notes.extend(lines(&preprocessing.to_string(), 1));
    if let Some(features) = validation {
        let unseen = features.report.unseen().to_string();
        notes.extend(lines(&unseen, 0).map(|line| format!("validation rows: {line}")));
    }
    notes
}

/// The classes that hardly any training row has.
fn few_rows(classes: &ClassTarget) -> Option<String> {
    let counted = classes.names().iter().zip(classes.counts());
    let few: Vec<String> = counted
        .filter(|(_, rows)| **rows < FEW)
        .map(|(name, rows)| format!("'{}' {rows}", forge_data::printable(name)))
        .collect();
    if few.is_empty() {
        return None;
    }
    let shown = &few[..few.len().min(MOST)];
    let more = match few.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more classes"),
    };
    Some(format!(
        "warning: target '{}': classes with fewer than {FEW} training rows: {}{more}; they are hardly \
         learned, and their scores are chance",
        classes.name(),
        shown.join(", ")
    ))
}

/// The lines of a report from one on, the last of too many saying how many there are more.
pub(crate) fn lines(report: &str, from: usize) -> impl Iterator<Item = String> {
    // Names and labels come from files.
    let shown = |line| forge_data::printable(line).into_owned();
    let lines = report.lines().skip(from);
    let more = lines.clone().count().saturating_sub(MOST);
    let first: Vec<String> = lines.take(MOST).map(shown).collect();
    let rest = (more > 0).then(|| format!("and {more} more columns"));
    first.into_iter().chain(rest)
}
