//! What each method says of the test rows of a split.

use volatilityforge::Error;
use volatilityforge::burn::module::Module;
use volatilityforge::burn::tensor::{Device, Tensor};
use volatilityforge::meta::bayesian::{
    Answer, DeepEnsemble, DrawnWeights, EvidentialNetwork, Passes, Posterior, Predictive, Swag,
    SwagConfig,
};
use volatilityforge::meta::functional::Params;
use volatilityforge::nn::{ForgeError, Mode, set_mode};
use volatilityforge::train::loss::{Evidence, gaussian_nll, softplus};

use crate::net::{Bayes, Net, tensors, train};
use crate::set::{Rows, Split};

/// Passes, draws, and members of the ensemble.
const PASSES: usize = 50;
const MEMBERS: usize = 5;
/// Probability of dropout; the published figures choose it per split from 0.005 to 0.1.
const DROPOUT: f64 = 0.01;
/// The factor of evidential regression's regulariser.
const EVIDENCE: f64 = 0.01;
/// The least standard deviation of noise that a network may predict, in standardised units.
const LEAST: f64 = 1e-2;

/// In the order of the table.
pub(crate) const NAMES: [&str; 5] = [
    "MC dropout",
    "SWAG",
    "deep ensemble",
    "Bayesian linear",
    "evidential",
];

fn host(y: Tensor<2>) -> Vec<f64> {
    y.into_data().iter::<f64>().collect()
}

fn mean_only(y: Tensor<2>) -> Answer {
    Answer::with_noise(host(y), 0.0)
}

fn squared(y: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    (y - target).square().mean()
}

/// Mean and scale of a network with two outputs.
fn normal(y: Tensor<2>) -> [Tensor<2>; 2] {
    let scale = softplus(y.clone().narrow(1, 1, 1)).add_scalar(LEAST);
    [y.narrow(1, 0, 1), scale]
}

/// `posterior` on the test rows with the constant noise that makes the validation rows likeliest.
fn with_noise(
    split: &Split,
    device: &Device,
    posterior: impl Fn(&Tensor<2>, f64) -> Result<Predictive, ForgeError>,
) -> Result<Predictive, Error> {
    let (x, _) = tensors(&split.validation, device);
    let mut best = (f64::NEG_INFINITY, 1.0);
    // Standard deviations from 0.01 to 1 of the target's.
    for step in 0..=24 {
        let noise = 10f64.powf(-4.0 + f64::from(step) / 6.0);
        let each = posterior(&x, noise)?.ln_density(&split.validation.y)?;
        let likely = each.iter().sum::<f64>();
        if likely > best.0 {
            best = (likely, noise);
        }
    }
    Ok(posterior(&tensors(&split.test, device).0, best.1)?)
}

