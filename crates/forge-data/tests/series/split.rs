//! Parts of time.

use forge_data::{
    Fold, SeriesTable, SplitPart, TimeRange, TimeSplit, TrainSpan, WindowConfig, Windows,
};

use super::{HOUR, MONDAY, hours, made, ramp, says, single, target};

fn table(n: i64) -> std::sync::Arc<SeriesTable> {
    made(&single(&hours(n), &[("y", ramp(n as usize))]), &target())
}

fn at(step: i64) -> i64 {
    MONDAY + step * HOUR
}

fn range(from: i64, until: i64) -> TimeRange {
    TimeRange {
        from: Some(at(from)),
        until: Some(at(until)),
    }
}

#[test]
fn a_hold_out_takes_the_end_of_time() {
    let folds = TimeSplit::default().folds(&table(100)).unwrap();
    let expected = Fold {
        train: TimeRange::until(at(70)),
        validation: Some(range(70, 80)),
        test: Some(TimeRange::from(at(80))),
    };
    assert_eq!(folds, [expected]);
    let split = TimeSplit::HoldOut {
        validation: SplitPart::Steps(0),
        test: SplitPart::From("2024-01-04T06:00".into()),
        embargo: 5,
    };
    let folds = split.folds(&table(100)).unwrap();
    let expected = Fold {
        train: TimeRange::until(at(73)),
        validation: None,
        test: Some(TimeRange::from(at(78))),
    };
    assert_eq!(folds, [expected]);
}

#[test]
fn walks_expand_or_roll_and_test_every_step_once() {
    let walk = |train, validation, embargo| TimeSplit::WalkForward {
        folds: Some(3),
        test: 10,
        step: None,
        first_test: None,
        train,
        validation,
        embargo,
    };
    let folds = walk(TrainSpan::Expanding, 0, 0).folds(&table(100)).unwrap();
    let tests: Vec<_> = folds.iter().map(|fold| fold.test.unwrap()).collect();
    assert_eq!(
        tests,
        [range(70, 80), range(80, 90), TimeRange::from(at(90))]
    );
    assert_eq!(folds[1].train, TimeRange::until(at(80)));
    let folds = walk(TrainSpan::Rolling(20), 7, 2)
        .folds(&table(100))
        .unwrap();
    assert_eq!(folds[0].train, range(41, 61));
    assert_eq!(folds[0].validation, Some(range(63, 68)));
    assert_eq!(folds[0].test, Some(range(70, 80)));
    let from = TimeSplit::WalkForward {
        folds: None,
        test: 10,
        step: Some(5),
        first_test: Some("2024-01-04T12:00".into()),
        train: TrainSpan::Expanding,
        validation: 0,
        embargo: 0,
    };
    let folds = from.folds(&table(100)).unwrap();
    assert_eq!(folds.len(), 4);
    assert_eq!(folds[0].test, Some(range(84, 94)));
}

#[test]
fn labels_that_reach_into_the_test_are_purged() {
    let table = table(100);
    let windows = Windows::new(&table, &WindowConfig::new(12, 6)).unwrap();
    let folds = TimeSplit::default().folds(&table).unwrap();
    let train = windows.within(&folds[0].train);
    let test = windows.within(&folds[0].test.unwrap());
    let last = (0..train.len())
        .flat_map(|i| train.forecast_times(i).unwrap())
        .max();
    assert_eq!(last, Some(at(69)));
    assert_eq!(train.purged(), 5);
    let first = (0..test.len())
        .flat_map(|i| test.forecast_times(i).unwrap())
        .min();
    assert_eq!(first, Some(at(80)));
}

#[test]
fn splits_that_leave_nothing_say_so() {
    let folds = |split: TimeSplit| split.folds(&table(20)).unwrap_err().to_string();
    let hold_out = |validation, test, embargo| TimeSplit::HoldOut {
        validation,
        test,
        embargo,
    };
    says(
        &folds(hold_out(SplitPart::Steps(5), SplitPart::Fraction(1.0), 0)),
        &["test has the fraction 1", "0 to below 1"],
    );
    says(
        &folds(hold_out(SplitPart::Steps(10), SplitPart::Steps(10), 0)),
        &["20 steps", "none is left to train on"],
    );
    says(
        &folds(hold_out(SplitPart::Steps(3), SplitPart::Steps(4), 3)),
        &["embargo = 3", "3 validation steps"],
    );
    says(
        &folds(hold_out(SplitPart::Steps(0), SplitPart::Steps(21), 0)),
        &["test has 21 steps", "there are 20"],
    );
    let walk = |folds, test, first_test: Option<&str>| TimeSplit::WalkForward {
        folds,
        test,
        step: None,
        first_test: first_test.map(Into::into),
        train: TrainSpan::Expanding,
        validation: 0,
        embargo: 0,
    };
    says(
        &folds(walk(Some(3), 7, None)),
        &["3 tests of 7 steps", "20 steps there are"],
    );
    says(&folds(walk(None, 7, None)), &["folds", "first_test"]);
    says(&folds(walk(Some(0), 7, None)), &["folds = 0"]);
    says(
        &folds(walk(None, 7, Some("2030-01-01"))),
        &["first_test is after", "2024-01-01T19:00:00"],
    );
    says(
        &folds(walk(None, 7, Some("Monday"))),
        &["'Monday'", "2023-09-14"],
    );
}

#[test]
fn splits_are_text() {
    let text =
        r#"{"name":"walk_forward","test":250,"first_test":"2014-01-02","train":{"rolling":1000}}"#;
    let split: TimeSplit = serde_json::from_str(text).unwrap();
    assert!(matches!(
        split,
        TimeSplit::WalkForward {
            train: TrainSpan::Rolling(1000),
            ..
        }
    ));
    let text = r#"{"name":"hold_out","test":{"steps":2880},"validation":{"from":"2017-06-26"}}"#;
    let split: TimeSplit = serde_json::from_str(text).unwrap();
    let again = serde_json::to_string(&split).unwrap();
    assert_eq!(serde_json::from_str::<TimeSplit>(&again).unwrap(), split);
    assert!(serde_json::from_str::<TimeSplit>(r#"{"name":"hold_out","tests":1}"#).is_err());
}
