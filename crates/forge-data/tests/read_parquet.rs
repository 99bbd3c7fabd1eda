//! Parquet: every type, nulls, compressions, what is refused, and damaged files.

use std::sync::Arc;

use forge_data::{
    Column, ColumnKind, ColumnRole, ColumnValues, DataError, FindingKind, Layout, ReadOptions,
    ReadReport, Table, read_table,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray,
    FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96, Int96Type,
};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use crate::dirty_csv::{labels, numbers};

type Group<'a> = SerializedRowGroupWriter<'a, Vec<u8>>;

/// Writes the next column: values of the rows that have one.
fn column<T: DataType>(group: &mut Group<'_>, cells: &[Option<T::T>]) {
    let mut writer = group.next_column().unwrap().unwrap();
    let levels: Vec<i16> = cells.iter().map(|c| i16::from(c.is_some())).collect();
    let values: Vec<T::T> = cells.iter().flatten().cloned().collect();
    writer
        .typed::<T>()
        .write_batch(&values, Some(&levels), None)
        .unwrap();
    writer.close().unwrap();
}

fn file(
    schema: &str,
    compression: Compression,
    version: WriterVersion,
    groups: usize,
    mut write: impl FnMut(usize, &mut Group<'_>),
) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(&format!("message m {{ {schema} }}")).unwrap());
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_writer_version(version)
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for i in 0..groups {
        let mut group = writer.next_row_group().unwrap();
        write(i, &mut group);
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

fn plain(schema: &str, write: impl FnMut(usize, &mut Group<'_>)) -> Vec<u8> {
    file(
        schema,
        Compression::UNCOMPRESSED,
        WriterVersion::PARQUET_1_0,
        1,
        write,
    )
}

fn read(bytes: &[u8], options: &ReadOptions) -> Result<(Table, ReadReport), DataError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.parquet");
    std::fs::write(&path, bytes).unwrap();
    read_table(&path, options)
}

fn ok(bytes: &[u8]) -> (Table, ReadReport) {
    read(bytes, &ReadOptions::default()).unwrap()
}

fn message(error: DataError) -> String {
    let text = error.to_string();
    text.split_once("chain.parquet: ")
        .map_or(text.clone(), |(_, rest)| rest.to_owned())
}

fn times(table: &Table, name: &str) -> Vec<i64> {
    match &table.column(name).unwrap().values {
        ColumnValues::DateTime(v) => v.clone(),
        other => panic!("{name} is {other:?}"),
    }
}

fn texts(cells: &[Option<&str>]) -> Vec<Option<ByteArray>> {
    cells.iter().map(|c| c.map(ByteArray::from)).collect()
}

const COMPRESSIONS: [fn() -> Compression; 6] = [
    || Compression::UNCOMPRESSED,
    || Compression::SNAPPY,
    || Compression::GZIP(Default::default()),
    || Compression::ZSTD(ZstdLevel::default()),
    || Compression::LZ4_RAW,
    || Compression::LZ4,
];

#[test]
fn numbers_and_nulls_survive_every_compression() {
    let n = 20_011; // more than a batch, and no multiple of it
    for compression in COMPRESSIONS {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            let value = |i: usize| (!i.is_multiple_of(7)).then_some(i as f64 / 3.0);
            let label = |i: usize| (!i.is_multiple_of(5)).then_some(["C", "P"][i % 2]);
            let bytes = file(
                "OPTIONAL DOUBLE x; OPTIONAL BYTE_ARRAY type (UTF8);",
                compression(),
                version,
                2,
                |group, writer| {
                    let rows = group * n..(group + 1) * n;
                    column::<DoubleType>(writer, &rows.clone().map(value).collect::<Vec<_>>());
                    let cells: Vec<_> = rows.map(label).collect();
                    column::<ByteArrayType>(writer, &texts(&cells));
                },
            );
            let (table, report) = ok(&bytes);
            assert!(matches!(
                report.layout(),
                Layout::Parquet { row_groups: 2, .. }
            ));
            assert!(report.findings().is_empty(), "{report}");
            let (x, types) = (numbers(&table, "x"), labels(&table, "type"));
            assert_eq!((x.len(), types.len()), (2 * n, 2 * n));
            for i in 0..2 * n {
                assert_eq!((!x[i].is_nan()).then_some(x[i]), value(i), "{i}");
                assert_eq!(types[i].as_deref(), label(i), "{i}");
            }
        }
    }
}

