//! What is fuzzed: each function takes the bytes of a file from a stranger, reads them as the
//! library does, and says whether they were accepted. Nothing may panic, and every error is one
//! of the kinds that say what is wrong with a file.
//!
//! The tests of the main workspace replay the corpus through these same functions.

mod checkpoint;

use std::io::Write;

use tempfile::TempPath;
use volatilityforge::data::{ReadOptions, Table, TableFormat, read_csv_from, read_table};
use volatilityforge::models::{Labels, ModelConfig, Pretrained, TabularSpec};
use volatilityforge::{DeviceName, FittedModel};

pub use checkpoint::{checkpoint, train};

/// Reads a model file and predicts with it, once as it is and once under a right checksum.
pub fn artifact(bytes: &[u8]) -> bool {
    [bytes.to_vec(), signed(bytes)].map(|bytes| one_artifact(&bytes)) != [false; 2]
}

fn one_artifact(bytes: &[u8]) -> bool {
    let file = on_disk(bytes);
    let Ok(device) = DeviceName::Flex.open() else {
        return false;
    };
    let model = match FittedModel::load(&file, &device) {
        Ok(model) => model,
        Err(error) => {
            assert!(error.is_artifact() || error.is_config(), "{error}");
            return false;
        }
    };
    // What was accepted can be used: a table without the columns is an error, not a panic.
    let table = Table::from_numeric(["x"], &[1.0_f64]);
    if let Ok(table) = table {
        let _ = model.predictions(&table);
    }
    model.save(&file).is_ok()
}

/// Reads a file of weights and fits them to a table, once as it is and once under a right checksum.
pub fn pretrained(bytes: &[u8]) -> bool {
    [bytes.to_vec(), signed(bytes)].map(|bytes| one_pretrained(&bytes)) != [false; 2]
}

fn one_pretrained(bytes: &[u8]) -> bool {
    let (Ok(device), Ok(config)) = (DeviceName::Flex.open(), ModelConfig::named("tabpfn_v1"))
    else {
        return false;
    };
    let weights = match Pretrained::read(on_disk(bytes), config, 2, &device) {
        Ok(weights) => weights,
        Err(error) => {
            let known = error.is_artifact() || error.is_config() || error.is_weights();
            assert!(known, "{error}");
            return false;
        }
    };
    let table = TabularSpec {
        n_num_features: 2,
        cat_cardinalities: vec![],
        d_out: 2,
    };
    // What was accepted can be used, or is refused for a table that it does not fit.
    let _ = weights.clone().for_table(&table, Labels::Classes(2));
    weights.save(on_disk(bytes)).is_ok()
}

/// Reads a CSV text with two settings.
pub fn csv(bytes: &[u8]) -> bool {
    let strange = ReadOptions {
        has_header: Some(false),
        skip_rows: u64::from(bytes.first().copied().unwrap_or(0)),
        max_rows: Some(20),
        ..small()
    };
    [small(), strange].map(|options| match read_csv_from(bytes, &options) {
        Ok((table, report)) => {
            assert_eq!(table.n_rows(), report.rows());
            true
        }
        Err(_) => false,
    }) != [false; 2]
}

/// Reads a Parquet file.
pub fn parquet(bytes: &[u8]) -> bool {
    read(bytes, TableFormat::Parquet)
}

/// Reads a workbook.
pub fn excel(bytes: &[u8]) -> bool {
    read(bytes, TableFormat::Excel)
}

fn read(bytes: &[u8], format: TableFormat) -> bool {
    let options = ReadOptions {
        format: Some(format),
        ..small()
    };
    read_table(on_disk(bytes), &options).is_ok()
}

/// Limits under which a small file does not stand for minutes of work.
fn small() -> ReadOptions {
    ReadOptions {
        max_unpacked_bytes: 4 << 20,
        max_cells: 200_000,
        ..ReadOptions::default()
    }
}

/// The bytes as a file, removed when dropped.
fn on_disk(bytes: &[u8]) -> TempPath {
    let written = tempfile::NamedTempFile::new().and_then(|mut file| {
        file.write_all(bytes)?;
        file.flush()?;
        Ok(file.into_temp_path())
    });
    written.unwrap_or_else(|error| panic!("no scratch file: {error}"))
}

/// Puts a right checksum where the file has one, as whoever makes a hostile file would. A mutation
/// seldom gets past the checksum otherwise.
pub fn signed(bytes: &[u8]) -> Vec<u8> {
    const PREFIX: &[u8] = br#"\"blake3\":\""#;
    const DIGITS: usize = 64;
    let mut bytes = bytes.to_vec();
    let at = bytes.windows(PREFIX.len()).position(|w| w == PREFIX);
    let digits = at.map(|at| at + PREFIX.len());
    if let Some(digits) = digits.and_then(|at| bytes.get_mut(at..at + DIGITS)) {
        digits.fill(b'0');
    }
    let sum = blake3::hash(&bytes).to_hex();
    if let Some(digits) = digits.and_then(|at| bytes.get_mut(at..at + DIGITS)) {
        digits.copy_from_slice(sum.as_bytes());
    }
    bytes
}

/// A folder with one file in it.
fn folder_with(name: &str, bytes: &[u8]) -> tempfile::TempDir {
    let made = tempfile::tempdir().and_then(|folder| {
        std::fs::write(folder.path().join(name), bytes)?;
        Ok(folder)
    });
    made.unwrap_or_else(|error| panic!("no scratch folder: {error}"))
}
