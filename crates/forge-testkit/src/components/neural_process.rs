//! `cnp` and `neural_process`: predictions, divergences and losses against PyTorch.

use forge_meta::adaptation::{LatentConfig, NeuralProcessConfig};
use forge_nn::ModuleConfig;
use forge_nn::parameters::KeyMap;

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    d_x: usize,
    d_y: usize,
    encoder_sizes: Option<Vec<usize>>,
    decoder_sizes: Vec<usize>,
    min_sigma: f64,
    d_latent: Option<usize>,
    latent_hidden: Option<Vec<usize>>,
    penultimate: Option<usize>,
    #[serde(rename = "deterministic_path")]
    _deterministic_path: Option<bool>,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let latent = match (config.d_latent, config.latent_hidden, config.penultimate) {
        (Some(d_latent), Some(hidden_sizes), Some(penultimate)) => Some(LatentConfig {
            d_latent,
            hidden_sizes,
            penultimate,
        }),
        _ => None,
    };
    let process = NeuralProcessConfig {
        encoder_sizes: config.encoder_sizes.unwrap_or_default(),
        decoder_sizes: config.decoder_sizes,
        min_sigma: config.min_sigma,
        latent,
        ..NeuralProcessConfig::new(config.d_x, config.d_y)
    };
    let mut keys = KeyMap::new();
    let stacks = [
        ("encoder", "encoder", process.encoder_sizes.len()),
        ("decoder", "decoder", process.decoder_sizes.len() + 1),
        (
            "latent.encoder",
            "latent_encoder",
            process
                .latent
                .as_ref()
                .map_or(0, |latent| latent.hidden_sizes.len()),
        ),
    ];
    for (ours, theirs, layers) in stacks {
        for i in 0..layers {
            keys = keys.linear(&format!("{ours}.layers.{i}"), &format!("{theirs}.{i}"));
        }
    }
    if process.latent.is_some() {
        for name in ["penultimate", "z_mean", "z_log_sigma"] {
            keys = keys.linear(&format!("latent.{name}"), name);
        }
    }
    let module = session.load(process.try_init(session.device())?, keys)?;
    let context = (session.input("context_x")?, session.input("context_y")?);
    let targets = (session.input("target_x")?, session.input("target_y")?);
    let noise = session.optional_input::<2>("eps")?;
    if let Some(noise) = &noise {
        let (prior, posterior) = (
            module.latent(context.clone()),
            module.latent(targets.clone()),
        );
        if let Some((prior, posterior)) = prior.zip(posterior) {
            let z = posterior.mean.clone() + posterior.sigma.clone() * noise.clone();
            session.output("z", z)?;
            session.output("prior_mean", prior.mean)?;
            session.output("prior_sigma", prior.sigma)?;
            session.output("posterior_mean", posterior.mean)?;
            session.output("posterior_sigma", posterior.sigma)?;
        }
    } else if let Some(representation) = module.represent(context.clone(), targets.0.clone()) {
        // The same for all targets.
        let first = representation.narrow(1, 0, 1);
        session.output("representation", first.squeeze_dim::<2>(1))?;
    }
    let found = module.loss(context, targets, noise)?;
    session.output("mean", found.prediction.mean)?;
    session.output("sigma", found.prediction.sigma)?;
    if let Some(kl) = found.kl {
        let likelihood = found.log_probability.clone().sum_dim(1).squeeze_dim(1);
        session.output("elbo", likelihood - kl.clone())?;
        session.output("kl", kl)?;
    }
    session.output("log_prob", found.log_probability)?;
    session.output("loss", found.loss)
}
