//! What loading costs at most, whoever made the file.

use std::collections::BTreeMap;
use std::path::Path;

use volatilityforge::burn::tensor::TensorData;
use volatilityforge::nn::{FileFormat, StateDict, TensorFile};
use volatilityforge::{DeviceName, Error, EstimatorConfig, FittedRegressor, Strategy};

use crate::allocation::peak_of;
use crate::chain::{chain, quick, trained};
use crate::fuzz_corpus::targets::signed;

const FORMAT: FileFormat = FileFormat {
    name: "volatilityforge.artifact",
    version: 2,
};
/// What an error and its way up may cost beside the file.
const SLACK: usize = 256 * 1024;
/// Bytes of the hostile headers.
const LARGE: usize = 4 << 20;

fn load(path: &Path) -> Result<FittedRegressor, Error> {
    FittedRegressor::load(path, &DeviceName::Flex.open()?)
}

/// A safetensors file of this header and `data` bytes, its checksum right if it has one.
fn file(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    signed(&bytes)
}

/// The entry of the header that makes it a file of ours.
fn envelope(manifest: &str) -> String {
    let zeros = "0".repeat(64);
    let text = format!(
        r#"{{"format":"volatilityforge.artifact","version":2,"library":"x","blake3":"{zeros}","manifest":{manifest}}}"#
    );
    let quoted = serde_json::to_string(&text).unwrap();
    format!(r#""__metadata__":{{"volatilityforge":{quoted}}}"#)
}

fn repeated(unit: &str, bytes: usize) -> String {
    unit.repeat(bytes / unit.len()).trim_end_matches(',').into()
}

fn tiny_tensors(bytes: usize) -> String {
    let mut tensors = String::new();
    for i in 0.. {
        if tensors.len() > bytes {
            break;
        }
        tensors += &format!(r#""{i:x}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}},"#);
    }
    tensors.trim_end_matches(',').into()
}

/// Rightly signed headers of many small things: none is made into more than its file.
#[test]
fn hostile_headers_cost_about_their_file_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let ours = envelope("{}");
    let ones = repeated("1,", LARGE);
    let headers = [
        (
            "objects",
            envelope(&format!("[{}]", repeated("{},", LARGE))),
        ),
        (
            "small objects",
            envelope(&format!("[{}]", repeated(r#"{"a":1},"#, LARGE))),
        ),
        (
            "an unknown field",
            envelope(&format!(r#"{{"x":[{}]}}"#, repeated("{},", LARGE))),
        ),
        ("tensors", format!("{ours},{}", tiny_tensors(LARGE))),
        (
            "a long shape",
            format!(r#"{ours},"w":{{"dtype":"U8","shape":[{ones}],"data_offsets":[0,1]}}"#),
        ),
        (
            "metadata",
            format!(r#"{ours},"w":[{}]"#, repeated("{},", LARGE)),
        ),
    ];
    for (what, header) in headers {
        let bytes = file(&format!("{{{header}}}"), 1);
        std::fs::write(&path, &bytes).unwrap();
        let (result, peak) = peak_of(|| load(&path));
        let error = result.unwrap_err();
        assert!(error.is_artifact(), "{what}: {error}");
        assert!(
            error.to_string().len() < 1000,
            "{what}: {} letters",
            error.to_string().len()
        );
        let most = 2 * bytes.len() + bytes.len() / 2 + SLACK;
        assert!(
            peak <= most,
            "{what}: {peak} bytes for a file of {}",
            bytes.len()
        );
        // Unsigned it is not even looked into.
        let mut unsigned = bytes;
        let last = unsigned.len() - 1;
        unsigned[last] ^= 1;
        std::fs::write(&path, &unsigned).unwrap();
        let (result, peak) = peak_of(|| load(&path));
        assert!(result.unwrap_err().is_damaged(), "{what}");
        let most = unsigned.len() + SLACK;
        assert!(
            peak <= most,
            "{what}: {peak} bytes for a file of {}",
            unsigned.len()
        );
    }
}

#[test]
fn a_header_of_more_than_16_mib_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let bytes = file(
        &format!("{{{}}}{}", envelope("{}"), " ".repeat(17 << 20)),
        0,
    );
    std::fs::write(&path, &bytes).unwrap();
    let (result, peak) = peak_of(|| load(&path));
    let error = result.unwrap_err();
    assert!(
        error.is_artifact() && error.to_string().contains("header"),
        "{error}"
    );
    assert!(peak < SLACK, "{peak}");
    let (result, peak) = peak_of(|| StateDict::read_safetensors(&path));
    assert!(result.unwrap_err().is_artifact());
    assert!(peak < SLACK, "{peak}");
    // Nor written, so that what is saved can be loaded.
    let long = "x".repeat(17 << 20);
    let error = TensorFile::to_bytes(FORMAT, &long, &BTreeMap::new()).unwrap_err();
    assert!(error.is_weights(), "{error}");
}

/// What others write is held to the same.
#[test]
fn foreign_files_cost_about_their_size_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let ones = repeated("1,", LARGE);
    let headers = [
        ("tensors", tiny_tensors(LARGE)),
        (
            "a long shape",
            format!(r#""w":{{"dtype":"U8","shape":[{ones}],"data_offsets":[0,1]}}"#),
        ),
        ("objects", format!(r#""w":[{}]"#, repeated("{},", LARGE))),
        (
            "metadata",
            format!(r#""__metadata__":[{}]"#, repeated("{},", LARGE)),
        ),
    ];
    for (what, header) in headers {
        let bytes = file(&format!("{{{header}}}"), 1);
        std::fs::write(&path, &bytes).unwrap();
        let (result, peak) = peak_of(|| StateDict::read_safetensors(&path));
        assert!(result.unwrap_err().is_artifact(), "{what}");
        let most = 2 * bytes.len() + bytes.len() / 2 + SLACK;
        assert!(
            peak <= most,
            "{what}: {peak} bytes for a file of {}",
            bytes.len()
        );
    }
    // Of tensors without values, each costs more than its text.
    let many: Vec<String> = (0..20_000)
        .map(|i| format!(r#""{i:x}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#))
        .collect();
    std::fs::write(&path, file(&format!("{{{}}}", many.join(",")), 0)).unwrap();
    let error = StateDict::read_safetensors(&path).unwrap_err();
    assert!(error.to_string().contains("20000 tensors"), "{error}");

    let tensors = BTreeMap::from([
        (
            "a".to_string(),
            TensorData::new(vec![1.0_f32; 1 << 20], [1 << 10, 1 << 10]),
        ),
        (
            "b".to_string(),
            TensorData::new(vec![2_i64; 1 << 10], [1 << 10]),
        ),
    ]);
    TensorFile::write(&path, FORMAT, &(), &tensors).unwrap();
    let size = std::fs::metadata(&path).unwrap().len() as usize;
    let (result, peak) = peak_of(|| StateDict::read_safetensors(&path));
    assert_eq!(result.unwrap().0.tensors, tensors);
    // Each tensor is copied once into aligned memory.
    assert!(
        peak <= 2 * size + SLACK,
        "{peak} bytes for a file of {size}"
    );
}

#[test]
fn an_honest_model_costs_about_twice_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let wide = r#"{"model": "tabular_mlp", "preset": false, "n_blocks": 2, "d_block": 440}"#;
    let deep = r#"{"model": "ft_transformer", "preset": false, "n_blocks": 3}"#;
    for model in [wide, deep] {
        let mut config = EstimatorConfig::named("tabular_mlp", Strategy::Fast).unwrap();
        config.model = serde_json::from_str(model).unwrap();
        config.training.epochs = Some(1);
        let fitted = trained(config);
        fitted.save(&path).unwrap();
        let before = fitted.predict(&chain()).unwrap();
        drop(fitted);
        let size = std::fs::metadata(&path).unwrap().len() as usize;
        assert!(size > 500_000, "{size}");
        let (loaded, peak) = peak_of(|| load(&path));
        assert!(
            peak <= 2 * size + SLACK,
            "{model}: {peak} bytes for a file of {size}"
        );
        assert_eq!(loaded.unwrap().predict(&chain()).unwrap(), before);
    }
}

#[test]
fn tensors_that_nothing_names_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    trained(quick("tabular_mlp")).save(&path).unwrap();
    let file = TensorFile::<serde_json::Value>::open(&path, FORMAT).unwrap();
    let tensors = file.tensors("").unwrap();
    let stranger = TensorData::new(vec![0.0_f32], [1]);
    let names = [
        "stranger",
        "model.0.stranger",
        "model.1.output.weight",
        "model.00.output.weight",
        "model.stranger",
        "preprocessing.stranger",
        "preprocessing.numeric.stranger",
        "target.target.stranger",
        "context.stranger",
    ];
    for name in names {
        let mut more = tensors.clone();
        more.insert(name.into(), stranger.clone());
        TensorFile::write(&path, FORMAT, &file.manifest, &more).unwrap();
        let error = load(&path)
            .err()
            .unwrap_or_else(|| panic!("{name}: accepted"));
        assert!(error.is_artifact(), "{name}: {error}");
        assert!(
            error.to_string().contains("stranger") || name.contains("output"),
            "{error}"
        );
    }
    TensorFile::write(&path, FORMAT, &file.manifest, &tensors).unwrap();
    load(&path).unwrap();
}
