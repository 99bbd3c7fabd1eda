//! What a model says, in the target's units.

use std::borrow::Cow;

use forge_nn::{BarDistribution, ForgeError, check};
use serde::{Deserialize, Serialize};

use super::Family;
use crate::loss::check_quantiles;

/// Decoded predictions in f64: `N` rows of `S` targets, row by row.
///
/// [`Objective::decode`](super::Objective::decode) makes them. Made by hand or read from a file,
/// [`validate`](Self::validate) them; scores do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum Predictions {
    /// One number per target.
    Values {
        /// `S`.
        slots: usize,
        /// `[N x S]`.
        values: Vec<f64>,
    },
    /// The probability of every class; each row sums to 1.
    Probabilities {
        /// `C`.
        n_classes: usize,
        /// Of two classes: the probability from which on a row is taken for class 1. Absent: the
        /// most probable class is taken.
        threshold: Option<f64>,
        /// `[N x C]`.
        values: Vec<f64>,
    },
    /// Quantiles of every target.
    Quantiles {
        /// `S`.
        slots: usize,
        /// Which, `Q` of them, rising.
        quantiles: Vec<f64>,
        /// `[N x S x Q]`.
        values: Vec<f64>,
    },
    /// A distribution for every target.
    Distribution {
        /// `S`.
        slots: usize,
        /// Which.
        family: Family,
        /// Means `[N x S]`.
        mean: Vec<f64>,
        /// Standard deviations `[N x S]`.
        std: Vec<f64>,
        /// Degrees of freedom `[N x S]`; empty for families that have none.
        df: Vec<f64>,
        /// The part of the standard deviations that is the means' own `[N x S]`; empty where it is
        /// not told apart.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        epistemic: Vec<f64>,
    },
    /// One number per target, and whether it is above 0.
    Directions {
        /// `S`.
        slots: usize,
        /// `[N x S]`.
        values: Vec<f64>,
        /// Probabilities of being above 0, `[N x S]`.
        up: Vec<f64>,
    },
    /// Probabilities of buckets for every target.
    Bars {
        /// `S`.
        slots: usize,
        /// Which quantiles are shown beside the mean, rising; any other can be asked for.
        quantiles: Vec<f64>,
        /// The buckets of each target in its units, `W` of them.
        borders: Vec<BarDistribution>,
        /// What a target is that never varied, `[S]`.
        pinned: Vec<Option<f64>>,
        /// `[N x S x W]`; each row of `W` sums to 1.
        values: Vec<f64>,
    },
}

impl Predictions {
    /// Checks that the lists are whole rows and as long as each other.
    ///
    /// # Errors
    /// A shape error naming what does not fit; a config error for no slots, classes or quantiles.
    pub fn validate(&self) -> Result<(), ForgeError> {
        let (what, per_row, found) = match self {
            Self::Values { slots, values } => ("values", *slots, values.len()),
            Self::Probabilities {
                n_classes, values, ..
            } => ("probabilities", *n_classes, values.len()),
            Self::Quantiles {
                slots,
                quantiles,
                values,
            } => {
                check_quantiles("quantiles", quantiles)?;
                ("quantiles", slots * quantiles.len(), values.len())
            }
            Self::Distribution {
                slots,
                family,
                mean,
                std,
                df,
                epistemic,
            } => {
                let degrees = match family {
                    Family::Gaussian => 0,
                    Family::StudentT | Family::Evidential => mean.len(),
                };
                if !epistemic.is_empty() && epistemic.len() != mean.len() {
                    return Err(ForgeError::shape(
                        "distributions",
                        format!("{} epistemic deviations", epistemic.len()),
                        format!("{} or none", mean.len()),
                    ));
                }
                if [std.len(), df.len()] != [mean.len(), degrees] {
                    return Err(ForgeError::shape(
                        "distributions",
                        format!("{} deviations, {} degrees of freedom", std.len(), df.len()),
                        format!("{} and {degrees}", mean.len()),
                    ));
                }
                ("distributions", *slots, mean.len())
            }
            Self::Bars {
                slots,
                quantiles,
                borders,
                pinned,
                values,
            } => {
                if !quantiles.is_empty() {
                    check_quantiles("quantiles", quantiles)?;
                }
                let width = bar_width(borders);
                let same = borders.iter().all(|bars| bars.len() == width);
                if [borders.len(), pinned.len()] != [*slots; 2] || !same {
                    return Err(ForgeError::shape(
                        "buckets",
                        format!("of {} targets", borders.len()),
                        format!("of {slots}, as many of each"),
                    ));
                }
                ("probabilities of buckets", slots * width, values.len())
            }
            Self::Directions { slots, values, up } => {
                if up.len() != values.len() {
                    let found = format!("{} probabilities", up.len());
                    return Err(ForgeError::shape("directions", found, values.len()));
                }
                ("numbers with directions", *slots, values.len())
            }
        };
        check::at_least_one("predictions per row", per_row)?;
        if found.is_multiple_of(per_row) {
            Ok(())
        } else {
            let expected = format!("whole rows of {per_row}");
            Err(ForgeError::shape(
                what,
                format!("{found} numbers"),
                expected,
            ))
        }
    }

