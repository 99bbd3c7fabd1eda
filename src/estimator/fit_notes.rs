//! What a person should know of the data of a fit.

use forge_data::{
    ClassTarget, ColumnValues, FarOut, Features, PreprocessReport, Table, TargetEncoder,
};
use forge_train::metric::significant;

use super::fitted_model::constants;

/// Lines about columns at most: tables may have thousands.
const MOST: usize = 30;
/// A class with fewer training rows is named.
const FEW: u64 = 5;

/// The numeric targets of which a few training rows leave the others with nothing to tell apart.
pub(super) fn far_out_targets(
    encoder: &TargetEncoder,
    table: &Table,
    rows: &[usize],
) -> Vec<FarOut> {
    let columns = encoder
        .numeric()
        .map_or(&[][..], |targets| targets.columns());
    let found = columns.iter().filter_map(|target| {
        let name = target.name();
        let ColumnValues::Numeric(values) = &table.column(name).ok()?.values else {
            return None;
        };
        FarOut::of(name, values, rows, target.center(), target.scale())
    });
    found.collect()
}

/// What there is to say, one line each.
pub(super) fn notes(
    preprocessing: &PreprocessReport,
    encoder: &TargetEncoder,
    far_out: &[FarOut],
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
    let targets = far_out.iter().map(|target| {
        let said = target.to_string();
        format!(
            "warning: target {}: to a model they are all the same; mend the cell, leave its row out, or \
             take logarithms if that is how the values are spread",
            forge_data::printable(&said)
        )
    });
    notes.extend(targets);
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
