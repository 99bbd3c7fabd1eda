//! What the footer of a Parquet file says of the data frame that it was: the entry `pandas`, which pandas
//! and pyarrow write.

use parquet::file::metadata::KeyValue;
use serde_json::Value;

use crate::schema::date_time;

/// The footer's own words, or null.
pub(crate) struct DataFrame(Value);

/// What a column was where its Parquet type does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// Labels without an order.
    Labels,
    /// Elapsed time, and how many ticks a day has.
    Elapsed { per_day: i64 },
}

impl DataFrame {
    /// What cannot be read is not needed to read the table.
    pub(crate) fn of(pairs: Option<&Vec<KeyValue>>) -> Self {
        let frame = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == "pandas"));
        let text = frame.and_then(|pair| pair.value.as_deref());
        Self(
            text.and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or_default(),
        )
    }

    /// The columns that are its index; a range is not stored as a column.
    pub(crate) fn index(&self) -> impl Iterator<Item = &str> {
        let listed = self.0["index_columns"].as_array();
        listed.into_iter().flatten().filter_map(Value::as_str)
    }

    /// What the column stored as `name` was.
    pub(crate) fn stored(&self, name: &str) -> Option<Stored> {
        let mut columns = self.0["columns"].as_array().into_iter().flatten();
        let column = columns.find(|column| column["field_name"] == name)?;
        if column["pandas_type"] == "categorical" {
            // Labels with an order keep it as the numbers that they are.
            return (column["metadata"]["ordered"] == false).then_some(Stored::Labels);
        }
        let unit = column["numpy_type"].as_str()?;
        let unit = unit.strip_prefix("timedelta64[")?.strip_suffix(']')?;
        let per_second = match unit {
            "s" => 1,
            "ms" => 1_000,
            "us" => 1_000_000,
            "ns" => 1_000_000_000,
            _ => return None,
        };
        let per_day = date_time::DAY / 1_000 * per_second;
        Some(Stored::Elapsed { per_day })
    }
}
