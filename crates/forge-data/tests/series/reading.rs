//! What is found in a file, and what is repaired.

use forge_data::{
    AmbiguousTimes, Column, Duplicates, Frequency, FrequencyChange, Gaps, ReadOptions,
    SeriesConfig, SeriesFindingKind as Kind, SeriesRow, SeriesSchema, SeriesTable, SplitPart,
    Stamps, Table, TimeSplit, TimeUnit, TrainSpan, read_csv_from,
};

use super::{DAY, HOUR, MONDAY, hours, made, ramp, single, target};

fn csv(text: &str) -> Table {
    read_csv_from(text.as_bytes(), &ReadOptions::default())
        .unwrap()
        .0
}

#[test]
fn unsorted_rows_of_a_panel_are_sorted_and_reported() {
    let table = csv("date,id,y\n\
         2024-01-02,b,12\n2024-01-01,a,1\n2024-01-01,b,11\n2024-01-03,a,3\n2024-01-02,a,2\n\
         2024-01-03,b,13\n2024-01-06,a,6\n2024-01-06,b,16\n2024-01-07,b,17\n2024-01-07,a,7\n");
    let config = SeriesConfig::new("date", ["y"]).with_series("id");
    let series = made(&table, &config);
    assert_eq!(series.ids(), ["b", "a"]);
    assert_eq!(
        series.column(0, "y").unwrap(),
        [11.0, 12.0, 13.0, 16.0, 17.0]
    );
    assert_eq!(series.column(1, "y").unwrap(), [1.0, 2.0, 3.0, 6.0, 7.0]);
    let finding = series.report().finding(Kind::Unsorted, None).unwrap();
    assert_eq!((finding.count, finding.in_series), (2, 2));
    assert_eq!(finding.place, "2024-01-01 after 2024-01-02");
    // Thursday and Friday lack: days round the week.
    assert_eq!(series.report().frequency, Frequency::Every(DAY));
    let missing = series.report().finding(Kind::MissingSteps, None).unwrap();
    assert_eq!((missing.count, missing.place.as_str()), (4, "2024-01-03"));
}

/// As statistics offices write them, without a declaration.
#[test]
fn months_and_quarters_are_times() {
    for (stamp, frequency, at) in [
        (
            (|i| format!("{}-{:02}", 1990 + i / 12, i % 12 + 1)) as fn(u32) -> String,
            1,
            36,
        ),
        (|i| format!("{}M{:02}", 1990 + i / 12, i % 12 + 1), 1, 36),
        (|i| format!("{}Q{}", 1990 + i / 4, i % 4 + 1), 3, 12),
        (|i| format!("Q{} {}", i % 4 + 1, 1990 + i / 4), 3, 12),
    ] {
        let rows: String = (0..40).map(|i| format!("{},{i}\n", stamp(i))).collect();
        let table = csv(&format!("when,y\n{rows}"));
        let series = made(&table, &SeriesConfig::new("when", ["y"]));
        assert_eq!(series.report().frequency, Frequency::Months(frequency));
        // 1993-01-01.
        assert_eq!(series.times(0)[at], 725_846_400_000);
        assert!(series.report().findings.is_empty());
    }
    // A year alone is a number, which a pattern makes a time.
    let years: String = (0..30).map(|i| format!("{},{i}\n", 1960 + i)).collect();
    let options = ReadOptions::default().with_column("when", "datetime:%Y".parse().unwrap());
    let (table, _) = read_csv_from(format!("when,y\n{years}").as_bytes(), &options).unwrap();
    let series = made(&table, &SeriesConfig::new("when", ["y"]));
    assert_eq!(series.report().frequency, Frequency::Months(12));
}

#[test]
fn gaps_are_filled_if_asked() {
    let mut times = hours(20);
    times.drain(5..8);
    let table = single(&times, &[("y", ramp(17))]);
    let kept = made(&table, &target());
    assert_eq!(kept.n_rows(), 17);
    let missing = kept.report().finding(Kind::MissingSteps, None).unwrap();
    assert_eq!(
        (missing.count, missing.place.as_str()),
        (3, "2024-01-01T04:00:00")
    );
    let mut config = target();
    config.gaps = Gaps::Fill;
    let filled = made(&table, &config);
    assert_eq!(filled.times(0), hours(20));
    let y = filled.column(0, "y").unwrap();
    assert!(y[5..8].iter().all(|v| v.is_nan()));
    assert_eq!((y[4], y[8], y[19]), (5.0, 6.0, 17.0));
    assert_eq!(
        filled.report().finding(Kind::Filled, None).unwrap().count,
        3
    );
    assert_eq!(filled.report().finding(Kind::MissingSteps, None), None);
}

