//! `modern_tcn`: `forge_models::ModernTcnSeries` between the authors' normalisation and head.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_models::{ModernTcnSeries, ModernTcnSeriesConfig};
use forge_nn::norm::{RevIn, RevInConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    enc_in: usize,
    seq_len: usize,
    pred_len: usize,
    patch_size: usize,
    patch_stride: usize,
    downsample_ratio: usize,
    ffn_ratio: usize,
    num_blocks: Vec<usize>,
    large_size: Vec<usize>,
    small_size: Vec<usize>,
    dims: Vec<usize>,
    small_kernel_merged: bool,
    use_multi_scale: bool,
    revin: u8,
    affine: u8,
    subtract_last: u8,
    dropout: f64,
    /// Unused by what the authors run.
    head_dropout: f64,
    freq: String,
}

/// The authors' forecaster.
#[derive(Module, Debug)]
struct Forecaster {
    encoder: ModernTcnSeries,
    head: Linear,
    revin: Option<RevIn>,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    if config.small_kernel_merged || config.use_multi_scale {
        return Err(OracleError::new(
            "merged kernels and several scales have no cases",
        ));
    }
    if config.freq != "h" || config.head_dropout != 0.0 {
        return Err(OracleError::new(
            "'freq' and 'head_dropout' are unlike other cases",
        ));
    }
    let stages = config.num_blocks.len();
    let encoder = ModernTcnSeriesConfig {
        n_variables: config.enc_in,
        patch_size: config.patch_size,
        patch_stride: config.patch_stride,
        dims: config.dims.iter().copied().take(stages).collect(),
        n_blocks: config.num_blocks,
        large_size: config.large_size,
        small_size: config.small_size,
        downsample_ratio: config.downsample_ratio,
        ffn_ratio: config.ffn_ratio,
        dropout: config.dropout,
    };
    let patches = (1..stages).fold(config.seq_len / config.patch_stride, |patches, _| {
        patches.div_ceil(config.downsample_ratio)
    });
    let features = patches * encoder.dims.last().copied().unwrap_or(1);
    let device = session.device();
    let revin = RevInConfig::new(config.enc_in)
        .with_affine(config.affine == 1)
        .with_subtract_last(config.subtract_last == 1);
    let keys = encoder.key_map().below("encoder.");
    let keys = keys.linear("head", "model.head.linear");
    let keys = ["weight", "bias"].iter().fold(keys, |keys, kind| {
        match config.revin == 1 && config.affine == 1 {
            true => keys.same(
                &format!("revin.affine_{kind}"),
                &format!("model.revin_layer.affine_{kind}"),
            ),
            false => keys,
        }
    });
    let model = Forecaster {
        encoder: encoder.try_init(device)?,
        head: LinearConfig::new(features, config.pred_len).try_init(device)?,
        revin: match config.revin {
            0 => None,
            _ => Some(revin.try_init(device)?),
        },
    };
    let model = session.load(model, keys)?;
    session.output("y", model.forward(session.input("x")?))
}

impl Forecaster {
    /// `[B, T, M]` to `[B, T', M]`.
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let normalized = self.revin.as_ref().map(|revin| revin.normalize(x.clone()));
        let (x, statistics) = match normalized {
            Some((x, statistics)) => (x, Some(statistics)),
            None => (x, None),
        };
        let y = self.encoder.forward(x);
        let [batch, variables, width, time] = y.dims();
        let y = self
            .head
            .forward(y.reshape([batch, variables, width * time]));
        let y = y.swap_dims(1, 2);
        match (&self.revin, statistics) {
            (Some(revin), Some(statistics)) => revin.denormalize(y, &statistics),
            _ => y,
        }
    }
}
