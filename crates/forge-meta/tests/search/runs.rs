//! What searches find.

use burn::tensor::Device;
use forge_meta::search::{GateMode, Search, SearchConfig, SearchMethod, SearchSpace, SearchTask};
use forge_models::{
    ModelConfig, SearchedBackboneConfig, SearchedNetConfig, SearchedTokensConfig, TabularInput,
    TabularSpec,
};
use forge_nn::cell::Operation;
use forge_nn::{ModuleConfig, Network};
use forge_train::checkpoint::RunPart;

use super::{config, methods, products, task};

/// Losses fall, and what is found is the config of a model that computes.
#[test]
fn every_method_learns_and_gives_a_model() {
    let table = TabularSpec {
        n_num_features: 3,
        cat_cardinalities: vec![],
        d_out: 1,
    };
    for method in methods() {
        let config = SearchConfig {
            steps: 80,
            d_model: 8,
            batch_size: 32,
            weight_rate: 0.02,
            ..config(method.clone())
        };
        let mut search = Search::new(config, task()).unwrap();
        let mut losses = vec![];
        while !search.is_done() {
            losses.push(search.step().unwrap().train_loss);
        }
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        let (first, last) = (mean(&losses[..10]), mean(&losses[70..]));
        assert!(last < 0.9 * first, "{method:?}: {first} to {last}");
        let genotype = search.genotype().unwrap();
        let found = SearchedNetConfig::of(genotype);
        let json = serde_json::to_string(&ModelConfig::from(found)).unwrap();
        let read = ModelConfig::from_json(&json).unwrap();
        let model = read.sized_for(&table).unwrap();
        let model = model.try_init(&Device::flex()).unwrap();
        let x = products(5, 9).x.squeeze_dim(1);
        assert_eq!(model.forward(TabularInput::numeric(x)).dims(), [5, 1]);
    }
}

/// Where only one operation can fit, it gets the strength: products need the gate.
#[test]
fn darts_prefers_what_fits() {
    let config = SearchConfig {
        space: SearchSpace {
            operations: vec![
                Operation::None,
                Operation::SkipConnect,
                Operation::GatedLinear,
            ],
            n_nodes: 1,
        },
        steps: 150,
        d_model: 8,
        batch_size: 48,
        architecture_rate: 0.02,
        ..config(SearchMethod::named("darts").unwrap())
    };
    let mut search = Search::new(config, task()).unwrap();
    search.run(None).unwrap();
    // Edge by edge: none, skip, gate.
    let state = search.state().unwrap();
    let strengths: Vec<f64> = state.tensors["net/000000/alpha"].iter().collect();
    let lead = strengths.chunks(3).map(|edge| edge[2] - edge[1]);
    let lead = lead.fold(f64::NEG_INFINITY, f64::max);
    assert!(lead > 0.3, "{strengths:?}");
    let node = &search.genotype().unwrap().nodes[0];
    assert!(
        node.iter()
            .any(|edge| edge.operation == Operation::GatedLinear),
        "{node:?}"
    );
}

/// With latency far above the loss the cheapest operation wins.
#[test]
fn latency_drives_to_what_is_cheap() {
    let method = SearchMethod::ProxylessNas {
        gates: GateMode::Full,
        latency_weight: 1e4,
    };
    let config = SearchConfig {
        space: SearchSpace {
            operations: vec![Operation::SkipConnect, Operation::FeedForward],
            n_nodes: 1,
        },
        steps: 60,
        architecture_rate: 0.05,
        ..config(method)
    };
    let mut search = Search::new(config, task()).unwrap();
    search.run(None).unwrap();
    let node = &search.genotype().unwrap().nodes[0];
    assert!(
        node.iter()
            .all(|edge| edge.operation == Operation::SkipConnect),
        "{node:?}"
    );
}

/// Over tokens.
#[test]
fn sequences_are_searched_and_become_a_model_of_tokens() {
    let sequences = |n: usize, seed: u64| {
        let base = products(n * 4, seed);
        let x = base.x.reshape([n, 4, 3]);
        let y = base.y.reshape([n, 4]).mean_dim(1);
        forge_meta::search::SearchData { x, y }
    };
    let data = SearchTask {
        train: sequences(48, 1),
        validation: sequences(32, 2),
        ..task()
    };
    for name in ["darts", "enas"] {
        let config = SearchConfig {
            space: SearchSpace::tokens(),
            steps: 3,
            ..config(SearchMethod::named(name).unwrap())
        };
        let mut search = Search::new(config, data.clone()).unwrap();
        search.run(None).unwrap();
        let backbone = SearchedBackboneConfig {
            d_model: 8,
            ..SearchedBackboneConfig::of(search.genotype().unwrap())
        };
        let config = ModelConfig::from(SearchedTokensConfig::new(backbone));
        let table = TabularSpec {
            n_num_features: 3,
            cat_cardinalities: vec![4],
            d_out: 2,
        };
        let model = config.sized_for(&table).unwrap();
        model.try_init(&Device::flex()).unwrap();
    }
}
