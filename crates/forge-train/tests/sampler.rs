//! Samplers: what each promises of its batches, by config, through the trainer.

use std::collections::BTreeMap;

use forge_nn::ForgeError;
use forge_nn::burn::tensor::Tensor;
use forge_train::sampler::{
    Bucketed, Grouped, KeyOf, RowKeys, Sampler, SamplerConfig, Shuffle, Stratified, TimeOrdered,
};
use forge_train::{StepContext, TrainTask, Trainer, TrainerConfig};
use serde_json::json;

use crate::swa::{Weight, weight};

fn batches(sampler: &mut dyn Sampler, epoch: usize) -> Vec<Vec<usize>> {
    let batches = 0..sampler.batches();
    batches.map(|b| sampler.rows(epoch, b).unwrap()).collect()
}

fn once_each(batches: &[Vec<usize>], n: usize) {
    let mut rows = batches.concat();
    rows.sort_unstable();
    assert_eq!(rows, (0..n).collect::<Vec<_>>());
}

/// Every sampler gives the same rows in a new object asked out of order.
fn repeats(make: impl Fn() -> Box<dyn Sampler>) {
    let mut first = make();
    let epochs: Vec<_> = (0..3).map(|e| batches(first.as_mut(), e)).collect();
    let mut again = make();
    for epoch in [2, 0, 1] {
        for batch in (0..again.batches()).rev() {
            assert_eq!(again.rows(epoch, batch).unwrap(), epochs[epoch][batch]);
        }
    }
    assert_eq!(first.config(), again.config());
}

/// 37 rows: classes of 29, 5 and 3; times and lengths out of order; groups of days.
struct Rows;

impl Rows {
    const N: usize = 37;

    fn class(row: usize) -> usize {
        match row * 11 % Self::N {
            0..29 => 0,
            29..34 => 1,
            _ => 2,
        }
    }

    fn time(row: usize) -> f64 {
        (row * 17 % Self::N) as f64
    }

    fn day(row: usize) -> usize {
        row % 5
    }
}

impl TrainTask for Rows {
    type Module = Weight;

    fn n_rows(&self) -> usize {
        Self::N
    }

    fn row_keys(&self, by: &KeyOf) -> Result<RowKeys, ForgeError> {
        let rows = 0..Self::N;
        Ok(match by {
            KeyOf::Target => RowKeys::Labels {
                names: ["up", "down", "never", "flat"].map(String::from).to_vec(),
                // Class 2 has no row.
                rows: rows.map(|r| Some([0, 1, 3][Self::class(r)])).collect(),
            },
            KeyOf::Weight => RowKeys::Numbers(rows.map(|r| (r % 2) as f64).collect()),
            KeyOf::Column(name) => match name.as_str() {
                "time" => RowKeys::Numbers(rows.map(Self::time).collect()),
                "day" => RowKeys::Labels {
                    names: (0..5).map(|d| format!("day {d}")).collect(),
                    rows: rows.map(|r| Some(Self::day(r))).collect(),
                },
                "holes" => {
                    RowKeys::Numbers(rows.map(|r| [1.0, f64::NAN][usize::from(r == 7)]).collect())
                }
                "signed" => RowKeys::Numbers(rows.map(|r| 3.0 - r as f64).collect()),
                "short" => RowKeys::Numbers(vec![1.0; 36]),
                _ => {
                    return Err(ForgeError::config(
                        "sampler.by",
                        name,
                        "a column of the table",
                    ));
                }
            },
        })
    }

    fn loss(
        &mut self,
        module: &Weight,
        rows: &[usize],
        _: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        // The gradient tells the rows.
        Ok(module.w.val() * rows.iter().map(|r| *r as f64).sum::<f64>())
    }
}

fn by_config(config: serde_json::Value, batch_size: usize) -> Box<dyn Sampler> {
    let config: SamplerConfig = serde_json::from_value(config).unwrap();
    config
        .build(Rows::N, batch_size, 3, |by| Rows.row_keys(by))
        .unwrap()
}

