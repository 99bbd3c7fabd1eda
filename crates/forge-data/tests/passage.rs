//! Files written again with columns beside what they hold.

use std::path::Path;

use forge_data::{Column, Passage, ReadOptions, ReadReport, Table, read_table};

fn read(path: &Path, options: &ReadOptions) -> (Table, ReadReport) {
    read_table(path, options).unwrap()
}

fn numbered(rows: usize) -> Vec<Column> {
    let numbers = (0..rows).map(|i| i as f64 + 0.5).collect();
    vec![
        Column::numeric("n", numbers),
        Column::categorical("what;ever", (0..rows).map(|_| Some("a;b,\"c\""))),
    ]
}

/// Writes `text` and what is made of it.
fn beside(text: &str, options: &ReadOptions) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("in.csv"), folder.path().join("out.csv"));
    std::fs::write(&from, text).unwrap();
    let (table, report) = read(&from, options);
    let passage = Passage::of(&report, options).unwrap();
    passage.write(&to, &numbered(table.n_rows())).unwrap();
    String::from_utf8(std::fs::read(to).unwrap()).unwrap()
}

fn sample(text: &str, options: &ReadOptions, rows: &[usize]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("in.csv"), folder.path().join("out.csv"));
    std::fs::write(&from, text).unwrap();
    let (table, report) = read(&from, options);
    let passage = Passage::of(&report, options).unwrap();
    passage.write_sample(&to, rows).unwrap();
    // It is read as the file was.
    let (again, _) = read(&to, options);
    assert_eq!(again.n_rows(), rows.len());
    for (i, row) in rows.iter().enumerate() {
        let (a, b) = (again.select_rows(&[i]), table.select_rows(&[*row]));
        let cells = |table: Table| {
            table
                .to_string()
                .lines()
                .skip(1)
                .map(cut)
                .collect::<Vec<_>>()
        };
        assert_eq!(cells(a.unwrap()), cells(b.unwrap()), "row {row}");
    }
    String::from_utf8(std::fs::read(to).unwrap()).unwrap()
}

/// A column's line without its number of labels, which is that of the file.
fn cut(line: &str) -> String {
    line.split("  ")
        .filter(|part| !part.ends_with("labels"))
        .collect()
}

#[test]
fn every_byte_of_a_csv_record_stays() {
    let plain = ReadOptions::default();
    // The quoted "00,8" says that the file's decimals have a comma: so have the new ones.
    let text = "id,\" a \"\r\n007, x \r\n\r\n\"00,8\",\"NA\"\r\n,\r\n009,1E1";
    assert_eq!(
        beside(text, &plain),
        "id,\" a \",n,what;ever\r\n\
         007, x ,\"0,5\",\"a;b,\"\"c\"\"\"\r\n\
         \r\n\
         \"00,8\",\"NA\",\"1,5\",\"a;b,\"\"c\"\"\"\r\n\
         ,,\"2,5\",\"a;b,\"\"c\"\"\"\r\n\
         009,1E1,\"3,5\",\"a;b,\"\"c\"\"\""
    );
    // A record over two lines, and a byte-order mark.
    assert_eq!(
        beside("\u{feff}a\n\"x\ny\"\nz\n", &plain),
        "\u{feff}a,n,what;ever\n\"x\ny\",0.5,\"a;b,\"\"c\"\"\"\nz,1.5,\"a;b,\"\"c\"\"\"\n"
    );
}

#[test]
fn marks_follow_the_file() {
    let text = "sep=;\na;b\n1,5;x\n2,5;y\n";
    assert_eq!(
        beside(text, &ReadOptions::default()),
        "sep=;\na;b;n;\"what;ever\"\n1,5;x;0,5;\"a;b,\"\"c\"\"\"\n2,5;y;1,5;\"a;b,\"\"c\"\"\"\n"
    );
}

