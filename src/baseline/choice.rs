//! Which baselines a run compares with.

use std::fmt;
use std::str::FromStr;

use forge_nn::ForgeError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Task};

/// Baselines by name: all that suit the task, none, or some. In a file `"all"`, `"none"`, a name or a
/// list of names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BaselineChoice {
    /// The three of the task.
    #[default]
    All,
    /// These, each of them one of [`names`](Self::names); empty for none.
    Named(Vec<String>),
}

impl BaselineChoice {
    /// The names that a task has: of a constant, a linear model and boosting.
    #[must_use]
    pub fn names(task: Task) -> [&'static str; 3] {
        match task {
            Task::Regression => ["mean", "ridge", "boosting"],
            Task::Classification => ["majority", "logistic", "boosting"],
        }
    }

    /// Whether the baseline of this name is wanted.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|n| n == name),
        }
    }

    /// Checks that the task has them all.
    ///
    /// # Errors
    /// A config error for a name that it has not.
    pub fn check(&self, task: Task) -> Result<(), Error> {
        self.refuse_others(&Self::names(task), &format!(" for {task}"))
    }

    /// Checks that there are baselines of these names, whatever the task.
    ///
    /// # Errors
    /// A config error for a name that no task has.
    pub fn validate(&self) -> Result<(), Error> {
        let all = [Task::Regression, Task::Classification].map(Self::names);
        self.refuse_others(&all.concat(), "")
    }

    fn refuse_others(&self, known: &[&str], of: &str) -> Result<(), Error> {
        let Self::Named(names) = self else {
            return Ok(());
        };
        for name in names {
            if !known.contains(&name.as_str()) {
                let mut known = known.to_vec();
                known.dedup();
                let allowed = format!("all, none, or of {}{of}", known.join(", "));
                return Err(ForgeError::config("baselines", name, allowed).into());
            }
        }
        Ok(())
    }
}

impl fmt::Display for BaselineChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Named(names) if names.is_empty() => f.write_str("none"),
            Self::Named(names) => f.write_str(&names.join(",")),
        }
    }
}

impl FromStr for BaselineChoice {
    type Err = Error;

    /// `all`, `none`, or names with commas between them.
    fn from_str(text: &str) -> Result<Self, Error> {
        let choice = match text.trim() {
            "all" => Self::All,
            "none" => Self::Named(Vec::new()),
            names => Self::Named(names.split(',').map(|name| name.trim().into()).collect()),
        };
        choice.validate()?;
        Ok(choice)
    }
}

impl Serialize for BaselineChoice {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(names) if !names.is_empty() => names.serialize(to),
            all_or_none => all_or_none.to_string().serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for BaselineChoice {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            List(Vec<String>),
        }
        let choice = match Form::deserialize(from)? {
            Form::Text(text) => text.parse(),
            Form::List(names) => {
                let choice = Self::Named(names);
                choice.validate().map(|()| choice)
            }
        };
        choice.map_err(serde::de::Error::custom)
    }
}
