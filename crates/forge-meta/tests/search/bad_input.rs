//! What is refused, and how.

use forge_meta::search::{
    EnasControllerConfig, GateMode, LatencyTable, Search, SearchConfig, SearchMethod, SearchSpace,
};
use forge_models::{ModelConfig, SearchedNetConfig};
use forge_nn::ModuleConfig;
use forge_nn::cell::{Genotype, GenotypeEdge, Operation};

use super::{config, products, task};

fn says(error: forge_nn::ForgeError, words: &[&str]) {
    let error = error.to_string();
    for word in words {
        assert!(error.contains(word), "{word}: {error}");
    }
}

#[test]
fn genotypes_name_what_is_wrong() {
    let text = r#"{"nodes": [[{"operation": "conv_9", "source": 0}]]}"#;
    let every: Vec<&str> = Operation::ALL.iter().map(|o| o.name()).collect();
    let error = Genotype::from_json(text).unwrap_err();
    says(error, &[vec!["conv_9"], every.clone()].concat());
    // The same in the config of a model.
    let text = format!(r#"{{"model": "searched_net", "d_in": 3, "genotype": {text}}}"#);
    let error = ModelConfig::from_json(&text).unwrap_err();
    says(error, &[vec!["conv_9"], every].concat());
    let none = Genotype { nodes: vec![] };
    says(none.validate().unwrap_err(), &["nodes = 0", "1..=64"]);
    let error = SearchedNetConfig::of(none).validate();
    assert!(error.is_err());
    let edge = |source| GenotypeEdge {
        operation: Operation::LinearRelu,
        source,
    };
    let later = Genotype {
        nodes: vec![vec![edge(1)], vec![edge(0), edge(3)]],
    };
    let error = later.validate().unwrap_err();
    says(error, &["nodes[1][1].source = 3", "0..3"]);
    let empty = Genotype {
        nodes: vec![vec![edge(1)], vec![]],
    };
    says(empty.validate().unwrap_err(), &["nodes[1] = 0", "1..=64"]);
}

#[test]
fn spaces_and_settings_name_what_is_wrong() {
    let refused = |config: SearchConfig, words: &[&str]| {
        says(Search::new(config, task()).unwrap_err(), words);
    };
    let base = || config(SearchMethod::named("darts").unwrap());
    let space = |operations: &[Operation], n_nodes| SearchSpace {
        operations: operations.into(),
        n_nodes,
    };
    let with = |space| SearchConfig { space, ..base() };
    let rows = Operation::ROWS;
    refused(with(space(&rows, 0)), &["n_nodes = 0", "1..=64"]);
    refused(with(space(&rows[..1], 2)), &["operations = 1", "2..="]);
    refused(with(space(&[rows[1], rows[1]], 2)), &["operations[1]"]);
    let zero = SearchMethod::GumbelSoftmax {
        first_temperature: 1.0,
        last_temperature: 0.0,
        hard: false,
    };
    refused(config(zero), &["last_temperature = 0", "above 0"]);
    let none = SearchMethod::Random { candidates: 0 };
    refused(config(none), &["candidates = 0", "at least 1"]);
    for (found, words) in [
        (
            SearchConfig { steps: 0, ..base() },
            ["steps = 0", "at least 1"],
        ),
        (
            SearchConfig {
                batch_size: 0,
                ..base()
            },
            ["batch_size = 0", "at least 1"],
        ),
        (
            SearchConfig {
                batch_size: 65,
                ..base()
            },
            ["batch_size = 65", "1..=64, the samples of validation"],
        ),
        (
            SearchConfig {
                momentum: 1.0,
                ..base()
            },
            ["momentum = 1", "0.0..1.0"],
        ),
        (
            SearchConfig {
                weight_rate: f64::NAN,
                ..base()
            },
            ["weight_rate", "above 0"],
        ),
    ] {
        refused(found, &words);
    }
    let error = SearchMethod::named("evolution").unwrap_err();
    says(
        error,
        &[
            "evolution",
            "darts",
            "gumbel_softmax",
            "proxyless_nas",
            "enas",
            "random",
        ],
    );
    let temperature = EnasControllerConfig {
        temperature: Some(0.0),
        ..EnasControllerConfig::default()
    };
    says(
        temperature.validate().unwrap_err(),
        &["temperature = 0", "above 0"],
    );
}

#[test]
fn data_that_cannot_be_searched_with_are_refused() {
    let search = |change: &dyn Fn(&mut forge_meta::search::SearchTask)| {
        let mut task = task();
        change(&mut task);
        Search::new(config(SearchMethod::named("random").unwrap()), task).unwrap_err()
    };
    let error = search(&|task| task.validation = products(0, 1));
    says(error, &["samples of validation = 0", "at least 1"]);
    let error = search(&|task| task.train = products(0, 1));
    says(error, &["samples of train = 0", "at least 1"]);
    let error = search(&|task| task.validation.y = products(3, 1).y);
    assert!(error.is_shape(), "{error}");
    let error = search(&|task| {
        task.validation.x = task.validation.x.clone().narrow(2, 0, 2);
    });
    says(error, &["2 features", "3 features"]);
    // Numbers that are not: found at the first step.
    let mut bad = task();
    bad.validation.y = bad.validation.y / 0.0;
    let mut search = Search::new(config(SearchMethod::named("darts").unwrap()), bad).unwrap();
    let error = search.step().unwrap_err();
    assert!(error.is_training(), "{error}");
    says(error, &["validation loss", "step 0"]);
}

#[test]
fn arcs_paths_and_tables_name_what_is_wrong() {
    let space = SearchSpace::rows();
    assert!(space.genotype_of_arc(&[0; 3]).unwrap_err().is_shape());
    let mut arc = vec![0; 16];
    arc[4] = 3;
    says(
        space.genotype_of_arc(&arc).unwrap_err(),
        &["arc[4] = 3", "0..3"],
    );
    arc[4] = 2;
    arc[15] = 8;
    says(
        space.genotype_of_arc(&arc).unwrap_err(),
        &["arc[15] = 8", "0..8"],
    );
    let mut random = <rand_chacha::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(0);
    use forge_meta::search::GatedPaths;
    let error = GatedPaths::draw(&[1.0], GateMode::TwoPaths, &mut random).unwrap_err();
    says(error, &["operations = 1", "2.."]);
    let error = GatedPaths::draw(&[1.0, f64::NAN], GateMode::Full, &mut random).unwrap_err();
    assert!(error.is_training(), "{error}");
    let table = LatencyTable {
        milliseconds: vec![0.5, -1.0],
    };
    says(table.validate(2).unwrap_err(), &["milliseconds[1] = -1"]);
    assert!(table.validate(3).unwrap_err().is_shape());
    let device = burn::tensor::Device::flex();
    let error = LatencyTable::measure(&space, [1, 1, 4], 0, &device).unwrap_err();
    says(error, &["repeats = 0", "at least 1"]);
}
