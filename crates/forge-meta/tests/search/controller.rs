//! The controller and what it learns by.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor};
use forge_meta::search::{EnasControllerConfig, MovingBaseline};
use forge_nn::ModuleConfig;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::functional::close;

fn small() -> EnasControllerConfig {
    EnasControllerConfig {
        n_nodes: 2,
        n_operations: 3,
        lstm_size: 6,
        ..EnasControllerConfig::default()
    }
}

fn host(tensor: Tensor<1>) -> Vec<f64> {
    tensor.into_data().iter().collect()
}

/// Samples are scored as they were drawn, and come as often as their probability says.
#[test]
fn samples_follow_the_probabilities() {
    let device = Device::flex();
    device.seed(3);
    let config = EnasControllerConfig {
        n_nodes: 1,
        temperature: None,
        tanh_constant: None,
        ..small()
    };
    let controller = config.init(&device).materialize();
    // Far from uniform.
    let controller = forge_nn::parameters::map_parameters(controller, &mut Thirtyfold);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let count = 4000;
    let said = controller.sample(count, &mut random).unwrap();
    let again = controller.score(&said.arcs).unwrap();
    close(
        &host(said.log_probability),
        &host(again.log_probability.clone()),
        1e-5,
    );
    // All 36 cells of one node: their probabilities sum to 1, and each comes about as often.
    let mut every = vec![];
    for at in 0..36 {
        every.push(vec![at % 2, at / 2 % 3, at / 6 % 2, at / 12]);
    }
    let expected: Vec<f64> = host(controller.score(&every).unwrap().log_probability)
        .iter()
        .map(|p| p.exp())
        .collect();
    assert!((expected.iter().sum::<f64>() - 1.0).abs() < 1e-5);
    let most = expected.iter().copied().fold(0.0, f64::max);
    assert!(most > 2.0 / 36.0, "{expected:?}");
    for (arc, expected) in every.iter().zip(expected) {
        let found = said.arcs.iter().filter(|drawn| *drawn == arc).count();
        let (found, n) = (found as f64 / count as f64, count as f64);
        let sigma = (expected * (1.0 - expected) / n).sqrt();
        assert!(
            (found - expected).abs() < 5.0 * sigma + 1e-3,
            "{arc:?}: {found}, {expected}"
        );
    }
}

struct Thirtyfold;

impl forge_nn::parameters::ParameterMapper for Thirtyfold {
    fn map<const D: usize>(
        &mut self,
        _: &forge_nn::parameters::ParameterPath,
        param: burn::module::Param<Tensor<D>>,
    ) -> burn::module::Param<Tensor<D>> {
        forge_nn::parameters::replace_value(param, |value| value * 30.0)
    }
}

/// REINFORCE with the moving baseline makes the rewarded operation the usual one.
#[test]
fn the_controller_learns_what_is_rewarded() {
    let device = Device::flex().autodiff();
    device.seed(4);
    let mut controller = small().init(&device).materialize();
    let mut optimizer = AdamConfig::new().init();
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut baseline = MovingBaseline {
        value: 0.0,
        decay: 0.9,
        entropy_weight: 0.0,
    };
    let share = |arcs: &[Vec<usize>]| {
        let good = arcs.iter().flat_map(|arc| [arc[1], arc[3], arc[5], arc[7]]);
        let good: Vec<f64> = good.map(|k| f64::from(u8::from(k == 2))).collect();
        good.iter().sum::<f64>() / good.len() as f64
    };
    let before = share(&controller.sample(200, &mut random).unwrap().arcs);
    for _ in 0..120 {
        let said = controller.sample(16, &mut random).unwrap();
        let advantages: Vec<f32> = said
            .arcs
            .iter()
            .map(|arc| {
                let reward = share(std::slice::from_ref(arc));
                baseline.take(reward, 0.0).unwrap().advantage as f32
            })
            .collect();
        let advantages = Tensor::<1>::from_data(advantages.as_slice(), &device);
        let loss = (said.log_probability * advantages).mean().neg();
        let gradients = GradientsParams::from_grads(loss.backward(), &controller);
        controller = optimizer.step(0.02, controller, gradients);
    }
    let after = share(&controller.sample(200, &mut random).unwrap().arcs);
    assert!(before < 0.5 && after > before + 0.2, "{before} to {after}");
    // A reward that is no number is no reward.
    assert!(baseline.take(f64::NAN, 0.0).unwrap_err().is_training());
}
