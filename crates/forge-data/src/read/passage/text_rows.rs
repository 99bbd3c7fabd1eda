//! Rows of texts, whichever file they come from, into a file of another type.

use std::io::Write;

use super::beside::{Beside, Place, changed};
#[cfg(feature = "parquet")]
use crate::Column;
use crate::DataError;
#[cfg(feature = "parquet")]
use crate::output::Output;
use crate::schema::Decimal;
use crate::table::cell_text;

/// Called with a row's number in its file and its texts.
pub(super) type TextVisitor<'v> = dyn FnMut(u64, &[String]) -> Result<(), DataError> + 'v;

/// A file as rows of texts, from the header on.
pub(super) trait TextRows {
    /// The mark that numbers of the file have.
    fn decimal(&self) -> Decimal {
        Decimal::Point
    }

    /// Calls `visit` with each row.
    fn rows(&mut self, visit: &mut TextVisitor<'_>) -> Result<(), DataError>;
}

/// Writes rows and the columns beside them as CSV.
pub(super) fn write_csv(
    mut source: Box<dyn TextRows + '_>,
    beside: &Beside<'_>,
    delimiter: Option<u8>,
    out: &mut dyn Write,
) -> Result<(), DataError> {
    let decimal = source.decimal();
    let usual = if decimal == Decimal::Comma {
        b';'
    } else {
        b','
    };
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .delimiter(delimiter.unwrap_or(usual))
        .from_writer(out);
    let failed = |e: csv::Error| DataError::parse(format!("cannot write CSV: {e}"));
    let mut rows = 0;
    source.rows(&mut |number, texts| {
        let Some(place) = beside.place(number) else {
            return Ok(());
        };
        for text in texts {
            writer.write_field(text).map_err(failed)?;
        }
        for column in beside.columns {
            let text = match place {
                Place::Header => column.name.clone(),
                Place::Data(row) => cell_text(column, row, decimal)?,
                Place::Other => String::new(),
            };
            writer.write_field(text).map_err(failed)?;
        }
        rows += usize::from(matches!(place, Place::Data(_)));
        writer.write_record(None::<&[u8]>).map_err(failed)
    })?;
    writer
        .flush()
        .map_err(|e| DataError::parse(format!("cannot write CSV: {e}")))?;
    if beside.is_whole() && rows != beside.rows() {
        return Err(changed());
    }
    Ok(())
}

/// Writes the rows of the table as Parquet, every column of the file as texts.
#[cfg(feature = "parquet")]
pub(super) fn write_parquet(
    mut source: Box<dyn TextRows + '_>,
    beside: &Beside<'_>,
    out: &mut Output<'_>,
) -> Result<(), DataError> {
    use crate::read::header;
    use crate::table::write_parquet;

    let mut names: Vec<String> = Vec::new();
    let mut cells: Vec<Vec<String>> = Vec::new();
    let mut kept: Vec<usize> = Vec::new();
    source.rows(&mut |number, texts| {
        match beside.place(number) {
            Some(Place::Header) => names = texts.to_vec(),
            Some(Place::Data(row)) => {
                if texts.len() > cells.len() {
                    cells.resize(texts.len(), vec![String::new(); kept.len()]);
                }
                for (i, column) in cells.iter_mut().enumerate() {
                    column.push(texts.get(i).cloned().unwrap_or_default());
                }
                kept.push(row);
            }
            Some(Place::Other) | None => {}
        }
        Ok(())
    })?;
    if beside.is_whole() && kept.len() != beside.rows() {
        return Err(changed());
    }
    names.resize(cells.len(), String::new());
    let names = header::provisional(&names);
    let columns = names.into_iter().zip(cells).map(|(name, cells)| {
        // An empty text is a missing one, in CSV as in a sheet.
        let labels = cells
            .into_iter()
            .map(|text| (!text.is_empty()).then_some(text));
        Column::categorical(name, labels)
    });
    let mut columns: Vec<Column> = columns.collect();
    columns.extend(beside.columns.iter().map(|column| column.gather(&kept)));
    write_parquet(&columns, out)
}

#[cfg(not(feature = "parquet"))]
pub(super) fn write_parquet(
    _: Box<dyn TextRows + '_>,
    _: &Beside<'_>,
    _: &mut dyn Write,
) -> Result<(), DataError> {
    Err(crate::table::parquet_is_missing())
}
