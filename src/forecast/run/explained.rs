//! What a report shows of what a model looks at.

use crate::forecast::{Explanation, NamedArray};
use crate::report::{Bar, Bars, Figure, Plot, Section};

/// Lines in a plot at most.
const LINES: usize = 6;

pub(super) fn section(name: &str, explained: &Explanation) -> Section {
    let mut notes = vec![format!(
        "Means over {} test windows. Steps are counted from the last known one. Weights show where the \
         model looks, not what causes what.",
        explained.windows
    )];
    let mut figures = Vec::new();
    for array in &explained.arrays {
        match figure(array) {
            Some(figure) => figures.push(figure),
            None => notes.push(format!("{} has no plot", array.name)),
        }
    }
    Section {
        title: format!("What {name} looks at"),
        notes,
        figures,
    }
}

/// A line over steps for each row, or a bar for each column's mean.
fn figure(array: &NamedArray) -> Option<Figure> {
    let mut array = array.clone();
    if let [_, queries, _] = &array.axes[..] {
        if queries.len() == 1 {
            array.axes.remove(1);
        } else {
            array = array.mean_of_first();
        }
    }
    let [rows, columns] = &array.axes[..] else {
        return None;
    };
    let steps: Option<Vec<f64>> = columns.iter().map(|name| name.parse().ok()).collect();
    let Some(steps) = steps else {
        if columns.iter().any(|name| name.starts_with("key ")) {
            return None;
        }
        let mean = array.mean_of_first();
        let bars = columns.iter().zip(&mean.values).map(|(name, value)| Bar {
            name: name.clone(),
            value: f64::from(*value),
            spread: None,
        });
        return Some(Figure::Bars(Bars {
            title: array.name.clone(),
            unit: "mean weight".into(),
            bars: bars.collect(),
            notes: Vec::new(),
        }));
    };
    // The last rows: where rows are steps, those that are forecast are among them.
    let first = rows.len().saturating_sub(LINES);
    let mut plot = Plot::new(&array.name, "step", "weight");
    for (row, name) in rows.iter().enumerate().skip(first) {
        let values = array.values[row * columns.len()..]
            .iter()
            .map(|v| f64::from(*v));
        plot = plot.line(name, steps.iter().copied().zip(values).collect());
    }
    if first > 0 {
        plot = plot.note(format!("the last {LINES} of {} rows are shown", rows.len()));
    }
    Some(Figure::Plot(plot))
}
