//! Parquet columns become a table's columns.

use std::fs::File;
use std::path::Path;

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::RowNumbers;
use super::assemble::{check_cells, check_declared, finish, nothing_left};
use super::builder::{ColumnBuilder, Parsing, Rules};
use super::cell::Cell;
use super::data_frame::{DataFrame, Stored};
use super::finding::{Finding, FindingKind};
use super::header;
use super::options::{DuplicateNames, ReadOptions};
use super::parquet_value::Meaning;
use super::report::{ColumnReport, Layout, ReadReport};
use crate::DataError;
use crate::schema::{ColumnKind, ColumnRole, Commas, Decimal, Missing, Profile};
use crate::table::{Column, ColumnValues, Table};

/// Records decoded at a time.
const BATCH: usize = 8192;
/// Rows that vectors are sized for before any is read: a file's own count need not be true.
const TRUSTED_ROWS: usize = 1 << 20;

pub(crate) fn read(path: &Path, options: &ReadOptions) -> Result<(Table, ReadReport), DataError> {
    let file = File::open(path).map_err(|e| DataError::io(path, e))?;
    let reader = SerializedFileReader::new(file).map_err(|e| damaged(&e))?;
    let metadata = reader.metadata();
    let groups = metadata.num_row_groups();
    let mut report = ReadReport::new(Layout::Parquet { row_groups: groups });
    let stated = metadata.file_metadata().num_rows();
    let stated = u64::try_from(stated)
        .map_err(|_| DataError::parse(format!("the file states {stated} rows")))?;
    if stated == 0 {
        return Err(DataError::schema("the file has no rows"));
    }
    let rows = options.max_rows.map_or(stated, |max| stated.min(max));
    if rows < stated {
        let limit = format!("{rows} rows");
        report
            .findings
            .push(Finding::new(FindingKind::Limit, &limit));
    }

    let schema = metadata.file_metadata().schema_descr();
    let fields = schema.root_schema().get_fields();
    check_cells(rows, fields.len(), options)?;
    let stated_names: Vec<String> = fields.iter().map(|f| f.name().to_owned()).collect();
    let has_values = vec![true; fields.len()];
    let frame = DataFrame::of(metadata.file_metadata().key_value_metadata());
    let index = saved_index(&frame, &stated_names, options);
    let needed: Vec<bool> = header::provisional(&stated_names)
        .iter()
        .zip(&stated_names)
        .map(|(renamed, stated)| {
            let refuse = options.duplicate_names == DuplicateNames::Refuse;
            options.needs(if refuse { stated } else { renamed })
        })
        .collect();
    let names = header::unique_names(
        0,
        &stated_names,
        &has_values,
        &needed,
        options,
        &mut report.findings,
    )
    .map_err(|e| e.without_row())?;
    for finding in &mut report.findings {
        finding.rows.clear();
    }
    check_declared(&names, options)?;
    let rules = Rules::new(options, options.decimal.unwrap_or(Decimal::Point), true);
    let mut columns = Vec::with_capacity(fields.len());
    let mut leaf = 0;
    for (i, name) in names.iter().enumerate() {
        let first = leaf;
        while leaf < schema.num_columns() && schema.get_column_root_idx(leaf) == i {
            leaf += 1;
        }
        let name = name.as_deref().unwrap_or_default();
        let role = options.role(name);
        let is_index = index.iter().any(|index| index == name);
        if is_index {
            let finding = Finding::new(FindingKind::SavedIndex, "the file's footer");
            report.findings.push(finding.in_column(name));
        }
        if is_index || !needed[i] {
            report.columns.push(ColumnReport::not_read(name.into()));
            continue;
        }
        let column = (leaf == first + 1 && fields[i].is_primitive()).then(|| schema.column(first));
        let Some(column) = column.filter(|c| c.max_rep_level() == 0) else {
            return Err(DataError::unsupported(
                "the column is nested (a list, map or struct); flatten it, or declare it `ignore`",
            )
            .at_column(name));
        };
        let (mut meaning, mut kind) = Meaning::of(&column).map_err(|e| e.at_column(name))?;
        match frame.stored(&stated_names[i]) {
            Some(Stored::Elapsed { per_day }) if meaning == Meaning::Plain => {
                meaning = Meaning::Elapsed { per_day };
            }
            Some(Stored::Labels) if role.is_none() && kind == ColumnKind::Numeric => {
                kind = ColumnKind::Categorical;
                let finding = Finding::new(FindingKind::StoredLabels, "the file's footer");
                report.findings.push(finding.in_column(name));
            }
            _ => {}
        }
        let kind = role.and_then(ColumnRole::kind).unwrap_or(kind);
        let capacity = usize::try_from(rows).map_or(TRUSTED_ROWS, |rows| rows.min(TRUSTED_ROWS));
        let mut sink = Sink {
            builder: ColumnBuilder::new(name, kind, role.is_some(), capacity)
                .parsing(Parsing::of(role)),
            rules: &rules,
            meaning,
            nullable: column.max_def_level() > 0,
            rows: 0,
            limit: rows,
            text: String::new(),
        };
        for group in 0..groups {
            if sink.rows == rows {
                break;
            }
            let values = reader
                .get_row_group(group)
                .and_then(|group| group.get_column_reader(first))
                .map_err(|e| damaged(&e).at_column(name))?;
            sink.read(values).map_err(|e| e.at_column(name))?;
        }
        if sink.rows != rows {
            return Err(DataError::parse(format!(
                "the column has {} rows, but the file states {stated}",
                sink.rows
            ))
            .at_column(name));
        }
        let column = finish(sink.builder, &mut report);
        if role.is_none() {
            note_resemblance(&column, &mut report);
        }
        columns.push(column);
    }
    if columns.is_empty() {
        return Err(nothing_left(options));
    }
    let table = Table::new(columns)?;
    report.rows = table.n_rows();
    report.numbers = RowNumbers::first(table.n_rows());
    report.header_row = Some(0);
    Ok((table, report))
}

