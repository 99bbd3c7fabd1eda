//! Tables for deep learning: reading (CSV, Parquet, Excel), schema, preprocessing, splits and
//! synthetic markets. Stands alone on Burn's tensors.
//!
//! Shape letters: `N` rows of a table, `B` rows of a batch, `F` features.

mod error;
mod table;

pub use error::DataError;
pub use table::{Categorical, Column, ColumnValues, Table};
