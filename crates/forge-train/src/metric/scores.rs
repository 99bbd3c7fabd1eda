//! Named figures of merit.

use serde::{Deserialize, Serialize};

/// Whether more of a score is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Errors and losses.
    Minimize,
    /// Accuracies and the like.
    Maximize,
}

impl Direction {
    /// Whether `score` is better than `other` by more than `margin` (at least 0).
    #[must_use]
    pub fn improves(self, score: f64, other: f64, margin: f64) -> bool {
        match self {
            Self::Minimize => score < other - margin,
            Self::Maximize => score > other + margin,
        }
    }
}

/// One figure of merit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// What it is: `rmse`, `log_loss`, …
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Which way is better.
    pub direction: Direction,
}

/// Figures of merit of one set of predictions. The first decides: which epoch is kept, when to stop,
/// which model is best.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scores(Vec<Score>);

impl Scores {
    /// No scores yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more score, for which less is better.
    #[must_use]
    pub fn minimize(self, name: impl Into<String>, value: f64) -> Self {
        self.with(name, value, Direction::Minimize)
    }

    /// One more score, for which more is better.
    #[must_use]
    pub fn maximize(self, name: impl Into<String>, value: f64) -> Self {
        self.with(name, value, Direction::Maximize)
    }

    /// One more score.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: f64, direction: Direction) -> Self {
        let name = name.into();
        self.0.push(Score {
            name,
            value,
            direction,
        });
        self
    }

    /// The score that decides.
    #[must_use]
    pub fn deciding(&self) -> Option<&Score> {
        self.0.first()
    }

    /// The value of the score called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|s| s.name == name).map(|s| s.value)
    }

    /// All of them, the deciding one first.
    pub fn iter(&self) -> impl Iterator<Item = &Score> {
        self.0.iter()
    }

    /// Without any score.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_decides_and_direction_says_what_is_better() {
        let scores = Scores::new()
            .maximize("auroc", 0.9)
            .minimize("log_loss", 0.3);
        let deciding = scores.deciding().map(|s| (s.name.as_str(), s.direction));
        assert_eq!(deciding, Some(("auroc", Direction::Maximize)));
        assert_eq!(scores.get("log_loss"), Some(0.3));
        assert!(Direction::Maximize.improves(0.9, 0.8, 0.05));
        assert!(!Direction::Maximize.improves(0.9, 0.86, 0.05));
        assert!(!Direction::Minimize.improves(1.0, 1.0, 0.0));
        assert!(!Direction::Minimize.improves(f64::NAN, 1.0, 0.0));
    }
}
