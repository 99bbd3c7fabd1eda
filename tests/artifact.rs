//! The model file: exact, portable, and safe whoever made it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use volatilityforge::nn::FileFormat;
use volatilityforge::{DeviceName, Error, FittedRegressor};

use crate::allocation::peak_of;
use crate::chain::{chain, quick};

/// As the library names its files.
const FORMAT: FileFormat = FileFormat {
    name: "volatilityforge.artifact",
    version: 2,
};

/// What an error and its way up may cost beside the file.
const SLACK: usize = 256 * 1024;

fn trained(model: &str) -> FittedRegressor {
    crate::chain::trained(quick(model))
}

fn saved(model: &str, folder: &Path) -> (FittedRegressor, PathBuf, Vec<u8>) {
    let fitted = trained(model);
    let path = folder.join("model.safetensors");
    fitted.save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    (fitted, path, bytes)
}

fn load(path: &Path) -> Result<FittedRegressor, Error> {
    FittedRegressor::load(path, &DeviceName::Flex.open()?)
}

#[test]
fn every_model_comes_back_with_the_same_predictions() {
    for model in volatilityforge::models::ModelConfig::NAMES {
        let folder = tempfile::tempdir().unwrap();
        let (fitted, path, bytes) = saved(model, folder.path());
        let moved = folder.path().join("elsewhere.safetensors");
        std::fs::rename(&path, &moved).unwrap();
        let again = load(&moved).unwrap();
        let (before, after) = (
            fitted.predict(&chain()).unwrap(),
            again.predict(&chain()).unwrap(),
        );
        assert!(
            before
                .iter()
                .zip(&after)
                .all(|(a, b)| a.to_bits() == b.to_bits()),
            "{model}"
        );
        again.save(&path).unwrap();
        assert_eq!(
            std::fs::read(&path).unwrap(),
            bytes,
            "{model}: saving again changes the file"
        );
    }
}

#[test]
fn any_safetensors_reader_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    let (_, _, bytes) = saved("tabular_mlp", folder.path());
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert!(
        tensors
            .names()
            .iter()
            .any(|name| name.starts_with("model."))
    );
    assert!(
        tensors
            .names()
            .iter()
            .any(|name| name.starts_with("preprocessing."))
    );
}

/// Truncated, bit-flipped, overwritten, lengthened: each is refused with a typed error, at once,
/// without a panic, and without allocating beyond twice the file.
#[test]
fn mutated_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_, path, bytes) = saved("tabular_mlp", folder.path());
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    for i in 0..400 {
        let mut mutated = bytes.clone();
        // Half of them in the header, where a file says how large it is.
        let at = if i % 2 == 0 {
            rng.random_range(0..header)
        } else {
            rng.random_range(0..bytes.len())
        };
        let what = match i % 5 {
            0 => {
                mutated.truncate(at);
                "truncated"
            }
            1 | 2 => {
                mutated[at] ^= 1 << rng.random_range(0..8);
                "bit flipped"
            }
            3 => {
                let end = (at + 16).min(mutated.len());
                rng.fill(&mut mutated[at..end]);
                "overwritten"
            }
            _ => {
                mutated.resize(bytes.len() + 1 + at, 0);
                "lengthened"
            }
        };
        std::fs::write(&path, &mutated).unwrap();
        let start = Instant::now();
        let (result, peak) = peak_of(|| load(&path));
        let error = result
            .err()
            .unwrap_or_else(|| panic!("{what} at {at}: accepted"));
        assert!(error.is_artifact(), "{what} at {at}: {error}");
        assert!(error.to_string().contains("model.safetensors"), "{error}");
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "{what} at {at}: slow"
        );
        assert!(
            peak <= 2 * mutated.len() + SLACK,
            "{what} at {at}: {peak} bytes"
        );
    }
}

