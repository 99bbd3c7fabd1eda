//! Weights that were trained on other tables.

use std::collections::BTreeMap;
use std::path::Path;

use forge_models::{
    Context, Labels, Model, ModelConfig, Pretrained, ReferenceWeights, TabIclConfig,
    TabPfnV1Config, TabPfnV2Config, TabularConfig, TabularInput, TabularModel, TabularSpec,
};
use forge_nn::burn::tensor::{Device, Distribution, Tensor, TensorData};
use forge_nn::{ForgeError, ModuleConfig, Network, StateDict, Want};

fn tabpfn() -> TabPfnV1Config {
    TabPfnV1Config {
        num_features: 7,
        n_out: 5,
        emsize: 8,
        nhead: 2,
        nhid: 10,
        nlayers: 2,
        ..TabPfnV1Config::default()
    }
}

fn tabpfn_v2() -> TabPfnV2Config {
    TabPfnV2Config {
        n_num_features: 7,
        max_num_classes: 5,
        ..TabPfnV2Config::narrow()
    }
}

fn tabicl(max_classes: usize) -> TabIclConfig {
    TabIclConfig {
        n_num_features: 7,
        max_classes,
        num_quantiles: 9,
        ..TabIclConfig::narrow()
    }
}

fn pretrained(config: impl Into<ModelConfig>) -> Pretrained {
    let (config, device) = (config.into(), Device::flex());
    device.seed(5);
    let model = config.init(&device);
    Pretrained { config, model }
}

fn spec(columns: usize, d_out: usize) -> TabularSpec {
    TabularSpec {
        n_num_features: columns,
        cat_cardinalities: vec![],
        d_out,
    }
}

/// Eleven labelled rows of three columns with classes below `classes`, four rows to predict.
fn input(classes: usize) -> TabularInput {
    let device = Device::flex();
    device.seed(9);
    let rows = |n| TabularInput::numeric(Tensor::random([n, 3], Distribution::Default, &device));
    let labels: Vec<f32> = (0..11).map(|i| (i % classes) as f32).collect();
    let labels = Tensor::from_data(TensorData::new(labels, [11, 1]), &device);
    rows(4).with_context(Context::labelled(rows(11).rows, labels))
}

fn values(y: Tensor<2>) -> Vec<f64> {
    y.into_data().iter().collect()
}

fn outputs(model: &Model, classes: usize) -> Vec<f64> {
    let forward = model.run_narrow(input(classes), Want::PREDICTIONS);
    values(forward.unwrap().y)
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
}

/// Logits of the classes that there are, for as many columns as there are.
#[test]
fn fewer_classes_and_columns_are_a_part_of_the_weights() {
    for whole in [
        pretrained(tabpfn()),
        pretrained(tabicl(5)),
        pretrained(tabpfn_v2()),
    ] {
        let all = outputs(&whole.model, 3);
        let wanted: Vec<f64> = all.chunks(5).flat_map(|row| row[..3].to_vec()).collect();
        let part = whole.for_table(&spec(3, 3), Labels::Classes(3)).unwrap();
        assert_eq!(part.model.spec(), spec(3, 3));
        assert_eq!(part.config.spec(), spec(3, 3));
        assert_close(&values(part.model.forward(input(3))), &wanted);
        // It is a model of its config: what a file holds of it is all there is.
        let state = StateDict::from_module(&part.model).unwrap();
        let again = state.load_into(part.config.init(&Device::flex())).unwrap();
        assert_close(&values(again.forward(input(3))), &wanted);
    }
}

#[test]
fn two_classes_may_be_one_logit() {
    for whole in [pretrained(tabpfn()), pretrained(tabicl(5))] {
        let all = outputs(&whole.model, 2);
        let wanted: Vec<f64> = all.chunks(5).map(|row| row[1] - row[0]).collect();
        let part = whole.for_table(&spec(3, 1), Labels::Classes(2)).unwrap();
        assert_close(&values(part.model.forward(input(2))), &wanted);
        let state = StateDict::from_module(&part.model).unwrap();
        let again = state.load_into(part.config.init(&Device::flex())).unwrap();
        assert_close(&values(again.forward(input(2))), &wanted);
    }
}

#[test]
fn quantiles_may_be_their_mean() {
    let whole = pretrained(tabicl(0));
    let all = outputs(&whole.model, 3);
    let mean = |row: &[f64]| row.iter().sum::<f64>() / 9.0;
    let wanted: Vec<f64> = all.chunks(9).map(mean).collect();
    let part = whole.clone();
    let part = part.for_table(&spec(3, 1), Labels::Numbers(1)).unwrap();
    assert_close(&values(part.model.forward(input(3))), &wanted);
    let same = whole.for_table(&spec(3, 9), Labels::Numbers(1)).unwrap();
    assert_close(&values(same.model.forward(input(3))), &all);
}

