//! Functions from sets of points.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{relu, sigmoid, softplus};
use burn::tensor::{Device, Tensor};
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::context_attention::{ContextAttention, ContextAttentionConfig};

/// Recipe of a [`NeuralProcess`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeuralProcessConfig {
    /// Width of a point's input, at least 1.
    pub d_x: usize,
    /// Width of a point's output, at least 1.
    pub d_y: usize,
    /// Widths of the encoder's layers, the last that of the representation; empty: no deterministic
    /// path, which then needs a latent one. Default: 128, 128, 128, 128.
    #[serde(default = "encoder")]
    pub encoder_sizes: Vec<usize>,
    /// Widths of the decoder's hidden layers. Default: 128, 128.
    #[serde(default = "decoder")]
    pub decoder_sizes: Vec<usize>,
    /// Least standard deviation of a prediction, in `0.0..1.0`. Default: 0.1.
    #[serde(default = "min_sigma")]
    pub min_sigma: f64,
    /// The latent path; none is a conditional neural process. Default: none.
    #[serde(default)]
    pub latent: Option<LatentConfig>,
    /// How each target looks at the context; none: at its mean. Needs a deterministic path. Default:
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<ContextAttentionConfig>,
}

/// The latent path of a [`NeuralProcess`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatentConfig {
    /// Width of the latent variable, at least 1.
    pub d_latent: usize,
    /// Widths of its encoder's layers, at least one.
    pub hidden_sizes: Vec<usize>,
    /// Width of the layer before mean and deviation, at least 1; the authors take half the sum of
    /// the last hidden width and `d_latent`.
    pub penultimate: usize,
}

fn encoder() -> Vec<usize> {
    vec![128; 4]
}

fn decoder() -> Vec<usize> {
    vec![128; 2]
}

fn min_sigma() -> f64 {
    0.1
}

impl NeuralProcessConfig {
    /// Of the representation.
    fn width(&self) -> usize {
        self.encoder_sizes.last().copied().unwrap_or_default()
    }

    /// A conditional neural process with the other fields at their defaults.
    #[must_use]
    pub fn new(d_x: usize, d_y: usize) -> Self {
        Self {
            d_x,
            d_y,
            encoder_sizes: encoder(),
            decoder_sizes: decoder(),
            min_sigma: min_sigma(),
            latent: None,
            attention: None,
        }
    }
}

/// Linear layers, ReLU after each but the last.
#[derive(Module, Debug)]
pub(super) struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    pub(super) fn new(d_in: usize, sizes: &[usize], device: &Device) -> Self {
        let inputs = std::iter::once(&d_in).chain(sizes);
        let pairs = inputs.zip(sizes);
        Self {
            layers: pairs
                .map(|(a, b)| LinearConfig::new(*a, *b).init(device))
                .collect(),
        }
    }

    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let last = self.layers.len().saturating_sub(1);
        let layers = self.layers.iter().enumerate();
        layers.fold(x, |x, (i, layer)| match i == last {
            true => layer.forward(x),
            false => relu(layer.forward(x)),
        })
    }
}

#[derive(Module, Debug)]
struct Latent {
    encoder: Mlp,
    penultimate: Linear,
    z_mean: Linear,
    z_log_sigma: Linear,
}

impl Latent {
    fn forward(&self, points: Tensor<3>) -> Normal<2> {
        let [batch, _, _] = points.dims();
        let each = self.encoder.forward(points).mean_dim(1);
        let width = each.dims()[2];
        let hidden = relu(self.penultimate.forward(each.reshape([batch, width])));
        Normal {
            mean: self.z_mean.forward(hidden.clone()),
            sigma: sigmoid(self.z_log_sigma.forward(hidden)) * 0.9 + 0.1,
        }
    }
}

/// A normal distribution of each element.
#[derive(Debug, Clone)]
pub struct Normal<const D: usize> {
    /// Its mean.
    pub mean: Tensor<D>,
    /// Its standard deviation.
    pub sigma: Tensor<D>,
}

impl Normal<2> {
    /// The divergence from another, summed over the last axis: `[B]`.
    fn divergence(&self, from: &Self) -> Tensor<1> {
        let ratio = (self.sigma.clone() / from.sigma.clone()).square();
        let way = ((self.mean.clone() - from.mean.clone()) / from.sigma.clone()).square();
        let each = (ratio.clone() + way - ratio.log() - 1.0) * 0.5;
        each.sum_dim(1).squeeze_dim(1)
    }
}

