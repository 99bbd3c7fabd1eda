//! The oracle runner itself: what is right passes, everything else is one line and exit code 1.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../forge-models/tests/oracle")
}

fn mlp() -> PathBuf {
    models().join("tabular_mlp/two_blocks.safetensors")
}

fn run(paths: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oracle"))
        .args(paths)
        .output()
        .unwrap()
}

/// The lines, after checking exit code, silence on stderr and one line a file.
fn failing(path: &Path) -> String {
    let output = run(&[path]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("FAIL ("), "{text}");
    assert_eq!(lines[1], "1 cases: 0 passed, 1 failed");
    lines[0].into()
}

/// A case to spoil.
struct Copy {
    tensors: Vec<(String, Vec<usize>, Dtype, Vec<u8>)>,
    metadata: std::collections::HashMap<String, String>,
    folder: tempfile::TempDir,
}

impl Copy {
    fn of(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tensors = file
            .iter()
            .map(|(name, view)| {
                (
                    name.to_string(),
                    view.shape().to_vec(),
                    view.dtype(),
                    view.data().to_vec(),
                )
            })
            .collect();
        let metadata = header.metadata().clone().unwrap();
        Self {
            tensors,
            metadata,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn mlp() -> Self {
        Self::of(&mlp())
    }

    fn tensor(&mut self, name: &str) -> &mut (String, Vec<usize>, Dtype, Vec<u8>) {
        self.tensors
            .iter_mut()
            .find(|tensor| tensor.0 == name)
            .unwrap()
    }

    fn set(&mut self, name: &str, element: usize, change: impl Fn(f64) -> f64) {
        let bytes = &mut self.tensor(name).3[element * 8..][..8];
        let value = f64::from_le_bytes(bytes.try_into().unwrap());
        bytes.copy_from_slice(&change(value).to_le_bytes());
    }

    fn config(&mut self, change: impl Fn(&mut Value)) {
        let mut config: Value = serde_json::from_str(&self.metadata["config"]).unwrap();
        change(&mut config);
        self.metadata.insert("config".into(), config.to_string());
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("spoilt.safetensors")
    }

    fn write(&self) -> PathBuf {
        let views = self.tensors.iter().map(|(name, shape, dtype, bytes)| {
            (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap())
        });
        let bytes = safetensors::serialize(views, Some(self.metadata.clone())).unwrap();
        std::fs::write(self.path(), bytes).unwrap();
        self.path()
    }

    fn fails(&self, reason: &str) {
        let line = failing(&self.write());
        assert!(line.contains(reason), "'{reason}' is not in: {line}");
    }
}

#[test]
fn all_cases_of_the_repository_pass() {
    let components = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    let output = run(&[&models(), &components]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let cases = text.lines().filter(|line| line.ends_with("  PASS")).count();
    assert!(cases >= 11, "{text}");
    assert_eq!(
        text.lines().last().unwrap(),
        format!("{cases} cases: {cases} passed, 0 failed")
    );
}

#[test]
fn a_line_has_model_case_and_the_four_errors() {
    let output = run(&[&mlp()]);
    let text = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = text.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(words[..4], ["tabular_mlp", "two_blocks", "outputs", "f64"]);
    let errors: Vec<f64> = words.iter().filter_map(|word| word.parse().ok()).collect();
    assert_eq!(errors.len(), 4, "{text}");
}

#[test]
fn an_untouched_copy_passes() {
    let output = run(&[&Copy::mlp().write()]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn one_bad_file_fails_the_rest_runs() {
    let absent = Path::new("no such file.safetensors");
    let output = run(&[&mlp(), absent, &mlp()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(
        text.lines()
            .nth(1)
            .unwrap()
            .starts_with("no such file.safetensors  FAIL ("),
        "{text}"
    );
    assert!(text.ends_with("3 cases: 2 passed, 1 failed\n"), "{text}");
}

#[test]
fn folders_without_cases_and_no_arguments_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    assert!(failing(folder.path()).contains("no .safetensors files"));
    assert_eq!(run(&[]).status.code(), Some(2));
}

#[test]
fn truncated_and_overlong_files_fail() {
    let copy = Copy::mlp();
    let bytes = std::fs::read(mlp()).unwrap();
    for length in [0, 5, 8, 9, 300, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(copy.path(), &bytes[..length]).unwrap();
        assert!(failing(&copy.path()).contains("safetensors"), "{length}");
    }
    let mut long = bytes.clone();
    long.extend([0; 16]);
    std::fs::write(copy.path(), &long).unwrap();
    failing(&copy.path());
    let mut huge = bytes;
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    std::fs::write(copy.path(), &huge).unwrap();
    failing(&copy.path());
}

#[test]
fn wrong_numbers_fail_by_name() {
    // A relative error of five times the f64 tolerance in the last element of each kind of result.
    for key in [
        "output/y",
        "grad/blocks.1.linear.weight",
        "grad/output.bias",
        "grad_input/x_num",
    ] {
        let mut copy = Copy::mlp();
        let elements: usize = copy.tensor(key).1.iter().product();
        let bytes = copy.tensor(key).3.clone();
        let values = bytes
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes(b.try_into().unwrap()));
        let size = values.map(f64::abs).fold(0.0, f64::max);
        copy.set(key, elements - 1, |value| value + 5e-9 * size.max(0.1));
        copy.fails(&format!("{key} differs by"));
    }
    let mut copy = Copy::mlp();
    copy.set("param/output.bias", 0, |value| value + 1e-7);
    copy.fails("output/y differs by");
}

#[test]
fn values_that_are_not_finite_fail_by_name() {
    for value in [f64::NAN, f64::INFINITY] {
        for key in [
            "output/y",
            "param/output.weight",
            "grad/output.weight",
            "input/x_num",
        ] {
            let mut copy = Copy::mlp();
            copy.set(key, 0, |_| value);
            copy.fails(&format!("{key} holds a value that is not finite"));
        }
    }
}

#[test]
fn missing_and_extra_tensors_fail_by_name() {
    for (key, reason) in [
        ("param/output.bias", "output.bias is missing"),
        ("input/x_num", "x_num is absent"),
        ("cotangent/y", "was not computed"),
    ] {
        let mut copy = Copy::mlp();
        copy.tensors.retain(|tensor| tensor.0 != key);
        copy.fails(reason);
    }
    let mut copy = Copy::mlp();
    copy.tensors.retain(|tensor| tensor.0 != "output/y");
    copy.fails("no output/");
    for (key, reason) in [
        ("param/extra", "extra is not part of the model"),
        ("input/extra", "input/extra was not read"),
        ("output/extra", "output/extra was not computed"),
        ("grad/extra", "grad/extra was not computed"),
    ] {
        let mut copy = Copy::mlp();
        copy.tensors
            .push((key.into(), vec![1], Dtype::F64, vec![0; 8]));
        copy.fails(reason);
    }
}

#[test]
fn a_gradient_that_the_file_lacks_must_be_zero() {
    let mut copy = Copy::mlp();
    copy.tensors.retain(|tensor| tensor.0 != "grad/output.bias");
    copy.fails("grad/output.bias differs by");
}

#[test]
fn misshapen_tensors_fail_by_name() {
    let mut copy = Copy::mlp();
    copy.tensor("param/output.weight").1.reverse();
    copy.fails("output.weight is [13, 3], expected [3, 13]");
    let mut copy = Copy::mlp();
    copy.tensor("cotangent/y").1.reverse();
    copy.fails("cotangent/y is [3, 11]");
    let mut copy = Copy::mlp();
    copy.tensor("output/y").1.reverse();
    copy.fails("output/y is [11, 3], expected [3, 11]");
    let mut copy = Copy::mlp();
    copy.tensor("input/x_num").1 = vec![33];
    copy.fails("input/x_num is [33], expected 2 axes");
}

#[test]
fn bad_metadata_fails_with_the_reason() {
    let spoil = |change: fn(&mut Copy), reason: &str| {
        let mut copy = Copy::mlp();
        change(&mut copy);
        copy.fails(reason);
    };
    for key in ["model", "case", "config", "mode"] {
        let mut copy = Copy::mlp();
        copy.metadata.remove(key);
        copy.fails(&format!("the metadata has no '{key}'"));
    }
    spoil(
        |c| drop(c.metadata.insert("model".into(), "tabular_mpl".into())),
        "unknown model 'tabular_mpl'",
    );
    spoil(
        |c| drop(c.metadata.insert("config".into(), "{\"d_in\": ".into())),
        "'config' is not JSON",
    );
    spoil(
        |c| drop(c.metadata.insert("config".into(), "[3]".into())),
        "not a JSON object",
    );
    spoil(
        |c| drop(c.metadata.insert("mode".into(), "test".into())),
        "mode 'test'",
    );
    spoil(
        |c| c.config(|config| config["d_out"] = json!("three")),
        "tabular_mlp",
    );
    spoil(|c| c.config(|config| config["bogus"] = json!(1)), "bogus");
    spoil(
        |c| c.config(|config| drop(config.as_object_mut().unwrap().remove("d_block"))),
        "lacks 'd_block'",
    );
    spoil(
        |c| c.config(|config| config["dropout"] = json!(1.5)),
        "dropout = 1.5",
    );
    spoil(
        |c| c.config(|config| config["d_block"] = json!(0)),
        "d_block = 0",
    );
    spoil(
        |c| c.config(|config| config["d_block"] = json!(12)),
        "expected [12, 3]",
    );
    spoil(
        |c| c.config(|config| config["d_block"] = json!(65_536)),
        "parameters",
    );
    spoil(
        |c| c.config(|config| config["d_block"] = json!(u64::MAX)),
        "d_block",
    );
    spoil(
        |c| c.config(|config| config["n_blocks"] = json!(-1)),
        "tabular_mlp",
    );
}

#[test]
fn a_case_run_in_the_wrong_mode_fails() {
    for (case, mode) in [("eval_2blocks", "train"), ("train_2blocks", "eval")] {
        let path = models().join(format!("tabular_resnet/{case}.safetensors"));
        let mut copy = Copy::of(&path);
        copy.metadata.insert("mode".into(), mode.into());
        copy.fails("output/y differs by");
    }
}

#[test]
fn codes_out_of_range_fail() {
    let mut copy = Copy::of(&models().join("ft_transformer/num_cat_3blocks.safetensors"));
    copy.tensor("input/x_cat").3[..8].copy_from_slice(&2i64.to_le_bytes());
    copy.fails("x_cat[0, 0] is 2, expected in 0..2");
    copy.tensor("input/x_cat").3[..8].copy_from_slice(&(-1i64).to_le_bytes());
    copy.fails("x_cat[0, 0] is -1");
}

#[test]
fn components_are_found_beside_models() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/rms_norm");
    let mut copy = Copy::of(&folder.join("large_eps.safetensors"));
    assert_eq!(run(&[&copy.write()]).status.code(), Some(0));
    copy.config(|config| config["eps"] = json!(0.02));
    copy.fails("output/y differs by");
    copy.config(|config| config["d_model"] = json!(1_000_000_000_000_u64));
    copy.fails("above 1000000");
}
