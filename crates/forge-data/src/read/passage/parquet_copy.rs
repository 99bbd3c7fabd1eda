//! Parquet columns, copied as they are stored.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::column::writer::ColumnCloseResult;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::beside::{Beside, changed};
use crate::DataError;
use crate::output::Output;
use crate::read::parquet_file::damaged;
use crate::table::{parquet_type, write_parquet_column};

/// Of one writer of Arrow tables, a description of the columns that there were: with others beside
/// them it is no longer true, and readers trust it.
const ARROW_SCHEMA: &str = "ARROW:schema";

/// Copies every row group, and writes the columns beside it.
pub(super) fn copy(
    path: &Path,
    beside: &Beside<'_>,
    out: &mut Output<'_>,
) -> Result<(), DataError> {
    let file = File::open(path).map_err(|e| DataError::io(path, e))?;
    let again = file.try_clone().map_err(|e| DataError::io(path, e))?;
    let reader = SerializedFileReader::new(again).map_err(|e| damaged(&e))?;
    let metadata = reader.metadata();
    let about = metadata.file_metadata();
    if usize::try_from(about.num_rows()) != Ok(beside.rows()) {
        // With a limit, the table has fewer rows than the file.
        return Err(changed());
    }
    let root = about.schema_descr().root_schema();
    let mut fields = root.get_fields().to_vec();
    for column in beside.columns {
        fields.push(Arc::new(parquet_type(column).map_err(|e| damaged(&e))?));
    }
    let schema = Type::group_type_builder(root.name())
        .with_fields(fields)
        .build()
        .map_err(|e| damaged(&e))?;
    let pairs = about.key_value_metadata().cloned().unwrap_or_default();
    let pairs = pairs.into_iter().filter(|pair| pair.key != ARROW_SCHEMA);
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(pairs.collect()))
        .build();
    let failed = |e| DataError::parse(format!("cannot write Parquet: {e}"));
    let mut writer =
        SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(failed)?;
    let mut start = 0;
    for group in metadata.row_groups() {
        let rows = usize::try_from(group.num_rows()).map_err(|_| changed())?;
        let mut to = writer.next_row_group().map_err(failed)?;
        for column in group.columns() {
            let close = ColumnCloseResult {
                bytes_written: column.compressed_size().unsigned_abs(),
                rows_written: rows as u64,
                metadata: column.clone(),
                bloom_filter: None,
                column_index: None,
                offset_index: None,
            };
            to.append_column(&file, close).map_err(failed)?;
        }
        for column in beside.columns {
            write_parquet_column(&mut to, column, start..start + rows).map_err(failed)?;
        }
        to.close().map_err(failed)?;
        start += rows;
    }
    writer.close().map_err(failed)?;
    Ok(())
}