#[test]
fn days_on_which_another_series_trades_are_filled_and_holidays_not() {
    // Three weeks of weekdays without one holiday; series b lacks one day more.
    let days: Vec<i64> = (0..19).filter(|d| d % 7 < 5 && *d != 9).collect();
    let mut times = Vec::new();
    let mut ids = Vec::new();
    for id in ["a", "b"] {
        for day in &days {
            if id == "a" || *day != 3 {
                times.push(MONDAY + day * DAY);
                ids.push(Some(id));
            }
        }
    }
    let y = ramp(times.len());
    let table = Table::new(vec![
        Column::date_time("time", times),
        Column::categorical("id", ids),
        Column::numeric("y", y),
    ])
    .unwrap();
    let mut config = target().with_series("id");
    config.gaps = Gaps::Fill;
    let series = made(&table, &config);
    let report = series.report();
    assert_eq!(report.frequency, Frequency::Business);
    assert_eq!(
        report.finding(Kind::ClosedDays, None).unwrap().place,
        "2024-01-10"
    );
    assert_eq!(report.finding(Kind::ClosedDays, None).unwrap().count, 1);
    let filled = report.finding(Kind::Filled, None).unwrap();
    assert_eq!((filled.count, filled.series.as_str()), (1, "b"));
    assert_eq!(series.times(0), series.times(1));
    // Friday's next step is Monday.
    let next = series.next_times(0, 2).unwrap();
    assert_eq!(next, [MONDAY + 21 * DAY, MONDAY + 22 * DAY]);
}

#[test]
fn sessions_have_bars_nights_and_short_days() {
    // Four weeks of 09:30 to 15:30; one early close, one bar missing in the middle of a day.
    let mut times = Vec::new();
    for day in (0..26).filter(|d| d % 7 < 5) {
        for bar in 0..13 {
            let early = day == 4 && bar > 6;
            let missing = day == 8 && bar == 5;
            if !early && !missing {
                times.push(MONDAY + day * DAY + 19 * HOUR / 2 + bar * HOUR / 2);
            }
        }
    }
    let table = single(&times, &[("y", ramp(times.len()))]);
    let series = made(&table, &target());
    let report = series.report();
    assert_eq!(report.frequency, Frequency::Sessions(HOUR / 2));
    assert_eq!(report.session, Some(("09:30".into(), "15:30".into(), 13)));
    assert_eq!(report.finding(Kind::ShortSessions, None).unwrap().count, 1);
    assert_eq!(report.finding(Kind::MissingSteps, None).unwrap().count, 1);
    let calendar = series.calendar(0, 3);
    assert_eq!((calendar.bar_of_day, calendar.bars_of_day), (3, 13));
    let next = series.next_times(0, 1).unwrap();
    assert_eq!(
        next,
        [MONDAY + 28 * DAY + 19 * HOUR / 2],
        "the next Monday's opening"
    );
    let mut config = target();
    config.gaps = Gaps::Fill;
    let filled = made(&table, &config);
    assert_eq!(
        filled.n_rows(),
        times.len() + 1,
        "the early close is no gap"
    );
}

#[test]
fn one_of_several_rows_of_a_time_is_kept_as_asked() {
    let table = csv("date,y\n2024-01-01,1\n2024-01-02,2\n2024-01-02,20\n2024-01-03,3\n");
    let mut config = SeriesConfig::new("date", ["y"]);
    for (policy, expected) in [(Duplicates::First, 2.0), (Duplicates::Last, 20.0)] {
        config.duplicates = policy;
        let series = made(&table, &config);
        assert_eq!(series.column(0, "y").unwrap(), [1.0, expected, 3.0]);
        let finding = series.report().finding(Kind::Duplicates, None).unwrap();
        assert_eq!((finding.count, finding.place.as_str()), (1, "2024-01-02"));
    }
}

