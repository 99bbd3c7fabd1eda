//! Errors of the readers say what was found, where, and which setting helps; and the setting does.

use forge_data::{ColumnKind, DuplicateNames, FindingKind, ReadOptions, read_csv_from, read_table};

use crate::cases::case;
use crate::dirty_csv::numbers;

fn refusal(name: &str, options: &ReadOptions) -> String {
    read_table(case(name), options).unwrap_err().to_string()
}

fn skip_rows(skip_rows: u64) -> ReadOptions {
    ReadOptions {
        skip_rows,
        ..ReadOptions::default()
    }
}

fn skip_footer(skip_footer: u64) -> ReadOptions {
    ReadOptions {
        skip_footer,
        ..ReadOptions::default()
    }
}

#[test]
fn lines_above_the_header_lead_to_skip_rows() {
    for (name, skip, width) in [
        ("title_line.csv", 1, 4),
        ("comment_line.csv", 1, 4),
        ("quote_board.csv", 2, 18),
    ] {
        let error = refusal(name, &ReadOptions::default());
        let expected = format!(
            "most rows have {width} fields, from row {} on: if that is the header, set \
             `skip_rows` to {skip}",
            skip + 1
        );
        assert!(error.contains(&expected), "{error}");
        let options = ReadOptions {
            duplicate_names: DuplicateNames::Rename,
            ..skip_rows(skip)
        };
        let (table, _) = read_table(case(name), &options).unwrap();
        assert_eq!(table.n_columns(), width, "{name}");
    }
    let (table, _) = read_table(
        case("quote_board.csv"),
        &ReadOptions {
            duplicate_names: DuplicateNames::Rename,
            ..skip_rows(2)
        },
    )
    .unwrap();
    assert_eq!(
        table.column("Expiration Date").unwrap().kind(),
        ColumnKind::DateTime
    );
    // The delimiter is seen although the title has none.
    let text = "Chain\nk;iv\n100;0,2\n110;0,19\n120;0,18\n130;0,18\n";
    let error = read_csv_from(text.as_bytes(), &ReadOptions::default()).unwrap_err();
    assert!(
        error.to_string().contains("set `skip_rows` to 1"),
        "{error}"
    );
}

#[test]
fn more_rows_to_skip_than_there_are_is_an_error() {
    let error = refusal("title_line.csv", &skip_rows(1 << 63));
    assert!(
        error.contains("`skip_rows` is 9223372036854775808, but the file has only 242 rows"),
        "{error}"
    );
}

#[test]
fn a_row_of_units_leads_to_a_header_of_two_rows() {
    let error = refusal("units_line.csv", &ReadOptions::default());
    assert!(
        error.contains("row 2: column 'strike': 'USD' is not a number")
            && error.contains("set `header_rows` to 2, or `skip_after_header` to 1"),
        "{error}"
    );
    let options = ReadOptions {
        skip_after_header: 1,
        ..ReadOptions::default()
    };
    let (table, report) = read_table(case("units_line.csv"), &options).unwrap();
    assert_eq!((table.n_rows(), numbers(&table, "strike")[0]), (120, 102.5));
    assert_eq!(
        report
            .finding(FindingKind::AfterHeader, None)
            .unwrap()
            .count,
        1
    );
    let options = ReadOptions {
        header_rows: 2,
        ..ReadOptions::default()
    };
    let (table, _) = read_table(case("units_line.csv"), &options).unwrap();
    assert_eq!(numbers(&table, "strike USD")[0], 102.5);
    assert_eq!(table.columns()[3].name, "iv");
}

#[test]
fn a_header_of_three_rows_can_be_read() {
    let error = refusal("three_line_header.csv", &ReadOptions::default());
    assert!(
        error.contains("'Ticker' is not a date") && error.contains("`header_rows`"),
        "{error}"
    );
    let options = ReadOptions {
        header_rows: 3,
        ..ReadOptions::default()
    };
    let (table, _) = read_table(case("three_line_header.csv"), &options).unwrap();
    let names: Vec<&str> = table.columns().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(
        names,
        ["Price Ticker Date", "Close XYZ", "High XYZ", "Volume XYZ"]
    );
    assert_eq!(table.columns()[0].kind(), ColumnKind::DateTime);
    let options = ReadOptions {
        header_rows: 0,
        ..ReadOptions::default()
    };
    assert!(
        refusal("three_line_header.csv", &options)
            .contains("`header_rows` is 0; allowed are 1 to 100")
    );
}

