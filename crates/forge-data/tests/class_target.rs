//! Classes as targets: their order, their spellings, and what is refused.

use forge_data::{Categorical, ClassLabels, ClassTarget, Column, ColumnRole, ColumnValues, Table};
use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_assert_eq, proptest};

use crate::tables::{NAN, all, dates, labels};

fn texts(cells: &[&str]) -> Table {
    let cells: Vec<Option<&str>> = cells.iter().copied().map(Some).collect();
    Table::new(vec![labels("y", &cells)]).unwrap()
}

fn numbers(cells: &[f64]) -> Table {
    Table::new(vec![Column::numeric("y", cells.to_vec())]).unwrap()
}

/// Each cell twice, so that no class has half of the rows.
fn twice<T: Copy>(cells: &[T]) -> Vec<T> {
    cells.iter().chain(cells).copied().collect()
}

fn fit(table: &Table) -> ClassTarget {
    ClassTarget::fit(table, "y", &all(table)).unwrap()
}

fn refusal(table: &Table) -> String {
    let error = ClassTarget::fit(table, "y", &all(table)).unwrap_err();
    assert!(error.is_value(), "{error}");
    error.to_string()
}

fn encode(target: &ClassTarget, table: &Table) -> Vec<f32> {
    target.encode(table, None).unwrap().values
}

/// The message of encoding one cell, which must be a value error of row 2, column `y`.
fn unknown(target: &ClassTarget, table: &Table) -> String {
    let error = target.encode(table, None).unwrap_err();
    let text = error.to_string();
    assert!(error.is_value(), "{text}");
    assert!(text.starts_with("row 2: column 'y': "), "{text}");
    text
}

fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "expected '{word}' in: {text}");
    }
}

/// What scikit-learn 1.9.1 has in `LabelEncoder().fit(labels).classes_`.
#[test]
fn classes_have_the_order_of_scikit_learn() {
    let mixed = [
        "10", "2", "b", "B", "a", "é", "z", "Z", "_", " a", "", "ab", "A-1", "A1", "中", "😀", "~",
    ];
    assert_eq!(
        fit(&texts(&twice(&mixed))).names(),
        [
            "", " a", "10", "2", "A-1", "A1", "B", "Z", "_", "a", "ab", "b", "z", "~", "é", "中",
            "😀"
        ]
    );
    let digits = fit(&texts(&twice(&["1", "0", "-1"])));
    assert_eq!(digits.names(), ["-1", "0", "1"]);
    let integers = fit(&numbers(&twice(&[3.0, -1.0, 10.0, 2.0, 0.0])));
    assert_eq!(
        integers.labels(),
        &ClassLabels::Integers(vec![-1, 0, 2, 3, 10])
    );
    assert_eq!(integers.names(), ["-1", "0", "2", "3", "10"]);
    let booleans = fit(&texts(&["true", "false"]));
    assert_eq!(booleans.labels(), &ClassLabels::Booleans);
    assert_eq!(booleans.names(), ["false", "true"]);
}

#[test]
fn the_second_of_two_classes_is_positive() {
    let y = fit(&texts(&["yes", "no", "no"]));
    assert_eq!((y.positive(), y.label(0)), (Some("yes"), Some("no")));
    assert_eq!(y.counts(), [2, 1]);
    assert_eq!(y.role(), ColumnRole::Categorical);
    assert_eq!(y.class_of("no").unwrap(), 0);
    says(
        &y.class_of("No").unwrap_err().to_string(),
        &["'no'", "case"],
    );
    let y = fit(&numbers(&twice(&[1.0, 2.0, 3.0])));
    assert_eq!((y.positive(), y.label(3)), (None, None));
    assert_eq!(y.role(), ColumnRole::Numeric);
}

