//! `losses`: functions of `forge_train::loss` against PyTorch, torchvision and formulas in float64.

use burn::tensor::{Tensor, TensorData};
use forge_train::loss::{
    Cvar, Distillation, LossConfig, Quantile, Reduction, RegressionLoss, beta_nll,
    binary_cross_entropy, binary_focal, cross_entropy, focal, gaussian_nll, smoothed,
    smoothed_cross_entropy, softened_divergence,
};
use serde_json::Value;

use crate::oracle::{OracleError, Session};

/// `½ ln 2π`.
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// The losses that are no [`LossConfig`].
#[derive(serde::Deserialize)]
#[serde(tag = "loss", rename_all = "snake_case", deny_unknown_fields)]
enum Config {
    FocalBinary {
        gamma: f64,
        alpha: Option<f64>,
    },
    FocalMulticlass {
        gamma: f64,
        alpha: Option<Vec<f64>>,
    },
    Cvar {
        alpha: f64,
    },
    LabelSmoothingCe {
        smoothing: f64,
    },
    LabelSmoothingBce {
        smoothing: f64,
    },
    Distillation {
        temperature: f64,
        alpha: f64,
    },
    GaussianNll {
        parametrization: Parametrization,
        full: bool,
        #[serde(rename = "eps")]
        _eps: f64,
    },
    BetaNll {
        beta: f64,
    },
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Parametrization {
    Variance,
    LogVariance,
}

impl Parametrization {
    fn name(self) -> &'static str {
        match self {
            Self::Variance => "variance",
            Self::LogVariance => "log_variance",
        }
    }
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    if let Some(loss) = regression_loss(&session.case().config) {
        return regression(session, &loss);
    }
    match session.config()? {
        Config::FocalBinary { gamma, alpha } => {
            let target = session.input_rows("target")?;
            compare(session, &["logits"], |x| {
                binary_focal(x[0].clone(), target.clone(), gamma, alpha)
            })
        }
        Config::FocalMulticlass { gamma, alpha } => {
            let target = classes(session)?;
            compare(session, &["logits"], |x| {
                focal(x[0].clone(), target.clone(), gamma, alpha.as_deref()).unsqueeze_dim(1)
            })
        }
        Config::Cvar { alpha } => {
            let cvar = Cvar { level: alpha };
            let flat = |x: &Tensor<2>| x.clone().flatten::<1>(0, 1);
            let losses = session.input_rows("losses")?;
            session.output("var", cvar.value_at_risk(flat(&losses), None))?;
            compare(session, &["losses"], |x| {
                cvar.forward(flat(&x[0]), None).unsqueeze_dim(1)
            })
        }
        Config::LabelSmoothingCe { smoothing } => {
            let target = classes(session)?;
            compare(session, &["logits"], |x| {
                smoothed_cross_entropy(x[0].clone(), target.clone(), smoothing).unsqueeze_dim(1)
            })
        }
        Config::LabelSmoothingBce { smoothing } => {
            let target = smoothed(session.input_rows("target")?, smoothing, 2);
            compare(session, &["logits"], |x| {
                binary_cross_entropy(x[0].clone(), target.clone())
            })
        }
        Config::Distillation { temperature, alpha } => {
            let (target, teacher) = (classes(session)?, session.input_rows("teacher_logits")?);
            let logits = session.input_rows("logits")?;
            let soft = softened_divergence(logits.clone(), teacher.clone(), temperature);
            session.output("soft", soft)?;
            session.output("hard", cross_entropy(logits, target.clone()))?;
            let how = Distillation {
                weight: alpha,
                temperature,
            };
            compare(session, &["logits"], |x| {
                how.forward(x[0].clone(), teacher.clone(), target.clone())
                    .unsqueeze_dim(1)
            })
        }
        Config::GaussianNll {
            parametrization,
            full,
            ..
        } => {
            let target = session.input_rows("target")?;
            let constant = if full { 0.0 } else { HALF_LN_TWO_PI };
            compare(session, &["pred", parametrization.name()], |x| {
                let scale = match parametrization {
                    Parametrization::Variance => x[1].clone().sqrt(),
                    Parametrization::LogVariance => x[1].clone().mul_scalar(0.5).exp(),
                };
                gaussian_nll(x[0].clone(), scale, target.clone()).sub_scalar(constant)
            })
        }
        Config::BetaNll { beta } => {
            let target = session.input_rows("target")?;
            compare(session, &["pred", "variance"], |x| {
                beta_nll(x[0].clone(), x[1].clone().sqrt(), target.clone(), beta)
            })
        }
    }
}

/// The config as one of the losses that compare numbers.
fn regression_loss(config: &Value) -> Option<LossConfig> {
    let mut config = config.clone();
    let fields = config.as_object_mut()?;
    let name = fields.remove("loss")?;
    fields.insert("name".into(), name);
    serde_json::from_value(config).ok()
}

fn regression(session: &Session<'_>, loss: &LossConfig) -> Result<(), OracleError> {
    let target = session.input_rows("target")?;
    let LossConfig::Quantile(Quantile { quantiles }) = loss else {
        return compare(session, &["pred"], |x| {
            loss.elementwise(x[0].clone(), target.clone())
        });
    };
    let rows = target.shape().num_elements();
    let target = target.reshape([rows, 1]);
    let y = loss.elementwise(session.input_rows("pred")?, target.clone());
    session.output(
        "sum_quantiles_mean",
        y.mean().mul_scalar(quantiles.len() as f64),
    )?;
    compare(session, &["pred"], |x| {
        loss.elementwise(x[0].clone(), target.clone())
    })
}

fn classes(session: &Session<'_>) -> Result<Tensor<1>, OracleError> {
    let target = session.optional_int::<1>("target")?;
    let target = target.ok_or_else(|| OracleError::new("input/target is missing"))?;
    Ok(session.floats(target))
}

/// Hands in the losses of a case, their mean, and the gradients of the mean: `loss` is a function of the
/// inputs `names`, rows flattened.
pub(super) fn compare(
    session: &Session<'_>,
    names: &[&str],
    loss: impl Fn(&[Tensor<2>]) -> Tensor<2>,
) -> Result<(), OracleError> {
    let inputs = names.iter().map(|name| session.input_rows(name));
    let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
    session.output_rows("y", loss(&inputs))?;
    // A graph serves one backward pass.
    let again: Vec<_> = inputs
        .iter()
        .map(|x| Tensor::from_data(x.to_data(), (&x.device(), x.dtype())).require_grad())
        .collect();
    let mean = Reduction::Mean.apply(loss(&again)).reshape([1]);
    session.compare("output/mean", mean.to_data());
    let gradients = mean.backward();
    for (name, x) in names.iter().zip(&again) {
        let key = format!("grad_mean/{name}");
        let Some(gradient) = x.grad(&gradients).filter(|_| session.has(&key)) else {
            continue;
        };
        let data = gradient.into_data();
        let data = TensorData::from_bytes(data.bytes().clone(), session.shape(&key)?, data.dtype());
        session.compare(&key, data);
    }
    Ok(())
}
