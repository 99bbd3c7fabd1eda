//! `stock_former_loss`: returns and directions together, by fixed weights, learnt ones, and a teacher.

use burn::tensor::Tensor;
use forge_train::loss::{
    Distillation, Huber, Mse, RegressionLoss, TaskKind, binary_cross_entropy,
    binary_softened_divergence, homoscedastic, smoothed, softened_divergence,
};

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(tag = "weighting", rename_all = "snake_case", deny_unknown_fields)]
enum Config {
    Fixed {
        delta: f64,
        label_smoothing: f64,
        weights: [f64; 2],
    },
    Uncertainty {
        delta: f64,
        label_smoothing: f64,
    },
    Distillation {
        alpha: f64,
        #[serde(rename = "delta")]
        _delta: f64,
        label_smoothing: f64,
        soft: Soft,
        temperature: f64,
    },
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Soft {
    Bernoulli,
    SoftmaxOverHorizons,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let [ret, target_ret, logits, up] =
        ["ret", "target_ret", "up_logits", "target_up"].map(|name| session.input::<2>(name));
    let (ret, target_ret, logits, up) = (ret?, target_ret?, logits?, up?);
    let direction = |smoothing| {
        let up = smoothed(up.clone(), smoothing, 2);
        binary_cross_entropy(logits.clone(), up).mean()
    };
    let tasks = |delta: f64, smoothing: f64| -> Result<[Tensor<1>; 2], OracleError> {
        let number = Huber { delta }.mean(ret.clone(), target_ret.clone());
        let direction = direction(smoothing);
        session.output("return_loss", number.clone())?;
        session.output("direction_loss", direction.clone())?;
        Ok([number, direction])
    };
    let y = match session.config()? {
        Config::Fixed {
            delta,
            label_smoothing,
            weights: [a, b],
        } => {
            let [number, direction] = tasks(delta, label_smoothing)?;
            number.mul_scalar(a).add(direction.mul_scalar(b))
        }
        Config::Uncertainty {
            delta,
            label_smoothing,
        } => {
            let [number, direction] = tasks(delta, label_smoothing)?;
            let [a, b] = ["log_var_return", "log_var_direction"].map(|s| session.param::<1>(s));
            let number = homoscedastic(number, a?, TaskKind::Numbers);
            number.add(homoscedastic(direction, b?, TaskKind::Classes))
        }
        Config::Distillation {
            alpha,
            label_smoothing,
            soft,
            temperature,
            ..
        } => {
            let teacher = session.input::<2>("teacher_up_logits")?;
            let hard = Mse {}.mean(ret.clone(), target_ret.clone());
            let hard = hard.add(direction(label_smoothing));
            let soft = match soft {
                Soft::Bernoulli => binary_softened_divergence(logits.clone(), teacher, temperature)
                    .sum_dim(1)
                    .mean(),
                Soft::SoftmaxOverHorizons => {
                    softened_divergence(logits.clone(), teacher, temperature).mean()
                }
            };
            session.output("hard", hard.clone())?;
            session.output("soft", soft.clone())?;
            let how = Distillation {
                weight: 1.0 - alpha,
                temperature,
            };
            how.mix(hard, soft)
        }
    };
    session.output("y", y)
}
