//! One interface of all that know how sure they are.

use burn::nn::LinearConfig;
use burn::tensor::{Device, Tensor};
use forge_meta::bayesian::{
    Answer, DeepEnsemble, DrawnWeights, EvidentialNetwork, Passes, Posterior, Predictive, Swag,
    SwagConfig, VariationalConfig, VariationalParams, WeightDraws,
};
use forge_meta::functional::{Functional, Params};
use forge_nn::ForgeError;
use forge_train::checkpoint::RunPart;
use forge_train::distribution::Normal;

use crate::functional::{close, doubles, noise};
use crate::kinds::host;

fn answer(mean: &[f64], noise: &[f64]) -> Answer {
    let (mean, noise) = (mean.to_vec(), noise.to_vec());
    Answer { mean, noise }
}

#[test]
fn doubt_is_split_by_the_law_of_total_variance() {
    let said = Predictive::of_answers(&[
        answer(&[1.0, 5.0], &[0.5, 0.0]),
        answer(&[2.0, 5.0], &[1.0, 0.3]),
        answer(&[6.0, 5.0], &[1.5, 0.0]),
    ])
    .unwrap();
    // Around 3: 4, 1 and 9.
    close(&said.mean(), &[3.0, 5.0], 1e-14);
    close(&said.aleatoric(), &[1.0, 0.1], 1e-14);
    close(&said.epistemic(), &[14.0 / 3.0, 0.0], 1e-14);
    close(&said.variance(), &[17.0 / 3.0, 0.1], 1e-14);
    let draws = said.samples(20_000, 1);
    let first: Vec<f64> = draws.iter().step_by(2).copied().collect();
    let mean = first.iter().sum::<f64>() / 2e4;
    let variance = first.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 2e4;
    assert!((mean - 3.0).abs() < 0.06 && (variance - 17.0 / 3.0).abs() < 0.2);
    // A quantile is where the mixture has that share below.
    let at = said.quantile(0.7).unwrap()[0];
    let parts = [(1.0, 0.5_f64), (2.0, 1.0), (6.0, 1.5)];
    let below = parts.map(|(m, v)| Normal.cdf((at - m) / v.sqrt()));
    close(&[below.iter().sum::<f64>() / 3.0], &[0.7], 1e-10);
}

#[test]
fn answers_without_noise_have_the_quantiles_of_their_list() {
    let list = [3.0, 1.0, 2.0, 4.0].map(|mean| answer(&[mean], &[0.0]));
    let said = Predictive::of_answers(&list).unwrap();
    for (q, at) in [(0.25, 1.0), (0.3, 2.0), (0.5, 2.0), (0.9, 4.0)] {
        close(&said.quantile(q).unwrap(), &[at], 1e-12);
    }
    assert!(said.ln_density(&[1.0]).unwrap_err().is_unsupported());
    assert!(said.quantile(1.0).unwrap_err().is_config());
    assert!(Predictive::of_answers(&[]).unwrap_err().is_config());
    let uneven = [answer(&[1.0], &[0.0]), answer(&[1.0, 2.0], &[0.0, 0.0])];
    assert!(Predictive::of_answers(&uneven).unwrap_err().is_shape());
    let error = Predictive::of_answers(&[answer(&[1.0], &[-1.0])]).unwrap_err();
    assert!(error.to_string().contains("-1"), "{error}");
}

#[test]
fn evidence_gives_both_parts() {
    let network = EvidentialNetwork {
        forward: |_: &()| Ok(vec![[1.0, 2.0, 3.0, 4.0]]),
    };
    let said = network.predictive(&()).unwrap();
    assert_eq!(
        (said.mean()[0], said.aleatoric()[0], said.epistemic()[0]),
        (1.0, 2.0, 1.0)
    );
    // Student's t with 6 degrees and scale² β(1 + ν)/(να) = 2; scipy.stats.t.
    close(
        &said.quantile(0.9).unwrap(),
        &[1.0 + 2.0_f64.sqrt() * 1.439_755_747],
        1e-8,
    );
    let error = Predictive::evidential(&[[0.0, 1.0, 1.0, 1.0]]).unwrap_err();
    assert!(error.to_string().contains("alpha = 1"), "{error}");
}

