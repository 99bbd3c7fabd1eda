//! The Laplace approximation of a last layer, against numpy.

use forge_meta::bayesian::{
    ClassPredictive, Covariance, LaplaceClasses, LastLayerLaplace, Posterior,
};

use crate::functional::close;

#[test]
fn laplace_is_the_closed_form() {
    let x = [0.5, -1.0, 2.0, 0.3, -0.7, 1.1, 0.2, 0.9];
    let y = [1.0, 0.5, -0.3, 0.8];
    let w = [0.4, 0.2, 0.1];
    let fit = |covariance| LastLayerLaplace::fit(&x, &y, &w, &[0.2], 0.7, covariance).unwrap();
    let rows = [1.0, 2.0, -0.5, 0.25];
    let full = fit(Covariance::Full);
    let said = full.predictive(&rows).unwrap();
    close(&said.mean(), &[0.9, -0.05], 1e-14);
    assert_eq!(said.aleatoric(), [0.2, 0.2]);
    close(&said.epistemic(), &FULL, 1e-12);
    let diagonal = fit(Covariance::Diagonal);
    close(
        &diagonal.predictive(&rows).unwrap().epistemic(),
        &DIAGONAL,
        1e-12,
    );
    let found = [
        full.log_marginal_likelihood(),
        diagonal.log_marginal_likelihood(),
    ];
    close(&found, &MARGINAL, 1e-12);
    let best = full.with_best_prior();
    assert!((best.prior_precision() / BEST - 1.0).abs() < 1e-6);
    let error = LastLayerLaplace::fit(&x, &y, &w, &[0.2], 0.0, Covariance::Full).unwrap_err();
    assert!(error.to_string().contains("prior_precision = 0"), "{error}");
    let error = LastLayerLaplace::fit(&x[1..], &y, &w, &[0.2], 1.0, Covariance::Full).unwrap_err();
    assert!(error.is_shape());
    assert!(best.predictive(&rows[1..]).unwrap_err().is_shape());
}

// numpy: inverse, slogdet, and scipy's minimize_scalar over the logarithm of the precision.
const FULL: [f64; 2] = [0.32764186820569385, 0.10645911620750978];
const DIAGONAL: [f64; 2] = [0.33511343140187255, 0.06231793421613146];
const MARGINAL: [f64; 2] = [-8.667484470524567, -8.902877249851283];
const BEST: f64 = 9.04788310234093;

const ROWS: [f64; 4] = [1.0, 2.0, -0.5, 0.25];
const FEATURES: [f64; 8] = [0.5, -1.0, 2.0, 0.3, -0.7, 1.1, 0.2, 0.9];

#[test]
fn laplace_of_two_outputs_is_two_closed_forms() {
    let targets = [1.0, 0.2, 0.5, -1.0, -0.3, 0.4, 0.8, 0.6];
    let weights = [0.4, 0.2, 0.1, -0.3, 0.5, 0.05];
    let noise = [0.2, 0.5];
    let fit = |targets: &[f64], weights: &[f64]| {
        LastLayerLaplace::fit(&FEATURES, targets, weights, &noise, 0.7, Covariance::Full)
    };
    let laplace = fit(&targets, &weights).unwrap();
    let said = laplace.predictive(&ROWS).unwrap();
    // Rows beside each other's outputs.
    close(&said.mean(), &[0.9, 0.75, -0.05, 0.325], 1e-14);
    assert_eq!(said.aleatoric(), [0.2, 0.5, 0.2, 0.5]);
    let epistemic = [
        0.32764186820569385,
        0.7566959916156479,
        0.10645911620750978,
        0.24011481379340577,
    ];
    close(&said.epistemic(), &epistemic, 1e-12);
    close(
        &[laplace.log_marginal_likelihood()],
        &[-15.812237575012281],
        1e-12,
    );
    let error = fit(&targets[1..], &weights).unwrap_err();
    assert!(
        error.is_shape() && error.to_string().contains("targets"),
        "{error}"
    );
    let error = fit(&targets, &weights[1..]).unwrap_err();
    assert!(
        error.is_shape() && error.to_string().contains("weights"),
        "{error}"
    );
}

/// Variances of the logits, marginal likelihood, and probabilities by the probit.
struct Expected {
    variances: [f64; 6],
    marginal: f64,
    probit: [f64; 6],
}

const WHOLE: Expected = Expected {
    variances: [
        4.8681235314868845,
        5.258666762746374,
        5.277011589128856,
        1.2223758605804893,
        1.2208405276838874,
        1.4006036992604083,
    ],
    marginal: -6.466077758002452,
    probit: [
        0.4344949196589337,
        0.39352362510848266,
        0.17198145523258354,
        0.33841571453411967,
        0.4606206879244134,
        0.20096359754146684,
    ],
};

