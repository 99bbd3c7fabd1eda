//! What a report can show.

use serde::{Deserialize, Serialize};

/// A point of a plot.
pub type Point = (f64, f64);

/// Most points of a series that are drawn; a page with more is slow to open.
const MOST_POINTS: usize = 5000;

/// Figures under one heading.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// Lines under it.
    pub notes: Vec<String>,
    /// The figures.
    pub figures: Vec<Figure>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Figure {
    /// Points and lines.
    Plot(Plot),
    /// Which classes are taken for which.
    ConfusionTable(ConfusionTable),
    /// Named amounts.
    Bars(Bars),
}

/// Points and lines over two axes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plot {
    /// Above the plot.
    pub title: String,
    /// What the horizontal axis is.
    pub x: String,
    /// What the vertical axis is.
    pub y: String,
    /// Draws a thin line where both axes are equal.
    pub diagonal: bool,
    /// What is drawn.
    pub series: Vec<Series>,
    /// Below the plot, such as what was left out.
    pub notes: Vec<String>,
}

/// Points that belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// What they are called.
    pub name: String,
    /// How they are drawn.
    pub mark: Mark,
    /// Where they are; those that are not finite are left out.
    pub points: Vec<Point>,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A dot per point.
    Points,
    /// A line from point to point.
    Line,
}

/// Rows counted by true and predicted class.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConfusionTable {
    /// The classes, in order.
    pub classes: Vec<String>,
    /// `[C x C]`, one row per true class.
    pub counts: Vec<f64>,
}

/// Named amounts, one below the other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Bars {
    /// Above them.
    pub title: String,
    /// What is measured, with its unit.
    pub unit: String,
    /// The bars, in order. Amounts below 0 have no length.
    pub bars: Vec<Bar>,
    /// Below them.
    pub notes: Vec<String>,
}

/// A named amount.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// What it is of.
    pub name: String,
    /// How much.
    pub value: f64,
    /// How far it may be off.
    pub spread: Option<f64>,
}

impl Plot {
    /// A plot of nothing yet.
    #[must_use]
    pub fn new(title: impl Into<String>, x: impl Into<String>, y: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            x: x.into(),
            y: y.into(),
            ..Self::default()
        }
    }

    /// With the line where both axes are equal.
    #[must_use]
    pub fn with_diagonal(mut self) -> Self {
        self.diagonal = true;
        self
    }

    /// With dots. Of more than 5000, evenly spread ones are kept and a note says so.
    #[must_use]
    pub fn points(self, name: impl Into<String>, points: Vec<Point>) -> Self {
        self.series(name.into(), Mark::Points, points)
    }

    /// With a line. Of more than 5000 points, evenly spread ones and the last are kept and a note
    /// says so.
    #[must_use]
    pub fn line(self, name: impl Into<String>, points: Vec<Point>) -> Self {
        self.series(name.into(), Mark::Line, points)
    }

    /// With a line below the plot.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    fn series(mut self, name: String, mark: Mark, points: Vec<Point>) -> Self {
        let finite = |p: &Point| p.0.is_finite() && p.1.is_finite();
        let all: Vec<Point> = points.into_iter().filter(finite).collect();
        let step = all.len().div_ceil(MOST_POINTS).max(1);
        let mut kept: Vec<Point> = all.iter().copied().step_by(step).collect();
        if step > 1 {
            if mark == Mark::Line {
                kept.extend(all.last());
            }
            self.notes.push(format!(
                "{name}: {} of {} points are shown, evenly spread",
                kept.len(),
                all.len()
            ));
        }
        self.series.push(Series {
            name,
            mark,
            points: kept,
        });
        self
    }

    /// How many points it has.
    pub(super) fn len(&self) -> usize {
        self.series.iter().map(|series| series.points.len()).sum()
    }
}
