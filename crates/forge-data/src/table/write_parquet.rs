//! Columns as a Parquet file.

use std::ops::Range;
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::{Column, ColumnValues};
use crate::DataError;
use crate::output::Output;

/// Rows of a group.
const GROUP: usize = 1 << 20;

/// Writes columns of equal length: numbers as doubles, labels as strings, times as timestamps in
/// milliseconds; missing cells are null.
pub(crate) fn write_parquet(
    columns: &[Column],
    out: &mut Output<'_>,
) -> std::result::Result<(), DataError> {
    let failed = |e: ParquetError| DataError::parse(format!("cannot write Parquet: {e}"));
    let rows = columns.first().map_or(0, Column::len);
    let fields = columns
        .iter()
        .map(|column| parquet_type(column).map(Arc::new));
    let fields = fields.collect::<Result<Vec<_>>>().map_err(failed)?;
    let schema = Type::group_type_builder("schema")
        .with_fields(fields)
        .build()
        .map_err(failed)?;
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer =
        SerializedFileWriter::new(out, Arc::new(schema), properties).map_err(failed)?;
    for start in (0..rows).step_by(GROUP) {
        let mut group = writer.next_row_group().map_err(failed)?;
        for column in columns {
            let rows = start..(start + GROUP).min(rows);
            write_parquet_column(&mut group, column, rows).map_err(failed)?;
        }
        group.close().map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(())
}

/// What a column is in Parquet.
pub(crate) fn parquet_type(column: &Column) -> Result<Type> {
    let (physical, logical) = match &column.values {
        ColumnValues::Numeric(_) => (Physical::DOUBLE, None),
        ColumnValues::Categorical(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnValues::DateTime(_) => (
            Physical::INT64,
            Some(LogicalType::timestamp(true, TimeUnit::MILLIS)),
        ),
    };
    Type::primitive_type_builder(&column.name, physical)
        .with_logical_type(logical)
        .with_repetition(Repetition::OPTIONAL)
        .build()
}

/// Writes some rows of a column as the next of a group.
pub(crate) fn write_parquet_column<W: std::io::Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: &Column,
    rows: Range<usize>,
) -> Result<()> {
    let Some(mut writer) = group.next_column()? else {
        return Err(ParquetError::General("a column too many".into()));
    };
    let levels = |present: &dyn Fn(usize) -> bool| -> Vec<i16> {
        rows.clone().map(|row| i16::from(present(row))).collect()
    };
    match (writer.untyped(), &column.values) {
        (ColumnWriter::DoubleColumnWriter(writer), ColumnValues::Numeric(all)) => {
            let levels = levels(&|row| !all[row].is_nan());
            let values = all[rows].iter().copied().filter(|v| !v.is_nan());
            let values: Vec<f64> = values.collect();
            writer.write_batch(&values, Some(&levels), None)?;
        }
        (ColumnWriter::ByteArrayColumnWriter(writer), ColumnValues::Categorical(all)) => {
            let levels = levels(&|row| all.label(row).is_some());
            let labels = rows.filter_map(|row| all.label(row));
            let labels: Vec<ByteArray> = labels.map(ByteArray::from).collect();
            writer.write_batch(&labels, Some(&levels), None)?;
        }
        (ColumnWriter::Int64ColumnWriter(writer), ColumnValues::DateTime(all)) => {
            let levels = levels(&|row| all[row] != Column::MISSING_TIME);
            let times = all[rows]
                .iter()
                .copied()
                .filter(|t| *t != Column::MISSING_TIME);
            let times: Vec<i64> = times.collect();
            writer.write_batch(&times, Some(&levels), None)?;
        }
        _ => return Err(ParquetError::General("a column of another type".into())),
    }
    writer.close()
}
