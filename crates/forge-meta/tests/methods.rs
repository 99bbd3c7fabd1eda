//! What the cases of the other methods do not show.

use burn::tensor::{DType, Device, Tensor};
use forge_meta::bayesian::{Swag, SwagConfig};
use forge_meta::continual::{Ewc, EwcConfig, Gem, GemConfig, PackNet, PackNetConfig};
use forge_meta::functional::{ParamTensor, Params};
use forge_meta::search::strongest_edges;

use crate::functional::close;
use crate::kinds::host;

fn vector(values: &[f64]) -> Params {
    let device = Device::flex();
    let tensor = Tensor::<1>::from_data(values, (&device, DType::F64));
    Params::from_entries([("w".to_string(), ParamTensor::new(tensor))])
}

/// The online form has one penalty, around the latest optimum.
#[test]
fn ewc_forgets_by_gamma_in_its_online_form() {
    let penalty = |online| {
        let mut ewc = Ewc::new(EwcConfig {
            lambda: 2.0,
            online,
        })
        .unwrap();
        let at = vector(&[1.0, 1.0]);
        assert!(ewc.penalty(&at).unwrap().is_none());
        ewc.consolidate(&vector(&[1.0, 2.0]), &vector(&[0.0, 0.0]))
            .unwrap();
        ewc.consolidate(&vector(&[3.0, 0.0]), &vector(&[0.5, 0.0]))
            .unwrap();
        ewc.penalty(&at).unwrap().unwrap().into_scalar::<f64>()
    };
    // λ/2 = 1: (1 + 2) around 0, then 3 · 0.25.
    assert!((penalty(None) - 3.75).abs() < 1e-12);
    // F = 0.5 (1, 2) + (3, 0) = (3.5, 1) around (0.5, 0).
    assert!((penalty(Some(0.5)) - (3.5 * 0.25 + 1.0)).abs() < 1e-12);
    let error = Ewc::new(EwcConfig {
        lambda: -1.0,
        online: None,
    })
    .unwrap_err();
    assert!(error.to_string().contains("lambda = -1"), "{error}");
}

/// With one memory it is A-GEM: what goes against the memory is taken out.
#[test]
fn gem_takes_out_what_goes_against_a_memory() {
    let exact = GemConfig {
        margin: 0.0,
        epsilon: 0.0,
    };
    let gem = Gem::new(exact).unwrap();
    let projection = gem
        .project(&vector(&[1.0, -2.0]), &[vector(&[0.0, 3.0])])
        .unwrap();
    assert!(projection.violated);
    close(&host(&projection.gradient), &[1.0, 0.0], 1e-12);
    let none = gem.project(&vector(&[1.0, -2.0]), &[]).unwrap();
    close(&host(&none.gradient), &[1.0, -2.0], 0.0);
    let error = gem
        .project(&vector(&[f64::NAN]), &[vector(&[1.0])])
        .unwrap_err();
    assert!(
        error.is_training() && error.to_string().contains("memory 0"),
        "{error}"
    );
    // Memories that say the same thing twice.
    let twice = [vector(&[0.0, 3.0]), vector(&[0.0, 6.0])];
    let projection = gem.project(&vector(&[1.0, -2.0]), &twice).unwrap();
    close(&host(&projection.gradient), &[1.0, 0.0], 1e-12);
}

#[test]
fn pack_net_ends_when_all_weights_are_owned() {
    let config = |fraction: f64, layer: &str| PackNetConfig {
        prune_fraction: fraction,
        layers: vec![layer.into()],
    };
    let weights = vector(&[1.0, -2.0, 3.0]);
    let mut net = PackNet::new(config(0.0, "w"), &weights).unwrap();
    net.prune(&weights).unwrap();
    let error = net.next_task().unwrap_err();
    assert!(
        error.is_training() && error.to_string().contains("task 1"),
        "{error}"
    );
    let error = PackNet::new(config(0.5, "v"), &weights).unwrap_err();
    assert!(
        error.to_string().contains("layers = v, must be one of w"),
        "{error}"
    );
    let error = PackNet::new(config(1.0, "w"), &weights).unwrap_err();
    assert!(error.to_string().contains("prune_fraction = 1"), "{error}");
    let error = net.network_of(2, &weights).unwrap_err();
    assert!(error.to_string().contains("task = 2"), "{error}");
}

/// Draws have the mean and the covariance that they are said to have.
#[test]
fn swag_draws_have_its_covariance() {
    let mut swag = Swag::new(SwagConfig::default(), &Device::flex()).unwrap();
    assert!(swag.sample(1).is_err());
    for (a, b) in [(1.0, 0.0), (2.0, 1.5), (3.0, 1.0), (2.5, 3.0)] {
        swag.collect(&vector(&[a, b])).unwrap();
    }
    assert_eq!(
        host(&swag.sample(3).unwrap()),
        host(&swag.sample(3).unwrap())
    );
    let draws: Vec<Vec<f64>> = (0..20_000)
        .map(|seed| host(&swag.sample(seed).unwrap()))
        .collect();
    let mean = |at: usize| draws.iter().map(|draw| draw[at]).sum::<f64>() / draws.len() as f64;
    let means = [mean(0), mean(1)];
    close(&means, &host(swag.mean().unwrap()), 0.02);
    let covariance = |i: usize, j: usize| {
        let each = draws
            .iter()
            .map(|draw| (draw[i] - means[i]) * (draw[j] - means[j]));
        each.sum::<f64>() / draws.len() as f64
    };
    let first = host(&swag.covariance_times(&vector(&[1.0, 0.0])).unwrap());
    close(&[covariance(0, 0), covariance(1, 0)], &first, 0.04);
}

#[test]
fn cells_that_are_none_are_refused() {
    let edges = vec![vec![0.0, 1.0]; 4];
    let error = strongest_edges(&edges, 2, None, 2).unwrap_err();
    assert!(
        error.is_shape() && error.to_string().contains("node 1"),
        "{error}"
    );
    let error = strongest_edges(&[vec![1.0]], 1, Some(0), 2).unwrap_err();
    assert!(error.to_string().contains("operations = 0"), "{error}");
    let uneven = [vec![1.0, 2.0], vec![1.0]];
    assert!(strongest_edges(&uneven, 2, None, 1).unwrap_err().is_shape());
}