/// Titles, units, totals and empty rows at the end stay where they are.
#[test]
fn rows_that_are_not_the_tables_stay_and_keep_its_width() {
    let options = ReadOptions {
        skip_rows: 1,
        skip_after_header: 1,
        skip_footer: 1,
        ..ReadOptions::default()
    };
    let text = "Chain, as of today\nk,v\nUSD,-\n1,2\n3,4\nTotal,6\n";
    let cell = "\"a;b,\"\"c\"\"\"";
    assert_eq!(
        beside(text, &options),
        format!(
            "Chain, as of today\nk,v,n,what;ever\nUSD,-,,\n1,2,0.5,{cell}\n3,4,1.5,{cell}\nTotal,6,,\n"
        )
    );
    assert_eq!(
        beside("k,v\n1,2\n,\n,\n", &ReadOptions::default()),
        format!("k,v,n,what;ever\n1,2,0.5,{cell}\n,,,\n,,,\n")
    );
    let headless = ReadOptions {
        has_header: Some(false),
        ..ReadOptions::default()
    };
    assert_eq!(
        beside("1,2\n3,4\n", &headless),
        format!("1,2,0.5,{cell}\n3,4,1.5,{cell}\n")
    );
}

#[test]
fn a_sample_has_all_that_is_around_the_table() {
    let options = ReadOptions {
        skip_rows: 1,
        skip_footer: 1,
        ..ReadOptions::default()
    };
    let text = "title\r\nk,v\r\n1,a\r\n2, b\r\n\r\n3,c\r\ntotal,6";
    assert_eq!(
        sample(text, &options, &[1, 2]),
        "title\r\nk,v\r\n2, b\r\n3,c\r\ntotal,6\n"
    );
    let comma = ReadOptions::default();
    assert_eq!(
        sample("a;b\n1,5;x\n2,25;y\n", &comma, &[1]),
        "a;b\n2,25;y\n"
    );
}

#[test]
fn what_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("in.csv"), "a,b\n1,2\n").unwrap();
    let options = ReadOptions::default();
    let (_, report) = read(&at("in.csv"), &options);
    let passage = Passage::of(&report, &options).unwrap();
    let write = |name: &str, columns: &[Column]| passage.write(at(name), columns).unwrap_err();
    for name in ["out.xlsx", "out.json", "out.csv.gz"] {
        let error = write(name, &[]);
        let text = error.to_string();
        assert!(
            error.is_unsupported() && text.contains(name) && text.contains(".csv"),
            "{text}"
        );
    }
    let error = write("out.tsv", &[]);
    assert!(
        error.is_unsupported() && error.to_string().contains("','"),
        "{error}"
    );
    let error = write("out.csv", &[Column::numeric("b", vec![1.0])]);
    assert!(
        error.is_schema() && error.to_string().contains("'b'"),
        "{error}"
    );
    let error = write("out.csv", &[Column::numeric("c", vec![1.0, 2.0])]);
    assert!(
        error.is_schema() && error.to_string().contains("2 rows"),
        "{error}"
    );
    std::fs::write(at("in.csv"), "a,b\n").unwrap();
    let error = write("out.csv", &[Column::numeric("c", vec![1.0])]);
    assert!(error.to_string().contains("changed"), "{error}");
    assert!(!at("out.csv").exists());
    let error = passage.write_sample(at("out.csv"), &[1]).unwrap_err();
    assert!(error.is_config(), "{error}");
}

