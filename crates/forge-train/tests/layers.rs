//! Rates that fall towards the input, and matrices apart from the rest.

use forge_nn::burn;
use forge_nn::burn::module::{Module, Param};
use forge_nn::burn::nn::{Linear, LinearConfig};
use forge_nn::burn::optim::GradientsParams;
use forge_nn::burn::tensor::{Device, Tensor};
use forge_nn::parameters::{ParameterPath, ParameterVisitor, visit_parameters};
use forge_train::optimizer::OptimizerConfig;
use serde_json::{Value, json};

use crate::case::read;

#[derive(Module, Debug)]
struct Tower {
    tokenizer: Linear,
    blocks: Vec<Linear>,
    head: Linear,
}

fn tower() -> Tower {
    let device = Device::flex().autodiff();
    let linear = || LinearConfig::new(2, 2).init(&device);
    Tower {
        tokenizer: linear(),
        blocks: vec![linear(), linear(), linear()],
        head: linear(),
    }
}

/// By how much a step at rate 1 of a gradient of ones moves the first element of each parameter.
fn moves(config: Value) -> Vec<(String, f64)> {
    struct Ones(GradientsParams);
    impl ParameterVisitor for Ones {
        fn visit<const D: usize>(&mut self, _: &ParameterPath, p: &Param<Tensor<D>>) {
            self.0.register(p.id, p.val().inner().ones_like());
        }
    }
    struct First(Vec<(String, f64)>);
    impl ParameterVisitor for First {
        fn visit<const D: usize>(&mut self, path: &ParameterPath, p: &Param<Tensor<D>>) {
            self.0.push((path.join(), read(&p.val())[0]));
        }
    }
    let config: OptimizerConfig = serde_json::from_value(config).unwrap();
    let (mut optimizer, tower) = (config.build().unwrap(), tower());
    optimizer.check(&tower).unwrap();
    let (mut ones, mut before, mut after) =
        (Ones(GradientsParams::new()), First(vec![]), First(vec![]));
    visit_parameters(&tower, &mut ones);
    visit_parameters(&tower, &mut before);
    let tower = optimizer.step(1.0, tower, ones.0);
    visit_parameters(&tower, &mut after);
    let pairs = before.0.into_iter().zip(after.0);
    pairs.map(|((name, a), (_, b))| (name, a - b)).collect()
}

#[test]
fn rates_fall_towards_the_input() {
    let config = json!({
        "name": "sgd", "momentum": 0.0,
        "layer_decay": {"layers": "blocks", "rate": 0.5},
        "groups": [{"match": ["blocks.1.bias"], "rate": 2.0}],
    });
    for (name, moved) in moves(config) {
        let expected = match name.as_str() {
            name if name.starts_with("tokenizer") => 0.0625,
            name if name.starts_with("blocks.0") => 0.125,
            "blocks.1.bias" => 0.5,
            name if name.starts_with("blocks.1") => 0.25,
            name if name.starts_with("blocks.2") => 0.5,
            _ => 1.0,
        };
        assert!(
            (moved - expected).abs() < 1e-6,
            "{name}: {moved} {expected}"
        );
    }
    let config = json!({"name": "sgd", "layer_decay": {"layers": "block", "rate": 0.5}});
    let config: OptimizerConfig = serde_json::from_value(config).unwrap();
    let error = config.build().unwrap().check(&tower()).unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("blocks"),
        "{error}"
    );
}

#[test]
fn muon_leaves_biases_tokens_and_heads_to_adam_w() {
    let config = json!({"name": "muon", "weight_decay": 0.0, "adam_w_rate": 0.25});
    for (name, moved) in moves(config) {
        // AdamW's first step is its rate. A gradient of ones has one singular value, which the
        // iteration brings near 1; a quarter of it is that of one of four elements of a unit matrix.
        let by_muon = name.starts_with("blocks") && name.ends_with("weight");
        if by_muon {
            assert!(
                (moved - 0.2 * 2_f64.sqrt() * 0.5).abs() < 0.06,
                "{name}: {moved}"
            );
        } else {
            assert!((moved - 0.25).abs() < 1e-6, "{name}: {moved}");
        }
    }
}
