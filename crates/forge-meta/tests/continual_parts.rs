//! The parts of continual learning, by hand.

use burn::tensor::{DType, Device, Tensor};
use forge_meta::continual::{
    DriftConfig, DriftDetector, Keep, PackNet, PackNetConfig, RowMemory, SynapticConfig,
    SynapticIntelligence, TaskScores, project_average,
};
use forge_meta::functional::{ParamTensor, Params};
use forge_train::metric::Direction;

use crate::functional::close;
use crate::kinds::host;

fn vector(values: &[f64]) -> Params {
    let tensor = Tensor::<1>::from_data(values, (&Device::flex(), DType::F64));
    Params::from_entries([("w".to_string(), ParamTensor::new(tensor))])
}

#[test]
fn synaptic_intelligence_sums_what_steps_have_lowered() {
    let config = SynapticConfig {
        strength: 0.5,
        xi: 0.1,
    };
    let mut paths = SynapticIntelligence::new(config).unwrap();
    let at = [[1.0, 0.0], [0.5, 0.2], [0.25, 0.1]].map(|w| vector(&w));
    assert!(paths.penalty_gradient(&at[0]).unwrap().is_none());
    paths.begin(&at[0]).unwrap();
    paths.moved(&vector(&[2.0, 1.0]), &at[0], &at[1]).unwrap();
    // In the middle of a task: what comes back goes on alike.
    let state = paths.state().unwrap();
    let mut other = SynapticIntelligence::new(config).unwrap();
    other.restore(state, &Device::flex()).unwrap();
    for paths in [&mut paths, &mut other] {
        paths.moved(&vector(&[1.0, 1.0]), &at[1], &at[2]).unwrap();
        paths.consolidate(&at[2]).unwrap();
        // ω = (2·0.5 + 1·0.25, -0.2 + 0.1), Δ² = (0.75², 0.1²); below 0 is 0.
        let importance = 1.25 / (0.5625 + 0.1);
        let found = host(paths.importance().unwrap());
        close(&found, &[importance, 0.0], 1e-12);
        let pull = paths.penalty_gradient(&vector(&[1.25, 3.0])).unwrap();
        close(&host(&pull.unwrap()), &[importance, 0.0], 1e-12);
    }
    let error = paths.consolidate(&at[2]).unwrap_err();
    assert!(error.is_training(), "{error}");
}

#[test]
fn the_average_projection_is_the_nearest_that_does_not_go_against() {
    let against = project_average(&vector(&[1.0, -2.0]), &vector(&[0.0, 3.0])).unwrap();
    close(&host(&against), &[1.0, 0.0], 1e-12);
    let aside = project_average(&vector(&[2.0, -1.0]), &vector(&[1.0, 1.0])).unwrap();
    close(&host(&aside), &[2.0, -1.0], 0.0);
    assert!(project_average(&vector(&[f64::NAN]), &vector(&[1.0])).is_err());
}

#[test]
fn task_scores_are_those_of_the_papers() {
    let table = [[0.9, 0.4, 0.3], [0.95, 0.8, 0.5], [0.7, 0.75, 0.85]];
    let scores = |sign: f64, better| {
        let mut scores = TaskScores::new(better, vec![0.3 * sign; 3]).unwrap();
        assert!(scores.average().is_none() && scores.forgetting().is_none());
        for row in table {
            scores.push(row.map(|score| score * sign).to_vec()).unwrap();
        }
        scores
    };
    for (sign, better) in [(1.0, Direction::Maximize), (-1.0, Direction::Minimize)] {
        let scores = scores(sign, better);
        let close = |found: Option<f64>, expected: f64| {
            assert!(
                (found.unwrap() - expected).abs() < 1e-12,
                "{found:?}, {expected}"
            );
        };
        close(scores.average(), sign * (0.7 + 0.75 + 0.85) / 3.0);
        close(scores.backward_transfer(), (-0.2 - 0.05) / 2.0);
        close(scores.forward_transfer(), (0.1 + 0.2) / 2.0);
        // The first task was best after the second.
        close(scores.forgetting(), (0.25 + 0.05) / 2.0);
    }
    let mut scores = scores(1.0, Direction::Maximize);
    assert!(scores.push(vec![0.5; 3]).unwrap_err().is_shape());
    assert!(TaskScores::new(Direction::Maximize, vec![]).is_err());
    assert!(TaskScores::new(Direction::Maximize, vec![f64::NAN]).is_err());
}