#[test]
fn stratified_batches_are_like_the_whole() {
    let strata: Vec<usize> = (0..Rows::N).map(Rows::class).collect();
    for batch_size in [2, 7, 12, 40] {
        let make = || Stratified::new(&strata, 3, batch_size, 3).unwrap();
        let mut sampler = make();
        for epoch in 0..20 {
            let batches = batches(&mut sampler, epoch);
            once_each(&batches, Rows::N);
            for batch in &batches {
                for (class, n) in [(0, 29.0), (1, 5.0), (2, 3.0)] {
                    let found = batch.iter().filter(|r| strata[**r] == class).count() as f64;
                    let fair = batch.len() as f64 * n / Rows::N as f64;
                    assert!(
                        (found - fair).abs() < 2.0,
                        "{found} of class {class} for {fair}"
                    );
                }
            }
        }
        repeats(|| Box::new(make()));
    }
    let mut sampler = Stratified::new(&strata, 3, 7, 3).unwrap();
    assert_ne!(batches(&mut sampler, 0), batches(&mut sampler, 1));
    // By config it is the same one; labels without rows are left out.
    let mut named = by_config(json!({"name": "stratified"}), 7);
    assert_eq!(batches(named.as_mut(), 4), batches(&mut sampler, 4));
    // Intervals of numbers: each batch has low and high ones.
    let mut numbers = by_config(
        json!({"name": "stratified", "by": {"column": "time"}, "bins": 4}),
        12,
    );
    for batch in batches(numbers.as_mut(), 0) {
        for quarter in 0..4 {
            let of = |r: &&usize| (Rows::time(**r) * 4.0 / 37.0) as usize == quarter;
            assert!(
                batch.iter().filter(of).count() >= batch.len() / 4 - 1,
                "{batch:?}"
            );
        }
    }
}

#[test]
fn every_row_has_the_same_chance_at_every_place() {
    // Place of row 0 over many epochs, of 6 rows in two strata; 5 degrees of freedom, 20.5 is the
    // 0.1 % point.
    let mut counts = [0_f64; 6];
    let mut sampler = Stratified::new(&[0, 0, 0, 0, 1, 1], 2, 6, 9).unwrap();
    for epoch in 0..6000 {
        let rows = sampler.rows(epoch, 0).unwrap();
        counts[rows.iter().position(|r| *r == 0).unwrap()] += 1.0;
    }
    let chi2: f64 = counts.iter().map(|c| (c - 1000.0).powi(2) / 1000.0).sum();
    assert!(chi2 < 20.5, "{counts:?}");
}

#[test]
fn balanced_rows_come_from_every_class_alike() {
    let mut sampler = by_config(json!({"name": "balanced"}), 37);
    let mut counts = [0_f64; 3];
    for epoch in 0..300 {
        for row in sampler.rows(epoch, 0).unwrap() {
            counts[Rows::class(row)] += 1.0;
        }
    }
    // 11,100 draws; 2 degrees of freedom, 13.8 is the 0.1 % point.
    let chi2: f64 = counts.iter().map(|c| (c - 3700.0).powi(2) / 3700.0).sum();
    assert!(chi2 < 13.8, "{counts:?}");
    let mut weighted = by_config(json!({"name": "weighted"}), 37);
    let drawn = weighted.rows(0, 0).unwrap();
    assert!(drawn.iter().all(|row| row % 2 == 1) && drawn.len() == 37);
    repeats(|| by_config(json!({"name": "balanced"}), 8));
}

