//! What each method says of rows, after training on others.

use volatilityforge::Error;
use volatilityforge::burn::module::Module;
use volatilityforge::burn::tensor::{Device, Tensor};
use volatilityforge::meta::bayesian::{
    Answer, Covariance, DeepEnsemble, DrawnWeights, EvidentialNetwork, LastLayerLaplace, Passes,
    Posterior, Predictive, Swag, SwagConfig,
};
use volatilityforge::meta::functional::Params;
use volatilityforge::nn::{ForgeError, Mode, set_mode};
use volatilityforge::train::loss::{Evidence, gaussian_nll, softplus};

use crate::net::{Bayes, Net, Schedule, host, tensors, train};
use crate::set::{Rows, Split};

/// Passes, draws, and members of the ensemble.
const PASSES: usize = 50;
const MEMBERS: usize = 5;
/// Probability of dropout; the published figures choose it per split from 0.005 to 0.1.
const DROPOUT: f64 = 0.005;
/// The factor of evidential regression's regulariser.
const EVIDENCE: f64 = 0.01;
/// The least standard deviation of noise that a network may predict, in standardised units.
const LEAST: f64 = 1e-2;

/// A way of telling how sure a network is.
pub(crate) struct Method {
    /// In the table and in the results file.
    pub(crate) name: &'static str,
    /// Passes over the training rows and peak learning rate: guesses, which `--choose` judges by the validation
    /// rows of split 0.
    pub(crate) usual: Schedule,
    said: fn(&Run<'_>) -> Result<Predictive, Error>,
}

/// In the order of the table.
pub(crate) const METHODS: [Method; 6] = [
    method("MC dropout", 800, 3e-3, |run| run.dropout()),
    method("SWAG", 800, 3e-3, |run| run.swag()),
    method("deep ensemble", 200, 3e-3, |run| run.ensemble()),
    method("Bayesian linear", 800, 3e-3, |run| run.bayesian()),
    method("evidential", 200, 3e-3, |run| run.evidential()),
    method("last-layer Laplace", 800, 3e-3, |run| run.laplace()),
];

const fn method(
    name: &'static str,
    epochs: usize,
    rate: f64,
    said: fn(&Run<'_>) -> Result<Predictive, Error>,
) -> Method {
    let usual = Schedule { epochs, rate };
    Method { name, usual, said }
}

impl Method {
    /// Trains on the split's training rows; RMSE and mean log likelihood of the rows judged, in the target's
    /// unit.
    pub(crate) fn scores(&self, run: &Run<'_>) -> Result<[f64; 2], Error> {
        let said = (self.said)(run)?;
        let (rows, unit) = (run.judged, run.split.unit);
        let n = rows.y.len() as f64;
        let mean = said.mean();
        let pairs = mean.iter().zip(&rows.y);
        let squares = pairs.map(|(m, y)| (m - y).powi(2) / n).sum::<f64>();
        let likely = said.ln_density(&rows.y)?.iter().sum::<f64>() / n;
        Ok([unit * squares.sqrt(), likely - unit.ln()])
    }
}

/// One training.
pub(crate) struct Run<'a> {
    pub(crate) split: &'a Split,
    /// The rows that are asked about.
    pub(crate) judged: &'a Rows,
    pub(crate) schedule: Schedule,
    pub(crate) seed: u64,
}

fn mean_only(y: Tensor<2>) -> Answer {
    Answer::with_noise(host(y), 0.0)
}

fn noisy(answer: Answer, noise: f64) -> Answer {
    Answer::with_noise(answer.mean, noise)
}

fn squared(y: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    (y - target).square().mean()
}

fn of_mean(net: &Net, x: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
    squared(net.forward(x), y)
}

/// Mean and scale of a network with two outputs.
fn normal(y: Tensor<2>) -> [Tensor<2>; 2] {
    let scale = softplus(y.clone().narrow(1, 1, 1)).add_scalar(LEAST);
    [y.narrow(1, 0, 1), scale]
}

impl Run<'_> {
    fn training(&self) -> Device {
        Device::flex().autodiff()
    }

    fn rows(&self, rows: &Rows) -> Tensor<2> {
        tensors(rows, &Device::flex()).0
    }

    /// A new network; each `number` has weights of its own.
    fn fresh(&self, outputs: usize, dropout: f64, number: u64) -> Net {
        let device = self.training();
        device.seed(self.seed.wrapping_mul(1000).wrapping_add(number));
        Net::new(self.split.width, outputs, dropout, &device)
    }

    fn trained<M: Module>(
        &self,
        net: M,
        number: u64,
        loss: impl Fn(&M, Tensor<2>, Tensor<2>) -> Tensor<1>,
        seen: impl FnMut(usize, &M),
    ) -> M {
        let seed = self.seed.wrapping_add(number);
        let rows = &self.split.train;
        train(net, rows, self.schedule, seed, &self.training(), loss, seen)
    }

    /// `posterior` with the constant noise that makes the validation rows likeliest.
    fn with_noise(
        &self,
        posterior: impl Fn(&Tensor<2>, f64) -> Result<Predictive, ForgeError>,
    ) -> Result<Predictive, Error> {
        let x = self.rows(&self.split.validation);
        let mut best = (f64::NEG_INFINITY, 1.0);
        // Standard deviations from 0.01 to 1 of the target's.
        for step in 0..=24 {
            let noise = 10f64.powf(-4.0 + f64::from(step) / 6.0);
            let each = posterior(&x, noise)?.ln_density(&self.split.validation.y)?;
            let likely = each.iter().sum::<f64>();
            if likely > best.0 {
                best = (likely, noise);
            }
        }
        Ok(posterior(&self.rows(self.judged), best.1)?)
    }