#[test]
fn every_physical_and_logical_type_is_read() {
    let schema = "
        OPTIONAL BOOLEAN flag; OPTIONAL INT32 i32; OPTIONAL INT64 i64; OPTIONAL FLOAT f32;
        OPTIONAL INT32 u32 (INTEGER(32,false)); OPTIONAL INT64 u64 (UINT_64);
        OPTIONAL INT32 day (DATE);
        OPTIONAL INT64 ms (TIMESTAMP(MILLIS,true)); OPTIONAL INT64 us (TIMESTAMP_MICROS);
        OPTIONAL INT64 ns (TIMESTAMP(NANOS,false)); OPTIONAL INT96 old;
        OPTIONAL INT32 clock (TIME(MILLIS,true));
        OPTIONAL INT32 d32 (DECIMAL(9,2)); OPTIONAL INT64 d64 (DECIMAL(18,4));
        OPTIONAL BYTE_ARRAY dbytes (DECIMAL(30,3)); OPTIONAL FIXED_LEN_BYTE_ARRAY(5) dfix (DECIMAL(10,1));
        OPTIONAL FIXED_LEN_BYTE_ARRAY(2) half (FLOAT16); OPTIONAL FIXED_LEN_BYTE_ARRAY(16) id (UUID);
        OPTIONAL BYTE_ARRAY venue (ENUM); OPTIONAL BYTE_ARRAY bare;";
    let fixed = |bytes: &[u8]| Some(FixedLenByteArray::from(bytes.to_vec()));
    let bytes = plain(schema, |_, w| {
        column::<BoolType>(w, &[Some(true), None]);
        column::<Int32Type>(w, &[Some(-7), None]);
        column::<Int64Type>(w, &[Some((1 << 53) + 1), None]);
        column::<FloatType>(w, &[Some(0.1), Some(f32::NAN)]);
        column::<Int32Type>(w, &[Some(-1), None]);
        column::<Int64Type>(w, &[Some(i64::MIN), None]);
        column::<Int32Type>(w, &[Some(-1), None]);
        column::<Int64Type>(w, &[Some(-1), None]);
        column::<Int64Type>(w, &[Some(-1_000), None]);
        column::<Int64Type>(w, &[Some(-1), None]);
        // 12:00 of Julian day 2440588, which is 1970-01-01.
        let noon = 43_200_000_000_000u64;
        let mut old = Int96::new();
        old.set_data(noon as u32, (noon >> 32) as u32, 2_440_588);
        column::<Int96Type>(w, &[Some(old), None]);
        column::<Int32Type>(w, &[Some(21_600_000), None]);
        column::<Int32Type>(w, &[Some(-12_345), None]);
        column::<Int64Type>(w, &[Some(123_456_789), None]);
        let negative = (-1_234_567i128).to_be_bytes();
        column::<ByteArrayType>(w, &[Some(ByteArray::from(negative[10..].to_vec())), None]);
        column::<FixedLenByteArrayType>(w, &[fixed(&[0, 0, 0, 1, 1]), None]);
        column::<FixedLenByteArrayType>(w, &[fixed(&0x3e00u16.to_le_bytes()), None]);
        column::<FixedLenByteArrayType>(w, &[fixed(&(0..16).collect::<Vec<u8>>()), None]);
        column::<ByteArrayType>(w, &texts(&[Some("CBOE"), None]));
        column::<ByteArrayType>(w, &texts(&[Some("é"), None]));
    });
    let (table, report) = ok(&bytes);
    let first = |name: &str| {
        let values = numbers(&table, name);
        assert!(values[1].is_nan(), "{name}");
        values[0]
    };
    let label = |name: &str| {
        let values = labels(&table, name);
        assert_eq!(values[1], None, "{name}");
        values[0].clone().unwrap()
    };
    let time = |name: &str| {
        let values = times(&table, name);
        assert_eq!(values[1], Column::MISSING_TIME, "{name}");
        values[0]
    };
    assert_eq!(label("flag"), "true");
    assert_eq!(first("i32"), -7.0);
    assert_eq!(first("i64"), 9_007_199_254_740_992.0);
    assert_eq!(first("f32"), f64::from(0.1f32));
    assert_eq!(first("u32"), 4_294_967_295.0);
    assert_eq!(first("u64"), 9_223_372_036_854_775_808.0);
    assert_eq!(time("day"), -86_400_000);
    assert_eq!(time("ms"), -1);
    assert_eq!(time("us"), -1);
    assert_eq!(time("ns"), -1);
    assert_eq!(time("old"), 43_200_000);
    assert_eq!(first("clock"), 0.25);
    assert_eq!(first("d32"), -123.45);
    assert_eq!(first("d64"), 12_345.678_9);
    assert_eq!(first("dbytes"), -1_234.567);
    assert_eq!(first("dfix"), 25.7);
    assert_eq!(first("half"), 1.5);
    assert_eq!(label("id"), "00010203-0405-0607-0809-0a0b0c0d0e0f");
    assert_eq!((label("venue"), label("bare")), ("CBOE".into(), "é".into()));
    let kinds: Vec<FindingKind> = report.findings().iter().map(|f| f.kind).collect();
    assert_eq!(
        kinds,
        [
            FindingKind::RoundedInteger,
            FindingKind::CutTime,
            FindingKind::Duration
        ],
        "{report}"
    );
    assert_eq!(report.findings()[0].rows, [1]);
}