/// The columns that the file's footer calls an index, as a data frame's writer leaves it there.
fn saved_index(frame: &DataFrame, names: &[String], options: &ReadOptions) -> Vec<String> {
    let index: Vec<String> = frame
        .index()
        .filter(|name| names.iter().any(|n| n == name) && options.may_leave_out(name))
        .map(String::from)
        .collect();
    if index.len() < names.len() {
        index
    } else {
        Vec::new()
    }
}

/// Says where the labels of a text column look like numbers or dates: a Parquet file has types,
/// so they stay labels, but that may not be what was meant.
fn note_resemblance(column: &Column, report: &mut ReadReport) {
    let ColumnValues::Categorical(labels) = &column.values else {
        return;
    };
    let missing = Missing::new(&ReadOptions::default());
    let mut profile = Profile::default();
    for label in &labels.categories {
        profile.see(0, &Cell::Text(label), &missing, Commas::WhereNeeded);
    }
    let (numbers, dates) = (
        profile
            .amounts(Decimal::Point)
            .max(profile.amounts(Decimal::Comma)),
        profile.dates() + profile.others.unread_dates,
    );
    let kind = if profile.is_identifier() || profile.is_code() {
        return;
    } else if profile.most(numbers + profile.others.unread_numbers + profile.others.thirty_seconds)
    {
        FindingKind::LooksNumeric
    } else if profile.most(dates) {
        FindingKind::LooksLikeDates
    } else {
        return;
    };
    if let Some(first) = labels.categories.first() {
        let finding = Finding::new(kind, first).in_column(&column.name);
        report.findings.push(finding);
    }
}

pub(crate) fn damaged(error: &ParquetError) -> DataError {
    DataError::parse(format!("not a readable Parquet file: {error}"))
}

/// Takes the values of one column, row group after row group.
struct Sink<'r> {
    builder: ColumnBuilder,
    rules: &'r Rules,
    meaning: Meaning,
    nullable: bool,
    rows: u64,
    limit: u64,
    /// Room for the text of one cell.
    text: String,
}