#[test]
fn groups_stay_whole() {
    for per_batch in [1, 2] {
        let config = json!({"name": "groups", "by": {"column": "day"}, "per_batch": per_batch});
        let mut sampler = by_config(config.clone(), 4);
        // Of five groups in pairs the last joins the pair before it.
        assert_eq!(sampler.batches(), 5 / per_batch);
        let mut orders = std::collections::BTreeSet::new();
        for epoch in 0..6 {
            let batches = batches(sampler.as_mut(), epoch);
            once_each(&batches, Rows::N);
            for batch in &batches {
                let mut days: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
                for row in batch {
                    days.entry(Rows::day(*row)).or_default().push(*row);
                }
                for (day, rows) in &days {
                    let all: Vec<usize> = (0..Rows::N).filter(|r| Rows::day(*r) == *day).collect();
                    assert_eq!(*rows, all);
                }
            }
            orders.insert(batches);
        }
        assert!(orders.len() > 2, "the order never changes");
        repeats(|| by_config(config.clone(), 4));
    }
    for (groups, per_batch, part) in [
        (
            vec![vec![0, 1], vec![]],
            1,
            "sampler.groups[1] = without rows",
        ),
        (vec![], 1, "sampler.groups = none"),
        (vec![vec![0, 1], vec![2]], 1, "group 1 has one row"),
        (vec![vec![0]], 0, "sampler.per_batch = 0"),
    ] {
        let error = Grouped::new(groups, per_batch, 0).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn batches_in_time_are_neighbours() {
    let times: Vec<f64> = (0..Rows::N).map(Rows::time).collect();
    let mut sampler = TimeOrdered::new(&times, 6).unwrap();
    let in_order = batches(&mut sampler, 0);
    once_each(&in_order, Rows::N);
    assert!(in_order.concat().is_sorted_by_key(|r| times[*r] as i64));
    assert_eq!(in_order, batches(&mut sampler, 5));
    // 37 is 6 × 6 + 1: no batch of one row.
    assert_eq!(in_order.last().unwrap().len(), 7);
    let config = json!({"name": "time_ordered", "by": {"column": "time"}, "shuffle_batches": true});
    let mut shuffled = by_config(config.clone(), 6);
    let mut found = batches(shuffled.as_mut(), 0);
    assert_ne!(found, in_order);
    assert_ne!(found, batches(shuffled.as_mut(), 1));
    found.sort_by_key(|batch| times[batch[0]] as i64);
    assert_eq!(found, in_order);
    repeats(|| by_config(config.clone(), 6));
}

#[test]
fn buckets_hold_rows_of_like_length() {
    let lengths: Vec<f64> = (0..Rows::N).map(Rows::time).collect();
    let mut sampler = Bucketed::new(&lengths, 2, 6, 3).unwrap();
    for epoch in 0..4 {
        let batches = batches(&mut sampler, epoch);
        once_each(&batches, Rows::N);
        for batch in &batches {
            let of = batch.iter().map(|r| lengths[*r]);
            let (low, high) = of.fold((99.0_f64, 0.0_f64), |(l, h), x| (l.min(x), h.max(x)));
            // A bucket has 12 lengths; the last batch may have one more.
            assert!(high - low <= 12.0, "{low} to {high}");
        }
    }
    assert_ne!(batches(&mut sampler, 0), batches(&mut sampler, 1));
    repeats(|| by_config(json!({"name": "buckets", "by": {"column": "time"}}), 6));
    assert!(Bucketed::new(&lengths, 0, 6, 3).is_err());
}

#[test]
fn what_a_sampler_cannot_use_is_named() {
    for (config, part) in [
        (json!({"name": "stratified", "bins": 1}), "sampler.bins = 1"),
        (
            json!({"name": "balanced", "bins": 1001}),
            "sampler.bins = 1001",
        ),
        (
            json!({"name": "groups", "by": "target", "per_batch": 0}),
            "sampler.per_batch = 0",
        ),
        (
            json!({"name": "buckets", "by": "weight", "batches_per_bucket": 0}),
            "sampler.batches_per_bucket = 0",
        ),
        (
            json!({"name": "time_ordered", "by": "target"}),
            "sampler.by (target) = labels",
        ),
        (
            json!({"name": "stratified", "by": {"column": "holes"}}),
            "sampler.by (column \"holes\") = missing in training row 7",
        ),
        (
            json!({"name": "weighted", "by": {"column": "signed"}}),
            "-1 in training row 4",
        ),
        (
            json!({"name": "groups", "by": {"column": "short"}}),
            "36 values, must be one per row, of which there are 37",
        ),
        (
            json!({"name": "groups", "by": {"column": "no"}}),
            "sampler.by = no",
        ),
    ] {
        let config: SamplerConfig = serde_json::from_value(config).unwrap();
        let error = config.build(Rows::N, 4, 0, |by| Rows.row_keys(by)).err();
        let error = error.unwrap().to_string();
        assert!(error.contains(part), "{error}");
    }
    let error = Stratified::new(&[0, 2], 3, 4, 0).unwrap_err().to_string();
    assert!(
        error.contains("sampler.strata[1] = without rows"),
        "{error}"
    );
    let error = Stratified::new(&[0, 3], 3, 4, 0).unwrap_err().to_string();
    assert!(
        error.contains("sampler.strata[1] = 3, must be below 3"),
        "{error}"
    );
    let bad = json!({"name": "groups"});
    assert!(serde_json::from_value::<SamplerConfig>(bad).is_err());
}

#[test]
fn the_trainer_takes_its_sampler_from_the_config() {
    let config = |sampler: serde_json::Value| -> TrainerConfig {
        serde_json::from_value(json!({
            "epochs": 1, "batch_size": 6, "sampler": sampler,
            "schedule": {"name": "constant", "lr": 1.0},
        }))
        .unwrap()
    };
    let steps = |sampler| {
        let trainer = Trainer::new(config(sampler)).unwrap();
        trainer
            .fit(&mut Rows, weight())
            .map(|outcome| outcome.steps)
    };
    let groups = json!({"name": "groups", "by": {"column": "day"}});
    assert_eq!(steps(groups.clone()).unwrap(), 5);
    assert_eq!(steps(json!({"name": "stratified"})).unwrap(), 6);
    let error = steps(json!({"name": "groups", "by": {"column": "no"}})).unwrap_err();
    assert!(error.is_config(), "{error}");
    let error = Trainer::new(config(groups))
        .unwrap()
        .with_sampler(Shuffle::new(37, 6, 0))
        .fit(&mut Rows, weight())
        .unwrap_err();
    assert!(error.to_string().contains("not both"), "{error}");
    // A task that says nothing of its rows.
    let (mut silent, config) = crate::swa::climb(1.0, json!({"sampler": {"name": "stratified"}}));
    let error = Trainer::new(config).unwrap().fit(&mut silent, weight());
    assert!(error.unwrap_err().to_string().contains("row_keys"));
}