#[test]
fn wall_clocks_that_go_back_are_told_apart_in_order() {
    // 2023-11-05 in New York: 00:00, 01:00 twice, 02:00, 03:00.
    let table = csv(
        "time,y\n2023-11-05T00:00,1\n2023-11-05T01:00,2\n2023-11-05T01:00,3\n\
                     2023-11-05T02:00,4\n2023-11-05T03:00,5\n",
    );
    let mut config = SeriesConfig::new("time", ["y"]);
    config = config.with_time_zone("America/New_York", Stamps::WallClock);
    config.ambiguous = AmbiguousTimes::InOrder;
    let series = made(&table, &config);
    let times = series.times(0);
    assert!(
        times.windows(2).all(|pair| pair[1] - pair[0] == HOUR),
        "{times:?}"
    );
    assert_eq!(series.report().frequency, Frequency::Every(HOUR));
    assert_eq!(
        series
            .report()
            .finding(Kind::Ambiguous, None)
            .unwrap()
            .count,
        2
    );
    // The clock shows 01:00 in both rows.
    assert_eq!(series.calendar(0, 1).second_of_day, 3600);
    assert_eq!(series.calendar(0, 2).second_of_day, 3600);
    // Midnight was 04:00 UTC, and 09:30 on the next day is 14:30.
    let time = series.schema().time("2023-11-06T09:30").unwrap();
    assert_eq!(time, times[0] + 69 * HOUR / 2);
}

#[test]
fn offsets_of_another_zone_are_reported_and_instants_kept() {
    let table = csv(
        "time,y\n2024-01-01T00:00-05:00,1\n2024-01-01T01:00-05:00,2\n\
                     2024-01-01T08:00+01:00,3\n2024-01-01T03:00-05:00,4\n",
    );
    let series = made(&table, &SeriesConfig::new("time", ["y"]));
    let times = series.times(0);
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == HOUR));
    let finding = series.report().finding(Kind::SeveralZones, None).unwrap();
    assert_eq!(
        (finding.count, finding.place.as_str()),
        (1, "2024-01-01T08:00:00+01:00")
    );
    let mut config = SeriesConfig::new("time", ["y"]);
    config = config.with_time_zone("America/New_York", Stamps::WallClock);
    let series = made(&table, &config);
    assert_eq!(series.report().finding(Kind::SeveralZones, None), None);
    assert_eq!(series.calendar(0, 2).second_of_day, 2 * 3600);
}

#[test]
fn a_change_of_step_can_be_kept() {
    let mut times = hours(30);
    times.extend((1..=40).map(|i| MONDAY + 29 * HOUR + i * HOUR / 12));
    let table = single(&times, &[("y", ramp(70))]);
    let mut config = target();
    config.frequency_change = FrequencyChange::Keep;
    let series = made(&table, &config);
    let finding = series
        .report()
        .finding(Kind::FrequencyChange, None)
        .unwrap();
    assert_eq!(finding.place, "1h until 2024-01-02T05:00:00, then 5min");
}

#[test]
fn dates_and_times_of_day_may_stand_in_two_columns_or_be_numbers() {
    let table = csv("day,clock,y\n2024-01-01,09:30,1\n2024-01-01,09:31,2\n2024-01-01,09:32,3\n");
    let series = made(&table, &SeriesConfig::new(["day", "clock"], ["y"]));
    assert_eq!(series.times(0)[1], MONDAY + 571 * 60_000);
    let table = csv("seconds,y\n34200.125,1\n34200.25,2\n34201,3\n34207,4\n");
    let mut config = SeriesConfig::new("seconds", ["y"]);
    config.time_unit = Some(TimeUnit::Seconds);
    let series = made(&table, &config);
    assert_eq!(series.times(0)[..2], [34_200_125, 34_200_250]);
    assert_eq!(series.report().frequency, Frequency::Irregular);
}

