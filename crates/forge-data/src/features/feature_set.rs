//! Which features a model takes, as a part of its file.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{
    BarFeature, ChainFeature, Feature, GreekProxiesConfig, MicrostructureConfig, NamedFeature,
    TechnicalConfig, VolatilityConfig, chain_interactions_set, greeks_set,
};
use crate::{Column, DataError, Table};

/// Named features in order, with their lengths and conventions: what a model was trained on, to be kept
/// in its file and compared with what it is given.
///
/// As JSON it says how many there are, so that a file cut short is noticed:
/// `{"name": "technical_25", "count": 25, "features": [{"name": "open", "feature": {"bar": "open"}}, …]}`.
///
/// ```
/// use forge_data::features::FeatureSet;
/// let trained = FeatureSet::named("volatility")?;
/// let text = serde_json::to_string(&trained).unwrap();
/// let read: FeatureSet = serde_json::from_str(&text).unwrap();
/// read.expect(&trained)?;
/// let error = read.expect(&FeatureSet::named("technical_25")?).unwrap_err();
/// assert!(error.to_string().starts_with("a set of 25 features ('technical_25') given to a model of 6"));
/// # Ok::<(), forge_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Manifest", into = "Manifest")]
pub struct FeatureSet {
    name: String,
    features: Vec<NamedFeature>,
}

/// The form in files.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    name: String,
    count: usize,
    features: Vec<NamedFeature>,
}

impl FeatureSet {
    /// The names that [`named`](Self::named) knows.
    pub const NAMES: [&'static str; 6] = [
        "technical_25",
        "volatility",
        "microstructure",
        "greek_proxies",
        "greeks",
        "chain_interactions",
    ];

    /// A set of these features.
    ///
    /// # Errors
    /// A config error if there is none, two share a name, a name is empty, or a field of one is out of
    /// range.
    pub fn new(name: impl Into<String>, features: Vec<NamedFeature>) -> Result<Self, DataError> {
        let name = name.into();
        if features.is_empty() {
            return Err(DataError::config(format!(
                "the feature set '{name}' is empty: at least one feature is needed"
            )));
        }
        let mut seen = HashSet::with_capacity(features.len());
        for feature in &features {
            if feature.name.is_empty() {
                return Err(DataError::config(format!(
                    "a feature of the set '{name}' has no name: its column needs one"
                )));
            }
            if !seen.insert(feature.name.as_str()) {
                return Err(DataError::config(format!(
                    "the feature set '{name}' has '{}' twice: each needs a name of its own",
                    feature.name
                )));
            }
            feature.validate()?;
        }
        Ok(Self { name, features })
    }