/// `((mean), (aleatoric), (epistemic))` of a network that is linear.
fn parts(posterior: &impl Posterior<Tensor<2>>, x: &Tensor<2>) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let said = posterior.predictive(x).unwrap();
    (said.mean(), said.aleatoric(), said.epistemic())
}

fn answer_of(y: Tensor<2>) -> Result<Answer, ForgeError> {
    let mean = y.into_data().iter::<f64>().collect();
    Ok(Answer::with_noise(mean, 0.25))
}

#[test]
fn every_source_has_the_one_interface() {
    let device = Device::flex();
    let model = doubles(LinearConfig::new(2, 1).init(&device));
    let x = noise(1, [3, 2], &device);
    let call = Functional::capture(&model, |model, (x,): (Tensor<2>,)| model.forward(x));
    let with = |params: &Params, x: &Tensor<2>| answer_of(call.call(params, (x.clone(),))?);
    let start = Params::of(&model);
    let mut swag = Swag::new(SwagConfig::default(), &device).unwrap();
    for factor in [0.9, 1.0, 1.1] {
        swag.collect(&start.scale(factor)).unwrap();
    }
    let exact = with(&start, &x).unwrap().mean;
    let of_swag = DrawnWeights {
        weights: &swag,
        draws: 200,
        seed: 0,
        forward: with,
    };
    let (mean, aleatoric, epistemic) = parts(&of_swag, &x);
    close(&mean, &exact, 0.1);
    assert_eq!(aleatoric, [0.25; 3]);
    assert!(epistemic.iter().all(|v| *v > 0.0));

    // A linear network of independent weights: the variance is Σ x² σ² + σ².
    let config = VariationalConfig {
        start_rho: -1.0,
        ..VariationalConfig::default()
    };
    let weights = VariationalParams::around(&start, config).unwrap();
    let drawn = DrawnWeights {
        weights: &weights,
        draws: 4000,
        seed: 0,
        forward: with,
    };
    let (_, _, epistemic) = parts(&drawn, &x);
    let sigma2 = (-1.0_f64).exp().ln_1p().powi(2);
    let rows: Vec<f64> = x.clone().into_data().iter::<f64>().collect();
    let expected: Vec<f64> = rows
        .chunks(2)
        .map(|row| sigma2 * (1.0 + row[0] * row[0] + row[1] * row[1]))
        .collect();
    for (found, exact) in epistemic.iter().zip(expected) {
        assert!((found / exact - 1.0).abs() < 0.1, "{found} {exact}");
    }

    let members: Vec<Params> = (0..3).map(|seed| weights.draw(seed).unwrap()).collect();
    let ensemble = DeepEnsemble {
        members: &members,
        forward: with,
    };
    let passes = Passes {
        passes: 3,
        seed: 0,
        forward: |x: &Tensor<2>, seed| with(&weights.draw(seed)?, x),
    };
    assert_eq!(parts(&ensemble, &x), parts(&passes, &x));
    let one = DeepEnsemble {
        members: &members[..1],
        forward: with,
    };
    assert!(
        one.predictive(&x)
            .unwrap_err()
            .to_string()
            .contains("members = 1")
    );
}

