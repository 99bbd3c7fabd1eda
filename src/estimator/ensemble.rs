//! What several members say together.

use forge_nn::ForgeError;
use forge_train::objective::{Family, Predictions};

/// The predictions of several members as one: the mean of values, probabilities and quantiles, and
/// for Gaussian distributions the mean and variance of their mixture (Lakshminarayanan et al. 2017,
/// arXiv 1612.01474, section 2.4).
pub(super) fn combined(members: Vec<Predictions>) -> Result<Predictions, ForgeError> {
    let n = members.len() as f64;
    let mut members = members.into_iter();
    let Some(first) = members.next() else {
        return Err(ForgeError::unsupported("a model without members"));
    };
    if members.len() == 0 {
        return Ok(first);
    }
    let rest: Vec<Predictions> = members.collect();
    let mean = |all: &[Vec<f64>]| -> Vec<f64> {
        let len = all.first().map_or(0, Vec::len);
        (0..len)
            .map(|i| all.iter().map(|values| values[i]).sum::<f64>() / n)
            .collect()
    };
    let mut all = vec![first];
    all.extend(rest);
    let lists =
        |pick: &dyn Fn(&Predictions) -> Option<Vec<f64>>| -> Result<Vec<Vec<f64>>, ForgeError> {
            let lists: Option<Vec<Vec<f64>>> = all.iter().map(pick).collect();
            let lists =
                lists.filter(|lists| lists.windows(2).all(|two| two[0].len() == two[1].len()));
            lists.ok_or_else(|| ForgeError::unsupported("members that predict different things"))
        };
    match &all[0] {
        Predictions::Values { slots, .. } => Ok(Predictions::Values {
            slots: *slots,
            values: mean(&lists(&|p| match p {
                Predictions::Values { values, .. } => Some(values.clone()),
                _ => None,
            })?),
        }),
        Predictions::Probabilities {
            n_classes,
            threshold,
            ..
        } => Ok(Predictions::Probabilities {
            n_classes: *n_classes,
            threshold: *threshold,
            values: mean(&lists(&|p| p.probabilities().map(<[f64]>::to_vec))?),
        }),
        Predictions::Quantiles {
            slots, quantiles, ..
        } => Ok(Predictions::Quantiles {
            slots: *slots,
            quantiles: quantiles.clone(),
            values: mean(&lists(&|p| match p {
                Predictions::Quantiles { values, .. } => Some(values.clone()),
                _ => None,
            })?),
        }),
        Predictions::Distribution {
            slots,
            family: Family::Gaussian,
            ..
        } => {
            let part = |p: &Predictions| match p {
                Predictions::Distribution { mean, std, .. } => Some((mean.clone(), std.clone())),
                _ => None,
            };
            let means = lists(&|p| part(p).map(|(mean, _)| mean))?;
            let squares = lists(&|p| {
                let (mean, std) = part(p)?;
                Some(mean.iter().zip(&std).map(|(m, s)| m * m + s * s).collect())
            })?;
            let (centre, square) = (mean(&means), mean(&squares));
            let spread = centre.iter().zip(&square);
            let std = spread.map(|(m, s)| (s - m * m).max(0.0).sqrt()).collect();
            Ok(Predictions::Distribution {
                slots: *slots,
                family: Family::Gaussian,
                mean: centre,
                std,
                df: vec![],
            })
        }
        Predictions::Distribution { .. } => Err(ForgeError::unsupported(
            "the mixture of several Student-t distributions is none: train members with \
             'distribution:gaussian', or 'quantiles'",
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn members_are_averaged_and_gaussians_mixed() {
        let values = |v: f64| Predictions::Values {
            slots: 1,
            values: vec![v, 2.0 * v],
        };
        let together = combined(vec![values(1.0), values(3.0)]).unwrap();
        assert_eq!(together.point(), [2.0, 4.0]);
        let gaussian = |mean: f64, std: f64| Predictions::Distribution {
            slots: 1,
            family: Family::Gaussian,
            mean: vec![mean],
            std: vec![std],
            df: vec![],
        };
        let together = combined(vec![gaussian(1.0, 2.0), gaussian(3.0, 2.0)]).unwrap();
        assert_eq!(together.point(), [2.0]);
        // Variance within, 4, and between, 1.
        assert!((together.std().unwrap()[0] - 5.0_f64.sqrt()).abs() < 1e-12);
        assert!(combined(vec![values(1.0), gaussian(1.0, 1.0)]).is_err());
        assert!(combined(vec![]).is_err());
    }
}
