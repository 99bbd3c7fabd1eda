//! Parquet records as texts.

use std::fs::File;
use std::path::Path;

use parquet::basic::{LogicalType, TimeUnit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::text_rows::{TextRows, TextVisitor};
use crate::DataError;
use crate::read::parquet_file::damaged;
use crate::schema::{date_time, number};

/// A Parquet file as it was read.
pub(super) struct ParquetText<'a> {
    pub(super) path: &'a Path,
}

impl TextRows for ParquetText<'_> {
    /// The names come as row 0.
    fn rows(&mut self, visit: &mut TextVisitor<'_>) -> Result<(), DataError> {
        let file = File::open(self.path).map_err(|e| DataError::io(self.path, e))?;
        let reader = SerializedFileReader::new(file).map_err(|e| damaged(&e))?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let fields = schema.root_schema().get_fields().to_vec();
        let names: Vec<String> = fields.iter().map(|f| f.name().to_owned()).collect();
        let types: Vec<Option<LogicalType>> = fields
            .iter()
            .map(|f| f.get_basic_info().logical_type_ref().cloned())
            .collect();
        visit(0, &names)?;
        let rows = reader.get_row_iter(None).map_err(|e| damaged(&e))?;
        for (number, row) in (1..).zip(rows) {
            let row = row.map_err(|e| damaged(&e).at_row(number))?;
            let cells = row.get_column_iter().zip(&types);
            let texts: Vec<String> = cells
                .map(|((_, field), logical)| text_of(field, logical.as_ref()))
                .collect();
            visit(number, &texts)?;
        }
        Ok(())
    }
}

/// A value with all its digits; times in ISO 8601, with `Z` where they are said to be UTC.
fn text_of(field: &Field, logical: Option<&LogicalType>) -> String {
    let stamp = match logical {
        Some(LogicalType::Timestamp(stamp)) => Some((&stamp.unit, stamp.is_adjusted_to_u_t_c)),
        _ => None,
    };
    let utc = stamp.is_none_or(|(_, utc)| utc);
    match field {
        Field::Null => String::new(),
        Field::Float(value) => single(*value),
        Field::Double(value) => number::format(*value),
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => bytes.data().iter().map(|b| format!("{b:02x}")).collect(),
        Field::Date(days) => {
            date_time::format(i64::from(*days) * date_time::DAY).unwrap_or_else(|| days.to_string())
        }
        Field::TimestampMillis(ticks) => time(*ticks, 3, utc),
        Field::TimestampMicros(ticks) => time(*ticks, 6, utc),
        Field::Long(ticks) if matches!(stamp, Some((TimeUnit::NANOS, _))) => time(*ticks, 9, utc),
        other => other.to_string(),
    }
}

/// The shortest text that reads back to the same f32.
fn single(value: f32) -> String {
    if value.abs() < 1e7 && value.fract() == 0.0 {
        value.to_string()
    } else {
        format!("{value:?}")
    }
}

/// Ticks of `1 / 10^digits` seconds since 1970-01-01.
fn time(ticks: i64, digits: u32, utc: bool) -> String {
    let per_second = 10i64.pow(digits);
    let (seconds, part) = (ticks.div_euclid(per_second), ticks.rem_euclid(per_second));
    let whole = seconds.checked_mul(1000).and_then(date_time::format_date);
    let Some(date) = whole else {
        return ticks.to_string();
    };
    let of_day = seconds.rem_euclid(86_400);
    let mut text = format!(
        "{date}T{:02}:{:02}:{:02}",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    );
    if part > 0 {
        let fraction = format!("{part:0width$}", width = digits as usize);
        text.push('.');
        text.push_str(fraction.trim_end_matches('0'));
    }
    if utc {
        text.push('Z');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_keep_their_digits() {
        assert_eq!(
            time(1_700_000_000_123_456, 6, true),
            "2023-11-14T22:13:20.123456Z"
        );
        assert_eq!(time(-1, 9, false), "1969-12-31T23:59:59.999999999");
        assert_eq!(time(86_400_000, 3, true), "1970-01-02T00:00:00Z");
        assert_eq!(time(i64::MAX, 3, true), i64::MAX.to_string());
    }
}
