//! What is refused, and how it is said.

use std::sync::Arc;

use forge_data::{
    Column, ColumnRole, Frequency, Gaps, Horizon, MissingValues, ReadOptions, SeriesConfig,
    SeriesTable, Stamps, Table, Unsorted, WindowConfig, Windows, read_csv_from,
};

use super::{DAY, HOUR, MONDAY, hours, made, ramp, refused, says, single, target};

fn csv(text: &str) -> Table {
    read_csv_from(text.as_bytes(), &ReadOptions::default())
        .unwrap()
        .0
}

#[test]
fn future_columns_that_are_missing_are_named() {
    let config = target().with_known(["k"]);
    let mut k = ramp(10);
    let table = made(
        &single(&hours(10), &[("y", ramp(10)), ("k", k.clone())]),
        &config,
    );
    let message = Windows::latest(&table, &WindowConfig::new(3, 2))
        .unwrap_err()
        .to_string();
    says(
        &message,
        &[
            "column 'k'",
            "series ''",
            "2024-01-01T10:00:00",
            "0 of the 2 rows",
        ],
    );
    let mut y = ramp(10);
    y[8..].fill(f64::NAN);
    k[9] = f64::NAN;
    let table = made(&single(&hours(10), &[("y", y), ("k", k)]), &config);
    let message = Windows::latest(&table, &WindowConfig::new(3, 2))
        .unwrap_err()
        .to_string();
    says(
        &message,
        &[
            "column 'k'",
            "2024-01-01T09:00:00",
            "no value in the future",
        ],
    );
    assert!(Windows::latest(&table, &WindowConfig::new(3, 1)).is_ok());
}

#[test]
fn short_and_unknown_series_are_named() {
    let table = made(&single(&hours(10), &[("y", ramp(10))]), &target());
    let message = Windows::new(&table, &WindowConfig::new(9, 2))
        .unwrap_err()
        .to_string();
    says(
        &message,
        &[
            "10 observed steps",
            "9 of the lookback and 2 of the horizon",
            "min_lookback",
        ],
    );
    let message = Windows::latest(&table, &WindowConfig::new(11, 2))
        .unwrap_err()
        .to_string();
    says(&message, &["10 observed steps", "11 of the lookback"]);
    let windows = Windows::new(&table, &WindowConfig::new(3, 2)).unwrap();
    let message = windows.of_series(&["XYZ"]).unwrap_err().to_string();
    says(&message, &["series 'XYZ' is not in the table"]);
}

#[test]
fn times_out_of_order_twice_or_missing_are_named() {
    let table = csv("date,id,y\n2024-01-01,a,1\n2024-01-03,a,3\n2024-01-02,a,2\n");
    let mut config = SeriesConfig::new("date", ["y"]).with_series("id");
    config.unsorted = Unsorted::Refuse;
    let message = refused(&table, &config);
    says(
        &message,
        &[
            "row 4",
            "series 'a'",
            "2024-01-02 stands after 2024-01-03",
            "set unsorted",
        ],
    );
    let table = csv("date,id,y\n2024-01-01,a,1\n2024-01-02,a,2\n2024-01-02,a,3\n");
    let message = refused(&table, &config);
    says(
        &message,
        &[
            "series 'a' has 2024-01-02 twice",
            "rows 3 and 4",
            "different",
            "first or last",
        ],
    );
    let message = refused(&table, &SeriesConfig::new("date", ["y"]));
    says(
        &message,
        &["set series to the column that tells them apart"],
    );
    let table = csv("date,id,y\n2024-01-01,a,1\n,a,2\n");
    says(
        &refused(&table, &config),
        &["row 3", "column 'date'", "has no time"],
    );
    let table = csv("date,id,y\n2024-01-01,a,1\n2024-01-02,,2\n");
    says(
        &refused(&table, &config),
        &["row 3", "column 'id'", "has no id"],
    );
}

#[test]
fn a_frequency_that_changes_in_the_middle_is_named() {
    let mut times = hours(30);
    times.extend((1..=40).map(|i| MONDAY + 29 * HOUR + i * HOUR / 12));
    let table = single(&times, &[("y", ramp(70))]);
    let message = refused(&table, &target());
    says(
        &message,
        &[
            "steps of 1h until 2024-01-02T05:00:00 and of 5min",
            "frequency_change",
        ],
    );
}

