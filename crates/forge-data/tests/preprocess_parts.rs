use std::collections::BTreeMap;

use burn::tensor::{DType, TensorData};
use forge_data::{
    CategoricalEncoding, Column, FeatureSelection, NumericTransform, PreprocessConfig,
    Preprocessor, PreprocessorManifest, Table,
};

use crate::tables::{NAN, all, labels};

type Parts = (PreprocessorManifest, BTreeMap<String, TensorData>);

fn table() -> Table {
    Table::new(vec![
        Column::numeric("a", vec![0.1, 0.7, NAN, 1e9, -3.3]),
        Column::numeric("b", vec![1.0 / 3.0, 2.0, 3.0, 4.0, 5.0]),
        labels("l", &[Some("ü"), None, Some("x,y"), Some("ü"), Some("\"")]),
    ])
    .unwrap()
}

fn fitted(numeric: NumericTransform, categorical: CategoricalEncoding) -> Preprocessor {
    let t = table();
    let config = PreprocessConfig {
        numeric,
        categorical,
        quantile_noise: 0.1,
        ..Default::default()
    };
    let fit = Preprocessor::fit(&t, &FeatureSelection::All, &all(&t), &config);
    fit.unwrap().0
}

#[test]
fn parts_give_back_the_same_preprocessor_bit_by_bit() {
    let t = table();
    for numeric in [
        NumericTransform::None,
        NumericTransform::Standardize,
        NumericTransform::Quantile,
    ] {
        for categorical in [CategoricalEncoding::Codes, CategoricalEncoding::OneHot] {
            let p = fitted(numeric, categorical);
            let (manifest, tensors) = p.to_parts();
            let json = serde_json::to_string(&manifest).unwrap();
            let manifest = serde_json::from_str(&json).unwrap();
            let back = Preprocessor::from_parts(manifest, &tensors).unwrap();
            assert_eq!(back, p);
            let bits = |p: &Preprocessor| {
                let x = p.transform(&t, None).unwrap();
                let numeric: Vec<u32> = x.numeric.iter().map(|v| v.to_bits()).collect();
                (numeric, x.categorical)
            };
            assert_eq!(bits(&back), bits(&p));
        }
    }
}

fn refused(what: &str, spoil: impl Fn(&mut Parts)) {
    let mut parts = fitted(NumericTransform::Quantile, CategoricalEncoding::Codes).to_parts();
    assert!(Preprocessor::from_parts(parts.0.clone(), &parts.1).is_ok());
    spoil(&mut parts);
    let error = Preprocessor::from_parts(parts.0, &parts.1).unwrap_err();
    assert!(error.is_parse(), "{what}: {error}");
    assert!(
        error.to_string().contains(what),
        "expected '{what}' in: {error}"
    );
}

fn put(parts: &mut Parts, name: &str, values: Vec<f64>, shape: &[usize]) {
    parts
        .1
        .insert(name.into(), TensorData::new(values, shape.to_vec()));
}

#[test]
fn hostile_parts_are_refused_with_the_reason() {
    refused("version 2", |p| p.0.version = 2);
    refused("n_quantiles", |p| p.0.config.n_quantiles = Some(usize::MAX));
    refused("no columns", |p| {
        p.0.numeric.clear();
        p.0.categorical.clear();
    });
    refused("occurs twice", |p| p.0.numeric[1].name = "a".into());
    refused("occurs twice", |p| p.0.categorical[0].name = "a".into());
    refused("shape [2]; expected [1]", |p| {
        p.0.numeric.pop();
    });
    refused("not known", |p| p.0.numeric.clear());
    refused("gives no feature", |p| p.0.numeric[1].value = false);
    refused("sorted and distinct", |p| {
        p.0.categorical[0].labels.swap(0, 1)
    });
    refused("0 labels", |p| p.0.categorical[0].labels.clear());
    refused("3 labels", |p| p.0.config.max_categories = 2);
    refused("'numeric.scale' is missing", |p| {
        p.1.remove("numeric.scale");
    });
    refused("'numeric.quantiles' is not known", |p| {
        p.0.config.numeric = NumericTransform::Standardize;
    });
    refused("'numeric.more' is not known", |p| {
        put(p, "numeric.more", vec![0.0], &[1])
    });
    refused("holds -0; allowed", |p| {
        put(p, "numeric.scale", vec![1.0, -0.0], &[2])
    });
    refused("holds NaN", |p| {
        put(p, "numeric.center", vec![1.0, NAN], &[2])
    });
    refused("holds inf", |p| {
        put(p, "numeric.impute", vec![f64::INFINITY, 1.0], &[2])
    });
    refused("shape [2, 1]", |p| {
        put(p, "numeric.impute", vec![1.0, 1.0], &[2, 1])
    });
    refused("expected two axes", |p| {
        put(p, "numeric.quantiles", vec![1.0, 2.0], &[2])
    });
    refused("shape [1, 4]", |p| {
        put(p, "numeric.quantiles", vec![1.0; 4], &[1, 4])
    });
    refused("shape [2, 0]", |p| {
        put(p, "numeric.quantiles", vec![], &[2, 0])
    });
    refused("decreases", |p| {
        put(p, "numeric.quantiles", vec![1.0, 2.0, 2.0, 1.0], &[2, 2]);
    });
    refused("all equal", |p| {
        put(p, "numeric.quantiles", vec![1.0, 2.0, 1.0, 1.0], &[2, 2]);
    });
    refused("expected F64", |p| {
        let bytes = TensorData::from_bytes_vec(vec![0; 8], [2], DType::F32);
        p.1.insert("numeric.center".into(), bytes);
    });
}

#[test]
fn foreign_tensors_are_left_alone() {
    let mut parts = fitted(NumericTransform::None, CategoricalEncoding::Codes).to_parts();
    put(&mut parts, "model.weight", vec![0.0], &[1]);
    assert!(Preprocessor::from_parts(parts.0, &parts.1).is_ok());
}