#[test]
fn numbers_are_one_label_however_they_are_written() {
    let written = texts(&["1", "1.0", " 2", "1e0", "+2", "2.00"]);
    let trained = fit(&numbers(&[1.0, 2.0]));
    let numbers_again = texts(&["1", "1.0", "1e0", "+2", "2.00"]);
    assert_eq!(encode(&trained, &numbers_again), [0.0, 0.0, 0.0, 1.0, 1.0]);
    let error = trained.encode(&written, None).unwrap_err().to_string();
    says(&error, &["row 4", "' 2'", "'2'", "blanks"]);

    let trained = fit(&texts(&["1", "1.0", "2.0"]));
    assert_eq!(
        trained.labels(),
        &ClassLabels::Text(vec!["1".into(), "2".into()])
    );
    assert_eq!(trained.counts(), [2, 1]);
    assert_eq!(encode(&trained, &numbers(&[2.0, 1.0])), [1.0, 0.0]);
    assert_eq!(fit(&numbers(&[0.0, -0.0, 1.0])).counts(), [2, 1]);
    assert_eq!(fit(&texts(&["0", "-0", "0.0", "x"])).names(), ["0", "x"]);
    // What f64 cannot hold, and what only looks like a number, stays as it is written.
    let long = ["9007199254740993", "1,234", "007", "1e999"];
    assert_eq!(
        fit(&texts(&twice(&long))).names(),
        ["007", "1,234", "1e999", long[0]]
    );
}

#[test]
fn booleans_are_one_label_in_any_case() {
    let trained = fit(&texts(&["True", "False", "TRUE"]));
    assert_eq!(trained.labels(), &ClassLabels::Booleans);
    assert_eq!(trained.counts(), [1, 2]);
    assert_eq!(encode(&trained, &texts(&["false", "TRUE"])), [0.0, 1.0]);
    says(
        &unknown(&trained, &numbers(&[1.0])),
        &["'1'", "'true'", "type"],
    );
    says(
        &unknown(&fit(&numbers(&[0.0, 1.0])), &texts(&["false"])),
        &["'false'", "'0'", "type"],
    );
}

#[test]
fn labels_in_another_spelling_name_the_one_of_training() {
    let trained = fit(&texts(&twice(&["Yes", "No", "not  sure", "007"])));
    for (cell, meant) in [
        ("yes", "'Yes'"),
        ("NO", "'No'"),
        (" No ", "'No'"),
        ("Not sure", "'not  sure'"),
    ] {
        says(
            &unknown(&trained, &texts(&[cell])),
            &[
                &format!("'{cell}'"),
                meant,
                "case or blanks",
                "write it as in training",
            ],
        );
    }
    says(
        &unknown(&trained, &numbers(&[7.0])),
        &["'7'", "'007'", "another type", "as in training"],
    );
}

#[test]
fn labels_that_training_lacks_name_the_way_out() {
    let trained = fit(&texts(&twice(&["a", "b", "c"])));
    let table = texts(&["a", "d", "b"]);
    let error = trained
        .encode(&table, Some(&[2, 1]))
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("row 3: column 'y': 'd'"), "{error}");
    says(&error, &["'a', 'b', 'c'", "stratified", "drop these rows"]);
    // Rows that are not asked for have no say.
    assert_eq!(
        trained.encode(&table, Some(&[2, 0])).unwrap().values,
        [1.0, 0.0]
    );
    says(
        &unknown(&fit(&numbers(&[0.0, 1.0])), &numbers(&[0.5])),
        &["'0.5'"],
    );
}

