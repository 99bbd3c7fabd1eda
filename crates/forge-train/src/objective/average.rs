//! Predictions of several models as one.

use forge_nn::ForgeError;

use super::Predictions;

impl Predictions {
    /// What the members of an ensemble say together, row by row.
    ///
    /// Values and probabilities are averaged (the first member's threshold is kept); so is each
    /// quantile, which keeps their order. Distributions become one of their family with mean and
    /// variance of the members' mixture, `σ² = mean(σₖ² + mₖ²) - m²`: where members disagree, the
    /// spread grows, and of several members it says how much of it is that
    /// ([`epistemic`](Self::epistemic)). Degrees of freedom are averaged. Probabilities of buckets are
    /// averaged as those of classes are.
    ///
    /// # Errors
    /// A shape error if there is no member, or a member is of another kind or size than the first.
    pub fn average(members: &[Self]) -> Result<Self, ForgeError> {
        let Some((first, others)) = members.split_first() else {
            let expected = "at least 1";
            return Err(ForgeError::shape("ensemble", "0 members", expected));
        };
        first.validate()?;
        for (k, other) in others.iter().enumerate() {
            other.validate()?;
            if !first.is_like(other) {
                return Err(ForgeError::shape(
                    format!("member {}", k + 1),
                    format!("{} rows of {}", other.rows(), other.kind()),
                    format!(
                        "{} rows of {}, sized like those of member 0",
                        first.rows(),
                        first.kind()
                    ),
                ));
            }
        }
        let n = members.len() as f64;
        let mean_of = |list: fn(&Self) -> &[f64]| -> Vec<f64> {
            let at = |i: usize| members.iter().map(|m| list(m)[i] / n).sum();
            (0..list(first).len()).map(at).collect()
        };
        let mut result = first.clone();
        match &mut result {
            Self::Values { values, .. }
            | Self::Probabilities { values, .. }
            | Self::Quantiles { values, .. }
            | Self::Bars { values, .. } => *values = mean_of(Self::main),
            Self::Directions { values, up, .. } => {
                *values = mean_of(Self::main);
                *up = mean_of(|member| member.up().unwrap_or_default());
            }
            Self::Distribution {
                mean,
                std,
                df,
                epistemic,
                ..
            } => {
                *mean = mean_of(Self::main);
                *df = mean_of(Self::degrees);
                for (i, (m, std)) in mean.iter().zip(std).enumerate() {
                    // Around the common mean, so that nothing cancels.
                    let part = |k: &Self| {
                        let away = k.main()[i] - m;
                        let own = k.std().map_or(0.0, |std| std[i]);
                        (own * own + away * away) / n
                    };
                    *std = members.iter().map(part).sum::<f64>().sqrt();
                }
                if members.len() > 1 {
                    let part = |k: &Self, i: usize| {
                        let away = k.main()[i] - mean[i];
                        let own = k.epistemic().map_or(0.0, |epistemic| epistemic[i]);
                        (own * own + away * away) / n
                    };
                    let all = |i| members.iter().map(|k| part(k, i)).sum::<f64>().sqrt();
                    *epistemic = (0..mean.len()).map(all).collect();
                }
            }
        }
        Ok(result)
    }

    /// Adds the rows of `other` after its own.
    ///
    /// # Errors
    /// A shape error if they are of another kind.
    pub(super) fn append(&mut self, other: Self) -> Result<(), ForgeError> {
        if !self.is_of_the_kind_of(&other) {
            let (kind, own) = (other.kind(), self.kind());
            return Err(ForgeError::shape("further rows", kind, own));
        }
        match (self, other) {
            (Self::Values { values, .. }, Self::Values { values: more, .. })
            | (Self::Probabilities { values, .. }, Self::Probabilities { values: more, .. })
            | (Self::Quantiles { values, .. }, Self::Quantiles { values: more, .. })
            | (Self::Bars { values, .. }, Self::Bars { values: more, .. }) => {
                values.extend(more);
            }
            (
                Self::Distribution {
                    mean,
                    std,
                    df,
                    epistemic,
                    ..
                },
                Self::Distribution {
                    mean: more,
                    std: more_std,
                    df: more_df,
                    epistemic: more_epistemic,
                    ..
                },
            ) => {
                mean.extend(more);
                std.extend(more_std);
                df.extend(more_df);
                epistemic.extend(more_epistemic);
            }
            (
                Self::Directions { values, up, .. },
                Self::Directions {
                    values: more,
                    up: more_up,
                    ..
                },
            ) => {
                values.extend(more);
                up.extend(more_up);
            }
            // Of one kind, by the check above.
            _ => {}
        }
        Ok(())
    }

    /// Of the same kind, size, classes, quantiles and family.
    fn is_like(&self, other: &Self) -> bool {
        self.is_of_the_kind_of(other) && self.rows() == other.rows()
    }

    /// The same, for any number of rows.
    fn is_of_the_kind_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Values { slots: a, .. }, Self::Values { slots: b, .. })
            | (Self::Directions { slots: a, .. }, Self::Directions { slots: b, .. }) => a == b,
            (
                Self::Probabilities { n_classes: a, .. },
                Self::Probabilities { n_classes: b, .. },
            ) => a == b,
            (
                Self::Quantiles {
                    slots: a,
                    quantiles: p,
                    ..
                },
                Self::Quantiles {
                    slots: b,
                    quantiles: q,
                    ..
                },
            ) => a == b && p == q,
            (
                Self::Distribution {
                    slots: a,
                    family: p,
                    ..
                },
                Self::Distribution {
                    slots: b,
                    family: q,
                    ..
                },
            ) => a == b && p == q,
            (
                Self::Bars {
                    borders: a,
                    quantiles: p,
                    ..
                },
                Self::Bars {
                    borders: b,
                    quantiles: q,
                    ..
                },
            ) => a == b && p == q,
            _ => false,
        }
    }

    /// The values, probabilities, quantiles or means.
    fn main(&self) -> &[f64] {
        match self {
            Self::Values { values, .. }
            | Self::Probabilities { values, .. }
            | Self::Quantiles { values, .. }
            | Self::Bars { values, .. }
            | Self::Directions { values, .. } => values,
            Self::Distribution { mean, .. } => mean,
        }
    }

    /// The degrees of freedom.
    fn degrees(&self) -> &[f64] {
        match self {
            Self::Distribution { df, .. } => df,
            _ => &[],
        }
    }
}
