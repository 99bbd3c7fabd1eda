//! What every backbone that carries state must do with a file of it.

use burn::tensor::{Device, TensorData};
use forge_models::CarriesState;
use forge_nn::StateDict;

use super::backbone::{BATCH, tokens};
use super::values::values;
use crate::Noise;

/// A state that was written and read goes on as the one that was not, to the last bit, wherever the
/// sequence was cut; a backbone with other weights refuses it, and so does whoever reads a damaged file.
///
/// # Panics
/// With `name`, if it does not.
pub fn states_survive_files<B: CarriesState>(
    name: &str,
    backbone: &B,
    d_token: usize,
    device: &Device,
) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.safetensors");
    let mut noise = Noise::new(17);
    // Before the first token, with a convolution half filled, within a mini-batch and behind windows.
    for seen in [0, 1, 2, 5, 23] {
        let (_, state) = backbone.steps(
            tokens(&mut noise, seen, d_token, device),
            backbone.start(BATCH, device),
        );
        backbone.write_state(&state, &path).expect("written");
        let read = backbone.read_state(&path, device).expect("read");
        let next = tokens(&mut noise, 7, d_token, device);
        let (expected, last) = backbone.steps(next.clone(), state);
        let (found, last_read) = backbone.steps(next, read);
        assert_eq!(
            values(found),
            values(expected),
            "{name}: after {seen} tokens"
        );
        let [last, last_read] = [&last, &last_read].map(StateDict::from_carried);
        let same = last.expect("tensors") == last_read.expect("tensors");
        assert!(same, "{name}: the state after a file and {seen} tokens");
    }

    let others = StateDict::from_module(backbone).expect("weights");
    let tensors = others.tensors.into_iter().map(|(name, data)| {
        let halved = data.iter::<f32>().map(|x| x * 0.5).collect::<Vec<f32>>();
        let shape = data.shape().clone();
        (name, TensorData::new(halved, shape))
    });
    let halved = StateDict {
        tensors: tensors.collect(),
    };
    let other = halved.load_into(backbone.clone()).expect("weights");
    let refused = other
        .read_state(&path, device)
        .err()
        .expect("refused")
        .to_string();
    let said = ["state.safetensors", "other weights"];
    assert!(
        said.iter().all(|said| refused.contains(said)),
        "{name}: {refused}"
    );

    let bytes = std::fs::read(&path).expect("bytes");
    std::fs::write(&path, &bytes[..bytes.len() - 1]).expect("cut");
    let refused = backbone.read_state(&path, device).err().expect("refused");
    assert!(refused.is_damaged(), "{name}: {refused}");
}