    /// Which kind it is, in words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Values { .. } => "values",
            Self::Probabilities { .. } => "probabilities",
            Self::Quantiles { .. } => "quantiles",
            Self::Distribution { .. } => "distributions",
            Self::Bars { .. } => "probabilities of buckets",
            Self::Directions { .. } => "numbers with directions",
        }
    }

    /// Target columns; 1 for classes.
    #[must_use]
    pub fn slots(&self) -> usize {
        match self {
            Self::Probabilities { .. } => 1,
            Self::Values { slots, .. }
            | Self::Quantiles { slots, .. }
            | Self::Distribution { slots, .. }
            | Self::Bars { slots, .. }
            | Self::Directions { slots, .. } => *slots,
        }
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        let (len, per_row) = match self {
            Self::Values { slots, values } | Self::Directions { slots, values, .. } => {
                (values.len(), *slots)
            }
            Self::Probabilities {
                n_classes, values, ..
            } => (values.len(), *n_classes),
            Self::Quantiles {
                slots,
                quantiles,
                values,
            } => (values.len(), slots * quantiles.len()),
            Self::Distribution { slots, mean, .. } => (mean.len(), *slots),
            Self::Bars {
                slots,
                borders,
                values,
                ..
            } => (values.len(), slots * bar_width(borders)),
        };
        len.checked_div(per_row).unwrap_or(0)
    }

    /// One number per target `[N x S]`: the value, the class number, the median (or the quantile
    /// nearest to it), the mean.
    #[must_use]
    pub fn point(&self) -> Vec<f64> {
        match self {
            Self::Values { values, .. } | Self::Directions { values, .. } => values.clone(),
            Self::Probabilities { .. } => {
                let classes = self.classes().unwrap_or_default();
                classes.into_iter().map(|c| c as f64).collect()
            }
            Self::Quantiles {
                quantiles, values, ..
            } => every(values, quantiles.len(), nearest_to_median(quantiles)),
            Self::Distribution { mean, .. } => mean.clone(),
            Self::Bars { .. } => self.each_bar(BarDistribution::mean),
        }
    }

    /// [`point`](Self::point) of one target column.
    #[must_use]
    pub fn point_of(&self, slot: usize) -> Vec<f64> {
        every(&self.point(), self.slots(), slot)
    }

    /// Says `value` in every row of target column `slot`, as point, mean and every quantile: what a
    /// target is predicted as that never varied, above 0 or not. Spreads stay, and so do probabilities
    /// of classes.
    pub fn pin(&mut self, slot: usize, value: f64) {
        let (values, slots, width) = match self {
            Self::Probabilities { .. } => return,
            Self::Bars { pinned, .. } => {
                if let Some(pinned) = pinned.get_mut(slot) {
                    *pinned = Some(value);
                }
                return;
            }
            Self::Values { slots, values } => (values, *slots, 1),
            Self::Quantiles {
                slots,
                quantiles,
                values,
            } => (values, *slots, quantiles.len()),
            Self::Distribution { slots, mean, .. } => (mean, *slots, 1),
            Self::Directions { slots, values, up } => {
                let is_up = f64::from(u8::from(value > 0.0));
                let ups = up.iter_mut().skip(slot).step_by((*slots).max(1));
                ups.for_each(|p| *p = is_up);
                (values, *slots, 1)
            }
        };
        for row in values.chunks_mut((slots * width).max(1)) {
            if let Some(target) = row.chunks_mut(width.max(1)).nth(slot) {
                target.fill(value);
            }
        }
    }

    /// The class of each row; absent unless these are probabilities.
    ///
    /// Of equally probable classes the first is taken; at the threshold itself, class 1.
    #[must_use]
    pub fn classes(&self) -> Option<Vec<usize>> {
        let Self::Probabilities {
            n_classes,
            threshold,
            values,
        } = self
        else {
            return None;
        };
        let rows = values.chunks_exact((*n_classes).max(1));
        let class = |p: &[f64]| match threshold {
            Some(threshold) if *n_classes == 2 => usize::from(p[1] >= *threshold),
            _ => largest(p),
        };
        Some(rows.map(class).collect())
    }

    /// The probabilities `[N x C]`; absent unless these are probabilities.
    #[must_use]
    pub fn probabilities(&self) -> Option<&[f64]> {
        match self {
            Self::Probabilities { values, .. } => Some(values),
            _ => None,
        }
    }

    /// The standard deviations `[N x S]`; absent unless these are distributions or probabilities of
    /// buckets.
    #[must_use]
    pub fn std(&self) -> Option<Cow<'_, [f64]>> {
        match self {
            Self::Distribution { std, .. } => Some(Cow::Borrowed(std)),
            Self::Bars {
                borders, values, ..
            } => {
                let rows = bars(borders, values);
                let std = rows.map(|(_, bars, p)| bars.variance(p).sqrt());
                Some(Cow::Owned(std.collect()))
            }
            _ => None,
        }
    }

    /// The quantiles that are shown beside the point, in `(0, 1)`; none for values, probabilities and
    /// distributions.
    #[must_use]
    pub fn shown_quantiles(&self) -> &[f64] {
        match self {
            Self::Quantiles { quantiles, .. } | Self::Bars { quantiles, .. } => quantiles,
            _ => &[],
        }
    }

    /// A reading of the buckets of every target, `[N x S]`, or what the target is pinned to.
    fn each_bar(&self, of: impl Fn(&BarDistribution, &[f64]) -> f64) -> Vec<f64> {
        let Self::Bars {
            borders,
            pinned,
            values,
            ..
        } = self
        else {
            return Vec::new();
        };
        let pinned = |slot: usize| pinned.get(slot).copied().flatten();
        bars(borders, values)
            .map(|(slot, bars, p)| pinned(slot).unwrap_or_else(|| of(bars, p)))
            .collect()
    }

    /// The quantile `q` of every target, `[N x S]`.
    ///
    /// # Errors
    /// A config error if `q` is not in `(0, 1)`, or is none of the quantiles that were predicted;
    /// an unsupported error for values and probabilities.
    pub fn quantile(&self, q: f64) -> Result<Vec<f64>, ForgeError> {
        check_quantiles("quantile", &[q])?;
        match self {
            Self::Quantiles {
                quantiles, values, ..
            } => {
                let at = quantiles.iter().position(|known| (known - q).abs() < 1e-9);
                let at = at.ok_or_else(|| {
                    let known: Vec<_> = quantiles.iter().map(f64::to_string).collect();
                    let allowed = format!("one that was trained: {}", known.join(", "));
                    ForgeError::config("quantile", q, allowed)
                })?;
                Ok(every(values, quantiles.len(), at))
            }
            Self::Distribution {
                family,
                mean,
                std,
                df,
                ..
            } => {
                let each = mean.iter().zip(std).enumerate();
                Ok(each
                    .map(|(i, (mean, std))| family.quantile(q, *mean, *std, df.get(i).copied()))
                    .collect())
            }
            Self::Bars { .. } => Ok(self.each_bar(|bars, p| bars.quantile(p, q))),
            _ => Err(ForgeError::unsupported(format!(
                "quantiles of {}: train with the objective 'quantiles', 'distribution' or 'bars'",
                self.kind()
            ))),
        }
    }

    /// The probabilities of other buckets, `[N x S x W]`: what lies between each two of their borders,
    /// and beyond the outermost with the outermost bucket; `others` are one per target, in its units.
    /// Nothing for predictions without distributions.
    pub(super) fn masses(&self, others: &[BarDistribution]) -> Vec<f64> {
        let mut found = Vec::new();
        match self {
            Self::Distribution {
                family,
                mean,
                std,
                df,
                ..
            } => {
                for (at, (mean, std)) in mean.iter().zip(std).enumerate() {
                    let df = df.get(at).copied();
                    let below = |y: f64| family.cumulative(y, *mean, *std, df);
                    found.extend(others[at % others.len()].masses(below));
                }
            }
            Self::Bars {
                borders,
                pinned,
                values,
                ..
            } => {
                for (slot, bars, p) in bars(borders, values) {
                    found.extend(match pinned[slot] {
                        Some(value) => others[slot].masses(|y| f64::from(u8::from(value <= y))),
                        None => bars.onto(p, &others[slot]),
                    });
                }
            }
            _ => {}
        }
        found
    }
}

