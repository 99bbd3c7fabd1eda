use std::collections::HashSet;

use forge_data::{
    Column, DateResolution, ReadOptions, Split, SplitConfig, Table, read_csv_from, read_table,
};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

use crate::tables::{NAN, all, dates, labels};

fn rows_once(split: &Split, n: usize) {
    let mut rows: Vec<usize> = [&split.train, &split.validation, &split.test]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    rows.sort_unstable();
    assert_eq!(rows, (0..n).collect::<Vec<_>>());
    for part in [&split.train, &split.validation, &split.test] {
        assert!(part.is_sorted());
    }
}

fn numbers(n: usize) -> Table {
    Table::new(vec![Column::numeric(
        "x",
        (0..n).map(|i| i as f64).collect(),
    )])
    .unwrap()
}

fn parse(text: &str) -> SplitConfig {
    text.parse().unwrap()
}

#[test]
fn texts_are_understood_or_refused_with_the_choices() {
    assert_eq!(parse("random"), SplitConfig::default());
    assert_eq!(
        parse("date:day:1"),
        SplitConfig::Date {
            column: "day:1".into(),
            fraction: 0.2,
            resolution: DateResolution::Day,
        }
    );
    assert_eq!(
        parse("group:T").with_seed(5).with_fraction(0.5),
        SplitConfig::Group {
            column: "T".into(),
            fraction: 0.5,
            seed: 5
        }
    );
    for bad in [
        "",
        "Random",
        "random:x",
        "stratified",
        "stratified:",
        "date",
        "date:",
        "group:",
        "month:x",
    ] {
        let error = bad.parse::<SplitConfig>().unwrap_err();
        assert!(error.is_config());
        assert!(error.to_string().contains("group:COLUMN"), "{error}");
    }
    for text in ["random", "stratified:c", "date:d", "group:g"] {
        assert_eq!(parse(text).to_string(), text);
        let json = serde_json::to_string(&parse(text)).unwrap();
        assert_eq!(
            serde_json::from_str::<SplitConfig>(&json).unwrap(),
            parse(text)
        );
    }
    let extra = r#"{"name": "date", "column": "d", "sed": 1}"#;
    assert!(serde_json::from_str::<SplitConfig>(extra).is_err());
}

#[test]
fn random_splits_have_the_asked_sizes_and_follow_the_seed() {
    let t = numbers(101);
    let split = parse("random").split(&t, 0.25).unwrap();
    rows_once(&split, 101);
    assert_eq!((split.test.len(), split.validation.len()), (20, 20));
    assert_eq!(parse("random").split(&t, 0.25).unwrap(), split);
    let other = parse("random").with_seed(1).split(&t, 0.25).unwrap();
    assert_ne!(other.test, split.test);
    // Whether and how much is validated does not move the test rows.
    assert_eq!(parse("random").split(&t, 0.0).unwrap().test, split.test);
    let everything = parse("random").with_fraction(0.0).split(&t, 0.0).unwrap();
    assert_eq!(everything.train.len(), 101);
}

#[test]
fn dates_are_never_shared_and_the_latest_are_held_out() {
    let day = 86_400_000;
    let cells: Vec<i64> = (0..60).map(|i| (i * 7 % 20) * day).collect();
    let t = Table::new(vec![dates("day", &cells)]).unwrap();
    let split = parse("date:day").split(&t, 0.25).unwrap();
    rows_once(&split, 60);
    let span = |rows: &[usize]| {
        let days = rows.iter().map(|r| cells[*r] / day);
        (days.clone().min().unwrap(), days.max().unwrap())
    };
    assert_eq!(span(&split.test), (16, 19));
    assert_eq!(span(&split.validation), (12, 15));
    assert_eq!(span(&split.train), (0, 11));
    let as_numbers = cells.iter().map(|c| *c as f64).collect();
    let t = Table::new(vec![Column::numeric("day", as_numbers)]).unwrap();
    assert_eq!(parse("date:day").split(&t, 0.25).unwrap(), split);
}

#[test]
fn groups_stay_whole_for_every_kind_of_column() {
    let n = 210usize;
    let of = |i: usize| i * i % 23;
    let text: Vec<String> = (0..n).map(|i| format!("g{}", of(i))).collect();
    let text: Vec<Option<&str>> = text.iter().map(|s| Some(s.as_str())).collect();
    let t = Table::new(vec![
        Column::numeric("f", (0..n).map(|i| 0.1 * of(i) as f64).collect()),
        dates("d", &(0..n).map(|i| of(i) as i64 - 10).collect::<Vec<_>>()),
        labels("l", &text),
    ])
    .unwrap();
    for column in ["f", "d", "l"] {
        let split = parse(&format!("group:{column}"))
            .with_seed(3)
            .split(&t, 0.2)
            .unwrap();
        rows_once(&split, n);
        let groups = |rows: &[usize]| rows.iter().map(|r| of(*r)).collect::<HashSet<_>>();
        let (a, b, c) = (
            groups(&split.train),
            groups(&split.validation),
            groups(&split.test),
        );
        assert!(a.is_disjoint(&b) && a.is_disjoint(&c) && b.is_disjoint(&c));
        assert!(
            (20..=65).contains(&split.test.len()),
            "{}",
            split.test.len()
        );
    }
}

