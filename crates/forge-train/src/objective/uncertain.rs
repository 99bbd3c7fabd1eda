//! Where a spread comes from.

use super::Predictions;
use super::predictions::every;

impl Predictions {
    /// Standard deviations `[N x S]` of the means themselves, which more data would make smaller: of
    /// evidential regression, and of several members of whom each gives a distribution. Absent where it
    /// is not told apart.
    #[must_use]
    pub fn epistemic(&self) -> Option<&[f64]> {
        match self {
            Self::Distribution { epistemic, .. } if !epistemic.is_empty() => Some(epistemic),
            _ => None,
        }
    }

    /// Standard deviations `[N x S]` of the targets around the true means, which no data would take
    /// away: what [`std`](Self::std) has beside [`epistemic`](Self::epistemic). Absent where that is.
    #[must_use]
    pub fn aleatoric(&self) -> Option<Vec<f64>> {
        let std = self.std()?;
        let parts = std.iter().zip(self.epistemic()?);
        // (a - b)(a + b) keeps what a² - b² cancels.
        let rest = |(all, part): (&f64, &f64)| ((all - part) * (all + part)).max(0.0).sqrt();
        Some(parts.map(rest).collect())
    }

    /// The probabilities `[N x S]` that each target is above 0; absent unless directions were
    /// predicted.
    #[must_use]
    pub fn up(&self) -> Option<&[f64]> {
        match self {
            Self::Directions { up, .. } => Some(up),
            _ => None,
        }
    }

    /// [`up`](Self::up) of one target column.
    #[must_use]
    pub fn up_of(&self, slot: usize) -> Option<Vec<f64>> {
        Some(every(self.up()?, self.slots(), slot))
    }
}