#[test]
fn fixed_columns_have_one_value_per_series_and_codes_of_training() {
    let text = "date,id,y,sector,beta\n2024-01-01,a,1,tech,1.5\n2024-01-02,a,2,,\n\
                2024-01-01,b,1,oil,0.5\n2024-01-02,b,2,oil,0.5\n2024-01-06,b,2,oil,0.5\n";
    let config = SeriesConfig::new("date", ["y"])
        .with_series("id")
        .with_fixed(["sector", "beta", "id"]);
    let series = made(&csv(text), &config);
    let schema = series.schema();
    let names: Vec<_> = schema.fixed_labels().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["sector", "id"]);
    let sector = schema.fixed_labels().next().unwrap();
    assert_eq!(
        (
            sector.code(Some("tech")),
            sector.code(Some("oil")),
            sector.code(None)
        ),
        (1, 2, 0)
    );
    // A file to predict from, with one of the series, through JSON.
    let text = serde_json::to_string(schema).unwrap();
    let schema: SeriesSchema = serde_json::from_str(&text).unwrap();
    let later = csv("date,id,y,sector,beta\n2024-02-01,b,1,oil,0.5\n2024-02-02,b,2,oil,0.5\n");
    let later = SeriesTable::like(&later, &schema).unwrap();
    assert_eq!(later.ids(), ["b"]);
    assert_eq!(later.report().frequency, series.report().frequency);
    let other = csv("date,id,y,sector,beta\n2024-02-01,b,1,steel,0.5\n");
    let message = SeriesTable::like(&other, &schema).unwrap_err().to_string();
    super::says(
        &message,
        &["'sector'", "series 'b'", "'steel'", "tech, oil"],
    );
}

#[test]
fn configs_go_through_text_and_refuse_unknown_keys() {
    let text = r#"{"time":["day","clock"],"targets":["y"],"known":["k"],"frequency":"sessions/5min",
        "time_zone":"America/New_York","gaps":"fill","missing":"forward"}"#;
    let config: SeriesConfig = serde_json::from_str(text).unwrap();
    assert_eq!(config.frequency, Some(Frequency::Sessions(300_000)));
    config.validate().unwrap();
    let again = serde_json::to_string(&config).unwrap();
    assert_eq!(
        serde_json::from_str::<SeriesConfig>(&again).unwrap(),
        config
    );
    let unknown = r#"{"time":"t","targets":["y"],"gap":"fill"}"#;
    assert!(serde_json::from_str::<SeriesConfig>(unknown).is_err());
}

#[test]
fn the_order_of_the_file_does_not_matter() {
    let n = 40;
    let times: Vec<i64> = (0..2 * n).map(|i| MONDAY + (i / 2) * HOUR).collect();
    let rows: Vec<usize> = (0..2 * n as usize).collect();
    let table = Table::new(vec![
        Column::date_time("time", times),
        Column::categorical("id", rows.iter().map(|i| Some(["a", "b"][i % 2]))),
        Column::numeric("y", rows.iter().map(|i| (*i as f64).sin()).collect()),
    ])
    .unwrap();
    let config = target().with_series("id");
    let sorted = made(&table, &config);
    assert!(sorted.report().findings.is_empty());
    // 27 and 80 have no common factor: every row once. The first row stays the first.
    let shuffled: Vec<usize> = rows.iter().map(|i| i * 27 % 80).collect();
    let shuffled = made(&table.select_rows(&shuffled).unwrap(), &config);
    assert_eq!(shuffled.ids(), sorted.ids());
    for series in 0..2 {
        assert_eq!(shuffled.times(series), sorted.times(series));
        assert_eq!(
            shuffled.column(series, "y").unwrap(),
            sorted.column(series, "y").unwrap()
        );
    }
    assert!(shuffled.report().finding(Kind::Unsorted, None).is_some());
}

#[test]
fn days_of_a_zone_keep_their_clock_when_it_changes() {
    // Noon in New York, 2024-03-01 to 2024-03-09: daylight saving begins on the 10th.
    let mut config = target();
    config = config.with_time_zone("America/New_York", Stamps::WallClock);
    let noon: Vec<i64> = (60..69).map(|d| MONDAY + d * DAY + 12 * HOUR).collect();
    let series = made(&single(&noon, &[("y", ramp(9))]), &config);
    assert_eq!(series.report().frequency, Frequency::Every(DAY));
    let last = *series.times(0).last().unwrap();
    assert_eq!(last, noon[8] + 5 * HOUR);
    assert_eq!(
        series.next_times(0, 2).unwrap(),
        [last + 23 * HOUR, last + 47 * HOUR]
    );
}

