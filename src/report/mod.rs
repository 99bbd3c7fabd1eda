//! One HTML page about a run, with its plots inside: it opens offline and loads nothing.
//!
//! A plot of more than a hundred points can be hovered over and zoomed into, by a small script in
//! the page itself; without scripts the same plots stand still.

mod bars;
mod diagnostics;
mod figure;
mod learning_rates;
mod page;
mod svg;
mod ticks;

use std::cmp::Ordering;
use std::io::Write;
use std::path::Path;

use forge_files::OutputFile;
use forge_nn::ForgeError;
use forge_train::metric::{Direction, Scores};
use serde::{Deserialize, Serialize};

use crate::Error;

pub use diagnostics::{Diagnostics, RowDoubt};
pub use figure::{Bar, Bars, ConfusionTable, Figure, Mark, Plot, Point, Section, Series};
pub use learning_rates::learning_rates;

/// Everything a report shows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// The heading.
    pub title: String,
    /// Lines under the heading: where the data come from, how they were split, what was repaired.
    pub notes: Vec<String>,
    /// Models and baselines, best first.
    pub leaderboard: Vec<LeaderboardRow>,
    /// What there is to see, in order.
    pub sections: Vec<Section>,
}

/// A row of the leaderboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeaderboardRow {
    /// Model or baseline.
    pub name: String,
    /// Whether it is a baseline.
    pub baseline: bool,
    /// Of the hold-out rows, in the target's unit; the first decides.
    pub scores: Scores,
    /// Seconds of fitting.
    pub seconds: f64,
    /// Trainable parameters; none for a baseline.
    pub parameters: Option<usize>,
}

impl LeaderboardRow {
    /// Sorts by the deciding score, best first; rows without one last.
    pub fn sort(rows: &mut [Self]) {
        rows.sort_by(|a, b| better_first(&a.scores, &b.scores));
    }

    /// The names of the scores that the rows have, in their order; without those of single targets
    /// (`rmse.1`), of which there may be many.
    #[must_use]
    pub fn score_names(rows: &[Self]) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for score in rows.iter().flat_map(|row| row.scores.iter()) {
            if !score.name.contains('.') && !names.contains(&score.name.as_str()) {
                names.push(&score.name);
            }
        }
        names
    }
}

/// The better of two first, by the score that decides; scores that are none last.
pub(crate) fn better_first(a: &Scores, b: &Scores) -> Ordering {
    let key = |scores: &Scores| {
        let score = scores.deciding()?;
        Some(match score.direction {
            Direction::Minimize => score.value,
            Direction::Maximize => -score.value,
        })
    };
    let key = |scores| key(scores).filter(|v| !v.is_nan()).unwrap_or(f64::INFINITY);
    key(a).total_cmp(&key(b))
}

impl Report {
    /// The page.
    ///
    /// # Errors
    /// If a plot cannot be stored in it.
    pub fn to_html(&self) -> Result<String, Error> {
        page::render(self)
            .map_err(|reason| ForgeError::unsupported(format!("report: {reason}")).into())
    }

    /// Writes the page to `path`: a file whole or not at all, links followed.
    ///
    /// # Errors
    /// As [`to_html`](Self::to_html), or an I/O error.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        write_whole(path, &self.to_html()?)
    }
}

impl Plot {
    /// The plot as an SVG file's text.
    #[must_use]
    pub fn to_svg(&self) -> String {
        svg::document(self)
    }

    /// Writes the plot as an SVG file: whole or not at all, links followed.
    ///
    /// # Errors
    /// An I/O error.
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        write_whole(path.as_ref(), &self.to_svg())
    }
}

/// Writes a file whole or not at all, links followed.
pub(crate) fn write_whole(path: &Path, text: &str) -> Result<(), Error> {
    let written = OutputFile::create(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.commit()
    });
    written.map_err(|e| ForgeError::io(path, e).into())
}