/// Numbers with all their digits, dates, errors and logical values of a sheet, title row included.
#[cfg(feature = "excel")]
#[test]
fn a_sheet_becomes_text_that_the_same_settings_read() {
    let cells = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>Chain</t></is></c></row>
        <row r="3"><c r="A3" t="inlineStr"><is><t>k</t></is></c><c r="B3" t="inlineStr"><is><t>day</t></is></c><c r="C3" t="inlineStr"><is><t>id</t></is></c></row>
        <row r="4"><c r="A4"><v>0.30000000000000004</v></c><c r="B4" s="1"><v>45000</v></c><c r="C4" t="inlineStr"><is><t>007</t></is></c></row>
        <row r="6"><c r="A6"><v>2</v></c><c r="B6" s="1"><v>45001</v></c><c r="C6" t="b"><v>1</v></c></row>"#;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(
        at("in.xlsx"),
        crate::workbook::workbook(&[("S", cells)], ""),
    )
    .unwrap();
    let options = ReadOptions {
        skip_rows: 2,
        ..ReadOptions::default()
    };
    let (table, report) = read(&at("in.xlsx"), &options);
    let passage = Passage::of(&report, &options).unwrap();
    passage
        .write(at("out.csv"), &numbered(table.n_rows()))
        .unwrap();
    let cell = "\"a;b,\"\"c\"\"\"";
    let text = std::fs::read_to_string(at("out.csv")).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows.len(), 6);
    assert!(rows[0].starts_with("Chain,"), "{text}");
    assert_eq!(rows[2], "k,day,id,n,what;ever");
    assert_eq!(
        rows[3],
        format!("0.30000000000000004,2023-03-15,007,0.5,{cell}")
    );
    assert_eq!(rows[4], format!(",,,1.5,{cell}"));
    assert_eq!(rows[5], format!("2,2023-03-16,TRUE,2.5,{cell}"));
    let (again, _) = read(&at("out.csv"), &options);
    // As text, since a missing number is not equal to itself.
    let cells = |table: &Table, name: &str| format!("{:?}", table.column(name).unwrap());
    for name in ["k", "day"] {
        assert_eq!(cells(&again, name), cells(&table, name));
    }
    passage.write_sample(at("sample.csv"), &[2]).unwrap();
    let (sample, _) = read(&at("sample.csv"), &options);
    assert_eq!(sample.n_rows(), 1);
}

#[cfg(feature = "parquet")]
mod parquet_files {
    use std::sync::Arc;

    use forge_data::{Column, ColumnValues, Passage, ReadOptions, Table};
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
    use parquet::file::metadata::KeyValue;
    use parquet::file::properties::WriterProperties;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::{numbered, read};

    /// Two groups of two rows: a stamp in microseconds, an identifier beyond 2^53, a text, a list.
    fn file() -> Vec<u8> {
        let schema = "message m { required int64 at (TIMESTAMP(MICROS, true)); \
                      required int64 id; optional binary note (STRING); \
                      optional group l (LIST) { repeated group list { optional double element; } } }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let pair = |key: &str| KeyValue::new(key.to_string(), "x".to_string());
        let properties = WriterProperties::builder()
            .set_key_value_metadata(Some(vec![pair("ARROW:schema"), pair("mine")]))
            .build();
        let mut writer =
            SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
        for group in 0..2 {
            let mut rows = writer.next_row_group().unwrap();
            let mut ints = |values: [i64; 2]| {
                let mut column = rows.next_column().unwrap().unwrap();
                column
                    .typed::<Int64Type>()
                    .write_batch(&values, None, None)
                    .unwrap();
                column.close().unwrap();
            };
            ints([1_700_000_000_123_456, 1_700_000_000_000_000 + group]);
            ints([9_007_199_254_740_993, group]);
            let mut column = rows.next_column().unwrap().unwrap();
            let text = [ByteArray::from("NA, \"x\"")];
            column
                .typed::<ByteArrayType>()
                .write_batch(&text, Some(&[1, 0]), None)
                .unwrap();
            column.close().unwrap();
            let mut column = rows.next_column().unwrap().unwrap();
            column
                .typed::<DoubleType>()
                .write_batch(&[1.5, 2.5], Some(&[3, 3, 0]), Some(&[0, 1, 0]))
                .unwrap();
            column.close().unwrap();
            rows.close().unwrap();
        }
        writer.into_inner().unwrap()
    }