/// Points of functions: inputs `[B, N, D_x]` and outputs `[B, N, D_y]`.
pub type Points = (Tensor<3>, Tensor<3>);

/// What a [`NeuralProcess`] learns from.
#[derive(Debug, Clone)]
pub struct NeuralProcessLoss {
    /// The prediction at the targets, `[B, T, D_y]`.
    pub prediction: Normal<3>,
    /// The log-likelihood of each target, summed over its outputs, `[B, T]`.
    pub log_probability: Tensor<2>,
    /// The divergence of the latent variable given all targets from that given the context, `[B]`.
    pub kl: Option<Tensor<1>>,
    /// What is minimised, `[1]`.
    pub loss: Tensor<1>,
}

/// A conditional, latent or attentive neural process: a distribution over functions given some of their
/// points.
///
/// Every context point is encoded with its output and the mean is the representation; with
/// [attention](ContextAttentionConfig) each target has a representation of its own, in which context
/// points with an input like its own count more. With a latent path a normal variable is drawn besides,
/// from what the encoded points say. The decoder takes the representation, the latent variable and an
/// input, in this order, and gives mean and deviation of the output,
/// `σ = σ_min + (1 - σ_min) softplus(s)`. Garnelo et al., arXiv 1807.01613 and 1807.01622, as in the
/// authors' code; Kim et al., arXiv 1901.05761. The order of the points does not matter.
#[derive(Module, Debug)]
pub struct NeuralProcess {
    encoder: Option<Mlp>,
    attention: Option<ContextAttention>,
    latent: Option<Latent>,
    decoder: Mlp,
    d_y: usize,
    min_sigma: f64,
}

impl ModuleConfig for NeuralProcessConfig {
    type Module = NeuralProcess;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_x", self.d_x)?;
        check::at_least_one("d_y", self.d_y)?;
        check::in_range("min_sigma", self.min_sigma, 0.0..1.0)?;
        let sizes = [
            ("encoder_sizes", &self.encoder_sizes),
            ("decoder_sizes", &self.decoder_sizes),
        ];
        for (name, sizes) in sizes {
            sizes
                .iter()
                .try_for_each(|size| check::at_least_one(name, *size))?;
        }
        if let Some(attention) = &self.attention {
            check::at_least_one("layers in encoder_sizes", self.encoder_sizes.len())?;
            attention.validate(self.width())?;
        }
        match &self.latent {
            Some(latent) => {
                check::at_least_one("latent.d_latent", latent.d_latent)?;
                check::at_least_one("latent.penultimate", latent.penultimate)?;
                check::at_least_one("layers in latent.hidden_sizes", latent.hidden_sizes.len())?;
                let mut sizes = latent.hidden_sizes.iter();
                sizes.try_for_each(|size| check::at_least_one("latent.hidden_sizes", *size))
            }
            None => check::at_least_one("layers in encoder_sizes", self.encoder_sizes.len()),
        }
    }

    fn build(&self, device: &Device) -> NeuralProcess {
        let point = self.d_x + self.d_y;
        let encoder =
            (!self.encoder_sizes.is_empty()).then(|| Mlp::new(point, &self.encoder_sizes, device));
        let latent = self.latent.as_ref().map(|latent| {
            let width = latent.hidden_sizes.last().copied().unwrap_or(point);
            let normal = || LinearConfig::new(latent.penultimate, latent.d_latent).init(device);
            Latent {
                encoder: Mlp::new(point, &latent.hidden_sizes, device),
                penultimate: LinearConfig::new(width, latent.penultimate).init(device),
                z_mean: normal(),
                z_log_sigma: normal(),
            }
        });
        let attention = self.attention.as_ref();
        let known = self.width() + self.latent.as_ref().map_or(0, |latent| latent.d_latent);
        let sizes = [self.decoder_sizes.as_slice(), &[2 * self.d_y]].concat();
        NeuralProcess {
            encoder,
            attention: attention.map(|it| it.build(self.d_x, self.width(), device)),
            latent,
            decoder: Mlp::new(known + self.d_x, &sizes, device),
            d_y: self.d_y,
            min_sigma: self.min_sigma,
        }
    }
}