#[test]
fn clocks_that_go_back_or_forward_are_named() {
    let text = "time,y\n2023-11-05T00:00,1\n2023-11-05T01:00,2\n2023-11-05T01:00,3\n\
                2023-11-05T02:00,4\n2023-11-05T03:00,5\n";
    // Without a zone they are times that stand twice, and the message knows why.
    let mut config = target();
    let message = refused(&csv(text), &config);
    says(
        &message,
        &["2023-11-05T01:00:00 twice", "daylight saving", "time_zone"],
    );
    config = config.with_time_zone("America/New_York", Stamps::WallClock);
    let message = refused(&csv(text), &config);
    says(
        &message,
        &["row 3", "show this time twice", "in_order", "offset"],
    );
    let message = refused(
        &csv("time,y\n2023-03-12T01:30,1\n2023-03-12T02:30,2\n"),
        &config,
    );
    says(
        &message,
        &["row 3", "2023-03-12T02:30:00", "jump over", "stamps to utc"],
    );
    config.time_zone = Some("New York".into());
    says(
        &refused(&csv(text), &config),
        &["'New York'", "America/New_York"],
    );
}

#[test]
fn columns_without_values_are_refused_or_reported() {
    let table = single(&hours(8), &[("y", ramp(8)), ("x", vec![f64::NAN; 8])]);
    let message = refused(&table, &target().with_past(["x"]));
    says(
        &message,
        &["column 'x'", "has no value in any row", "leave it out"],
    );
    // In one series of two it is reported.
    let both: Vec<i64> = hours(8).into_iter().chain(hours(8)).collect();
    let mut x = ramp(16);
    x[..8].fill(f64::NAN);
    let table = Table::new(vec![
        Column::date_time("time", both),
        Column::categorical("id", (0..16).map(|i| Some(if i < 8 { "a" } else { "b" }))),
        Column::numeric("y", ramp(16)),
        Column::numeric("x", x),
    ])
    .unwrap();
    let mut config = target().with_series("id").with_past(["x"]);
    let series = made(&table, &config);
    let kind = forge_data::SeriesFindingKind::EmptyColumn;
    let finding = series.report().finding(kind, Some("x")).unwrap();
    assert_eq!((finding.count, finding.series.as_str()), (1, "a"));
    let text = series.report().to_string();
    says(&text, &["column 'x': 1 series without any value"]);
    config.missing = MissingValues::Refuse;
    says(
        &refused(&table, &config),
        &["column 'x'", "series 'a'", "2024-01-01: has no value"],
    );
}

#[test]
fn gaps_are_refused_if_asked_and_hopeless_ones_not_filled() {
    let mut times = hours(20);
    times.drain(5..8);
    let table = single(&times, &[("y", ramp(17))]);
    let mut config = target();
    config.gaps = Gaps::Refuse;
    let message = refused(&table, &config);
    says(
        &message,
        &[
            "lacks 3 steps of 1h",
            "2024-01-01T04:00:00 and 2024-01-01T08:00:00",
        ],
    );
    times.push(MONDAY + 36_500 * DAY);
    let table = single(&times, &[("y", ramp(18))]);
    config.gaps = Gaps::Fill;
    config.frequency = Some(Frequency::Every(HOUR));
    says(
        &refused(&table, &config),
        &["more than 10 times as long", "set gaps to keep"],
    );
    config.frequency = Some(Frequency::Every(7 * HOUR));
    config.gaps = Gaps::Keep;
    says(
        &refused(&table, &config),
        &["not of the frequency 7h", "leave frequency out"],
    );
}

#[test]
fn columns_of_the_wrong_kind_are_named() {
    let table = csv("date,id,y,when\n2024-01-01,a,1,noon\n2024-01-02,a,2,noon\n");
    let with = |config: SeriesConfig| refused(&table, &config);
    says(
        &with(SeriesConfig::new("date", ["id"])),
        &["column 'id'", "does not hold numbers"],
    );
    says(
        &with(SeriesConfig::new("when", ["y"])),
        &["column 'when'", "'noon'", "pattern"],
    );
    says(
        &with(SeriesConfig::new("y", ["y"])),
        &["column 'y'", "as time and as targets"],
    );
    says(
        &with(SeriesConfig::new("id", ["y"])),
        &["column 'id'", "text such as 'a'"],
    );
    says(
        &with(SeriesConfig::new("date", ["z"])),
        &["column 'z'", "not in the table"],
    );
    says(
        &with(SeriesConfig::new(["date", "when"], ["y"])),
        &["column 'when'", "noon", "09:30"],
    );
    says(
        &with(SeriesConfig::new("date", Vec::<String>::new())),
        &["targets is empty"],
    );
    let numbered = csv("t,y\n20240101,1\n20240102,2\n");
    let mut config = SeriesConfig::new("t", ["y"]);
    says(
        &refused(&numbered, &config),
        &["column 't'", "holds numbers", "time_unit"],
    );
    config.time_unit = Some(forge_data::TimeUnit::Days);
    says(
        &refused(&numbered, &config),
        &["20240101", "outside the years"],
    );
    let options = ReadOptions::default().with_column("t", ColumnRole::DateTime);
    let read = read_csv_from("t,y\n20240101,1\n20240102,2\n".as_bytes(), &options).unwrap();
    assert!(SeriesTable::from_table(&read.0, &SeriesConfig::new("t", ["y"])).is_ok());
}

