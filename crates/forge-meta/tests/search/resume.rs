//! Going on after a stop.

use forge_meta::search::{Search, SearchConfig, SearchMethod};
use forge_train::checkpoint::{CheckpointFolder, PartState, RunPart};

use super::{config, methods, task};

fn folder() -> (tempfile::TempDir, CheckpointFolder) {
    let path = tempfile::tempdir().unwrap();
    let folder = CheckpointFolder::open(path.path(), 2).unwrap();
    (path, folder)
}

/// Times are measured anew by each search that begins.
fn without_times(mut state: PartState) -> PartState {
    state.json["latency"] = serde_json::Value::Null;
    state
}

/// A search that was cut off behind a checkpoint and went on is bit by bit the one that never stopped.
#[test]
fn a_resumed_search_is_bit_equal() {
    for method in methods() {
        let (_path, folder) = folder();
        let mut whole = Search::new(config(method.clone()), task()).unwrap();
        let mut cut = Search::new(config(method.clone()), task()).unwrap();
        // The same times for both, as they decide of steps.
        if let SearchMethod::ProxylessNas { .. } = method {
            whole.save(&folder).unwrap();
            assert!(cut.resume(&folder).unwrap());
        }
        let first = whole.state().unwrap();
        whole.run(None).unwrap();
        let last = whole.state().unwrap();
        let moved = |of: &dyn Fn(&str) -> bool| {
            let mut named = first.tensors.iter().filter(|(name, _)| of(name));
            named.any(|(name, data)| last.tensors[name] != *data)
        };
        let chooses = |name: &str| name.ends_with("/alpha") || name.starts_with("controller/");
        assert!(
            moved(&|name| name.starts_with("net/") && !chooses(name)),
            "{method:?}"
        );
        let learns = !matches!(method, SearchMethod::Random { .. });
        assert_eq!(moved(&chooses), learns, "{method:?}");
        for step in 1..=4 {
            cut.step().unwrap();
            if step == 3 {
                cut.save(&folder).unwrap();
            }
        }
        drop(cut);
        let mut resumed = Search::new(config(method.clone()), task()).unwrap();
        assert!(resumed.resume(&folder).unwrap());
        assert_eq!(resumed.steps(), 3);
        resumed.run(Some((&folder, 2))).unwrap();
        assert_eq!(
            resumed.state().unwrap(),
            whole.state().unwrap(),
            "{method:?}"
        );
        assert_eq!(resumed.genotype().unwrap(), whole.genotype().unwrap());
        // The checkpoint at the end is whole, too.
        let mut ended = Search::new(config(method.clone()), task()).unwrap();
        assert!(ended.resume(&folder).unwrap() && ended.is_done());
        assert_eq!(ended.state().unwrap(), whole.state().unwrap());
    }
}

#[test]
fn the_same_seed_is_the_same_search() {
    for method in methods() {
        if matches!(method, SearchMethod::ProxylessNas { latency_weight, .. } if latency_weight > 0.0)
        {
            continue;
        }
        let run = |seed| {
            let config = SearchConfig {
                seed,
                steps: 2,
                ..config(method.clone())
            };
            let mut search = Search::new(config, task()).unwrap();
            search.run(None).unwrap();
            without_times(search.state().unwrap())
        };
        assert_eq!(run(1), run(1), "{method:?}");
        assert_ne!(run(1), run(2), "{method:?}");
    }
}

#[test]
fn another_search_is_not_resumed() {
    let (_path, folder) = folder();
    let method = SearchMethod::named("enas").unwrap();
    let mut search = Search::new(config(method.clone()), task()).unwrap();
    assert!(!search.resume(&folder).unwrap());
    search.step().unwrap();
    search.save(&folder).unwrap();
    let other = SearchConfig {
        momentum: 0.5,
        ..config(method.clone())
    };
    let error = Search::new(other, task())
        .unwrap()
        .resume(&folder)
        .unwrap_err();
    assert!(
        error.to_string().contains("config.momentum = 0.5"),
        "{error}"
    );
    let mut fewer = task();
    fewer.train = super::products(32, 1);
    let mut fewer = Search::new(config(method), fewer).unwrap();
    let error = fewer.resume(&folder).unwrap_err().to_string();
    assert!(error.contains("train"), "{error}");
    // A state with something too little or too much.
    let whole = search.state().unwrap();
    let mut less = whole.clone();
    let name = less.tensors.keys().next().unwrap().clone();
    less.tensors.remove(&name);
    assert!(search.restore(less).unwrap_err().is_weights());
    let mut more = whole.clone();
    let data = more.tensors[&name].clone();
    more.tensors.insert("stranger".into(), data);
    let error = search.restore(more).unwrap_err();
    assert!(error.to_string().contains("stranger"), "{error}");
    search.restore(whole).unwrap();
}
