//! Files become tables.

mod assemble;
mod builder;
mod cell;
mod compression;
mod csv_source;
#[cfg(feature = "parquet")]
mod data_frame;
#[cfg(feature = "excel")]
mod excel;
mod finding;
mod header;
mod opening;
mod options;
#[cfg(feature = "parquet")]
mod parquet_file;
#[cfg(feature = "parquet")]
mod parquet_value;
mod passage;
mod plan;
mod records;
mod report;
mod saved_index;
mod spool;
mod survey;

pub(crate) use cell::Cell;
pub use finding::{Finding, FindingKind};
pub use options::{DuplicateNames, Infinite, MergedCells, ReadOptions, SavedIndex, TableFormat};
pub use passage::Passage;
pub(crate) use passage::RowNumbers;
pub use report::{ColumnReport, Layout, ReadReport};

use std::io::Read;
use std::path::Path;

use csv_source::CsvSource;
use records::Input;

use crate::DataError;
use crate::schema::Decimal;
use crate::table::Table;

/// Reads a table from a CSV, Parquet or Excel file, by its extension or `options.format`. What
/// comes through a named pipe is put into a temporary file first, since it is read more than once.
///
/// `docs/data.md` says what is read, what is repaired and reported, and what is refused.
///
/// # Errors
/// - I/O: the file cannot be read.
/// - unsupported: the type of file is not known, or its feature is not compiled in.
/// - parse: the file's structure is broken, such as a row with too many fields.
/// - schema: the header is missing or has a name twice, or there are no rows.
/// - value: a cell does not fit its column.
/// - config: an option is out of range or names a column that is not in the file.
///
/// Each names the file, and row and column where there is one.
///
/// ```no_run
/// use forge_data::{ReadOptions, read_table};
/// let (table, report) = read_table("table.csv", &ReadOptions::default())?;
/// assert!(report.findings().is_empty(), "{report}");
/// # Ok::<(), forge_data::DataError>(())
/// ```
pub fn read_table(
    path: impl AsRef<Path>,
    options: &ReadOptions,
) -> Result<(Table, ReadReport), DataError> {
    let (table, report, _) = read_table_or(path, options, |_| None)?;
    Ok((table, report))
}

/// [`read_table`]; where it fails, once more with what `instead` makes of the error, if that is anything: the
/// error is the last part then. A pipe is read once.
///
/// # Errors
/// As [`read_table`], of the second time if there is one.
pub fn read_table_or(
    path: impl AsRef<Path>,
    options: &ReadOptions,
    instead: impl FnOnce(&DataError) -> Option<ReadOptions>,
) -> Result<(Table, ReadReport, Option<DataError>), DataError> {
    let path = path.as_ref();
    // Before a pipe is emptied.
    kind_of_table(path, options).map_err(|e| e.at_path(path))?;
    let spooled = spool::spool(path).map_err(|e| DataError::io(path, e))?;
    let file = spooled.as_deref().unwrap_or(path);
    let read = |options: &ReadOptions| {
        let (table, mut report) = read_file(path, file, options).map_err(|e| e.at_path(path))?;
        report.path = Some(path.into());
        Ok((table, report))
    };
    let error: DataError = match read(options) {
        Ok((table, report)) => return Ok((table, report, None)),
        Err(error) => error,
    };
    match instead(&error) {
        None => Err(error),
        Some(options) => {
            let (table, report) = read(&options)?;
            Ok((table, report, Some(error)))
        }
    }
}

/// As the options say, or the ending.
fn kind_of_table(path: &Path, options: &ReadOptions) -> Result<TableFormat, DataError> {
    options.format.map_or_else(|| format_of(path), Ok)
}

/// Reads `file`, which holds what is at `path`.
fn read_file(
    path: &Path,
    file: &Path,
    options: &ReadOptions,
) -> Result<(Table, ReadReport), DataError> {
    match kind_of_table(path, options)? {
        TableFormat::Csv => {
            let mut options = options.clone();
            if options.delimiter.is_none() && extension(path) == "tsv" {
                options.delimiter = Some('\t');
            }
            read_csv(Input::File(file), &options)
        }
        TableFormat::Parquet => read_parquet(file, options),
        TableFormat::Excel => read_excel(file, options),
    }
}

/// Reads a table from CSV text, which is taken into memory as a whole.
///
/// # Errors
/// As [`read_table`], without the file's name.
///
/// ```
/// use forge_data::{ReadOptions, read_csv_from};
/// let (table, report) = read_csv_from("k;iv\n100;0,2\n110;0,19\n".as_bytes(), &ReadOptions::default())?;
/// assert_eq!(table.n_rows(), 2);
/// println!("{report}");
/// # Ok::<(), forge_data::DataError>(())
/// ```
pub fn read_csv_from(
    mut reader: impl Read,
    options: &ReadOptions,
) -> Result<(Table, ReadReport), DataError> {
    let mut bytes = Vec::new();
    reader
        .read_to_end(&mut bytes)
        .map_err(|e| DataError::parse(format!("cannot read: {e}")))?;
    read_csv(Input::Bytes(&bytes), options)
}

