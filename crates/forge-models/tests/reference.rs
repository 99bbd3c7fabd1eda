//! The authors' checkpoints: strict in, complete out.

use std::path::{Path, PathBuf};

use forge_models::{FtTransformerConfig, KeyMap, ModelConfig, ReferenceWeights};
use forge_nn::StateDict;
use forge_nn::burn::tensor::{DType, Device, TensorData};

fn case(path: &str) -> (ModelConfig, StateDict, PathBuf) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/oracle")
        .join(path);
    let (state, metadata) = StateDict::read_safetensors(&path).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&metadata["config"]).unwrap();
    config["model"] = metadata["model"].clone().into();
    let params = state.tensors.into_iter();
    let params =
        params.filter_map(|(key, data)| Some((key.strip_prefix("param/")?.to_string(), data)));
    let checkpoint = StateDict {
        tensors: params.collect(),
    };
    (ModelConfig::from_value(config).unwrap(), checkpoint, path)
}

fn ft_transformer() -> (FtTransformerConfig, StateDict) {
    let (config, checkpoint, _) = case("ft_transformer/num_cat_3blocks.safetensors");
    let ModelConfig::FtTransformer(config) = config else {
        unreachable!()
    };
    (config, checkpoint)
}

#[test]
fn a_checkpoint_goes_in_and_comes_out_bit_identical() {
    let (config, checkpoint) = ft_transformer();
    let model = config.load_reference(&checkpoint, &Device::flex()).unwrap();
    assert_eq!(config.to_reference(&model).unwrap(), checkpoint);
    assert!(
        checkpoint
            .tensors
            .values()
            .all(|data| data.dtype() == DType::F64)
    );
}

#[test]
fn batch_counters_are_left_out() {
    let (config, checkpoint, _) = case("tabular_resnet/eval_2blocks.safetensors");
    let ModelConfig::TabularResNet(config) = config else {
        unreachable!()
    };
    let model = config.load_reference(&checkpoint, &Device::flex()).unwrap();
    let mut expected = checkpoint;
    expected
        .tensors
        .retain(|name, _| !name.ends_with("num_batches_tracked"));
    assert_eq!(config.to_reference(&model).unwrap(), expected);
    // With or without the counters.
    config.load_reference(&expected, &Device::flex()).unwrap();
}

#[test]
fn f32_checkpoints_make_f32_models() {
    let (config, mut checkpoint) = ft_transformer();
    for data in checkpoint.tensors.values_mut() {
        *data = data.clone().convert_dtype(DType::F32);
    }
    let model = config.load_reference(&checkpoint, &Device::flex()).unwrap();
    let state = StateDict::from_module(&model).unwrap();
    assert!(
        state
            .tensors
            .values()
            .all(|data| data.dtype() == DType::F32)
    );
}

#[test]
fn every_problem_is_named() {
    let (config, good) = ft_transformer();
    let mut checkpoint = good.clone();
    checkpoint.tensors.remove("cls_embedding.weight");
    let misshapen = TensorData::zeros::<f64, _>([5, 12]);
    checkpoint
        .tensors
        .insert("backbone.blocks.1.attention.W_k.weight".into(), misshapen);
    let misshapen = TensorData::zeros::<f64, _>([4, 12]);
    checkpoint
        .tensors
        .insert("cat_embeddings.embeddings.1.weight".into(), misshapen);
    let integers = TensorData::zeros::<i64, _>([3]);
    checkpoint
        .tensors
        .insert("backbone.output.linear.bias".into(), integers);
    checkpoint
        .tensors
        .insert("extra".into(), TensorData::zeros::<f64, _>([500]));
    let error = config
        .load_reference(&checkpoint, &Device::flex())
        .unwrap_err();
    assert!(error.is_weights());
    let text = error.to_string();
    for part in [
        "cls_embedding.weight is missing",
        "backbone.blocks.1.attention.W_k.weight is [5, 12], expected [12, 12]",
        "cat_embeddings.embeddings.1.weight is [4, 12], expected [5, 12]",
        "backbone.output.linear.bias is I64, expected floats",
        "extra is not part of the model",
    ] {
        assert!(text.contains(part), "'{part}' is not in: {text}");
    }
    config.load_reference(&good, &Device::flex()).unwrap();
}

#[test]
fn a_config_larger_than_the_checkpoint_is_refused_before_it_is_made() {
    let (config, checkpoint) = ft_transformer();
    let huge = FtTransformerConfig {
        d_block: 39_999,
        n_blocks: 1_024,
        ..config
    };
    let error = huge
        .load_reference(&checkpoint, &Device::flex())
        .unwrap_err();
    assert!(error.to_string().contains("parameters"), "{error}");
}

#[test]
fn files_are_loaded_by_path_and_damage_is_an_error() {
    let folder = std::env::temp_dir().join(format!("forge-models-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (config, checkpoint) = ft_transformer();
    let whole = folder.join("whole.safetensors");
    let views = checkpoint.tensors.iter().map(|(name, data)| {
        let dtype = safetensors::Dtype::F64;
        let shape = data.shape().to_vec();
        (
            name,
            safetensors::tensor::TensorView::new(dtype, shape, data.as_bytes()).unwrap(),
        )
    });
    std::fs::write(&whole, safetensors::serialize(views, None).unwrap()).unwrap();
    let model = config.load_reference_file(&whole, &Device::flex()).unwrap();
    assert_eq!(config.to_reference(&model).unwrap(), checkpoint);

    let bytes = std::fs::read(&whole).unwrap();
    for length in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        let cut = folder.join("cut.safetensors");
        std::fs::write(&cut, &bytes[..length]).unwrap();
        let error = config
            .load_reference_file(&cut, &Device::flex())
            .unwrap_err();
        assert!(error.is_artifact(), "{length}: {error}");
        assert!(error.to_string().contains("cut.safetensors"), "{error}");
    }
    let absent = config
        .load_reference_file(folder.join("absent"), &Device::flex())
        .unwrap_err();
    assert!(absent.is_io(), "{absent}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_key_map_that_forgets_a_tensor_does_not_load() {
    let (_, checkpoint, _) = case("tabular_resnet/eval_2blocks.safetensors");
    let like = StateDict {
        tensors: [("input.weight".into(), TensorData::zeros::<f64, _>([5, 7]))].into(),
    };
    let error = KeyMap::new()
        .to_module(&checkpoint, &like)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("input.weight of the module is not mapped"),
        "{error}"
    );
}
