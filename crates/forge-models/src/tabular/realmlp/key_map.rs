//! The package's names, which are positions in nested lists.

use super::RealMlpConfig;
use super::options::NumEmbedding;
use crate::reference::{KeyMap, ReferenceWeights};

impl ReferenceWeights for RealMlpConfig {
    const REFERENCE: &'static str = "pytabkit==1.7.3:pytabkit.models.nn_models.models.NNFactory";

    fn key_map(&self) -> KeyMap {
        // One-hot encoding stands before everything, where there are categories.
        let first = usize::from(!self.cat_sizes.is_empty());
        let map = self.columns_key_map(KeyMap::new(), &format!("layer.tfms.{first}"));
        let map = self.layers_key_map(map, &format!("layer.tfms.{}", first + 1));
        let mut after = first + 2;
        let mut of_output = |map: KeyMap, present: bool, names: [&str; 2]| {
            if !present {
                return map;
            }
            let theirs = format!("layer.tfms.{after}");
            after += 1;
            names.iter().fold(map, |map, name| {
                map.same(&format!("output.{name}"), &format!("{theirs}.{name}"))
            })
        };
        let map = of_output(map, self.normalize_output, ["mean", "std"]);
        of_output(map, self.clamp_output, ["low", "high"])
    }
}

impl RealMlpConfig {
    fn columns_key_map(&self, map: KeyMap, theirs: &str) -> KeyMap {
        let one_hot = self.one_hot_width() > 0;
        if self.num_emb_type == NumEmbedding::None {
            let columns = one_hot || self.n_num_features > 0;
            return self.transforms_key_map(map, theirs, true, columns.then_some("columns.scale"));
        }
        let numbers = format!("{theirs}.layers.0");
        let embedding = format!("{numbers}.tfms.2");
        let phases = self.num_emb_type.appends_the_number();
        let names = ["weight_1", "bias_1", "weight_2", "bias_2"].into_iter();
        let names = names.filter(|name| phases || *name != "bias_1");
        let scale = (self.n_num_features > 0).then_some("columns.scale");
        let at = format!("{numbers}.tfms.1");
        let map = self.transforms_key_map(map, &at, false, scale);
        let map = names.fold(map, |map, name| {
            let theirs = format!("{embedding}.{name}");
            match scale {
                Some(_) => map.same(&format!("columns.numeric_embedding.{name}"), &theirs),
                // The package makes parameters for no numbers.
                None => map.ignore(&theirs),
            }
        });
        let scale = one_hot.then_some("columns.one_hot_scale");
        let at = format!("{theirs}.layers.1.tfms.1");
        self.transforms_key_map(map, &at, true, scale)
    }

    /// One list of transforms; `scale` is what of ours it scales by.
    fn transforms_key_map(
        &self,
        map: KeyMap,
        theirs: &str,
        categories: bool,
        scale: Option<&str>,
    ) -> KeyMap {
        let tables = self.categories(false).count() * usize::from(categories);
        // What encodes nothing or scales nothing is left out: encoding, renaming, median, scale, clip.
        let mut at = 1 + usize::from(tables > 0);
        let mut map = map;
        if let Some(scale) = scale {
            map = map
                .same(
                    &format!("{scale}.shift"),
                    &format!("{theirs}.tfms.{at}.bias"),
                )
                .same(
                    &format!("{scale}.scale"),
                    &format!("{theirs}.tfms.{}.scale", at + 1),
                );
            at += 2;
        }
        (0..tables).fold(map, |map, k| {
            let table = format!("{theirs}.tfms.{}.emb_layers.{k}.emb", at + 1);
            map.same(&format!("columns.embeddings.{k}"), &table)
        })
    }

    fn layers_key_map(&self, map: KeyMap, theirs: &str) -> KeyMap {
        let front = usize::from(self.add_front_scale);
        let map = match self.add_front_scale {
            true => map.same("front_scale", &format!("{theirs}.tfms.0.tfms.0.scale")),
            false => map,
        };
        (0..=self.hidden_sizes.len()).fold(map, |map, i| {
            let first = if i == 0 { front } else { 0 };
            let part = |j: usize| format!("{theirs}.tfms.{i}.tfms.{}", first + j);
            let ours = format!("layers.{i}");
            let map = map
                .same(&format!("{ours}.weight"), &format!("{}.weight", part(0)))
                .same(&format!("{ours}.bias"), &format!("{}.bias", part(1)));
            if i < self.hidden_sizes.len() && self.use_parametric_act {
                let ours = format!("activations.{i}.weight");
                map.same(&ours, &format!("{}.weight", part(2)))
            } else {
                map
            }
        })
    }
}