fn read_csv(input: Input<'_>, options: &ReadOptions) -> Result<(Table, ReadReport), DataError> {
    let delimiter = options
        .delimiter
        .map(opening::check_delimiter)
        .transpose()?;
    let opening = opening::look(input, options.skip_rows)?;
    let has_header = options.has_header != Some(false);
    let mut source = CsvSource {
        input,
        delimiter: delimiter.unwrap_or(opening.delimiter),
        start: opening.mark,
        skip_lines: u64::from(opening.separator_line),
        skip_rows: options.skip_rows,
        has_header,
        loose: options.names_in_rows()..options.rows_before_data(),
        end: None,
        blank_lines: 0,
    };
    let mut report = ReadReport::new(Layout::Csv {
        delimiter: char::from(source.delimiter),
        decimal: Decimal::Point,
        has_header,
    });
    if let Some(compression) = input.compression().map_err(|e| input.error(e))? {
        let finding = Finding::new(FindingKind::Compressed, &compression.to_string());
        report.findings.push(finding);
    }
    if opening.mark > 0 {
        let finding = Finding::new(FindingKind::ByteOrderMark, "").at_row(1);
        report.findings.push(finding);
    }
    if opening.separator_line {
        let finding = Finding::new(FindingKind::SeparatorLine, "").at_row(1);
        report.findings.push(finding);
    }
    let (table, used) = assemble::assemble(&mut source, options, &mut report)?;
    if source.blank_lines > 0 {
        let finding = Finding::new(FindingKind::BlankLines, "").counted(source.blank_lines);
        report.findings.insert(0, finding);
    }
    if let Layout::Csv { decimal, .. } = &mut report.layout {
        *decimal = used;
    }
    Ok((table, report))
}

#[cfg(feature = "parquet")]
fn read_parquet(path: &Path, options: &ReadOptions) -> Result<(Table, ReadReport), DataError> {
    without_panic("Parquet file", || parquet_file::read(path, options))
}

#[cfg(feature = "excel")]
fn read_excel(path: &Path, options: &ReadOptions) -> Result<(Table, ReadReport), DataError> {
    without_panic("workbook", || {
        let mut source = excel::SheetSource::open(path, options)?;
        let mut report = ReadReport::new(Layout::Excel {
            sheet: source.sheet.clone(),
            other_sheets: source.other_sheets.clone(),
            has_header: options.has_header != Some(false),
        });
        let (table, _) = assemble::assemble(&mut source, options, &mut report)?;
        report.findings.extend(source.merged());
        Ok((table, report))
    })
}

/// Makes an error of a panic in a reader that is not ours, which a damaged file may cause.
#[cfg(any(feature = "excel", feature = "parquet"))]
fn without_panic<T>(
    what: &str,
    read: impl FnOnce() -> Result<T, DataError>,
) -> Result<T, DataError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(DataError::parse(format!(
            "the {what} is damaged in a way that its reader does not expect"
        )))
    })
}

#[cfg(not(feature = "parquet"))]
fn read_parquet(_: &Path, _: &ReadOptions) -> Result<(Table, ReadReport), DataError> {
    Err(missing_feature("Parquet", "parquet"))
}

#[cfg(not(feature = "excel"))]
fn read_excel(_: &Path, _: &ReadOptions) -> Result<(Table, ReadReport), DataError> {
    Err(missing_feature("Excel", "excel"))
}

#[cfg(not(all(feature = "excel", feature = "parquet")))]
fn missing_feature(what: &str, feature: &str) -> DataError {
    DataError::unsupported(format!(
        "reading {what} files needs the feature `{feature}`, which is not compiled in"
    ))
}

/// The extension in small letters, that of a compressed file without the one for that.
fn extension(path: &Path) -> String {
    let of = |path: &Path| {
        let extension = path.extension().unwrap_or_default();
        extension.to_string_lossy().to_ascii_lowercase()
    };
    let extension = of(path);
    match path.file_stem() {
        Some(stem) if COMPRESSED.contains(&extension.as_str()) => of(Path::new(stem)),
        _ => extension,
    }
}

const COMPRESSED: [&str; 3] = ["gz", "zst", "zstd"];

fn format_of(path: &Path) -> Result<TableFormat, DataError> {
    let whole = path.extension().unwrap_or_default().to_string_lossy();
    let compressed = COMPRESSED.iter().any(|e| whole.eq_ignore_ascii_case(e));
    match extension(path).as_str() {
        "csv" | "tsv" | "txt" => Ok(TableFormat::Csv),
        "parquet" | "pq" if !compressed => Ok(TableFormat::Parquet),
        "xlsx" | "xlsm" | "xls" | "ods" if !compressed => Ok(TableFormat::Excel),
        _ if compressed => Err(DataError::unsupported(format!(
            "only text is read compressed, such as `.csv.{whole}`; unpack the file, or set \
             `format` to `csv` if it is text"
        ))),
        other => Err(DataError::unsupported(format!(
            "the type of the file is not known by its extension '{other}'; known are csv, tsv, \
             txt (each also with .gz or .zst), parquet, pq, xlsx, xlsm, xls and ods, or set \
             `format`"
        ))),
    }
}
