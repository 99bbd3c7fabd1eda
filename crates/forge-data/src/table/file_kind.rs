//! What a file is to be, by its ending.

use std::path::Path;

use crate::DataError;

/// What a file that is written is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Text, divided by what the ending promises, if it does.
    Csv {
        /// A tab for `.tsv`.
        delimiter: Option<u8>,
    },
    /// Parquet.
    Parquet,
}

impl FileKind {
    /// By the ending; a name without one, such as a pipe's, is CSV.
    ///
    /// # Errors
    /// An unsupported error for any other ending, Excel's among them.
    pub(crate) fn of(path: &Path) -> Result<Self, DataError> {
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        match ending.to_ascii_lowercase().as_str() {
            "" | "csv" | "txt" => Ok(Self::Csv { delimiter: None }),
            "tsv" => Ok(Self::Csv {
                delimiter: Some(b'\t'),
            }),
            "parquet" | "pq" if cfg!(feature = "parquet") => Ok(Self::Parquet),
            "parquet" | "pq" => Err(parquet_is_missing().at_path(path)),
            other => Err(DataError::unsupported(format!(
                "files that end in '.{other}' are not written: end the name in .csv, .tsv or \
                 .parquet"
            ))
            .at_path(path)),
        }
    }
}

pub(crate) fn parquet_is_missing() -> DataError {
    DataError::unsupported(
        "writing Parquet files needs the feature `parquet`, which is not compiled in",
    )
}
