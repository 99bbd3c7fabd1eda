//! What the configs of all optimisers have in common.

use forge_nn::{ForgeError, check};

use super::{LayerDecay, OptimizerGroup};
use crate::schedule::FactorConfig;

/// The fields that every optimiser's config has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) weight_decay: f64,
    pub(super) decay_schedule: FactorConfig,
    pub(super) decay_biases: bool,
    pub(super) no_decay: &'a [String],
    pub(super) groups: &'a [OptimizerGroup],
    pub(super) layer_decay: Option<&'a LayerDecay>,
}

impl Shared<'_> {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        not_negative("optimizer.weight_decay", self.weight_decay)?;
        self.decay_schedule.validate("optimizer.decay_schedule")?;
        if let Some(i) = self.no_decay.iter().position(String::is_empty) {
            let field = format!("optimizer.no_decay[{i}]");
            return Err(ForgeError::config(&field, "\"\"", "a word"));
        }
        for (i, group) in self.groups.iter().enumerate() {
            group.validate(&format!("optimizer.groups[{i}]"))?;
        }
        self.layer_decay.map_or(Ok(()), LayerDecay::validate)
    }
}

pub(super) fn not_negative(field: &str, value: f64) -> Result<(), ForgeError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(ForgeError::config(field, value, "finite and at least 0"))
    }
}

/// Memories of gradients, by field.
pub(super) fn betas(betas: &[(&str, f64)]) -> Result<(), ForgeError> {
    betas
        .iter()
        .try_for_each(|(name, beta)| check::probability(&format!("optimizer.{name}"), *beta))
}

/// A config with fields of its own, each with its default, beside those of all optimisers.
///
/// A macro, because serde refuses unknown fields only where no struct is flattened into another.
macro_rules! optimizer_config {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $($(#[$doc:meta])* pub $field:ident: $kind:ty = $default:expr,)*
        }
        weight_decay = $decay:expr;
        $(#[$decay_doc:meta])*
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$doc])* pub $field: $kind,)*
            $(#[$decay_doc])*
            pub weight_decay: f64,
            /// Factor on every decay over the run, those of groups included. Default constant.
            #[serde(skip_serializing_if = "crate::is_default::is_default")]
            pub decay_schedule: crate::schedule::FactorConfig,
            /// Decay parameters of rank 0 and 1 too (biases, scales). Default false.
            pub decay_biases: bool,
            /// Parameters that never decay: those where one of these words occurs in the
            /// parameter's name, in the field that holds it or in that field's type, whatever the
            /// case. Default: `norm`, `embed`, `token`, `position`, `cls`. A parameter called `a_log` does
            /// not decay either, unless `decay_biases`: the rates at which state-space models forget, as in their authors' code.
            pub no_decay: Vec<String>,
            /// Groups of parameters with settings of their own; the first that fits a parameter
            /// counts. Default: none.
            pub groups: Vec<$crate::optimizer::OptimizerGroup>,
            /// Lower rates the nearer a layer is to the input. Default: none.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub layer_decay: Option<$crate::optimizer::LayerDecay>,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $default,)*
                    weight_decay: $decay,
                    decay_schedule: crate::schedule::FactorConfig::Constant,
                    decay_biases: false,
                    no_decay: ["norm", "embed", "token", "position", "cls"]
                        .map(String::from)
                        .to_vec(),
                    groups: vec![],
                    layer_decay: None,
                }
            }
        }

        impl $name {
            pub(super) fn shared(&self) -> $crate::optimizer::shared_settings::Shared<'_> {
                $crate::optimizer::shared_settings::Shared {
                    weight_decay: self.weight_decay,
                    decay_schedule: self.decay_schedule,
                    decay_biases: self.decay_biases,
                    no_decay: &self.no_decay,
                    groups: &self.groups,
                    layer_decay: self.layer_decay.as_ref(),
                }
            }

            pub(super) fn weight_decay_mut(&mut self) -> &mut f64 {
                &mut self.weight_decay
            }
        }
    };
}

pub(super) use optimizer_config;