#[test]
fn negative_zero_is_zero_for_grouping() {
    let t = Table::new(vec![Column::numeric("g", vec![0.0, -0.0, 1.0, 0.0])]).unwrap();
    for seed in 0..20 {
        let split = parse("group:g").with_seed(seed).split(&t, 0.0).unwrap();
        assert!(split.test == [2] || split.test == [0, 1, 3], "{split:?}");
    }
}

#[test]
fn rounds_draw_anew() {
    let t = numbers(100);
    let held = |round| {
        parse("random")
            .hold_out(&t, &all(&t), 0.2, round)
            .unwrap()
            .1
    };
    assert_eq!(held(0), held(0));
    assert_ne!(held(0), held(1));
}

#[test]
fn too_little_to_split_is_said() {
    let zero = numbers(0);
    assert!(
        parse("random")
            .split(&zero, 0.1)
            .unwrap_err()
            .to_string()
            .contains("no rows")
    );
    let error = parse("random").split(&numbers(1), 0.1).unwrap_err();
    assert!(
        error.is_value()
            && error
                .to_string()
                .contains("there is only 1 row: training, validation"),
        "{error}"
    );
    let error = parse("random").split(&numbers(2), 0.1).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("only 2 rows: training, validation and test need at least 3"),
        "{error}"
    );
    assert!(parse("random").split(&numbers(3), 0.1).is_ok());
    let same = Table::new(vec![Column::numeric("g", vec![4.0; 9])]).unwrap();
    for text in ["group:g", "date:g"] {
        let error = parse(text).split(&same, 0.0).unwrap_err();
        assert!(
            error.is_value() && error.to_string().contains("only 1"),
            "{error}"
        );
        assert!(error.to_string().contains("column 'g'"), "{error}");
    }
}

#[test]
fn columns_that_cannot_split_are_named() {
    let t = Table::new(vec![
        Column::numeric("gap", vec![1.0, NAN, 2.0]),
        dates("day", &[1, 2, i64::MIN]),
        labels("l", &[Some("a"), Some("b"), None]),
    ])
    .unwrap();
    let error = |text: &str| parse(text).split(&t, 0.0).unwrap_err();
    assert!(
        error("group:gap")
            .to_string()
            .starts_with("row 3: column 'gap'")
    );
    assert!(
        error("date:day")
            .to_string()
            .starts_with("row 4: column 'day'")
    );
    assert!(error("group:l").is_value());
    assert!(error("group:none").is_schema());
    let named = Table::new(vec![labels("l", &[Some("a"), Some("b")])]).unwrap();
    assert!(parse("date:l").split(&named, 0.0).unwrap_err().is_schema());
    for bad in [NAN, -0.1, 1.0, 7.0] {
        let config = parse("random").with_fraction(bad);
        assert!(config.split(&t, 0.0).unwrap_err().is_config());
        assert!(parse("random").split(&t, bad).unwrap_err().is_config());
    }
    assert!(
        parse("random")
            .hold_out(&t, &[7], 0.5, 0)
            .unwrap_err()
            .is_config()
    );
}

/// A column `c` of classes, `sizes[k]` rows of class `k`, mixed.
fn classes(sizes: &[usize]) -> (Table, Vec<usize>) {
    let mut cells: Vec<usize> = (0..sizes.len())
        .flat_map(|class| vec![class; sizes[class]])
        .collect();
    let n = cells.len();
    cells = (0..n).map(|i| cells[(i * 7919) % n]).collect();
    let column = Column::numeric("c", cells.iter().map(|c| *c as f64).collect());
    (Table::new(vec![column]).unwrap(), cells)
}

fn count(rows: &[usize], cells: &[usize], class: usize) -> usize {
    rows.iter().filter(|row| cells[**row] == class).count()
}