impl Sink<'_> {
    fn read(&mut self, reader: ColumnReader) -> Result<(), DataError> {
        match reader {
            ColumnReader::BoolColumnReader(r) => self.values(r, |v, _, _| Ok(Cell::Bool(*v))),
            ColumnReader::Int32ColumnReader(r) => self.values(r, |v, meaning, _| meaning.int32(*v)),
            ColumnReader::Int64ColumnReader(r) => self.values(r, |v, meaning, _| meaning.int64(*v)),
            ColumnReader::Int96ColumnReader(r) => self.values(r, |v, _, _| Meaning::int96(v)),
            ColumnReader::FloatColumnReader(r) => {
                self.values(r, |v, _, _| Ok(Cell::Number(f64::from(*v))))
            }
            ColumnReader::DoubleColumnReader(r) => self.values(r, |v, _, _| Ok(Cell::Number(*v))),
            ColumnReader::ByteArrayColumnReader(r) => {
                self.values(r, |v, meaning, text| meaning.bytes(v.data(), text))
            }
            ColumnReader::FixedLenByteArrayColumnReader(r) => {
                self.values(r, |v, meaning, text| meaning.bytes(v.data(), text))
            }
        }
    }

    fn values<T: DataType>(
        &mut self,
        mut reader: ColumnReaderImpl<T>,
        convert: impl for<'a> Fn(&'a T::T, Meaning, &'a mut String) -> Result<Cell<'a>, DataError>,
    ) -> Result<(), DataError> {
        let mut levels: Vec<i16> = Vec::new();
        let mut values: Vec<T::T> = Vec::new();
        while self.rows < self.limit {
            levels.clear();
            values.clear();
            let wanted = usize::try_from(self.limit - self.rows).map_or(BATCH, |n| n.min(BATCH));
            let (records, _, _) = reader
                .read_records(
                    wanted,
                    self.nullable.then_some(&mut levels),
                    None,
                    &mut values,
                )
                .map_err(|e| damaged(&e))?;
            if records == 0 {
                break;
            }
            let mut present = values.iter();
            for record in 0..records {
                self.rows += 1;
                let here = !self.nullable || levels.get(record).is_some_and(|&level| level > 0);
                let value = if here { present.next() } else { None };
                if here && value.is_none() {
                    return Err(
                        DataError::parse("a value is missing from its page").at_row(self.rows)
                    );
                }
                let cell = match value {
                    Some(value) => convert(value, self.meaning, &mut self.text)
                        .map_err(|e| e.at_row(self.rows))?,
                    None => Cell::Empty,
                };
                self.builder.push(self.rows, &cell, self.rules)?;
            }
        }
        Ok(())
    }
}

/// What a column's values stand for.
pub(crate) fn logical(column: &ColumnDescriptor) -> Option<LogicalType> {
    if let Some(logical) = column.logical_type_ref() {
        return Some(logical.clone());
    }
    // Older files have the converted type alone.
    Some(match column.converted_type() {
        ConvertedType::UTF8 => LogicalType::String,
        ConvertedType::ENUM => LogicalType::Enum,
        ConvertedType::JSON => LogicalType::Json,
        ConvertedType::BSON => LogicalType::Bson,
        ConvertedType::DECIMAL => {
            LogicalType::decimal(column.type_scale(), column.type_precision())
        }
        ConvertedType::DATE => LogicalType::Date,
        ConvertedType::TIME_MILLIS => LogicalType::time(true, TimeUnit::MILLIS),
        ConvertedType::TIME_MICROS => LogicalType::time(true, TimeUnit::MICROS),
        ConvertedType::TIMESTAMP_MILLIS => LogicalType::timestamp(true, TimeUnit::MILLIS),
        ConvertedType::TIMESTAMP_MICROS => LogicalType::timestamp(true, TimeUnit::MICROS),
        ConvertedType::UINT_8
        | ConvertedType::UINT_16
        | ConvertedType::UINT_32
        | ConvertedType::UINT_64 => {
            let bits = if column.physical_type() == Physical::INT64 {
                64
            } else {
                32
            };
            LogicalType::integer(bits, false)
        }
        _ => return None,
    })
}