#[test]
fn required_columns_have_no_nulls() {
    let bytes = plain("REQUIRED INT32 a; REQUIRED DOUBLE b;", |_, w| {
        let mut writer = w.next_column().unwrap().unwrap();
        writer
            .typed::<Int32Type>()
            .write_batch(&[1, 2, 3], None, None)
            .unwrap();
        writer.close().unwrap();
        let mut writer = w.next_column().unwrap().unwrap();
        writer
            .typed::<DoubleType>()
            .write_batch(&[0.5, 1.5, 2.5], None, None)
            .unwrap();
        writer.close().unwrap();
    });
    let (table, _) = ok(&bytes);
    assert_eq!(numbers(&table, "a"), [1.0, 2.0, 3.0]);
    assert_eq!(numbers(&table, "b"), [0.5, 1.5, 2.5]);
    let options = ReadOptions {
        max_rows: Some(2),
        ..ReadOptions::default()
    };
    let (table, report) = read(&bytes, &options).unwrap();
    assert_eq!(numbers(&table, "a"), [1.0, 2.0]);
    assert!(report.finding(FindingKind::Limit, None).is_some());
    let options = ReadOptions {
        max_cells: 5,
        ..ReadOptions::default()
    };
    assert!(message(read(&bytes, &options).unwrap_err()).contains("`max_cells`"));
}

#[test]
fn roles_are_obeyed() {
    let bytes = plain(
        "OPTIONAL INT32 code; OPTIONAL BYTE_ARRAY n (UTF8); OPTIONAL INT32 day;",
        |_, w| {
            column::<Int32Type>(w, &[Some(7), None]);
            column::<ByteArrayType>(w, &texts(&[Some("1.5"), Some("n/a")]));
            column::<Int32Type>(w, &[Some(20_230_914), None]);
        },
    );
    let options = ReadOptions::default()
        .with_column("code", ColumnRole::Categorical)
        .with_column("n", ColumnRole::Numeric)
        .with_column("day", ColumnRole::DateTime);
    let (table, report) = read(&bytes, &options).unwrap();
    assert_eq!(labels(&table, "code"), [Some("7".into()), None]);
    assert_eq!(numbers(&table, "n")[0], 1.5);
    assert_eq!(
        times(&table, "day"),
        [1_694_649_600_000, Column::MISSING_TIME]
    );
    assert_eq!(
        report
            .finding(FindingKind::MissingText, Some("n"))
            .unwrap()
            .rows,
        [2]
    );
    let e = read(
        &bytes,
        &ReadOptions::default().with_column("x", ColumnRole::Ignore),
    )
    .unwrap_err();
    assert!(e.is_config());
    let (table, _) = ok(&bytes);
    assert_eq!(table.column("n").unwrap().kind(), ColumnKind::Categorical);
}