/// What all methods say, in the order of [`NAMES`].
pub(crate) fn all(split: &Split, epochs: usize, seed: u64) -> Result<Vec<Predictive>, Error> {
    let device = Device::flex();
    let training = device.clone().autodiff();
    let (x, _) = tensors(&split.test, &device);
    let rows = &split.train;
    let fresh = |outputs, dropout, member: u64| {
        training.seed(seed.wrapping_mul(1000).wrapping_add(member));
        Net::new(split.width, outputs, dropout, &training)
    };

    // Dropout stays on.
    let net = set_mode(fresh(1, DROPOUT, 0), Mode::Train);
    let of = |net: &Net, x, y| squared(net.forward(x), y);
    let net = train(net, rows, epochs, seed, &training, of, |_, _| {});
    let net = set_mode(net.valid(), Mode::Sample);
    let dropout = with_noise(split, &device, |x, noise| {
        let forward = |x: &Tensor<2>, pass: u64| {
            device.seed(pass);
            Ok(noisy(mean_only(net.forward(x.clone())), noise))
        };
        Passes {
            passes: PASSES,
            seed,
            forward,
        }
        .predictive(x)
    })?;

    // Weights of the last quarter of the epochs.
    let mut swag = Swag::new(SwagConfig::default())?;
    let (from, mut collected) = (epochs - epochs / 4, Ok(()));
    let net = train(
        fresh(1, 0.0, 1),
        rows,
        epochs,
        seed,
        &training,
        of,
        |epoch, net| {
            if epoch >= from && collected.is_ok() {
                collected = swag.collect(&Params::of(net));
            }
        },
    );
    collected?;
    let net = net.valid();
    let drawn = with_noise(split, &device, |x, noise| {
        let forward = |params: &Params, x: &Tensor<2>| {
            let net = params.load_into(net.clone())?;
            Ok(noisy(mean_only(net.forward(x.clone())), noise))
        };
        DrawnWeights {
            weights: &swag,
            draws: PASSES,
            seed,
            forward,
        }
        .predictive(x)
    })?;

    let member = |member: usize| {
        let of = |net: &Net, x, y: Tensor<2>| {
            let [mean, scale] = normal(net.forward(x));
            gaussian_nll(mean, scale, y).mean()
        };
        let net = fresh(2, 0.0, 2 + member as u64);
        let own = seed.wrapping_add(member as u64);
        train(net, rows, epochs, own, &training, of, |_, _| {}).valid()
    };
    let members: Vec<Net> = (0..MEMBERS).map(member).collect();
    let forward = |net: &Net, x: &Tensor<2>| {
        let [mean, scale] = normal(net.forward(x.clone()));
        let noise = host(scale.square());
        Ok(Answer {
            mean: host(mean),
            noise,
        })
    };
    let ensemble = DeepEnsemble {
        members: &members,
        forward,
    }
    .predictive(&x)?;

    // The loss is the negative evidence bound per row: the noise takes part, so it is tried before.
    let bayes = bayesian(split, epochs, seed, &device)?;

    let of = |net: &Net, x, y: Tensor<2>| {
        let said = Evidence::from_raw(net.forward(x));
        (said.nll(y.clone()) + said.regulariser(y) * EVIDENCE).mean()
    };
    let net = train(
        fresh(4, 0.0, 90),
        rows,
        epochs,
        seed,
        &training,
        of,
        |_, _| {},
    );
    let net = net.valid();
    let forward = |x: &Tensor<2>| {
        let said = Evidence::from_raw(net.forward(x.clone()));
        let parts = [said.mean, said.nu, said.alpha, said.beta].map(host);
        let row = |row: usize| parts.each_ref().map(|part| part[row]);
        // Rounding may take what softplus gives to the ends of what is allowed.
        let inside = |[m, nu, alpha, beta]: [f64; 4]| {
            [m, nu.max(1e-6), alpha.max(1.0 + 1e-4), beta.max(1e-9)]
        };
        let all: Vec<[f64; 4]> = (0..parts[0].len()).map(row).map(inside).collect();
        Ok(all)
    };
    let evidential = EvidentialNetwork { forward }.predictive(&x)?;
    Ok(vec![dropout, drawn, ensemble, bayes, evidential])
}

/// Bayes by backprop. The variance of the noise is a factor of the loss, so it is taken from the
/// residuals as training goes on.
fn bayesian(split: &Split, epochs: usize, seed: u64, device: &Device) -> Result<Predictive, Error> {
    let training = device.clone().autodiff();
    training.seed(seed.wrapping_mul(1000).wrapping_add(80));
    let n = split.train.y.len() as f64;
    let noise = std::cell::Cell::new(0.1);
    let (x, y) = tensors(&split.train, device);
    let net = train(
        set_mode(Bayes::new(split.width, &training), Mode::Train),
        &split.train,
        epochs,
        seed,
        &training,
        |net: &Bayes, x, y| squared(net.forward(x), y) / (2.0 * noise.get()) + net.kl() / n,
        |_, net| {
            let still = set_mode(net.valid(), Mode::Evaluate);
            let left = squared(still.forward(x.clone()), y.clone()).into_scalar::<f64>();
            noise.set(left.max(LEAST * LEAST));
        },
    );
    let net = set_mode(net.valid(), Mode::Sample);
    with_noise(split, device, |x, noise| {
        let forward = |x: &Tensor<2>, pass: u64| {
            device.seed(pass);
            Ok(noisy(mean_only(net.forward(x.clone())), noise))
        };
        Passes {
            passes: PASSES,
            seed,
            forward,
        }
        .predictive(x)
    })
}

fn noisy(answer: Answer, noise: f64) -> Answer {
    Answer::with_noise(answer.mean, noise)
}

/// RMSE and mean log likelihood of the test rows, in the target's unit.
pub(crate) fn scores(said: &Predictive, rows: &Rows, unit: f64) -> Result<[f64; 2], Error> {
    let n = rows.y.len() as f64;
    let squares = said
        .mean()
        .iter()
        .zip(&rows.y)
        .map(|(m, y)| (m - y).powi(2) / n)
        .sum::<f64>();
    let likely = said.ln_density(&rows.y)?.iter().sum::<f64>() / n;
    Ok([unit * squares.sqrt(), likely - unit.ln()])
}
