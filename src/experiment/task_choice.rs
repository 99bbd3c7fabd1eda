//! Whether the task is chosen or found.

use std::fmt;
use std::str::FromStr;

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use crate::Task;

/// What an experiment takes the target for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskChoice {
    /// What the objective is for, where one is given; else classes where the target is text or few
    /// whole numbers, see [`infer_task`](forge_data::infer_task).
    #[default]
    Auto,
    /// Numbers.
    Regression,
    /// Classes.
    Classification,
}

impl TaskChoice {
    /// The task that was chosen, if one was.
    #[must_use]
    pub fn task(self) -> Option<Task> {
        match self {
            Self::Auto => None,
            Self::Regression => Some(Task::Regression),
            Self::Classification => Some(Task::Classification),
        }
    }
}

impl fmt::Display for TaskChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.task() {
            None => f.write_str("auto"),
            Some(task) => task.fmt(f),
        }
    }
}

impl FromStr for TaskChoice {
    type Err = ForgeError;

    fn from_str(text: &str) -> Result<Self, ForgeError> {
        match text {
            "auto" => Ok(Self::Auto),
            "regression" => Ok(Self::Regression),
            "classification" => Ok(Self::Classification),
            _ => {
                let allowed = "auto, regression or classification";
                Err(ForgeError::config("task", text, allowed))
            }
        }
    }
}
