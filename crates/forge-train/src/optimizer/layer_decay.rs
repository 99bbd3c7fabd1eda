//! Rates that fall towards the input.

use std::collections::{BTreeSet, HashMap};

use burn::module::{Module, Param, ParamId};
use burn::tensor::Tensor;
use forge_nn::ForgeError;
use forge_nn::parameters::{ParameterPath, ParameterVisitor, visit_parameters};
use serde::{Deserialize, Serialize};

/// Layer-wise decay of the learning rate: `{"layers": "backbone.blocks", "rate": 0.75}`.
///
/// Of `L` layers, number `i` (from 0) moves at `rate^(L - i)` times the learning rate, what comes
/// before the first one at `rate^(L + 1)`, what comes after the last one at the whole rate (Clark et
/// al. 2020, section 3.2; BEiT's numbering). What comes before and after is what the module's
/// fields say, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerDecay {
    /// The path of the list of layers.
    pub layers: String,
    /// Rate of a layer over that of the next. In `(0, 1]`.
    pub rate: f64,
}

impl LayerDecay {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        if self.rate > 0.0 && self.rate <= 1.0 {
            Ok(())
        } else {
            let field = "optimizer.layer_decay.rate";
            Err(ForgeError::config(field, self.rate, "in (0, 1]"))
        }
    }

    /// Factors on the rates of `module`'s parameters.
    ///
    /// # Errors
    /// A config error that names the lists there are, if the module has none at that path.
    pub(super) fn factors<M: Module>(
        &self,
        module: &M,
    ) -> Result<HashMap<ParamId, f64>, ForgeError> {
        let mut places = Places {
            under: format!("{}.", self.layers),
            seen: None,
            found: Vec::new(),
            lists: BTreeSet::new(),
        };
        visit_parameters(module, &mut places);
        let Some(last) = places.seen else {
            let lists: Vec<&str> = places.lists.iter().map(String::as_str).collect();
            let allowed = match lists.as_slice() {
                [] => "absent: the module has no list of layers".into(),
                lists => format!("the path of a list of layers: {}", lists.join(", ")),
            };
            let field = "optimizer.layer_decay.layers";
            return Err(ForgeError::config(
                field,
                format!("{:?}", self.layers),
                allowed,
            ));
        };
        let layers = last + 1;
        let factor = |place: Place| match place {
            Place::Before => self.rate.powf(layers as f64 + 1.0),
            Place::Layer(i) => self.rate.powf((layers - i) as f64),
            Place::After => 1.0,
        };
        let found = places.found.into_iter();
        Ok(found.map(|(id, place)| (id, factor(place))).collect())
    }
}

/// Where a parameter is, seen from the list.
#[derive(Clone, Copy)]
enum Place {
    Before,
    Layer(usize),
    After,
}

struct Places {
    /// The list's path with a dot.
    under: String,
    /// The highest number of a layer so far.
    seen: Option<usize>,
    found: Vec<(ParamId, Place)>,
    lists: BTreeSet<String>,
}

/// The number that a path goes on with.
fn number(rest: &str) -> Option<usize> {
    rest.split('.').next()?.parse().ok()
}

impl ParameterVisitor for Places {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
        let path = path.join();
        for (dot, _) in path.match_indices('.') {
            if number(&path[dot + 1..]).is_some() {
                self.lists.insert(path[..dot].to_owned());
            }
        }
        let place = match path.strip_prefix(&self.under).and_then(number) {
            Some(i) => {
                self.seen = self.seen.max(Some(i));
                Place::Layer(i)
            }
            None if self.seen.is_none() => Place::Before,
            None => Place::After,
        };
        self.found.push((param.id, place));
    }
}