#[test]
fn columns_that_are_no_classes_are_refused() {
    says(
        &refusal(&texts(&["a", "a"])),
        &["column 'y'", "one class only, 'a'", "two"],
    );
    says(
        &refusal(&texts(&["true", "true"])),
        &["one class only, 'true'"],
    );
    says(&refusal(&numbers(&[4.0, 4.0])), &["one class only, '4'"]);
    says(&refusal(&numbers(&[])), &["no training rows"]);
    says(
        &refusal(&numbers(&[1.0, 0.5])),
        &["row 3", "0.5", "whole", "regression", "categorical"],
    );
    says(&refusal(&numbers(&[1.0, 1e17])), &["row 3", "2^53"]);
    says(&refusal(&numbers(&[1.0, f64::INFINITY])), &["row 3", "inf"]);
    says(
        &refusal(&numbers(&[1.0, NAN])),
        &["row 3: column 'y'", "missing", "drop the row"],
    );
    says(
        &refusal(&texts(&["a", "b", "c"])),
        &["3 classes in 3", "half", "identifier"],
    );
    let many: Vec<f64> = (0..3003).map(|i| f64::from(i % 1001)).collect();
    says(
        &refusal(&numbers(&many)),
        &["1001 classes", "at most 1000", "identifier"],
    );
    assert_eq!(
        fit(&numbers(
            &many[..3000].iter().map(|v| v % 1000.0).collect::<Vec<_>>()
        ))
        .n_classes(),
        1000
    );

    let table = Table::new(vec![
        dates("day", &[1, 2]),
        labels("gap", &[Some("a"), None]),
        Column {
            name: "broken".into(),
            values: ColumnValues::Categorical(Categorical {
                codes: vec![0, 7],
                categories: vec!["a".into()],
            }),
            offsets: None,
        },
    ])
    .unwrap();
    let error = |name, rows: &[usize]| ClassTarget::fit(&table, name, rows).unwrap_err();
    assert!(error("day", &[0, 1]).is_schema());
    assert!(error("nope", &[0, 1]).is_schema());
    assert!(error("gap", &[0, 2]).is_config());
    says(
        &error("gap", &[0, 1]).to_string(),
        &["row 3: column 'gap'", "missing"],
    );
    says(
        &error("broken", &[0, 1]).to_string(),
        &["row 3: column 'broken'", "code 7"],
    );
}

#[test]
fn classes_that_look_alike_are_told() {
    let y = fit(&texts(&twice(&["Yes", "no", "yes", "n o"])));
    assert_eq!(y.look_alikes(), [("Yes", "yes")]);
    assert!(fit(&texts(&["yes", "no"])).look_alikes().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn encoding_and_naming_gives_the_cells_back(
        cells in prop::collection::vec("[a-cA-C]{1,2}|[0-9]{1,2}[.]?5?", 4..40),
    ) {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let Ok(y) = ClassTarget::fit(&texts(&cells), "y", &all(&texts(&cells))) else {
            return Ok(());
        };
        let classes = encode(&y, &texts(&cells));
        for (cell, class) in cells.iter().zip(classes) {
            let name = y.label(class as usize).unwrap();
            match (cell.parse::<f64>(), name.parse::<f64>()) {
                (Ok(a), Ok(b)) => prop_assert_eq!(a, b),
                _ => prop_assert_eq!(*cell, name),
            }
        }
        prop_assert_eq!(y.counts().iter().sum::<u64>(), cells.len() as u64);
    }

    #[test]
    fn the_order_of_rows_does_not_matter(
        (cells, order) in prop::collection::vec(-3i8..4, 14..40)
            .prop_flat_map(|cells| {
                let order: Vec<usize> = (0..cells.len()).collect();
                (Just(cells), Just(order).prop_shuffle())
            }),
    ) {
        let cells: Vec<f64> = cells.iter().map(|c| f64::from(*c)).collect();
        let table = numbers(&cells);
        let Ok(y) = ClassTarget::fit(&table, "y", &all(&table)) else { return Ok(()) };
        prop_assert_eq!(&ClassTarget::fit(&table, "y", &order).unwrap(), &y);
        let shuffled = y.encode(&table, Some(&order)).unwrap();
        let straight = encode(&y, &table);
        let expected: Vec<f32> = order.iter().map(|i| straight[*i]).collect();
        prop_assert_eq!(shuffled.values, expected);
    }

    #[test]
    fn unseen_labels_are_never_given_a_class(cell in "[d-z]{1,6}") {
        let y = fit(&texts(&["a", "b", "c", "a", "b", "c"]));
        let error = y.encode(&texts(&[&cell]), None).unwrap_err().to_string();
        prop_assert_eq!(error.starts_with(&format!("row 2: column 'y': '{cell}'")), true);
    }
}