#[test]
fn stamps_in_utc_and_on_a_wall_clock_are_told_apart() {
    let table = csv("time,y\n2024-01-02T14:30Z,1\n2024-01-02T14:31Z,2\n2024-01-02T14:32Z,3\n");
    let mut config = SeriesConfig::new("time", ["y"]);
    config.time_zone = Some("America/New_York".into());
    let message = super::refused(&table, &config);
    super::says(
        &message,
        &["column 'time'", "2024-01-02T14:30:00", "wall_clock", "utc"],
    );
    // 14:30 UTC is 09:30 in New York; 14:30 there is 19:30 UTC.
    for (stamps, hour, half_hours) in [(Stamps::Utc, 9, 29), (Stamps::WallClock, 14, 39)] {
        config.stamps = Some(stamps);
        let series = made(&table, &config);
        assert_eq!(series.times(0)[0], MONDAY + DAY + half_hours * HOUR / 2);
        assert_eq!(series.calendar(0, 0).second_of_day, hour * 3600 + 1800);
    }
}

#[test]
fn numbered_steps_have_no_calendar_and_are_cut_at_their_numbers() {
    let text: String = (1..=9).map(|t| format!("{t},{}\n", t * t)).collect();
    let table = csv(&format!("t,y\n{text}"));
    let mut config = SeriesConfig::new("t", ["y"]);
    config.time_unit = Some(TimeUnit::Steps);
    let series = made(&table, &config);
    let schema = series.schema();
    assert_eq!(schema.time_unit(), Some(TimeUnit::Steps));
    assert!(!schema.has_calendar());
    let report = series.report();
    assert_eq!((&report.first[..], &report.last[..]), ("1", "9"));
    let numbers: Vec<f64> = series
        .times(0)
        .iter()
        .map(|t| TimeUnit::Steps.number(*t))
        .collect();
    assert_eq!(numbers, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    let split = TimeSplit::HoldOut {
        validation: SplitPart::Steps(2),
        test: SplitPart::From("8".into()),
        embargo: 0,
    };
    let folds = split.folds(&series).unwrap();
    let test = folds[0].test.as_ref().unwrap();
    let inside: Vec<f64> = numbers
        .iter()
        .copied()
        .filter(|n| test.contains((*n * 86_400_000.0) as i64))
        .collect();
    assert_eq!(inside, [8.0, 9.0]);

    // What is counted stands in numbers: dates count nothing, and are refused where steps are said.
    let text: String = (1..=9).map(|t| format!("2024-01-0{t},{t}\n")).collect();
    let dated = csv(&format!("t,y\n{text}"));
    config.time_unit = Some(TimeUnit::Hours);
    let series = made(&dated, &config);
    assert_eq!(
        (series.schema().time_unit(), series.schema().has_calendar()),
        (None, true)
    );
    config.time_unit = Some(TimeUnit::Steps);
    let refused = SeriesTable::from_table(&dated, &config)
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("column 't'") && refused.contains("holds dates"),
        "{refused}"
    );
}

/// Messages show numbered steps as the numbers they are.
#[test]
fn messages_show_numbered_steps_as_numbers() {
    let mut config = SeriesConfig::new("t", ["y"]);
    config.time_unit = Some(TimeUnit::Steps);
    let text: String = [1, 2, 3, 4, 5, 8, 9, 10]
        .map(|t| format!("{t},{t}\n"))
        .concat();
    let table = csv(&format!("t,y\n{text}"));
    config.gaps = Gaps::Refuse;
    let refused = SeriesTable::from_table(&table, &config)
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("lacks 2 steps of 1 between 5 and 8"),
        "{refused}"
    );

    config.gaps = Gaps::Keep;
    let mut series = SeriesTable::from_table(&table, &config).unwrap();
    let report = series.report().to_string();
    assert!(
        report.starts_with("1 series, 8 rows from 1 to 10, steps: 1 (inferred)"),
        "{report}"
    );
    assert_eq!(series.report().findings[0].place, "5");
    let split = TimeSplit::WalkForward {
        train: TrainSpan::Expanding,
        first_test: Some("11".into()),
        folds: None,
        test: 1,
        step: None,
        validation: 1,
        embargo: 0,
    };
    let refused = split.folds(&series).unwrap_err().to_string();
    assert!(refused.contains("after the last step, 10"), "{refused}");
    let row = |t: f64| SeriesRow {
        series: String::new(),
        time: (t * DAY as f64) as i64,
        values: vec![("y".into(), 1.0)],
    };
    let refused = series.append(&row(4.0)).unwrap_err().to_string();
    assert!(
        refused.contains("at 4: is not after the last row, 10"),
        "{refused}"
    );
}