#[test]
fn values_that_are_no_numbers_to_learn_from_are_named() {
    let mut y = ramp(8);
    y[5] = f64::INFINITY;
    let message = refused(&single(&hours(8), &[("y", y)]), &target());
    says(
        &message,
        &["row 7", "column 'y'", "2024-01-01T05:00:00", "infinite"],
    );
    let table = csv("date,id,y,s\n2024-01-01,a,1,x\n2024-01-02,a,2,z\n");
    let config = SeriesConfig::new("date", ["y"])
        .with_series("id")
        .with_fixed(["s"]);
    let message = refused(&table, &config);
    says(
        &message,
        &[
            "row 3",
            "column 's'",
            "series 'a'",
            "'x'",
            "'z'",
            "2024-01-02",
        ],
    );
    let empty = Table::new(vec![
        Column::date_time("time", vec![]),
        Column::numeric("y", vec![]),
    ]);
    says(&refused(&empty.unwrap(), &target()), &["no rows"]);
    // Beyond f32.
    let table = made(&single(&hours(8), &[("y", vec![1e300; 8])]), &target());
    let windows = Windows::new(&table, &WindowConfig::new(3, 2)).unwrap();
    let batch = windows.batch(&[0], &burn::tensor::Device::flex());
    says(
        &batch.unwrap_err().to_string(),
        &["column 'y'", "1e300 does not fit f32", "scale"],
    );
}

#[test]
fn irregular_steps_have_no_future_of_their_own() {
    let times: Vec<i64> = (0..12).map(|i| MONDAY + i * i * HOUR / 7 * 3).collect();
    let table = made(&single(&times, &[("y", ramp(12))]), &target());
    assert_eq!(table.report().frequency, Frequency::Irregular);
    let mut config = WindowConfig::new(3, 2);
    let device = burn::tensor::Device::flex();
    let windows = Windows::latest(&table, &config).unwrap();
    let message = windows.batch(&[0], &device).unwrap_err().to_string();
    says(
        &message,
        &["irregular", "declare frequency", "calendar = false"],
    );
    config.calendar = false;
    let batch = Windows::latest(&table, &config)
        .unwrap()
        .batch(&[0], &device)
        .unwrap();
    assert!(batch.calendar.is_none());
    assert!(
        Windows::new(&table, &WindowConfig::new(3, 2))
            .unwrap()
            .batch(&[0], &device)
            .is_ok()
    );
}

#[test]
fn windows_out_of_range_are_refused() {
    let table = made(&single(&hours(10), &[("y", ramp(10))]), &target());
    let with = |config: &WindowConfig| Windows::new(&table, config).unwrap_err().to_string();
    says(
        &with(&WindowConfig::new(0, 1)),
        &["lookback = 0", "allowed 1 to 1048576"],
    );
    says(&with(&WindowConfig::new(1, 0)), &["horizon = 0"]);
    says(
        &with(&WindowConfig::new(1, 1).with_stride(0)),
        &["stride = 0"],
    );
    says(
        &with(&WindowConfig::new(1, Horizon::List(vec![]))),
        &["empty list"],
    );
    says(
        &with(&WindowConfig::new(1, Horizon::List(vec![2, 2]))),
        &["must ascend"],
    );
    let mut config = WindowConfig::new(3, 1);
    config.min_lookback = Some(4);
    says(&with(&config), &["min_lookback = 4", "1 to 3"]);
    let text = r#"{"lookback":3,"horizon":[1,5]}"#;
    let config: WindowConfig = serde_json::from_str(text).unwrap();
    assert_eq!(config, WindowConfig::new(3, Horizon::List(vec![1, 5])));
    assert!(serde_json::from_str::<WindowConfig>(r#"{"lookback":3,"horizon":1,"x":1}"#).is_err());
}

#[test]
fn a_series_without_any_target_is_named() {
    let both: Vec<i64> = hours(8).into_iter().chain(hours(8)).collect();
    let mut y = ramp(16);
    y[..8].fill(f64::NAN);
    let table = Table::new(vec![
        Column::date_time("time", both),
        Column::categorical("id", (0..16).map(|i| Some(if i < 8 { "a" } else { "b" }))),
        Column::numeric("y", y),
    ])
    .unwrap();
    let table: Arc<SeriesTable> = made(&table, &target().with_series("id"));
    let message = Windows::latest(&table, &WindowConfig::new(3, 2))
        .unwrap_err()
        .to_string();
    says(&message, &["series 'a' has no value of any target"]);
}
