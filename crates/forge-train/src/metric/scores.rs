//! Named figures of merit.

use std::fmt::{self, Display};

use serde::{Deserialize, Deserializer, Serialize};

use super::significant;

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
    /// Its value; NaN where it is undefined, which JSON writes as `null`.
    #[serde(deserialize_with = "null_is_undefined")]
    pub value: f64,
    /// Which way is better.
    pub direction: Direction,
}

impl Score {
    /// The value with six significant digits, or `undefined`.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.value.is_nan() {
            return "undefined".into();
        }
        significant(self.value)
    }
}

/// `log loss 0.312450`
impl Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name.replace('_', " "), self.shown())
    }
}

fn null_is_undefined<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
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

    /// One more score, which the scored rows leave undefined: a ranking of one class, the R² of a
    /// target that does not vary.
    #[must_use]
    pub fn undefined(self, name: impl Into<String>, direction: Direction) -> Self {
        self.with(name, f64::NAN, direction)
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

    /// The value of the score called `name`; absent where it is undefined.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        let value = self.find(name).map(|s| s.value);
        value.filter(|value| !value.is_nan())
    }

    /// The score called `name`, defined or not.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Score> {
        self.0.iter().find(|s| s.name == name)
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
#[allow(clippy::unwrap_used)]
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

    #[test]
    fn an_undefined_score_says_so_and_survives_json() {
        let scores = Scores::new()
            .minimize("rmse", 2.005e-5)
            .undefined("r2", Direction::Maximize);
        assert_eq!(scores.get("r2"), None);
        let json = serde_json::to_string(&scores).unwrap();
        assert!(json.contains("null"), "{json}");
        let again: Scores = serde_json::from_str(&json).unwrap();
        let shown: Vec<String> = again.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["rmse 2.00500e-5", "r2 undefined"]);
    }
}