#[test]
fn stratified_splits_take_the_same_part_of_every_class() {
    let (t, cells) = classes(&[600, 300, 97, 3]);
    let split = parse("stratified:c").split(&t, 0.25).unwrap();
    rows_once(&split, 1000);
    let of = |rows: &[usize]| [0, 1, 2, 3].map(|class| count(rows, &cells, class));
    assert_eq!(of(&split.test), [120, 60, 19, 1]);
    assert_eq!(of(&split.validation), [120, 60, 19, 1]);
    assert_eq!(of(&split.train), [360, 180, 59, 1]);
    assert_eq!(parse("stratified:c").split(&t, 0.25).unwrap(), split);
    let other = parse("stratified:c").with_seed(1).split(&t, 0.25).unwrap();
    assert_ne!(other.test, split.test);
    assert_eq!(of(&other.test), of(&split.test));
    // Without the rule, a class of three rows may miss a part.
    let random = parse("random").split(&t, 0.25).unwrap();
    assert_ne!(of(&random.test), of(&split.test));
}

#[test]
fn rare_classes_stay_in_training_first() {
    let (t, cells) = classes(&[40, 2, 1]);
    for seed in 0..20 {
        let split = parse("stratified:c")
            .with_seed(seed)
            .split(&t, 0.2)
            .unwrap();
        for class in 0..3 {
            assert!(count(&split.train, &cells, class) >= 1, "{split:?}");
        }
        assert_eq!(count(&split.test, &cells, 1), 1);
        assert_eq!(count(&split.train, &cells, 2), 1);
    }
}

#[test]
fn columns_that_cannot_stratify_are_named() {
    let error = |table: &Table| {
        let error = parse("stratified:c").split(table, 0.0).unwrap_err();
        assert!(error.is_value());
        error.to_string()
    };
    let (single, _) = classes(&[1; 9]);
    let message = error(&single);
    for words in ["column 'c'", "9 of 9 classes", "one row", "split at random"] {
        assert!(message.contains(words), "{message}");
    }
    let gap = Table::new(vec![labels("c", &[Some("a"), None, Some("a")])]).unwrap();
    assert!(error(&gap).starts_with("row 3: column 'c': is missing"));
    let (t, _) = classes(&[4, 4]);
    assert!(
        parse("stratified:d")
            .split(&t, 0.0)
            .unwrap_err()
            .is_schema()
    );
    let unnamed = SplitConfig::Random {
        fraction: 0.2,
        seed: 0,
        stratify: Some(String::new()),
    };
    assert!(unnamed.split(&t, 0.0).unwrap_err().is_config());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn stratified_parts_have_every_class_that_has_two_rows(
        sizes in prop::collection::vec(2usize..40, 1..8),
        fraction in 0.01f64..0.99,
        seed in any::<u64>(),
    ) {
        let (t, cells) = classes(&sizes);
        let rule = parse("stratified:c").with_seed(seed);
        let Ok((kept, held)) = rule.hold_out(&t, &all(&t), fraction, 0) else {
            // Asked for so much that training would lack a class.
            prop_assert!(fraction * cells.len() as f64 + 0.5 > (cells.len() - sizes.len()) as f64);
            return Ok(());
        };
        prop_assert_eq!(kept.len() + held.len(), cells.len());
        let asked = (fraction * cells.len() as f64).round() as usize;
        let asked = asked.clamp(1, cells.len() - 1);
        prop_assert!(held.len() == asked.max(sizes.len()), "{} of {}", held.len(), asked);
        for (class, size) in sizes.iter().enumerate() {
            let taken = count(&held, &cells, class);
            prop_assert!(taken >= 1 && taken < *size);
        }
    }

    #[test]
    fn dates_of_training_come_before_dates_of_test(
        days in prop::collection::vec(-1000i64..1000, 6..120),
        fraction in 0.05f64..0.9,
    ) {
        let stamps: Vec<i64> = days.iter().map(|day| day * 86_400_000 + 1).collect();
        let t = Table::new(vec![dates("day", &stamps)]).unwrap();
        let distinct = days.iter().collect::<HashSet<_>>().len();
        let split = parse("date:day").with_fraction(fraction).split(&t, 0.0);
        if distinct < 2 {
            prop_assert!(split.is_err());
            return Ok(());
        }
        let split = split.unwrap();
        rows_once(&split, days.len());
        let last = split.train.iter().map(|r| days[*r]).max().unwrap();
        let first = split.test.iter().map(|r| days[*r]).min().unwrap();
        prop_assert!(last < first);
    }

    #[test]
    fn group_splits_depend_on_values_not_on_row_order(
        groups in prop::collection::vec(0u8..9, 12..60),
        seed in any::<u64>(),
    ) {
        let column = |g: &[u8]| {
            let values = g.iter().map(|v| f64::from(*v)).collect();
            Table::new(vec![Column::numeric("g", values)]).unwrap()
        };
        let rule = parse("group:g").with_seed(seed);
        let t = column(&groups);
        let Ok((_, held)) = rule.hold_out(&t, &all(&t), 0.3, 0) else { return Ok(()) };
        let mut reversed = groups.clone();
        reversed.reverse();
        let t = column(&reversed);
        let (_, held_reversed) = rule.hold_out(&t, &all(&t), 0.3, 0).unwrap();
        let set = |rows: &[usize], g: &[u8]| rows.iter().map(|r| g[*r]).collect::<HashSet<_>>();
        prop_assert_eq!(set(&held, &groups), set(&held_reversed, &reversed));
    }
}

