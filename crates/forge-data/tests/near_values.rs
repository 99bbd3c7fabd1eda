//! Texts that are nearly numbers or dates: read, refused with a cell and the setting, or said.

use forge_data::{
    ColumnKind, ColumnRole, ColumnValues, DataError, DateOrder, FindingKind, ReadOptions,
    ReadReport, Table, read_csv_from, read_table,
};

use crate::cases::case;
use crate::dirty_csv::{labels, numbers};

fn read(text: &str) -> Result<(Table, ReadReport), DataError> {
    read_csv_from(text.as_bytes(), &ReadOptions::default())
}

fn with(text: &str, column: &str, role: &str) -> Result<(Table, ReadReport), DataError> {
    let options = ReadOptions::default().with_column(column, role.parse().unwrap());
    read_csv_from(text.as_bytes(), &options)
}

fn refusal(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn times(table: &Table, name: &str) -> Vec<i64> {
    match &table.column(name).unwrap().values {
        ColumnValues::DateTime(times) => times.clone(),
        other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn currency_and_thousands_become_numbers() {
    let (table, report) = read_table(case("dollar_and_k.csv"), &ReadOptions::default()).unwrap();
    let (iv, price, vol) = (
        numbers(&table, "iv"),
        numbers(&table, "price"),
        numbers(&table, "vol"),
    );
    // The file's price is 40 times the volatility in dollars and cents.
    for (iv, price) in iv.iter().zip(&price) {
        assert!((price - 40.0 * iv).abs() < 0.0051, "{price} for {iv}");
    }
    assert_eq!(vol.iter().filter(|v| **v == 1200.0).count(), 160);
    assert_eq!(vol.iter().filter(|v| **v == 350.0).count(), 80);
    let found = |kind, column| report.finding(kind, Some(column)).unwrap().count;
    assert_eq!(found(FindingKind::Currency, "price"), 240);
    assert_eq!(found(FindingKind::Magnitude, "vol"), 160);
}

#[test]
fn percentages_are_divided_and_never_mixed() {
    let (table, report) = read("x;y\n12%;1\n-0,5 %;2\n7%;3\n").unwrap();
    assert_eq!(numbers(&table, "x"), [0.12, -0.005, 0.07]);
    assert!(report.finding(FindingKind::Percent, Some("x")).is_some());
    let mixed = "x,y\n12%,1\n0.5,2\n7%,3\n";
    let refused = refusal(mixed);
    assert!(
        refused.starts_with("row 2: column 'x': '12%' is a percentage, but"),
        "{refused}"
    );
    let (table, _) = with(mixed, "x", "numeric").unwrap();
    assert_eq!(numbers(&table, "x"), [0.12, 0.5, 0.07]);
}

#[test]
fn two_currencies_are_refused_with_both_cells() {
    let refused = refusal("x,y\n$5,1\n€6,2\n$7,3\n");
    assert!(
        refused.starts_with("row 3: column 'x': '€6' is in another currency than '$5' in row 2"),
        "{refused}"
    );
}

#[test]
fn parentheses_are_a_minus() {
    let (table, report) = read("x,y\n\"(1,234.50)\",1\n20.5,2\n(3),3\n").unwrap();
    assert_eq!(numbers(&table, "x"), [-1234.5, 20.5, -3.0]);
    assert_eq!(
        report
            .finding(FindingKind::Parentheses, Some("x"))
            .unwrap()
            .count,
        2
    );
}

#[test]
fn tenors_stay_labels_and_that_is_said() {
    let (table, report) = read("tenor,y\n1M,1\n3M,2\n6M,3\n").unwrap();
    assert_eq!(labels(&table, "tenor")[1].as_deref(), Some("3M"));
    let finding = report
        .finding(FindingKind::LooksNumeric, Some("tenor"))
        .unwrap();
    assert_eq!((finding.example.as_str(), finding.count), ("1M", 3));
    // With a year among them nothing looks like a number any more than a label does.
    let (table, _) = read("tenor,y\n1M,1\n1Y,2\n2Y,3\n").unwrap();
    assert_eq!(labels(&table, "tenor")[1].as_deref(), Some("1Y"));
    // A fraction or a `K` makes amounts of them.
    let (table, _) = read("size,y\n1.5M,1\n3M,2\n20K,3\n").unwrap();
    assert_eq!(numbers(&table, "size"), [1.5e6, 3e6, 2e4]);
}

#[test]
fn bond_prices_are_refused_unless_declared() {
    let path = case("bond_fractions.csv");
    let refused = read_table(&path, &ReadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("row 2: column 'px': '99-00' looks like a price in 32nds")
            && refused.contains("`numeric:32nds`"),
        "{refused}"
    );
    let options = ReadOptions::default().with_column("px", ColumnRole::ThirtySeconds);
    let (table, report) = read_table(&path, &options).unwrap();
    assert_eq!(numbers(&table, "px")[..3], [99.0, 100.031_25, 101.0625]);
    assert_eq!(
        report
            .finding(FindingKind::ThirtySeconds, Some("px"))
            .unwrap()
            .count,
        120
    );
    let options = ReadOptions::default().with_column("px", ColumnRole::Categorical);
    let (table, _) = read_table(&path, &options).unwrap();
    assert_eq!(labels(&table, "px")[0].as_deref(), Some("99-00"));
}

#[test]
fn quoted_decimal_commas_in_a_comma_file_are_numbers() {
    let (table, _) = read("k,iv\n100,\"0,201\"\n110,\"0,19\"\n120,\"0,2\"\n").unwrap();
    assert_eq!(numbers(&table, "iv"), [0.201, 0.19, 0.2]);
    assert_eq!(numbers(&table, "k"), [100.0, 110.0, 120.0]);
    // Thousands stay thousands, and are not asked about.
    let (table, report) = read("k,iv\n\"1,100\",0.5\n\"2,110\",0.25\n").unwrap();
    assert_eq!(numbers(&table, "k"), [1100.0, 2110.0]);
    assert!(
        report
            .finding(FindingKind::AssumedPoint, Some("k"))
            .is_none()
    );
    // Both in one file are refused with both cells.
    let refused = refusal("k,iv\n100.5,\"0,201\"\n110.5,\"0,19\"\n");
    assert!(
        refused.contains("'0,201' is a number with a decimal comma, but '100.5' in row 2"),
        "{refused}"
    );
}

#[test]
fn every_form_of_the_same_dates_gives_the_same_times() {
    let read = |name| read_table(case(name), &ReadOptions::default()).unwrap();
    let (iso, _) = read("dates_iso.csv");
    let (us, report) = read("dates_us.csv");
    let (named, _) = read("dates_named_month.csv");
    assert_eq!(times(&iso, "date"), times(&us, "date"));
    assert_eq!(times(&iso, "date"), times(&named, "date"));
    let finding = report
        .finding(FindingKind::DateOrder, Some("date"))
        .unwrap();
    assert_eq!(finding.example, "month first, as 01/26/2023 must be");
    // What was decided here decides the next file, which could not by itself.
    let roles = report.roles();
    assert_eq!(roles["date"], ColumnRole::DateOrder(DateOrder::MonthFirst));
    let hints = ReadOptions {
        hints: roles,
        ..ReadOptions::default()
    };
    let text = "date,strike,t,cp,iv\n03/04/2023,1,1,C,1\n";
    let (table, _) = read_csv_from(text.as_bytes(), &hints).unwrap();
    assert_eq!(times(&table, "date"), [1_677_888_000_000]);
}

#[test]
fn days_come_first_where_a_cell_needs_it() {
    let (table, report) = read("day,y\n03/04/2023,1\n26.01.2023,2\n").unwrap();
    assert_eq!(times(&table, "day"), [1_680_480_000_000, 1_674_691_200_000]);
    let finding = report.finding(FindingKind::DateOrder, Some("day")).unwrap();
    assert_eq!((finding.rows[0], finding.count), (3, 2));
}

#[test]
fn dates_that_nothing_decides_are_refused_with_the_setting() {
    let text = "day,y\n03/04/2023,1\n05/06/2023,2\n";
    let refused = refusal(text);
    assert!(
        refused.starts_with("row 2: column 'day': '03/04/2023' may be read day first or month")
            && refused.contains("`datetime:day-first`"),
        "{refused}"
    );
    let (table, _) = with(text, "day", "datetime:day-first").unwrap();
    assert_eq!(times(&table, "day"), [1_680_480_000_000, 1_685_923_200_000]);
    let (table, _) = with(text, "day", "datetime:%m/%d/%Y").unwrap();
    assert_eq!(times(&table, "day")[0], 1_677_888_000_000);
    // Declared dates alone decide no more than the cells do.
    assert!(
        with(text, "day", "datetime")
            .unwrap_err()
            .to_string()
            .contains("day first or month")
    );
    let both = refusal("day,y\n26/01/2023,1\n01/26/2023,2\n");
    assert!(
        both.contains("'01/26/2023' can only be read month first, but '26/01/2023' in row 2"),
        "{both}"
    );
    let short = refusal("day,y\n26/01/23,1\n27/01/23,2\n");
    assert!(
        short.contains("year of two digits") && short.contains("`datetime:%d/%m/%y`"),
        "{short}"
    );
    let (table, _) = with("day,y\n26/01/23,1\n", "day", "datetime:%d/%m/%y").unwrap();
    assert_eq!(times(&table, "day"), [1_674_691_200_000]);
}

#[test]
fn what_is_not_read_is_said() {
    for (cells, kind) in [
        ("1'200;1'300", FindingKind::LooksNumeric),
        ("<5;<10", FindingKind::LooksNumeric),
        (
            "26 gennaio 2023;27 gennaio 2023",
            FindingKind::LooksLikeDates,
        ),
    ] {
        let (a, b) = cells.split_once(';').unwrap();
        let (table, report) = read(&format!("x,y\n{a},1\n{b},2\n")).unwrap();
        assert_eq!(table.column("x").unwrap().kind(), ColumnKind::Categorical);
        let finding = report.finding(kind, Some("x")).unwrap();
        assert_eq!(finding.example, a);
    }
    let (_, report) = read("x,y\nXYZ58P,1\nXYZ59C,2\n").unwrap();
    assert!(report.findings().is_empty(), "{report}");
}

#[test]
fn codes_with_an_e_are_labels_and_never_called_infinite() {
    let (table, report) = read("cusip,y\n98765E107,1\n123456789,2\n037833100,3\n").unwrap();
    assert_eq!(labels(&table, "cusip")[0].as_deref(), Some("98765E107"));
    assert!(
        report.finding(FindingKind::Codes, Some("cusip")).is_some()
            || report
                .finding(FindingKind::LeadingZeros, Some("cusip"))
                .is_some()
    );
    let refused = refusal("id,y\n98765E307,1\n12,2\n13,3\n");
    assert!(
        refused.contains("'98765E307'")
            && refused.contains("`categorical`")
            && !refused.contains("infinite"),
        "{refused}"
    );
    // Numbers with exponents are still numbers.
    let (table, _) = read("x,y\n10E3,1\n2E5,2\n").unwrap();
    assert_eq!(numbers(&table, "x"), [10_000.0, 200_000.0]);
}

#[test]
fn roles_are_texts_and_bad_ones_are_refused() {
    for text in [
        "numeric",
        "numeric:32nds",
        "categorical",
        "datetime",
        "datetime:day-first",
        "datetime:month-first",
        "datetime:%d.%m.%Y",
        "ignore",
    ] {
        let role: ColumnRole = text.parse().unwrap();
        assert_eq!(role.to_string(), text);
        let json = serde_json::to_string(&role).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<ColumnRole>(&json).unwrap(), role);
    }
    for text in ["Numeric", "datetime:", "datetime:%Q", "datetime:day"] {
        let error = text.parse::<ColumnRole>().unwrap_err();
        assert!(error.is_config(), "{error}");
    }
}

#[cfg(feature = "excel")]
#[test]
fn a_sheets_texts_are_read_alike() {
    use crate::workbook::{cells, save, workbook};
    let rows: &[&[&str]] = &[
        &["'price", "'day", "'share", "'bond"],
        &["'$8.26", "'26-Jan-2023", "'12%", "'99-16"],
        &["'$9.50", "'27-Jan-2023", "'8%", "'99-17"],
    ];
    let (_folder, path) = save(&workbook(&[("s", &cells(rows))], ""), "near.xlsx");
    let refused = read_table(&path, &ReadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("row 2: column 'bond': '99-16'"),
        "{refused}"
    );
    let options = ReadOptions::default().with_column("bond", ColumnRole::ThirtySeconds);
    let (table, _) = read_table(&path, &options).unwrap();
    assert_eq!(numbers(&table, "price"), [8.26, 9.5]);
    assert_eq!(numbers(&table, "share"), [0.12, 0.08]);
    assert_eq!(numbers(&table, "bond"), [99.5, 99.531_25]);
    assert_eq!(times(&table, "day")[0], 1_674_691_200_000);
}