const DIAGONAL_CLASSES: Expected = Expected {
    variances: [
        4.075282809404193,
        4.559592941271703,
        4.733384942125523,
        0.8056840527682012,
        0.9614596584868051,
        0.9111632893707122,
    ],
    marginal: -7.124476097456615,
    probit: [
        0.439584371178689,
        0.39413013627151927,
        0.16628549254979175,
        0.338910525408476,
        0.46694804706620285,
        0.19414142752532118,
    ],
};

#[test]
fn a_label_that_the_network_held_for_impossible_leaves_the_evidence_a_number() {
    // The first row's logits are 0 and 2000, and it is of the first class.
    let (features, weights) = ([1.0, 0.5], [0.0, 0.0, 2000.0, 0.0]);
    let laplace =
        LaplaceClasses::fit(&features, &[0, 1], &weights, 2, 1e-6, Covariance::Full).unwrap();
    // The network is sure of both rows: no curvature, and the prior's part is τ w²/2 = 2.
    close(&[laplace.log_marginal_likelihood()], &[-2002.0], 1e-9);
}

#[test]
fn features_that_are_not_finite_or_overflow_are_errors() {
    let (features, labels) = ([0.0, 1.0, 2.0, 3.0], [0, 0, 1, 1]);
    let weights = [1.0, 0.0, -1.0, 0.0];
    let laplace =
        LaplaceClasses::fit(&features, &labels, &weights, 2, 1.0, Covariance::Full).unwrap();
    for bad in [f64::NAN, f64::INFINITY, 1e200] {
        let error = laplace.predictive(&[bad], 10, 0).unwrap_err();
        assert!(error.to_string().contains("LaplaceClasses"), "{error}");
    }
    assert!(laplace.probit(&[f64::NAN]).is_err());
}

#[test]
fn laplace_of_classes_is_the_gauss_newton_matrix() {
    let weights = [0.4, 0.2, 0.1, -0.3, 0.5, 0.05, 0.7, -0.6, -0.2];
    let labels = [0, 2, 1, 0];
    let fit =
        |covariance| LaplaceClasses::fit(&FEATURES, &labels, &weights, 3, 0.7, covariance).unwrap();
    let expected = [
        (Covariance::Full, WHOLE),
        (Covariance::Diagonal, DIAGONAL_CLASSES),
    ];
    for (covariance, expected) in expected {
        let laplace = fit(covariance);
        let (means, variances) = laplace.logits(&ROWS).unwrap();
        close(&means[..3], &[0.9, 0.75, -0.7], 1e-14);
        close(&variances, &expected.variances, 1e-12);
        close(
            &[laplace.log_marginal_likelihood()],
            &[expected.marginal],
            1e-12,
        );
        close(&laplace.probit(&ROWS).unwrap(), &expected.probit, 1e-12);
    }
    let laplace = fit(Covariance::Full);
    // Two million draws of numpy's.
    let said = laplace.predictive(&ROWS, 20_000, 1).unwrap();
    let p = [0.42286, 0.40040, 0.17674, 0.33543, 0.45070, 0.21387];
    for (found, expected) in said.probabilities().iter().zip(p) {
        assert!((found - expected).abs() < 0.01, "{found}, {expected}");
    }
    close(&said.doubt().aleatoric, &[0.60449, 0.84538], 0.02);
    close(&said.doubt().epistemic, &[0.43226, 0.21008], 0.03);
    let best = laplace.with_best_prior().prior_precision();
    assert!((best / 1.542_814_142 - 1.0).abs() < 1e-6, "{best}");
}

#[test]
fn what_is_no_classifier_is_refused() {
    let weights = [0.4, 0.2, 0.1, -0.3, 0.5, 0.05];
    let fit = |labels: &[usize], classes, prior| {
        let full = Covariance::Full;
        LaplaceClasses::fit(&FEATURES, labels, &weights, classes, prior, full)
    };
    let said = |result: Result<LaplaceClasses, _>| match result {
        Err(error) => format!("{error}"),
        Ok(_) => "accepted".into(),
    };
    assert!(said(fit(&[0, 1, 2, 0], 2, 1.0)).contains("label = 2"));
    assert!(said(fit(&[0, 1, 0, 0], 2, 0.0)).contains("prior_precision = 0"));
    assert!(said(fit(&[0, 1, 0, 0], 1, 1.0)).contains("classes = 1"));
    assert!(said(fit(&[0, 1, 0], 2, 1.0)).contains("features"));
    let good = fit(&[0, 1, 0, 0], 2, 1.0).unwrap();
    assert!(
        good.predictive(&ROWS, 1, 0)
            .unwrap_err()
            .to_string()
            .contains("draws = 1")
    );
    assert!(good.probit(&ROWS[1..]).unwrap_err().is_shape());
    let error = ClassPredictive::of_draws(vec![vec![0.5, 0.6]], 2).unwrap_err();
    assert!(error.to_string().contains("row 0"), "{error}");
    let error = ClassPredictive::of_draws(vec![vec![0.5, f64::NAN]], 2).unwrap_err();
    assert!(error.to_string().contains("NaN"), "{error}");
    assert!(
        ClassPredictive::of_draws(vec![], 2)
            .unwrap_err()
            .is_config()
    );
}