#[test]
fn what_weights_do_not_know_is_refused_with_the_way_out() {
    let refused = |whole: Pretrained, table: TabularSpec, labels| -> String {
        let error = whole.for_table(&table, labels).unwrap_err();
        assert!(error.is_unsupported(), "{error}");
        error.to_string()
    };
    let (classes, numbers) = (Labels::Classes, Labels::Numbers);
    for (config, columns, d_out, labels, says) in [
        (
            tabpfn().into(),
            8,
            3,
            classes(3),
            "take 1 to 7 columns, the table has 8",
        ),
        (
            tabpfn().into(),
            3,
            6,
            classes(6),
            "know 5 classes, the target has 6",
        ),
        (
            tabicl(5).into(),
            3,
            6,
            classes(6),
            "know 5 classes, the target has 6",
        ),
        (
            tabpfn().into(),
            3,
            1,
            numbers(1),
            "predict classes, the target is numbers",
        ),
        (
            tabicl(0).into(),
            3,
            3,
            classes(3),
            "predict numbers, the target is classes",
        ),
        (tabicl(0).into(), 3, 2, numbers(1), "say 9 numbers"),
        (tabpfn_v2().into(), 3, 1, classes(2), "'multiclass'"),
        (tabpfn_v2().into(), 3, 6, classes(6), "know 5 classes"),
        (tabpfn_v2().into(), 3, 1, numbers(1), "TabPfnV2Ensemble"),
        (
            ModelConfig::narrow("tabpfn_v1").unwrap(),
            3,
            1,
            numbers(2),
            "numbers",
        ),
    ] {
        let config: ModelConfig = config;
        let error = refused(pretrained(config), spec(columns, d_out), labels);
        assert!(error.contains(says), "{error}");
    }
    let mlp = ModelConfig::narrow("tabular_mlp").unwrap();
    let mlp = mlp.sized_for(&spec(3, 2)).unwrap();
    let error = refused(pretrained(mlp.clone()), spec(2, 2), classes(2));
    assert!(
        error.contains("tabular_mlp") && error.contains("tabpfn_v1"),
        "{error}"
    );
    // Nor does it take fewer columns.
    let model = mlp.init(&Device::flex());
    let narrow = TabularInput::numeric(Tensor::ones([1, 2], &Device::flex()));
    let error = model.run_narrow(narrow, Want::PREDICTIONS).unwrap_err();
    assert!(
        error.to_string().contains("3 columns, the table has 2"),
        "{error}"
    );
}

fn read(path: &Path, config: impl Into<ModelConfig>) -> Result<Pretrained, ForgeError> {
    Pretrained::read(path, config.into(), 3, &Device::flex())
}

#[test]
fn a_file_says_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let whole = pretrained(tabpfn());
    whole.save(&path).unwrap();
    // Whatever sizes are asked for: the file has its own.
    let found = read(&path, TabPfnV1Config::default()).unwrap();
    assert_eq!(found.config, whole.config);
    assert_eq!(outputs(&found.model, 3), outputs(&whole.model, 3));
    let error = read(&path, tabicl(5)).unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("tabpfn_v1"),
        "{error}"
    );
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = read(&path, tabpfn()).unwrap_err();
    assert!(
        error.is_artifact() && error.to_string().contains("weights.safetensors"),
        "{error}"
    );
}

/// A `state_dict` in the authors' names does not say what it is: the config does.
#[test]
fn the_authors_files_are_read_by_the_config() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authors.safetensors");
    let write = |state: &StateDict| {
        let views = state.tensors.iter().map(|(name, data)| {
            let (dtype, shape) = (safetensors::Dtype::F64, data.shape().to_vec());
            let view = safetensors::tensor::TensorView::new(dtype, shape, data.as_bytes());
            (name.clone(), view.unwrap())
        });
        let views: BTreeMap<_, _> = views.collect();
        std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    };
    let in_f64 = |mut state: StateDict| {
        for data in state.tensors.values_mut() {
            *data = data.clone().convert::<f64>();
        }
        state
    };
    let whole = pretrained(tabpfn());
    let Model::TabPfnV1(module) = &whole.model else {
        unreachable!()
    };
    write(&in_f64(tabpfn().to_reference(module).unwrap()));
    let found = read(&path, tabpfn()).unwrap();
    assert_eq!(outputs(&found.model, 3), outputs(&whole.model, 3));
    let error = read(
        &path,
        TabPfnV1Config {
            n_out: 4,
            ..tabpfn()
        },
    )
    .unwrap_err();
    assert!(error.is_weights(), "{error}");

    // No weight depends on the number of columns: as many as the table has.
    let whole = pretrained(tabicl(5));
    let Model::TabIcl(module) = &whole.model else {
        unreachable!()
    };
    write(&in_f64(tabicl(5).to_reference(module).unwrap()));
    let unsized_ = TabIclConfig {
        n_num_features: 0,
        ..tabicl(5)
    };
    let found = read(&path, unsized_).unwrap();
    assert_eq!(found.config.spec(), spec(3, 5));
    assert_close(&outputs(&found.model, 3), &outputs(&whole.model, 3));
}