/// Independent numbers of one distribution, by a small generator.
fn stream() -> impl FnMut() -> f64 {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[test]
fn drift_alarms_as_often_as_it_says_and_when_there_is_one() {
    let config = DriftConfig {
        window: 100,
        false_alarm: 0.05,
    };
    let mut next = stream();
    let mut alarms = 0;
    let tests = 2000;
    for _ in 0..tests {
        let mut detector = DriftDetector::new(config.clone()).unwrap();
        for _ in 0..200 {
            alarms += u32::from(detector.push(next()).unwrap().is_some());
        }
    }
    let rate = f64::from(alarms) / f64::from(tests);
    // Discrete distances stay below the limit.
    assert!((0.02..0.06).contains(&rate), "{rate}");
    let mut detector = DriftDetector::new(config).unwrap();
    let mut found = vec![];
    for i in 0..600 {
        let value = next() * if i < 300 { 1.0 } else { 2.0 };
        if detector.push(value).unwrap().is_some() {
            found.push(i);
        }
    }
    assert_eq!(found, [399]);
    assert!(detector.push(f64::NAN).unwrap_err().is_training());
    for (window, false_alarm, field) in [
        (7, 0.1, "window"),
        (50, 0.0, "false_alarm"),
        (50, 1.0, "false_alarm"),
    ] {
        let config = DriftConfig {
            window,
            false_alarm,
        };
        let error = DriftDetector::new(config).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
}

#[test]
fn memories_keep_what_they_say() {
    let rows: Vec<usize> = (0..1000).collect();
    let mut ring = RowMemory::new(Keep::Ring, 10, 2).unwrap();
    ring.learned(0, &rows, 1);
    ring.learned(1, &[7, 8], 1);
    let last = vec![995, 996, 997, 998, 999];
    assert_eq!(ring.by_task(), [last, vec![7, 8]]);
    // Of two equal tasks, about half the sample each, and uniform in each.
    let mut counts = [0.0; 2];
    let mut mean = 0.0;
    for seed in 0..40 {
        let mut sample = RowMemory::new(Keep::Reservoir, 100, 2).unwrap();
        sample.learned(0, &rows, seed);
        sample.learned(1, &rows, seed);
        assert_eq!(sample.len(), 100);
        for (count, rows) in counts.iter_mut().zip(sample.by_task()) {
            *count += rows.len() as f64;
            mean += rows.iter().sum::<usize>() as f64 / 4000.0;
        }
    }
    assert!((counts[0] - 2000.0).abs() < 150.0, "{counts:?}");
    assert!((mean - 500.0).abs() < 25.0, "{mean}");
}

/// Boundaries lie near where the stream changes, in level or in spread; a calm stream has none.
#[test]
fn a_stream_is_cut_where_it_drifts() {
    use forge_meta::continual::{DriftConfig, tasks_by_drift};
    let config = DriftConfig {
        window: 100,
        false_alarm: 1e-4,
    };
    let calm = |i: usize| (i as f64 * 0.754_877_666).fract() - 0.5;
    // A level from 310 on, a larger spread from 640 on.
    let value = |i: usize| match i {
        0..310 => calm(i),
        310..640 => calm(i) + 1.0,
        _ => 4.0 * calm(i) + 1.0,
    };
    let stream: Vec<f64> = (0..1000).map(value).collect();
    let tasks = tasks_by_drift(&stream, &config).unwrap();
    let ends: Vec<usize> = tasks.iter().map(|task| task.end).collect();
    assert_eq!(ends.len(), 3, "{ends:?}");
    assert_eq!((ends[0], ends[2]), (310, 1000), "{ends:?}");
    assert!(ends[1].abs_diff(640) < 30, "{ends:?}");
    assert!(tasks.windows(2).all(|pair| pair[0].end == pair[1].start) && tasks[0].start == 0);
    // Every place of the second half of a window, too.
    for at in 290..350 {
        let stream: Vec<f64> = (0..600)
            .map(|i| calm(i) + f64::from(u8::from(i >= at)))
            .collect();
        let tasks = tasks_by_drift(&stream, &config).unwrap();
        assert_eq!(tasks, [0..at, at..600]);
    }
    let calm: Vec<f64> = (0..1000).map(calm).collect();
    let whole = tasks_by_drift(&calm, &config).unwrap();
    assert_eq!(whole, std::iter::once(0..1000).collect::<Vec<_>>());
    assert!(tasks_by_drift(&[], &config).unwrap().is_empty());
    let error = tasks_by_drift(&[1.0, f64::NAN], &config)
        .unwrap_err()
        .to_string();
    assert!(error.contains("value 1 of the stream"), "{error}");
    let small = DriftConfig {
        window: 3,
        ..config
    };
    let error = tasks_by_drift(&calm, &small).unwrap_err().to_string();
    assert!(error.contains("window = 3"), "{error}");
}

/// An optimiser with decay moves every weight: those of earlier tasks come back, what was pruned stays
/// 0, and so it is after a restart.
#[test]
fn what_a_task_does_not_own_is_held() {
    let both = |w: [f64; 4], b: f64| {
        let on = (&Device::flex(), DType::F64);
        let weight = ParamTensor::new(Tensor::<1>::from_data(w, on));
        let bias = ParamTensor::new(Tensor::<1>::from_data([b], on));
        Params::from_entries([("w".to_string(), weight), ("b".to_string(), bias)])
    };
    let is = |found: &Params, w: [f64; 4], b: f64| {
        assert_eq!(host(found), host(&both(w, b)));
    };
    let config = PackNetConfig {
        prune_fraction: 0.5,
        layers: vec!["w".into()],
    };
    let start = both([4.0, -3.0, 2.0, 1.0], 0.5);
    let mut net = PackNet::new(config.clone(), &start).unwrap();
    is(&net.held(&start).unwrap(), [4.0, -3.0, 2.0, 1.0], 0.5);
    is(&net.prune(&start).unwrap(), [4.0, -3.0, 0.0, 0.0], 0.5);
    let retrained = net.held(&both([3.5, -2.5, 0.25, 0.125], 0.75)).unwrap();
    is(&retrained, [3.5, -2.5, 0.0, 0.0], 0.75);
    net.settle(&retrained);
    net.next_task().unwrap();
    let mut other = PackNet::new(config, &start).unwrap();
    other
        .restore(net.state().unwrap(), &Device::flex())
        .unwrap();
    for net in [&mut net, &mut other] {
        let second = net.held(&both([3.0, -2.0, 5.0, 6.0], 9.0)).unwrap();
        is(&second, [3.5, -2.5, 5.0, 6.0], 0.75);
        // The smaller of the two that are the second task's.
        is(&net.prune(&second).unwrap(), [3.5, -2.5, 0.0, 6.0], 0.75);
        assert_eq!(net.owners("w").unwrap(), [1, 1, 0, 2]);
    }
}
