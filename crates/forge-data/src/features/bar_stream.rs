//! Features bar by bar.

use serde::{Deserialize, Serialize};

use super::bar_needs::Needs;
use super::{Bar, Feature, FeatureMachine, FeatureSet};
use crate::DataError;

/// The features of one series, bar by bar: the same run over a column and over a live feed gives the
/// same bits.
///
/// It is data: written as JSON and read again, it goes on as if nothing had been.
///
/// ```
/// use forge_data::features::{Bar, BarStream, FeatureSet};
/// let mut stream = BarStream::new(&FeatureSet::named("technical_25")?)?;
/// let row = stream.push(&Bar::new(100.0, 102.0, 99.0, 101.0).with_volume(5e3))?;
/// assert_eq!(row[3], Some(101.0)); // the close
/// assert_eq!(row[6], None); // the RSI has no value yet
/// let saved = serde_json::to_string(&stream).unwrap();
/// let resumed: BarStream = serde_json::from_str(&saved).unwrap();
/// assert_eq!(resumed, stream);
/// # Ok::<(), forge_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct BarStream {
    set: FeatureSet,
    machines: Vec<FeatureMachine>,
    bars: u64,
}

/// The form in files.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    set: FeatureSet,
    machines: Vec<FeatureMachine>,
    bars: u64,
}

impl BarStream {
    /// A stream that has seen no bar.
    ///
    /// # Errors
    /// A config error if a feature is one of option chains.
    pub fn new(set: &FeatureSet) -> Result<Self, DataError> {
        Ok(Self {
            set: set.clone(),
            machines: machines(set)?,
            bars: 0,
        })
    }

    /// The set that is computed.
    #[must_use]
    pub fn set(&self) -> &FeatureSet {
        &self.set
    }

    /// Number of bars taken in.
    #[must_use]
    pub fn bars(&self) -> u64 {
        self.bars
    }

    /// Takes a bar in; the features after it, in the set's order. `None` is missing: too few bars yet,
    /// a part of the bar that is not known, or a formula without a value.
    ///
    /// # Errors
    /// A value error naming the field if this cannot be a bar ([`Bar::check`]); the stream is as before.
    pub fn push(&mut self, bar: &Bar) -> Result<Vec<Option<f64>>, DataError> {
        bar.check().map_err(|fault| {
            let message = format!(
                "bar {}: {} = {}",
                self.bars.saturating_add(1),
                fault.field,
                fault.message
            );
            DataError::value(message)
        })?;
        Ok(self.advance(bar))
    }

    /// [`push`](Self::push) for a bar that was checked.
    pub(crate) fn advance(&mut self, bar: &Bar) -> Vec<Option<f64>> {
        self.bars = self.bars.saturating_add(1);
        self.machines.iter_mut().map(|m| m.push(bar)).collect()
    }
}

/// What the features of bars in a set ask of them.
///
/// # Errors
/// A config error if a feature is one of option chains.
pub(crate) fn needs(set: &FeatureSet) -> Result<Needs, DataError> {
    set.features()
        .iter()
        .try_fold(Needs::default(), |needs, named| match &named.feature {
            Feature::Bar(feature) => Ok(needs.and(feature.needs())),
            Feature::Chain(_) => Err(DataError::config(format!(
                "feature '{}' of the set '{}' is one of option chains: bars do not give it, \
                 ChainFeatures does",
                named.name,
                set.name()
            ))),
        })
}

fn machines(set: &FeatureSet) -> Result<Vec<FeatureMachine>, DataError> {
    needs(set)?;
    set.features()
        .iter()
        .filter_map(|named| match &named.feature {
            Feature::Bar(feature) => Some(FeatureMachine::new(feature)),
            Feature::Chain(_) => None,
        })
        .collect()
}

impl TryFrom<Saved> for BarStream {
    type Error = DataError;

    fn try_from(saved: Saved) -> Result<Self, DataError> {
        let Saved {
            set,
            machines: states,
            bars,
        } = saved;
        let fresh = machines(&set)?;
        let fits = fresh.len() == states.len()
            && states
                .iter()
                .zip(&fresh)
                .all(|(state, fresh)| state.is_like(fresh));
        if !fits {
            return Err(DataError::schema(format!(
                "the saved states are not those of the feature set '{}': the file is damaged",
                set.name()
            )));
        }
        Ok(Self {
            set,
            machines: states,
            bars,
        })
    }
}

impl From<BarStream> for Saved {
    fn from(stream: BarStream) -> Self {
        Self {
            set: stream.set,
            machines: stream.machines,
            bars: stream.bars,
        }
    }
}
