//! What a forecaster looks at.

use burn::tensor::Tensor;
use forge_data::Windows;
use forge_models::SeriesModelConfig;
use forge_nn::{ForgeError, Network, Want};

use super::input_names::InputNames;
use super::task::on_host;
use super::{Explanation, FittedForecaster, NamedArray};
use crate::Error;

/// Windows that attention is asked for at once: its weights are many.
const PER_PASS: usize = 16;

impl FittedForecaster {
    /// What the model looks at in `windows`, on average: attention over time and variables, weights of
    /// the variables. Only models that show it: `tft` and `migt_tvdt`, and attention of `itransformer`,
    /// `patch_tst`, `stock_former` and its student.
    ///
    /// # Errors
    /// An unsupported error for a model that shows nothing, a config error for no windows; a data error
    /// naming column, series and time of a value that cannot be taken.
    pub fn explain(&self, windows: &Windows) -> Result<Explanation, Error> {
        let rows: Vec<usize> = (0..windows.len()).collect();
        self.explain_some(windows, &rows)
    }

    /// Whether [`explain`](Self::explain) has something to say.
    #[must_use]
    pub fn explains(&self) -> bool {
        self.shows() != Want::PREDICTIONS
    }

    fn shows(&self) -> Want {
        let capabilities = self.model.capabilities();
        Want {
            attention: capabilities.attention_maps,
            features: capabilities.feature_masks,
        }
    }

    /// [`explain`](Self::explain) of the windows at places `rows`.
    pub(super) fn explain_some(
        &self,
        windows: &Windows,
        rows: &[usize],
    ) -> Result<Explanation, Error> {
        let want = self.shows();
        if want == Want::PREDICTIONS {
            let what = format!("{} shows nothing of what it looks at", self.model.name());
            return Err(ForgeError::unsupported(what).into());
        }
        if rows.is_empty() {
            return Err(ForgeError::config("windows", 0, "at least one").into());
        }
        let names = self.names();
        let mut arrays: Vec<NamedArray> = Vec::new();
        let share = 1.0 / (rows.len() * self.members.len()) as f32;
        for rows in rows.chunks(PER_PASS) {
            let batch = windows.batch(rows, &self.device)?;
            let input = self.plan.input(windows, &batch)?;
            for member in &self.members {
                let maps = member.run(input.clone(), want).maps;
                let layers = maps.attention.len();
                let mut found = Vec::new();
                for (layer, weights) in maps.attention.into_iter().enumerate() {
                    found.push(self.attention(&names, layer, layers, weights)?);
                }
                for variables in maps.variables {
                    found.push(self.variables(&names, variables.name, variables.weights)?);
                }
                for (at, mut array) in found.into_iter().enumerate() {
                    array.values.iter_mut().for_each(|value| *value *= share);
                    match arrays.get_mut(at) {
                        None => arrays.push(array),
                        Some(sum) => {
                            let both = sum.values.iter_mut().zip(array.values);
                            both.for_each(|(sum, value)| *sum += value);
                        }
                    }
                }
            }
        }
        Ok(Explanation {
            windows: rows.len(),
            arrays,
        })
    }

    /// The weights `[B, heads, Tq, Tk]` of a layer of several, summed over windows.
    fn attention(
        &self,
        names: &InputNames,
        layer: usize,
        layers: usize,
        weights: Tensor<4>,
    ) -> Result<NamedArray, ForgeError> {
        let [_, heads, queries, keys] = weights.dims();
        let variables = || [names.targets.clone(), names.past.clone()].concat();
        let steps = || [names.lookback.clone(), names.ahead.clone()].concat();
        let numbered = |what: &str, n: usize| -> Vec<String> {
            (1..=n).map(|i| format!("{what} {i}")).collect()
        };
        let (name, axes) = match &self.model {
            SeriesModelConfig::Tft(_) => {
                let axes = vec![numbered("head", heads), steps(), steps()];
                ("attention_time".to_string(), axes)
            }
            SeriesModelConfig::MigtTvdt(config) => {
                let temporal = config.n_temporal_layers;
                match layer {
                    layer if layer < temporal => {
                        let each = variables().into_iter().flat_map(|variable| {
                            let heads = 1..=config.n_heads;
                            heads.map(move |head| format!("{variable} head {head}"))
                        });
                        let axes = vec![
                            each.collect(),
                            names.lookback.clone(),
                            names.lookback.clone(),
                        ];
                        (format!("attention_time_{}", layer + 1), axes)
                    }
                    layer if layer == temporal => {
                        let axes = vec![variables(), vec!["window".into()], names.lookback.clone()];
                        ("attention_aggregation".into(), axes)
                    }
                    layer => {
                        let axes = vec![numbered("head", heads), variables(), variables()];
                        (format!("attention_variables_{}", layer - temporal), axes)
                    }
                }
            }
            SeriesModelConfig::ITransformer(_) if queries >= variables().len() => {
                let mut tokens = variables();
                let more = queries - tokens.len();
                tokens.extend(numbered("token", more));
                let axes = vec![numbered("head", heads), tokens.clone(), tokens];
                (format!("attention_variables_{}", layer + 1), axes)
            }
            _ => {
                let axes = vec![
                    numbered("head", heads),
                    numbered("query", queries),
                    numbered("key", keys),
                ];
                (format!("attention_{}_of_{layers}", layer + 1), axes)
            }
        };
        let sum = weights.sum_dim(0).squeeze_dim::<3>(0);
        named(name, axes, sum)
    }

    /// The weights `[B, T, V]` of variables, summed over windows.
    fn variables(
        &self,
        names: &InputNames,
        of: &str,
        weights: Tensor<3>,
    ) -> Result<NamedArray, ForgeError> {
        let targets_first = match &self.model {
            SeriesModelConfig::Tft(config) => config.targets_first,
            _ => true,
        };
        let axes = match of {
            "future" => vec![names.ahead.clone(), names.known.clone()],
            "static" => vec![vec!["all steps".into()], names.fixed.clone()],
            _ if targets_first => {
                let all = [&names.targets[..], &names.past, &names.known].concat();
                vec![names.lookback.clone(), all]
            }
            _ => {
                let all = [&names.past[..], &names.known, &names.targets].concat();
                vec![names.lookback.clone(), all]
            }
        };
        let sum = weights.sum_dim(0).squeeze_dim::<2>(0);
        named(format!("variables_{of}"), axes, sum)
    }
}

fn named<const D: usize>(
    name: String,
    axes: Vec<Vec<String>>,
    values: Tensor<D>,
) -> Result<NamedArray, ForgeError> {
    let found = values.dims().to_vec();
    let array = NamedArray {
        name,
        axes,
        values: on_host(values)?,
    };
    if array.shape() == found {
        return Ok(array);
    }
    let expected = format!("{:?}", array.shape());
    Err(ForgeError::shape(
        array.name,
        format!("{found:?}"),
        expected,
    ))
}