/// Buckets per target; 1 where there are no targets.
fn bar_width(borders: &[BarDistribution]) -> usize {
    borders.first().map_or(1, BarDistribution::len)
}

/// Probabilities of all rows' targets in turn: the target's number, its buckets, and theirs.
fn bars<'a>(
    borders: &'a [BarDistribution],
    values: &'a [f64],
) -> impl Iterator<Item = (usize, &'a BarDistribution, &'a [f64])> {
    let slots = borders.len().max(1);
    let rows = values.chunks_exact(bar_width(borders)).enumerate();
    rows.filter_map(move |(at, p)| borders.get(at % slots).map(|bars| (at % slots, bars, p)))
}

/// Every `step`-th value from `start` on; none for a start beyond the step.
pub(super) fn every(values: &[f64], step: usize, start: usize) -> Vec<f64> {
    if start < step {
        values.iter().skip(start).step_by(step).copied().collect()
    } else {
        Vec::new()
    }
}

/// Which quantile is nearest to ½, the first of two.
pub(super) fn nearest_to_median(quantiles: &[f64]) -> usize {
    let distance = |i: &usize| (quantiles[*i] - 0.5).abs();
    (0..quantiles.len())
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .unwrap_or(0)
}

/// The first of the largest values.
fn largest(values: &[f64]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pinning_touches_one_target_alone() {
        let mut values = Predictions::Values {
            slots: 2,
            values: vec![1.0, 2.0, 3.0, 4.0],
        };
        values.pin(1, 9.0);
        assert_eq!(values.point(), [1.0, 9.0, 3.0, 9.0]);
        let mut quantiles = Predictions::Quantiles {
            slots: 2,
            quantiles: vec![0.1, 0.5],
            values: (0..8).map(f64::from).collect(),
        };
        quantiles.pin(0, 9.0);
        assert_eq!(quantiles.quantile(0.1).unwrap(), [9.0, 2.0, 9.0, 6.0]);
        assert_eq!(quantiles.quantile(0.5).unwrap(), [9.0, 3.0, 9.0, 7.0]);
        quantiles.pin(2, 0.0);
        assert_eq!(quantiles.point(), [9.0, 3.0, 9.0, 7.0]);
    }
}