#[test]
fn any_module_learns_its_doubt() {
    let device = Device::flex();
    let model = doubles(LinearConfig::new(1, 1).init(&device));
    let start = Params::of(&model);
    let chosen = VariationalConfig {
        parameters: vec!["weight".into()],
        ..Default::default()
    };
    let weights = VariationalParams::around(&start, chosen.clone()).unwrap();
    assert_eq!(weights.rho().names().collect::<Vec<_>>(), ["weight"]);
    let drawn = weights.sample(1).unwrap();
    assert_eq!(
        drawn.get::<1>("bias").unwrap().into_data(),
        start.get::<1>("bias").unwrap().into_data()
    );
    let wrong = VariationalConfig {
        parameters: vec!["wieght".into()],
        ..chosen.clone()
    };
    let error = VariationalParams::around(&start, wrong)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("wieght") && error.contains("bias"),
        "{error}"
    );
    let flat = VariationalConfig {
        prior_sigma: 0.0,
        ..chosen
    };
    let error = VariationalParams::around(&start, flat)
        .unwrap_err()
        .to_string();
    assert!(error.contains("prior_sigma = 0"), "{error}");

    // Without data the weights go to the prior.
    let mut weights = VariationalParams::around(&start, VariationalConfig::default()).unwrap();
    let before = weights.kl().unwrap().into_scalar::<f64>();
    for _ in 0..300 {
        let leaves = weights.require_grad();
        let gradients = leaves.kl().unwrap().backward();
        weights = weights
            .add_scaled(&leaves.gradients(&gradients), -0.2)
            .unwrap();
    }
    let after = weights.kl().unwrap().into_scalar::<f64>();
    assert!(before > 5.0 && after < 1e-6, "{before} {after}");
    close(&host(weights.mean()), &[0.0, 0.0], 1e-3);
    // softplus ρ = 1.
    close(&host(weights.rho()), &[0.541_324_854_6; 2], 1e-3);
}

/// Weights on their way, one draw per seed.
fn way(seed: u64) -> Params {
    let device = Device::flex();
    Params::of(&doubles(LinearConfig::new(3, 2).init(&device)))
        .map(|name, tensor| tensor.add_scalar(0.1 * (seed as f64 * 1.7 + name.len() as f64).sin()))
}

#[test]
fn swag_goes_on_to_the_same_bits() {
    let config = SwagConfig {
        max_rank: 3,
        ..SwagConfig::default()
    };
    let device = Device::flex();
    let mut whole = Swag::new(config.clone(), &device).unwrap();
    (0..4).for_each(|seed| whole.collect(&way(seed)).unwrap());
    let mut resumed = Swag::new(config.clone(), &device).unwrap();
    resumed.restore(whole.state().unwrap()).unwrap();
    for swag in [&mut whole, &mut resumed] {
        (4..6).for_each(|seed| swag.collect(&way(seed)).unwrap());
    }
    assert_eq!(resumed.collected(), 6);
    assert_eq!(
        host(&whole.sample(1).unwrap()),
        host(&resumed.sample(1).unwrap())
    );
    assert_eq!(whole.state().unwrap(), resumed.state().unwrap());
    let mut broken = whole.state().unwrap();
    broken.tensors.pop_first();
    let mut narrow = Swag::new(config, &device).unwrap();
    let error = narrow.restore(broken).unwrap_err().to_string();
    assert!(error.contains("saved state"), "{error}");
    assert_eq!(narrow.collected(), 0);
}

#[test]
fn distributions_of_weights_come_back() {
    let of = |seed| VariationalParams::around(&way(seed), VariationalConfig::default()).unwrap();
    let moved = of(1);
    let leaves = moved.require_grad();
    let gradients = leaves.gradients(&leaves.kl().unwrap().backward());
    let moved = moved.add_scaled(&gradients, -0.1).unwrap();
    let mut other = of(2);
    other.restore(moved.state().unwrap()).unwrap();
    assert_eq!(
        host(&moved.sample(3).unwrap()),
        host(&other.sample(3).unwrap())
    );
    let narrow = doubles(LinearConfig::new(2, 2).init(&Device::flex()));
    let mut narrow =
        VariationalParams::around(&Params::of(&narrow), VariationalConfig::default()).unwrap();
    let error = narrow
        .restore(moved.state().unwrap())
        .unwrap_err()
        .to_string();
    assert!(error.contains("weight"), "{error}");
}
