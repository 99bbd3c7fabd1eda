//! The head of weights that know more classes than a table has.

use forge_nn::{ForgeError, Linear};

use crate::Labels;

/// A head for `d_out` outputs out of that of a model called `name`: the first classes, the
/// difference of the logits of two, the mean of quantiles, or as it is.
///
/// # Errors
/// An unsupported error for more classes than the head has, or for other outputs than it has.
pub(super) fn fewer_outputs(
    name: &str,
    head: &Linear,
    d_out: usize,
    labels: Labels,
    knows: Labels,
) -> Result<Linear, ForgeError> {
    let all = head.d_output();
    let (weight, bias) = (head.weight.val(), head.bias.as_ref().map(|bias| bias.val()));
    let refuse = |what: String| {
        let message = format!("the weights of {name} {what}");
        Err(ForgeError::unsupported(message))
    };
    match (labels, knows) {
        (Labels::Classes(2), Labels::Classes(2)) if d_out == 1 && all == 1 => Ok(head.clone()),
        (Labels::Classes(n), Labels::Classes(most)) if n > most.min(all) => refuse(format!(
            "know {most} classes, the target has {n}: join rare classes, or take a model that is \
             trained on the table"
        )),
        (Labels::Classes(2), Labels::Classes(_)) if d_out == 1 => {
            let one = |at| weight.clone().narrow(1, at, 1);
            let bias = bias.map(|bias| bias.clone().narrow(0, 1, 1) - bias.narrow(0, 0, 1));
            Ok(Linear::from_values(one(1) - one(0), bias))
        }
        (Labels::Classes(n), Labels::Classes(_)) if d_out == n => {
            let bias = bias.map(|bias| bias.narrow(0, 0, n));
            Ok(Linear::from_values(weight.narrow(1, 0, n), bias))
        }
        (Labels::Numbers(1), Labels::Numbers(1)) if d_out == all => Ok(head.clone()),
        (Labels::Numbers(1), Labels::Numbers(1)) if d_out == 1 => {
            let bias = bias.map(|bias| bias.mean_dim(0));
            Ok(Linear::from_values(weight.mean_dim(1), bias))
        }
        (Labels::Numbers(1), Labels::Numbers(1)) => refuse(format!(
            "say {all} numbers of a target, the objective asks for {d_out}: take 'regression'"
        )),
        (Labels::Numbers(_), Labels::Classes(_)) => {
            refuse("predict classes, the target is numbers: take other weights".into())
        }
        (Labels::Classes(_), Labels::Numbers(_)) => {
            refuse("predict numbers, the target is classes: take other weights".into())
        }
        _ => refuse(format!("do not fit an objective of {d_out} outputs")),
    }
}