    #[test]
    fn parquet_columns_are_copied_as_they_are_stored() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("in.parquet"), file()).unwrap();
        let options = ReadOptions::default().with_only(["at", "id", "note"]);
        let (table, report) = read(&at("in.parquet"), &options);
        let passage = Passage::of(&report, &options).unwrap();
        passage
            .write(at("out.parquet"), &numbered(table.n_rows()))
            .unwrap();
        let open =
            |name| SerializedFileReader::new(std::fs::File::open(at(name)).unwrap()).unwrap();
        let (before, after) = (open("in.parquet"), open("out.parquet"));
        let rows = |file: &SerializedFileReader<std::fs::File>| -> Vec<Vec<String>> {
            let rows = file.get_row_iter(None).unwrap();
            rows.map(|row| {
                let row = row.unwrap();
                row.get_column_iter()
                    .map(|(name, f)| format!("{name}={f}"))
                    .collect()
            })
            .collect()
        };
        let (before, written) = (rows(&before), rows(&after));
        for (i, (before, written)) in before.iter().zip(&written).enumerate() {
            assert_eq!(written[..4], before[..]);
            assert_eq!(written[4], format!("n={:.1}", i as f64 + 0.5));
            assert_eq!(written[5], "what;ever=\"a;b,\"c\"\"");
        }
        assert_eq!(written.len(), 4);
        let pairs = after
            .metadata()
            .file_metadata()
            .key_value_metadata()
            .unwrap();
        let keys: Vec<&str> = pairs.iter().map(|pair| pair.key.as_str()).collect();
        assert_eq!(
            keys,
            ["mine"],
            "what described the columns that there were is left out"
        );
    }

    #[test]
    fn as_text_parquet_keeps_its_digits() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("in.parquet"), file()).unwrap();
        let options = ReadOptions::default().with_only(["id", "note"]);
        let (table, report) = read(&at("in.parquet"), &options);
        let passage = Passage::of(&report, &options).unwrap();
        let number = &numbered(table.n_rows())[..1];
        passage.write(at("out.csv"), number).unwrap();
        let text = std::fs::read_to_string(at("out.csv")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "at,id,note,l,n");
        assert!(
            lines[1].starts_with("2023-11-14T22:13:20.123456Z,9007199254740993,\"NA, \"\"x\"\"\","),
            "{text}"
        );
        assert!(lines[1].ends_with(",0.5") && lines.len() == 5, "{text}");
        passage.write_sample(at("sample.csv"), &[3]).unwrap();
        let text = std::fs::read_to_string(at("sample.csv")).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(
            text.lines()
                .nth(1)
                .unwrap()
                .starts_with("2023-11-14T22:13:20.000001Z,1,,"),
            "{text}"
        );
    }

    #[test]
    fn tables_are_written_with_their_types() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.parquet");
        let table = Table::new(vec![
            Column::numeric("x", vec![0.1 + 0.2, f64::NAN, -1e300]),
            Column::categorical("l", [Some("007"), None, Some("")]),
            Column::date_time("t", vec![0, Column::MISSING_TIME, -1]),
        ])
        .unwrap();
        table.write(&path).unwrap();
        let (again, _) = read(&path, &ReadOptions::default());
        let ColumnValues::Numeric(x) = &again.column("x").unwrap().values else {
            panic!("numbers stay numbers");
        };
        assert_eq!((x[0], x[1].is_nan(), x[2]), (0.1 + 0.2, true, -1e300));
        assert_eq!(again.column("t").unwrap(), table.column("t").unwrap());
        let ColumnValues::Categorical(l) = &again.column("l").unwrap().values else {
            panic!("labels stay labels");
        };
        assert_eq!((l.label(0), l.label(1)), (Some("007"), None));
        let error = table.write(folder.path().join("table.xlsx")).unwrap_err();
        assert!(error.is_unsupported(), "{error}");
    }
}