/// Headers that lie about sizes, with nothing behind them.
#[test]
fn oversized_claims_are_refused_before_anything_is_allocated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let claims = [
        r#"{"w":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}}"#,
        r#"{"w":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}"#,
        r#"{"w":{"dtype":"F64","shape":[18446744073709551615,18446744073709551615],"data_offsets":[0,8]}}"#,
    ];
    for claim in claims {
        let mut bytes = (claim.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(claim.as_bytes());
        bytes.extend_from_slice(&[0; 8]);
        std::fs::write(&path, &bytes).unwrap();
        let (result, peak) = peak_of(|| load(&path));
        assert!(result.unwrap_err().is_artifact());
        assert!(peak < SLACK, "{peak} bytes for {claim}");
    }
    std::fs::write(&path, u64::MAX.to_le_bytes()).unwrap();
    assert!(load(&path).unwrap_err().is_artifact());
}

/// A well-formed, rightly signed file may still ask for a model larger than itself.
#[test]
fn a_manifest_that_asks_for_more_than_the_file_holds_is_refused() {
    use volatilityforge::nn::TensorFile;
    let folder = tempfile::tempdir().unwrap();
    let (_, path, bytes) = saved("tabular_mlp", folder.path());
    let format = FORMAT;
    let file = TensorFile::<serde_json::Value>::from_bytes(&path, bytes, format).unwrap();
    for (field, value) in [("d_block", 60_000), ("n_blocks", 1000), ("d_in", 1_000_000)] {
        let mut manifest = file.manifest.clone();
        manifest["model"][field] = value.into();
        TensorFile::write(&path, format, &manifest, &file.tensors("").unwrap()).unwrap();
        let (result, peak) = peak_of(|| load(&path));
        let error = result.unwrap_err();
        assert!(error.is_artifact(), "{field}: {error}");
        let size = std::fs::metadata(&path).unwrap().len() as usize;
        assert!(
            peak <= 2 * size + SLACK,
            "{field}: {peak} bytes for a file of {size}"
        );
    }
}

#[test]
fn other_formats_and_versions_are_named() {
    use volatilityforge::nn::TensorFile;
    let folder = tempfile::tempdir().unwrap();
    let (_, path, bytes) = saved("tabular_mlp", folder.path());
    let format = FORMAT;
    let file = TensorFile::<serde_json::Value>::from_bytes(&path, bytes, format).unwrap();
    let tensors = file.tensors("").unwrap();
    let rewrite = |format| {
        TensorFile::write(&path, format, &file.manifest, &tensors).unwrap();
        load(&path).unwrap_err().to_string()
    };
    let newer = rewrite(FileFormat {
        version: format.version + 1,
        ..format
    });
    assert!(newer.contains("version 3"), "{newer}");
    let other = rewrite(FileFormat {
        name: "volatilityforge.checkpoint",
        ..format
    });
    assert!(other.contains("volatilityforge.checkpoint"), "{other}");
    std::fs::write(&path, "not a model").unwrap();
    assert!(load(&path).unwrap_err().is_artifact());
    assert!(load(&folder.path().join("absent")).unwrap_err().is_io());
}

/// Files that the first format's library wrote are still read and predict what they predicted then.
#[test]
fn files_of_version_1_load() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/artifact_v1");
    for model in ["ft_transformer", "tabular_resnet", "tabular_mlp"] {
        let fitted = load(&folder.join(format!("{model}.safetensors"))).unwrap();
        assert_eq!(fitted.model().name(), model);
        let options = fitted.read_options();
        let (rows, _) = volatilityforge::read_table(folder.join("rows.csv"), &options).unwrap();
        let text = std::fs::read_to_string(folder.join(format!("{model}.json"))).unwrap();
        let then: Vec<f64> = serde_json::from_str(&text).unwrap();
        let now = fitted.predict(&rows).unwrap();
        assert_eq!(now.len(), then.len());
        for (now, then) in now.iter().zip(&then) {
            assert!((now - then).abs() < 1e-5, "{model}: {now}, then {then}");
        }
        // And are written in the newest version.
        let moved = tempfile::tempdir().unwrap();
        let path = moved.path().join("again.safetensors");
        fitted.save(&path).unwrap();
        assert_eq!(load(&path).unwrap().predict(&rows).unwrap(), now);
    }
}