impl NeuralProcess {
    /// The representation of a context for the inputs `x`: the same for all, or with attention one for
    /// each; none without a deterministic path.
    ///
    /// # Shapes
    /// - context: inputs `[B, N, D_x]`, outputs `[B, N, D_y]`; x: `[B, T, D_x]`
    /// - output: `[B, T, R]`
    #[must_use]
    pub fn represent(&self, context: Points, x: Tensor<3>) -> Option<Tensor<3>> {
        let encoder = self.encoder.as_ref()?;
        let seen = context.0.clone();
        let each = encoder.forward(pairs(context));
        Some(match &self.attention {
            Some(attention) => attention.forward(x, seen, each),
            None => everywhere(each.mean_dim(1), x.dims()[1]),
        })
    }

    /// What points say of the latent variable, `[B, Z]`; none without a latent path.
    #[must_use]
    pub fn latent(&self, points: Points) -> Option<Normal<2>> {
        Some(self.latent.as_ref()?.forward(pairs(points)))
    }

    /// The prediction at the inputs `x`, given what is known of the function.
    ///
    /// # Shapes
    /// - representation: `[B, T, R]`, z: `[B, Z]`, each where the config has its path
    /// - x: `[B, T, D_x]`
    /// - output: `[B, T, D_y]`
    #[must_use]
    pub fn decode(
        &self,
        representation: Option<Tensor<3>>,
        z: Option<Tensor<2>>,
        x: Tensor<3>,
    ) -> Normal<3> {
        let points = x.dims()[1];
        let z = z.map(|z| everywhere(z.unsqueeze_dim(1), points));
        let known = representation.into_iter().chain(z);
        let input = Tensor::cat(known.chain([x]).collect(), 2);
        let said = self.decoder.forward(input);
        let mean = said.clone().narrow(2, 0, self.d_y);
        let sigma = softplus(said.narrow(2, self.d_y, self.d_y), 1.0);
        Normal {
            mean,
            sigma: sigma * (1.0 - self.min_sigma) + self.min_sigma,
        }
    }

    /// The prediction at `x` given a context; a latent variable is taken at its mean.
    ///
    /// # Shapes
    /// - x: `[B, T, D_x]`
    /// - output: `[B, T, D_y]`
    #[must_use]
    pub fn predict(&self, context: Points, x: Tensor<3>) -> Normal<3> {
        let z = self.latent(context.clone()).map(|latent| latent.mean);
        self.decode(self.represent(context, x.clone()), z, x)
    }

    /// What is minimised: the mean negative log-likelihood of the targets, which contain the context;
    /// with a latent path `-mean(ELBO / T)`, the latent variable drawn from what all targets say by
    /// the standard normal numbers `noise`.
    ///
    /// # Shapes
    /// - noise: `[B, Z]`, not looked at without a latent path
    ///
    /// # Errors
    /// A shape error if there is a latent path and no noise.
    pub fn loss(
        &self,
        context: Points,
        targets: Points,
        noise: Option<Tensor<2>>,
    ) -> Result<NeuralProcessLoss, ForgeError> {
        let prior = self.latent(context.clone());
        let posterior = self.latent(targets.clone());
        let z = match (&posterior, noise) {
            (None, _) => None,
            (Some(q), Some(noise)) => Some(q.mean.clone() + q.sigma.clone() * noise),
            (Some(_), None) => return Err(ForgeError::shape("the noise", "missing", "[B, Z]")),
        };
        let (x, y) = targets;
        let representation = self.represent(context, x.clone());
        let prediction = self.decode(representation, z, x);
        let off = (y - prediction.mean.clone()) / prediction.sigma.clone();
        let half_log_tau = 0.5 * std::f64::consts::TAU.ln();
        let each = off.square() * -0.5 - prediction.sigma.clone().log() - half_log_tau;
        let log_probability: Tensor<2> = each.sum_dim(2).squeeze_dim(2);
        let points = log_probability.dims()[1] as f64;
        let kl = posterior.zip(prior).map(|(q, p)| q.divergence(&p));
        let likelihood = log_probability.clone().mean();
        let loss = match &kl {
            Some(kl) => kl.clone().mean() * (1.0 / points) - likelihood,
            None => likelihood.neg(),
        };
        Ok(NeuralProcessLoss {
            prediction,
            log_probability,
            kl,
            loss,
        })
    }
}

/// `[B, 1, W]` for each of so many points, `[B, T, W]`.
fn everywhere(known: Tensor<3>, points: usize) -> Tensor<3> {
    let [batch, _, width] = known.dims();
    known.expand([batch, points, width])
}

fn pairs((x, y): Points) -> Tensor<3> {
    Tensor::cat(vec![x, y], 2)
}