/// The local days of the rows of a part, by the text of their stamps.
fn days_of(stamps: &[String], rows: &[usize]) -> HashSet<String> {
    rows.iter()
        .map(|row| stamps[*row][..10].to_owned())
        .collect()
}

#[test]
fn a_day_is_whole_on_the_clock_that_its_stamps_have() {
    let path = crate::cases::case("dates_with_offsets.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let stamps: Vec<String> = text.lines().skip(1).map(String::from).collect();
    let (table, _) = read_table(&path, &ReadOptions::default()).unwrap();
    // The stamps are of 19:30 in New York, so winter's are of the next day in UTC.
    let split = parse("date:quote").split(&table, 0.2).unwrap();
    let (train, validation, test) = (
        days_of(&stamps, &split.train),
        days_of(&stamps, &split.validation),
        days_of(&stamps, &split.test),
    );
    assert!(train.is_disjoint(&validation) && train.is_disjoint(&test));
    assert!(validation.is_disjoint(&test));
    assert_eq!(train.len() + validation.len() + test.len(), 40);
    assert!(train.iter().max() < validation.iter().min());
    assert!(validation.iter().max() < test.iter().min());
}

/// Every hour of ten days, stamped in a zone five hours behind UTC.
fn hours() -> (Vec<String>, Table) {
    let stamps: Vec<String> = (0..240)
        .map(|i| format!("2024-01-{:02}T{:02}:00:00-05:00", 1 + i / 24, i % 24))
        .collect();
    let text = format!(
        "quote,y\n{}",
        stamps
            .iter()
            .map(|s| format!("{s},1\n"))
            .collect::<String>()
    );
    let (table, _) = read_csv_from(text.as_bytes(), &ReadOptions::default()).unwrap();
    (stamps, table)
}

#[test]
fn no_day_is_torn_where_stamps_have_times() {
    let (stamps, table) = hours();
    let rule = parse("date:quote").with_fraction(0.25);
    let split = rule.split(&table, 0.25).unwrap();
    let days = |rows: &[usize]| days_of(&stamps, rows);
    assert!(days(&split.train).is_disjoint(&days(&split.validation)));
    assert!(days(&split.validation).is_disjoint(&days(&split.test)));
    assert_eq!((split.test.len(), split.validation.len()), (48, 48));
    // In UTC the same rows would be cut at 19:00 of their own clock.
    let utc = Table::new(vec![dates("quote", &times(&table))]).unwrap();
    let torn = rule.split(&utc, 0.25).unwrap();
    assert!(!days(&torn.train).is_disjoint(&days(&torn.validation)));
}

fn times(table: &Table) -> Vec<i64> {
    match &table.column("quote").unwrap().values {
        forge_data::ColumnValues::DateTime(times) => times.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_resolution_can_be_given() {
    let (_, table) = hours();
    for (text, test) in [
        ("date/exact:quote", 60),
        ("date/hour:quote", 60),
        // Weeks begin on Mondays: 7 + 3 days.
        ("date/week:quote", 72),
    ] {
        let rule = parse(text);
        assert_eq!(rule.to_string(), text);
        let (_, held) = rule.hold_out(&table, &all(&table), 0.25, 0).unwrap();
        assert_eq!(held.len(), test, "{text}");
    }
    assert_eq!(parse("date/day:quote").to_string(), "date:quote");
    let error = parse("date/month:quote")
        .split(&table, 0.2)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("there is only 1 month") && error.contains("`date/exact:quote`"),
        "{error}"
    );
    let error = "date/minute:quote"
        .parse::<SplitConfig>()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("exact, hour, day, week, month, year"),
        "{error}"
    );
    // Saved rules of before mean days.
    let saved: SplitConfig =
        serde_json::from_str(r#"{"name": "date", "column": "quote"}"#).unwrap();
    assert_eq!(saved, parse("date:quote"));
}

#[test]
fn too_little_data_is_counted_as_the_person_sees_it() {
    let read = |name| {
        read_table(crate::cases::case(name), &ReadOptions::default())
            .unwrap()
            .0
    };
    let error = SplitConfig::default()
        .split(&read("two_rows.csv"), 0.2)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("there are only 2 rows: training, validation and test need at least 3"),
        "{error}"
    );
    let error = parse("group:g")
        .split(&read("two_groups.csv"), 0.2)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("column 'g': there are only 2 groups"),
        "{error}"
    );
    // Without a validation part, two are enough.
    assert!(parse("group:g").split(&read("two_groups.csv"), 0.0).is_ok());
}
