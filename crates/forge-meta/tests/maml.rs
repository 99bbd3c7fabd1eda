//! What the cases of MAML do not show: learned rates, adaptation of a part, refusals.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::tanh;
use burn::tensor::{Device, Tensor};
use forge_meta::adaptation::{InnerOptimizer, Maml, MamlConfig, Reptile, ReptileConfig, Task};
use forge_meta::functional::{Functional, Params};

use crate::functional::{close, direction, doubles, noise};

#[derive(Module, Debug)]
struct Net {
    body: Linear,
    head: Linear,
}

type Batch = (Tensor<2>, Tensor<2>);

fn net() -> Net {
    let device = Device::flex();
    doubles(Net {
        body: LinearConfig::new(2, 5).init(&device),
        head: LinearConfig::new(5, 1).init(&device),
    })
}

fn loss(net: &Net, (x, y): Batch) -> Tensor<1> {
    (net.head.forward(tanh(net.body.forward(x))) - y)
        .square()
        .mean()
}

fn tasks() -> Vec<Task<Batch>> {
    let device = Device::flex();
    let batch = |seed| {
        (
            noise(seed, [5, 2], &device),
            noise(seed + 1, [5, 1], &device),
        )
    };
    let task = |seed| Task {
        support: batch(seed),
        query: batch(seed + 2),
    };
    vec![task(20), task(30)]
}

fn maml(config: MamlConfig) -> Maml<Batch> {
    Maml::new(config, Functional::capture(&net(), loss)).unwrap()
}

/// The gradients for parameters and for rates, against differences of the meta-loss.
#[test]
fn learned_rates_have_exact_gradients() {
    let maml = maml(MamlConfig {
        inner_rate: 0.1,
        inner_steps: 2,
        learn_rates: true,
        ..MamlConfig::default()
    });
    let params = Params::of(&net());
    let rates = maml.rates(&params).unwrap();
    let at =
        |params: &Params, rates: &Params| maml.meta_gradient(params, Some(rates), tasks()).unwrap();
    let found = at(&params, &rates);
    let of_rates = found.rates.unwrap();
    let v = direction(&params, 3);
    let step = 1e-5;
    let numeric = |by_params: f64, by_rates: f64| {
        let moved = |from: &Params, by: f64| from.add_scaled(&v, by * step).unwrap();
        let up = at(&moved(&params, by_params), &moved(&rates, by_rates)).loss;
        let down = at(&moved(&params, -by_params), &moved(&rates, -by_rates)).loss;
        (up - down) / (2.0 * step)
    };
    let along = |gradient: &Params| gradient.dot(&v).unwrap().into_scalar::<f64>();
    close(&[along(&found.gradient)], &[numeric(1.0, 0.0)], 1e-7);
    close(&[along(&of_rates)], &[numeric(0.0, 1.0)], 1e-7);
}

#[test]
fn the_head_alone_adapts() {
    let maml = maml(MamlConfig {
        adapt: vec!["head".into()],
        ..MamlConfig::default()
    });
    let params = Params::of(&net());
    let task = tasks().remove(0);
    let adapted = maml.adapt(&params, task.support.clone()).unwrap();
    let gradient = maml.loss().grad(&params, task.support).unwrap();
    for ((name, new), (_, old)) in adapted.iter().zip(params.iter()) {
        let same = new.clone().into_data() == old.clone().into_data();
        assert_eq!(same, name.starts_with("body"), "{name}");
    }
    let expected =
        params.get::<1>("head.bias").unwrap() - gradient.get::<1>("head.bias").unwrap() * 0.01;
    let found: Vec<f64> = adapted
        .get::<1>("head.bias")
        .unwrap()
        .into_data()
        .iter()
        .collect();
    close(
        &found,
        &expected.into_data().iter().collect::<Vec<_>>(),
        1e-14,
    );
    // Where nothing is learned but the head, the body has a meta-gradient all the same.
    let meta = maml.meta_gradient(&params, None, tasks()).unwrap();
    let body = meta.gradient.get::<2>("body.weight").unwrap().abs().sum();
    assert!(body.into_scalar::<f64>() > 1e-6);
}

/// The parameters go into a step of the module's own optimiser.
#[test]
fn the_outer_step_is_any_optimiser_of_burn() {
    use burn::optim::AdamConfig;
    let device = Device::flex().autodiff();
    let mut net = net().to_device(&device).train();
    let maml = maml(MamlConfig {
        inner_rate: 0.1,
        ..MamlConfig::default()
    });
    let mut optimizer = AdamConfig::new().init();
    let mut losses = vec![];
    for _ in 0..60 {
        let meta = maml
            .meta_gradient(&Params::of(&net), None, tasks())
            .unwrap();
        losses.push(meta.loss);
        let gradients = meta.gradient.as_gradients(&net).unwrap();
        net = optimizer.step(0.02, net, gradients);
    }
    assert!(losses[59] < 0.65 * losses[0], "{losses:?}");
}

#[test]
fn what_is_wrong_is_said() {
    let said = |config: MamlConfig| {
        let made = Maml::new(config, Functional::capture(&net(), loss));
        made.and_then(|maml| maml.rates(&Params::of(&net())))
            .unwrap_err()
            .to_string()
    };
    let default = MamlConfig::default;
    let error = said(MamlConfig {
        inner_steps: 0,
        ..default()
    });
    assert!(error.contains("inner_steps = 0"), "{error}");
    let error = said(MamlConfig {
        inner_rate: -1.0,
        ..default()
    });
    assert!(error.contains("inner_rate = -1"), "{error}");
    let error = said(MamlConfig {
        adapt: vec!["tail".into()],
        ..default()
    });
    assert!(
        error.contains("tail") && error.contains("head.weight"),
        "{error}"
    );
    let maml = maml(default());
    let error = maml
        .meta_gradient(&Params::of(&net()), None, vec![])
        .unwrap_err();
    assert!(error.is_config(), "{error}");
    let mut tasks = tasks();
    tasks[1].query.1 = tasks[1].query.1.clone() * f64::NAN;
    let error = maml
        .meta_gradient(&Params::of(&net()), None, tasks)
        .unwrap_err();
    assert!(
        error.is_training() && error.to_string().contains("task 1"),
        "{error}"
    );
    let config = ReptileConfig {
        inner: InnerOptimizer::Sgd { rate: 0.0 },
        ..ReptileConfig::default()
    };
    let error = Reptile::new(config, Functional::capture(&net(), loss)).unwrap_err();
    assert!(error.to_string().contains("rate = 0"), "{error}");
}
