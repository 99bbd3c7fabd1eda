//! Settings of a prediction from files and command lines.

use std::path::Path;

use serde::{Deserialize, Serialize};

use forge_data::{ReadOptions, SeriesConfig, UnknownSeries};

use super::PredictionConfig;
use crate::Error;
use crate::forecast::ForecastFileConfig;
use crate::settings::{overlay_file, set_by_place};

/// What can be set of a prediction of rows.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfRows {
    read: ReadOptions,
}

/// What can be set of a forecast.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfSeries {
    read: ReadOptions,
    series: SeriesConfig,
    unknown_series: UnknownSeries,
}

fn overlay(read: &mut ReadOptions, path: &Path) -> Result<(), Error> {
    let (hints, only) = (read.hints.clone(), read.only.clone());
    overlay_file(read, path, "read")?;
    read.only = only;
    let given = std::mem::replace(&mut read.hints, hints);
    read.hints.extend(given);
    Ok(())
}

/// For configs of the settings named, all of them fields.
macro_rules! settings {
    ($config:ty, $settings:ident { $($field:ident),+ }) => {
        impl $config {
            /// Takes the `[read]` settings that a TOML file has: those of training or others, in a
            /// file for training too. The model's columns stay what they are unless the file declares
            /// them.
            ///
            /// # Errors
            /// An I/O error, or an artifact error naming the file for what does not fit.
            pub fn read_settings_file(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
                overlay(&mut self.read, path.as_ref())
            }

            /// Sets one field by its place: `read.skip_rows=1`, or of series `series.duplicates=last`.
            /// The value is TOML; what is none is taken for text.
            ///
            /// # Errors
            /// A config error for a place that there is not, or a value that does not fit it.
            pub fn set(&mut self, assignment: &str) -> Result<(), Error> {
                let mut settings = $settings { $($field: self.$field.clone()),+ };
                set_by_place(&mut settings, assignment)?;
                $(self.$field = settings.$field;)+
                Ok(())
            }
        }
    };
}

settings!(PredictionConfig, OfRows { read });
settings!(
    ForecastFileConfig,
    OfSeries {
        read,
        series,
        unknown_series
    }
);