#[test]
fn what_a_table_cannot_hold_is_refused_by_column() {
    let nested = plain(
        "OPTIONAL INT32 a; OPTIONAL group quotes (LIST) { REPEATED group list { OPTIONAL DOUBLE element; } }",
        |_, w| {
            column::<Int32Type>(w, &[Some(1)]);
            let mut writer = w.next_column().unwrap().unwrap();
            writer
                .typed::<DoubleType>()
                .write_batch(&[0.5, 1.5], Some(&[3, 3]), Some(&[0, 1]))
                .unwrap();
            writer.close().unwrap();
        },
    );
    let e = read(&nested, &ReadOptions::default()).unwrap_err();
    assert!(e.is_unsupported());
    assert!(message(e).starts_with("column 'quotes': the column is nested"));
    let options = ReadOptions::default().with_column("quotes", ColumnRole::Ignore);
    let (table, report) = read(&nested, &options).unwrap();
    assert_eq!(numbers(&table, "a"), [1.0]);
    assert_eq!((table.n_columns(), report.columns()[1].kind), (1, None));

    let repeated = plain("REPEATED INT32 a;", |_, w| {
        let mut writer = w.next_column().unwrap().unwrap();
        writer
            .typed::<Int32Type>()
            .write_batch(&[1], Some(&[1]), Some(&[0]))
            .unwrap();
        writer.close().unwrap();
    });
    assert!(
        read(&repeated, &ReadOptions::default())
            .unwrap_err()
            .is_unsupported()
    );

    let bytes = plain("OPTIONAL FIXED_LEN_BYTE_ARRAY(3) raw;", |_, w| {
        column::<FixedLenByteArrayType>(w, &[Some(FixedLenByteArray::from(vec![1, 2, 3]))]);
    });
    let e = read(&bytes, &ReadOptions::default()).unwrap_err();
    assert!(message(e).starts_with("column 'raw': the column holds bytes without a type"));

    let bytes = plain("OPTIONAL BYTE_ARRAY name (UTF8);", |_, w| {
        column::<ByteArrayType>(
            w,
            &[
                Some("a".into()),
                Some(ByteArray::from(b"Soci\xe9".to_vec())),
            ],
        );
    });
    let e = read(&bytes, &ReadOptions::default()).unwrap_err();
    assert_eq!(
        message(e),
        "row 2: column 'name': byte 0xE9 at offset 4 of the text is not UTF-8"
    );

    let bytes = plain("OPTIONAL DOUBLE x;", |_, w| {
        column::<DoubleType>(w, &[Some(1.0), Some(f64::INFINITY)])
    });
    let e = read(&bytes, &ReadOptions::default()).unwrap_err();
    assert!(message(e).starts_with("row 2: column 'x': 'inf' is infinite"));

    let bytes = plain("OPTIONAL DOUBLE x;", |_, w| column::<DoubleType>(w, &[]));
    assert!(
        read(&bytes, &ReadOptions::default())
            .unwrap_err()
            .is_schema()
    );
}

/// Cuts and flipped bits: an error or a table, never a panic.
#[test]
fn damaged_files_give_errors() {
    let good = file(
        "OPTIONAL DOUBLE x; OPTIONAL BYTE_ARRAY type (UTF8); OPTIONAL INT32 day (DATE); OPTIONAL BOOLEAN b;",
        Compression::SNAPPY,
        WriterVersion::PARQUET_2_0,
        2,
        |_, w| {
            column::<DoubleType>(w, &[Some(1.0), None, Some(3.0), Some(4.0)]);
            column::<ByteArrayType>(w, &texts(&[Some("C"), Some("P"), None, Some("C")]));
            column::<Int32Type>(w, &[Some(1), None, Some(2), Some(3)]);
            column::<BoolType>(w, &[Some(true), None, Some(false), Some(true)]);
        },
    );
    assert_eq!(ok(&good).0.n_rows(), 8);
    let (mut refused, mut panicked) = (0, 0);
    let mut check = |bytes: &[u8]| {
        if let Err(e) = read(bytes, &ReadOptions::default()) {
            refused += 1;
            panicked += usize::from(e.to_string().contains("does not expect"));
        }
    };
    for cut in (0..good.len()).step_by(13) {
        check(&good[..cut]);
    }
    for at in 0..good.len() {
        for bit in [0, 3, 7] {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            check(&bytes);
        }
    }
    assert!(refused > good.len() / 2, "{refused} of {}", good.len());
    // The guard against panics is needed (26 with parquet 60.1) and is not what refuses most.
    assert!(
        panicked < refused / 10,
        "{panicked} of {refused} made the reader panic"
    );
}

#[test]
fn types_that_only_a_data_frame_has_are_kept() {
    let path = crate::cases::case("pandas_types.parquet");
    let (table, report) = read_table(&path, &ReadOptions::default()).unwrap();
    // Numbers that pandas has as categories are labels; with an order they are numbers.
    let desks =
        ["10", "20", "10", "30", ""].map(|desk| Some(desk.to_owned()).filter(|d| !d.is_empty()));
    assert_eq!(labels(&table, "desk"), desks);
    assert!(
        report
            .finding(FindingKind::StoredLabels, Some("desk"))
            .is_some()
    );
    assert_eq!(numbers(&table, "rating"), [1.0, 2.0, 3.0, 2.0, 1.0]);
    // Elapsed time is days, whatever it was counted in.
    for held in ["held", "held_s"] {
        let days = numbers(&table, held);
        assert!(days[2].is_nan());
        assert_eq!(
            [days[0], days[1], days[3], days[4]],
            [1.0 / 24.0, 1.5, 2.0, 0.5],
            "{held}"
        );
        assert!(report.finding(FindingKind::Duration, Some(held)).is_some());
    }
    // Who declares has precedence.
    let options = ReadOptions::default().with_column("desk", ColumnRole::Numeric);
    let (table, _) = read_table(&path, &options).unwrap();
    assert_eq!(numbers(&table, "desk")[..4], [10.0, 20.0, 10.0, 30.0]);
}