#[test]
fn a_note_at_the_end_leads_to_skip_footer() {
    let error = refusal("footer_line.csv", &ReadOptions::default());
    assert!(
        error.contains("row 122: column 't': 1 field, but row 1 has 4")
            && error.contains("'Downloaded as of 09-14-2023 04:00pm CDT'")
            && error.contains("`skip_footer`"),
        "{error}"
    );
    let (table, report) = read_table(case("footer_line.csv"), &skip_footer(1)).unwrap();
    assert_eq!(
        (table.n_rows(), numbers(&table, "strike")[119]),
        (120, 87.5)
    );
    let finding = report.finding(FindingKind::Footer, None).unwrap();
    assert_eq!((finding.count, finding.rows[0]), (1, 122));
    // Blank lines after it do not count.
    let text = "x,y\n1,2\n3,4\n5,6\nnote\n\n,\n\n";
    let (table, _) = read_csv_from(text.as_bytes(), &skip_footer(1)).unwrap();
    assert_eq!(numbers(&table, "y"), [2.0, 4.0, 6.0]);
    let error = read_csv_from("x\n1\n".as_bytes(), &skip_footer(9)).unwrap_err();
    assert!(error.to_string().contains("has only 2 rows"), "{error}");
}

#[test]
fn words_for_a_missing_value_are_listed_at_once() {
    let options = ReadOptions {
        missing_values: vec!["inf".into()],
        ..ReadOptions::default()
    };
    let error = refusal("null_words.csv", &options);
    for word in [
        "'(null)'",
        "'--'",
        "'\\N'",
        "'N.A.'",
        "'missing'",
        "'nil'",
        "'unknown'",
    ] {
        assert!(error.contains(word), "{word} is not in {error}");
    }
    assert!(error.contains("list them in `missing_values`"), "{error}");
    let options = ReadOptions {
        missing_values: [
            "inf", "(null)", "--", "\\N", "N.A.", "missing", "nil", "unknown", "#DIV/0!",
        ]
        .map(String::from)
        .to_vec(),
        ..ReadOptions::default()
    };
    let (table, _) = read_table(case("null_words.csv"), &options).unwrap();
    assert_eq!(
        numbers(&table, "a").iter().filter(|v| v.is_nan()).count(),
        60
    );
}

#[test]
fn files_that_are_no_text_are_called_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.csv");
    for (start, what) in [
        (&b"PAR1\x15\x04"[..], "a Parquet file"),
        (
            &b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..],
            "an old Excel workbook",
        ),
    ] {
        std::fs::write(&path, start).unwrap();
        let error = read_table(&path, &ReadOptions::default()).unwrap_err();
        assert!(
            error.is_unsupported() && error.to_string().contains(what),
            "{error}"
        );
    }
}

#[cfg(feature = "excel")]
mod sheets {
    use super::{ReadOptions, case, numbers, read_table, refusal, skip_footer};

    #[test]
    fn a_workbook_named_csv_is_called_a_workbook() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.csv");
        std::fs::copy(case("total_row.xlsx"), &path).unwrap();
        let error = read_table(&path, &ReadOptions::default())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("is an Excel workbook (`.xlsx`), whatever its name"),
            "{error}"
        );
        // And text named as a workbook.
        let path = folder.path().join("chain.xls");
        std::fs::write(&path, "<html><table>").unwrap();
        let error = read_table(&path, &ReadOptions::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("a page of HTML or XML"), "{error}");
        std::fs::write(&path, "k,iv\n1,2\n").unwrap();
        let error = read_table(&path, &ReadOptions::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("set `format` to `csv`"), "{error}");
    }

    #[test]
    fn a_sheet_without_a_table_leads_to_the_others() {
        let error = refusal("readme_sheet_first.xlsx", &ReadOptions::default());
        assert!(
            error.contains("there are no data rows") && error.contains("set `sheet` to '"),
            "{error}"
        );
        let name = error.rsplit("set `sheet` to '").next().unwrap();
        let options = ReadOptions {
            sheet: Some(name.trim_end_matches('\'').into()),
            ..ReadOptions::default()
        };
        assert!(
            read_table(case("readme_sheet_first.xlsx"), &options)
                .unwrap()
                .0
                .n_rows()
                > 100
        );
    }

    #[test]
    fn a_row_of_totals_leads_to_skip_footer() {
        let error = refusal("total_row.xlsx", &ReadOptions::default());
        assert!(
            error.contains("row 123: column 'strike': 'Total' is not a number")
                && error.contains("set `skip_footer` to 1"),
            "{error}"
        );
        let (table, _) = read_table(case("total_row.xlsx"), &skip_footer(1)).unwrap();
        assert_eq!(
            (table.n_rows(), numbers(&table, "strike")[119]),
            (120, 110.0)
        );
    }
}
