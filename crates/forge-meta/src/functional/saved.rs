//! Parameters in a checkpoint.

use std::collections::BTreeMap;

use burn::tensor::{Device, TensorData};

use super::{ParamTensor, Params};

impl Params {
    /// The values for the tensors of a [`PartState`](forge_train::checkpoint::PartState), under
    /// `section`: `section/PLACE/NAME`, the place in six digits, so that sorting keeps the order.
    #[must_use]
    pub fn saved(&self, section: &str) -> BTreeMap<String, TensorData> {
        let named = self.iter().enumerate();
        let named = named.map(|(place, (name, tensor))| {
            let name = format!("{section}/{place:06}/{name}");
            (name, tensor.clone().into_data())
        });
        named.collect()
    }

    /// Takes what [`saved`](Self::saved) gave under `section` out of `tensors`, onto `device`; empty if
    /// there is nothing.
    #[must_use]
    pub fn restored(
        section: &str,
        tensors: &mut BTreeMap<String, TensorData>,
        device: &Device,
    ) -> Self {
        let prefix = format!("{section}/");
        let of_section = |name: &String, _: &mut TensorData| name.starts_with(&prefix);
        let found = tensors.extract_if(.., of_section).map(|(name, data)| {
            let rest = &name[prefix.len()..];
            let name = rest.split_once('/').map_or(rest, |(_, name)| name);
            let dtype = data.dtype();
            (
                name.to_string(),
                ParamTensor::from_data(data, device, dtype),
            )
        });
        Self::from_entries(found)
    }
}
