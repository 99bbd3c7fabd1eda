//! Gates, and what they cost.

use burn::tensor::Device;
use forge_meta::search::{GateMode, GatedPaths, LatencyTable, SearchSpace, path_probabilities};
use forge_nn::cell::Operation;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::functional::close;

/// The gradient is that of the expected value, and zero in sum.
#[test]
fn gradients_of_strengths_are_those_of_the_expected_cost() {
    let (strengths, costs) = ([0.3, -1.1, 0.8, 0.1], [2.0, -0.5, 1.0, 4.0]);
    let expected = |strengths: &[f64]| -> f64 {
        let p = path_probabilities(strengths);
        p.iter().zip(&costs).map(|(p, cost)| p * cost).sum()
    };
    let all = GatedPaths {
        active: 1,
        inactive: None,
    };
    let gradient = all.strength_gradient(&strengths, &costs).unwrap();
    let h = 1e-6;
    for k in 0..4 {
        let moved = |by: f64| {
            let mut strengths = strengths;
            strengths[k] += by;
            expected(&strengths)
        };
        let slope = (moved(h) - moved(-h)) / (2.0 * h);
        assert!(
            (gradient[k] - slope).abs() < 1e-8,
            "{k}: {gradient:?}, {slope}"
        );
    }
    // Of two, the others do not move.
    let two = GatedPaths {
        active: 3,
        inactive: Some(0),
    };
    let gradient = two.strength_gradient(&strengths, &costs).unwrap();
    assert!(gradient[1] == 0.0 && gradient[2] == 0.0 && gradient[3] > 0.0);
    assert!((gradient[0] + gradient[3]).abs() < 1e-15);
    let after = [0.1, 9.0, 9.0, 0.7];
    let kept = two.rescaled(&strengths, &after);
    assert_eq!(kept[1..3], strengths[1..3]);
    let sum = |s: &[f64]| s[0].exp() + s[3].exp();
    assert!((sum(&kept) - sum(&strengths)).abs() < 1e-12);
    assert!((kept[3] - kept[0] - 0.6).abs() < 1e-12);
    assert!(
        all.strength_gradient(&strengths, &costs[1..])
            .unwrap_err()
            .is_shape()
    );
}

#[test]
fn draws_follow_the_strengths() {
    let strengths = [0.0, 1.0, -1.0, 2.0];
    let p = path_probabilities(&strengths);
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let n = 4000;
    for mode in [GateMode::Full, GateMode::TwoPaths] {
        let mut found = [0.0; 4];
        for _ in 0..n {
            let path = GatedPaths::draw(&strengths, mode, &mut random).unwrap();
            assert_ne!(Some(path.active), path.inactive);
            assert_eq!(
                path.members(4).len(),
                if mode == GateMode::Full { 4 } else { 2 }
            );
            assert_eq!(path.gates(4).iter().sum::<f64>(), 1.0);
            assert_eq!(path.gates(4)[path.active], 1.0);
            found[path.active] += 1.0 / f64::from(n);
        }
        // With two paths: the pair without replacement, then one of the two.
        let expected: Vec<f64> = match mode {
            GateMode::Full => p.clone(),
            GateMode::TwoPaths => (0..4)
                .map(|a| {
                    let others = (0..4).filter(|b| *b != a);
                    let pair = |b: usize| p[a] * p[b] / (1.0 - p[a]) + p[b] * p[a] / (1.0 - p[b]);
                    others.map(|b| pair(b) * p[a] / (p[a] + p[b])).sum()
                })
                .collect(),
        };
        close(&found, &expected, 0.03);
    }
}

#[test]
fn latency_is_measured_and_expected() {
    let device = Device::flex();
    let space = SearchSpace {
        operations: vec![Operation::SkipConnect, Operation::SelfAttention],
        n_nodes: 1,
    };
    let table = LatencyTable::measure(&space, [16, 32, 32], 5, &device).unwrap();
    table.validate(2).unwrap();
    assert!(
        table.milliseconds[1] > 10.0 * table.milliseconds[0],
        "{:?}",
        table.milliseconds
    );
    let table = LatencyTable {
        milliseconds: vec![1.0, 3.0],
    };
    let expected = table.expected(&[vec![0.5, 0.5], vec![1.0, 0.0]]);
    assert_eq!(expected, 3.0);
}
