//! Nothing that a file holds reaches a terminal as a command.

use forge_data::{ReadOptions, printable, read_csv_from, read_table};

const ESCAPE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}";

fn is_safe(text: &str) {
    let bad = text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    assert_eq!(bad, None, "{text:?}");
}

#[test]
fn names_and_cells_are_escaped_wherever_they_are_shown() {
    let long: String = (0..30).map(|i| format!("\"{ESCAPE}{i}\",{i}\n")).collect();
    for text in [
        format!("x{ESCAPE},y\n1,2\n3,4\n"),
        format!("x{ESCAPE},x{ESCAPE}\n1,2\n"),
        format!("x{ESCAPE},y\n1,2\n3,4\n5,6\na{ESCAPE},1\n"),
        format!("x,y\n1{ESCAPE}\n"),
        format!("x,y\n{ESCAPE},1,2\n"),
        format!("x,y\n{long}"),
        format!("x{ESCAPE},y\n$1{ESCAPE},2\n$5,1\n"),
        format!("\"x\ny{ESCAPE}\",y\nn/a,2\n1,1\n"),
    ] {
        match read_csv_from(text.as_bytes(), &ReadOptions::default()) {
            Ok((table, report)) => {
                is_safe(&table.to_string());
                is_safe(&report.to_string());
                is_safe(&table.column(ESCAPE).unwrap_err().to_string());
            }
            Err(error) => is_safe(&error.to_string()),
        }
    }
    let declared = ReadOptions::default().with_column(ESCAPE, forge_data::ColumnRole::Numeric);
    let error = read_csv_from("x\n1\n".as_bytes(), &declared).unwrap_err();
    is_safe(&error.to_string());
    is_safe(
        &ESCAPE
            .parse::<forge_data::ColumnRole>()
            .unwrap_err()
            .to_string(),
    );
    is_safe(
        &ESCAPE
            .parse::<forge_data::SplitConfig>()
            .unwrap_err()
            .to_string(),
    );
    let error = read_table(format!("{ESCAPE}.csv"), &ReadOptions::default()).unwrap_err();
    is_safe(&error.to_string());
}

#[test]
fn a_line_end_in_a_name_makes_no_line() {
    let (table, report) = read_csv_from(
        "\"a\nb\",y\nn/a,2\n1,1\n".as_bytes(),
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!(report.to_string().lines().count(), 2, "{report}");
    assert!(table.to_string().contains(r"a\nb"), "{table}");
}

#[test]
fn letters_of_all_writings_stay() {
    for text in ["Größe", "価格", "цена", "סטרייק", "a b", "€"] {
        assert_eq!(printable(text), text);
    }
    is_safe(&printable(ESCAPE));
}

#[cfg(feature = "excel")]
#[test]
fn names_of_sheets_are_escaped() {
    use crate::workbook::{cells, save, workbook};
    let rows: &[&[&str]] = &[&["'x"], &["1"]];
    let cells = cells(rows);
    let name = "s&#x9b;31m&#x202e;";
    let book = workbook(&[(name, &cells), ("t&#x9b;", &cells)], "");
    let (_folder, path) = save(&book, "names.xlsx");
    let (_, report) = read_table(&path, &ReadOptions::default()).unwrap();
    is_safe(&report.to_string());
    let options = ReadOptions {
        sheet: Some(ESCAPE.into()),
        ..ReadOptions::default()
    };
    is_safe(&read_table(&path, &options).unwrap_err().to_string());
}