    /// Passes of a network that draws.
    fn by_passes(&self, forward: impl Fn(Tensor<2>) -> Tensor<2>) -> Result<Predictive, Error> {
        let device = Device::flex();
        self.with_noise(|x, noise| {
            let forward = |x: &Tensor<2>, pass: u64| {
                device.seed(pass);
                Ok(noisy(mean_only(forward(x.clone())), noise))
            };
            let (passes, seed) = (PASSES, self.seed);
            Passes {
                passes,
                seed,
                forward,
            }
            .predictive(x)
        })
    }

    /// Dropout stays on.
    fn dropout(&self) -> Result<Predictive, Error> {
        let net = set_mode(self.fresh(1, DROPOUT, 0), Mode::Train);
        let net = self.trained(net, 0, of_mean, |_, _| {});
        let net = set_mode(net.valid(), Mode::Sample);
        self.by_passes(|x| net.forward(x))
    }

    /// Weights of the last quarter of the epochs.
    fn swag(&self) -> Result<Predictive, Error> {
        let mut swag = Swag::new(SwagConfig::default(), &Device::flex())?;
        let epochs = self.schedule.epochs;
        let (from, mut collected) = (epochs - epochs / 4, Ok(()));
        let net = self.trained(self.fresh(1, 0.0, 1), 0, of_mean, |epoch, net| {
            if epoch >= from && collected.is_ok() {
                collected = swag.collect(&Params::of(net));
            }
        });
        collected?;
        let net = net.valid();
        self.with_noise(|x, noise| {
            let forward = |params: &Params, x: &Tensor<2>| {
                let net = params.load_into(net.clone())?;
                Ok(noisy(mean_only(net.forward(x.clone())), noise))
            };
            DrawnWeights {
                weights: &swag,
                draws: PASSES,
                seed: self.seed,
                forward,
            }
            .predictive(x)
        })
    }

    /// Members with a mean and a scale each.
    fn ensemble(&self) -> Result<Predictive, Error> {
        let of = |net: &Net, x, y: Tensor<2>| {
            let [mean, scale] = normal(net.forward(x));
            gaussian_nll(mean, scale, y).mean()
        };
        let member = |member: u64| {
            let net = self.fresh(2, 0.0, 2 + member);
            self.trained(net, member, of, |_, _| {}).valid()
        };
        let members: Vec<Net> = (0..MEMBERS as u64).map(member).collect();
        let forward = |net: &Net, x: &Tensor<2>| {
            let [mean, scale] = normal(net.forward(x.clone()));
            let (mean, noise) = (host(mean), host(scale.square()));
            Ok(Answer { mean, noise })
        };
        let posterior = DeepEnsemble {
            members: &members,
            forward,
        };
        Ok(posterior.predictive(&self.rows(self.judged))?)
    }

    /// Bayes by backprop. The variance of the noise is a factor of the loss, so it is taken from the
    /// residuals as training goes on.
    fn bayesian(&self) -> Result<Predictive, Error> {
        let training = self.training();
        training.seed(self.seed.wrapping_mul(1000).wrapping_add(80));
        let net = set_mode(Bayes::new(self.split.width, &training), Mode::Train);
        let noise = std::cell::Cell::new(0.1);
        let (x, y) = tensors(&self.split.train, &Device::flex());
        let n = self.split.train.y.len() as f64;
        // The negative evidence bound per row.
        let bound =
            |net: &Bayes, x, y| squared(net.forward(x), y) / (2.0 * noise.get()) + net.kl() / n;
        let net = self.trained(net, 0, bound, |_, net| {
            let still = set_mode(net.valid(), Mode::Evaluate);
            let left = squared(still.forward(x.clone()), y.clone()).into_scalar::<f64>();
            noise.set(left.max(LEAST * LEAST));
        });
        let net = set_mode(net.valid(), Mode::Sample);
        self.by_passes(|x| net.forward(x))
    }

    fn evidential(&self) -> Result<Predictive, Error> {
        let of = |net: &Net, x, y: Tensor<2>| {
            let said = Evidence::from_raw(net.forward(x));
            (said.nll(y.clone()) + said.regulariser(y) * EVIDENCE).mean()
        };
        let net = self
            .trained(self.fresh(4, 0.0, 90), 0, of, |_, _| {})
            .valid();
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
        let posterior = EvidentialNetwork { forward };
        Ok(posterior.predictive(&self.rows(self.judged))?)
    }

    /// Doubt about the last layer alone, its prior by the marginal likelihood.
    fn laplace(&self) -> Result<Predictive, Error> {
        let net = self
            .trained(self.fresh(1, 0.0, 1), 0, of_mean, |_, _| {})
            .valid();
        let features = |rows: &Tensor<2>| host(net.features(rows.clone()));
        let of_training = features(&self.rows(&self.split.train));
        let head = net.head();
        self.with_noise(|x, noise| {
            let targets = &self.split.train.y;
            let full = Covariance::Full;
            LastLayerLaplace::fit(&of_training, targets, &head, &[noise], 1.0, full)?
                .with_best_prior()
                .predictive(&features(x)[..])
        })
    }
}