    /// A set of features of bars.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_bars(
        name: impl Into<String>,
        features: impl IntoIterator<Item = (impl Into<String>, BarFeature)>,
    ) -> Result<Self, DataError> {
        Self::of(name, features, Feature::Bar)
    }

    /// A set of features of an option chain.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_chain(
        name: impl Into<String>,
        features: impl IntoIterator<Item = (impl Into<String>, ChainFeature)>,
    ) -> Result<Self, DataError> {
        Self::of(name, features, Feature::Chain)
    }

    fn of<F>(
        name: impl Into<String>,
        features: impl IntoIterator<Item = (impl Into<String>, F)>,
        kind: impl Fn(F) -> Feature,
    ) -> Result<Self, DataError> {
        let named = features.into_iter().map(|(name, feature)| NamedFeature {
            name: name.into(),
            feature: kind(feature),
        });
        Self::new(name, named.collect())
    }

    /// The set of this name ([`NAMES`](Self::NAMES)) with the defaults of its config.
    ///
    /// | name | features | of | config |
    /// |---|---|---|---|
    /// | `technical_25` | 25 | bars with volume | [`TechnicalConfig`] |
    /// | `volatility` | 6 per window | bars | [`VolatilityConfig`] |
    /// | `microstructure` | 7 | bars with quotes | [`MicrostructureConfig`] |
    /// | `greek_proxies` | 4 | options | [`GreekProxiesConfig`] |
    /// | `greeks` | 4 | options with a volatility | none: `delta`, `gamma`, `vega`, `theta` of [`Greeks`](crate::market::Greeks) |
    /// | `chain_interactions` | 9 | options | none: [`ChainFeature`] |
    ///
    /// # Errors
    /// A config error that lists the names there are.
    pub fn named(name: &str) -> Result<Self, DataError> {
        match name {
            "technical_25" => TechnicalConfig::default().feature_set(),
            "volatility" => VolatilityConfig::default().feature_set(),
            "microstructure" => MicrostructureConfig::default().feature_set(),
            "greek_proxies" => GreekProxiesConfig::default().feature_set(),
            "greeks" => greeks_set(),
            "chain_interactions" => chain_interactions_set(),
            other => Err(DataError::config(format!(
                "there is no feature set '{other}': allowed are {}",
                Self::NAMES.join(", ")
            ))),
        }
    }

    /// This set and another after it, under a new name.
    ///
    /// # Errors
    /// A config error if a name is in both.
    pub fn and(&self, other: &Self, name: impl Into<String>) -> Result<Self, DataError> {
        let features = self.features.iter().chain(&other.features);
        Self::new(name, features.cloned().collect())
    }

    /// The set's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of features.
    #[must_use]
    pub fn count(&self) -> usize {
        self.features.len()
    }

    /// The features in order.
    #[must_use]
    pub fn features(&self) -> &[NamedFeature] {
        &self.features
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.features.iter().map(|feature| feature.name.as_str())
    }

    /// Number of bars up to and with the first at which every feature can have a value; 1 for a chain.
    #[must_use]
    pub fn warm_up(&self) -> usize {
        let bars = |feature: &NamedFeature| match &feature.feature {
            Feature::Bar(feature) => feature.warm_up(),
            Feature::Chain(_) => 1,
        };
        self.features.iter().map(bars).max().unwrap_or(1)
    }

    /// Checks that a model of this set can take `given`: the same features with the same lengths and
    /// conventions in the same order. The sets' own names may differ.
    ///
    /// # Errors
    /// A schema error that names the surplus features and the missing ones, else those that are
    /// computed in another way, else the first that stands elsewhere.
    pub fn expect(&self, given: &Self) -> Result<(), DataError> {
        let head = format!(
            "a set of {} features ('{}') given to a model of {} ('{}')",
            given.count(),
            given.name,
            self.count(),
            self.name
        );
        let surplus = given.without(self);
        let missing = self.without(given);
        if !(surplus.is_empty() && missing.is_empty()) {
            return Err(DataError::schema(format!(
                "{head}: surplus {}; missing {}; make the features from the model's own set",
                list(&surplus),
                list(&missing)
            )));
        }
        let other: Vec<String> = self
            .features
            .iter()
            .filter_map(|own| {
                let theirs = given.features.iter().find(|f| f.name == own.name)?;
                (theirs.feature != own.feature).then(|| {
                    format!(
                        "'{}' is {} but the model's is {}",
                        own.name,
                        theirs.definition(),
                        own.definition()
                    )
                })
            })
            .collect();
        if !other.is_empty() {
            return Err(DataError::schema(format!(
                "{head}: {}; make the features from the model's own set",
                other.join(", ")
            )));
        }
        let mut places = self.names().zip(given.names()).enumerate();
        match places.find(|(_, (own, theirs))| own != theirs) {
            Some((place, (own, theirs))) => Err(DataError::schema(format!(
                "{head}: feature {} is '{theirs}' but the model's is '{own}'; put them in the model's \
                 order",
                place + 1
            ))),
            None => Ok(()),
        }
    }

    /// The table's columns of this set, in the set's order.
    ///
    /// # Errors
    /// A schema error that names all columns the table lacks.
    pub fn columns<'t>(&self, table: &'t Table) -> Result<Vec<&'t Column>, DataError> {
        let find = |name: &str| table.columns().iter().find(|column| column.name == name);
        let missing: Vec<&str> = self.names().filter(|name| find(name).is_none()).collect();
        if missing.is_empty() {
            return Ok(self.names().filter_map(find).collect());
        }
        Err(DataError::schema(format!(
            "the table has {} of the {} features of '{}': missing {}; make the features from the set \
             first",
            self.count() - missing.len(),
            self.count(),
            self.name,
            list(&missing)
        )))
    }

    /// The names that `other` lacks.
    fn without(&self, other: &Self) -> Vec<&str> {
        let theirs: HashSet<&str> = other.names().collect();
        self.names().filter(|name| !theirs.contains(name)).collect()
    }
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".into();
    }
    names.join(", ")
}

impl TryFrom<Manifest> for FeatureSet {
    type Error = DataError;

    fn try_from(manifest: Manifest) -> Result<Self, DataError> {
        let Manifest {
            name,
            count,
            features,
        } = manifest;
        if count != features.len() {
            return Err(DataError::schema(format!(
                "the feature set '{name}' has {} features, but says that it has {count}: the file is \
                 damaged",
                features.len()
            )));
        }
        Self::new(name, features)
    }
}

impl From<FeatureSet> for Manifest {
    fn from(set: FeatureSet) -> Self {
        Self {
            name: set.name,
            count: set.features.len(),
            features: set.features,
        }
    }
}
