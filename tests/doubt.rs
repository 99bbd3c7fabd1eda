//! How sure fitted models are of single rows.

use volatilityforge::chain::{SmileTasks, SmileTasksConfig, SmilesBy};
use volatilityforge::data::ColumnValues;
use volatilityforge::models::ModelConfig;
use volatilityforge::prediction::{OutputColumns, PredictionConfig};
use volatilityforge::{
    Column, DeviceName, EstimatorConfig, FittedModel, Inference, Table, TabularEstimator,
    read_table,
};

use crate::cases::Run;
use crate::chain::{ROWS, chain, quick};
use crate::experiment::config as experiment;

/// Three members of 8.
const TABM: &str = r#"{"model": "tabm", "k": 3, "n_blocks": 1, "d_block": 8}"#;

/// Three members of 8 that predict normal distributions, or what `objective` says.
fn members(objective: &str, target: &str) -> FittedModel {
    let config = EstimatorConfig {
        model: ModelConfig::from_json(TABM).unwrap().into(),
        objective: Some(objective.parse().unwrap()),
        ..quick("tabm")
    };
    TabularEstimator::new(target)
        .with_config(config)
        .unwrap()
        .fit(&chain(), &DeviceName::Flex.open().unwrap())
        .unwrap()
}

fn column(table: &Table, name: &str) -> Vec<f64> {
    match &table.column(name).unwrap().values {
        ColumnValues::Numeric(values) => values.clone(),
        other => panic!("{other:?}"),
    }
}

/// What a file of predictions holds, and what the account of it says.
fn predicted(model: &FittedModel, how: Option<&str>, quantiles: &[f64]) -> (Table, String) {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("in.csv"), folder.path().join("out.csv"));
    chain().write(&data).unwrap();
    let mut config = PredictionConfig::of(model);
    config.columns = OutputColumns::Predictions;
    config.inference = how.map(|how| how.parse().unwrap());
    config.quantiles = quantiles.to_vec();
    let account = model.predict_file(&data, &out, &config).unwrap();
    (
        read_table(&out, &Default::default()).unwrap().0,
        account.to_string(),
    )
}

fn names(table: &Table) -> Vec<&str> {
    table.columns().iter().map(|c| c.name.as_str()).collect()
}

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-9 + 1e-6 * expected.abs(),
            "{found} {expected}"
        );
    }
}

#[test]
fn members_of_one_network_tell_both_parts_of_the_doubt() {
    let (model, table) = (members("distribution", "vol"), chain());
    let (answers, _) = model
        .answers_with_report(&table, None, &Inference::Members)
        .unwrap();
    assert_eq!(answers.len(), 3);
    let said = model
        .predictive(&table, None, Some(&Inference::Members))
        .unwrap();
    let mean = |of: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
        (0..ROWS)
            .map(|i| (0..3).map(|k| of(k, i)).sum::<f64>() / 3.0)
            .collect()
    };
    let (m, s) = (
        |k: usize, i: usize| answers[k].point()[i],
        |k: usize, i: usize| answers[k].std().unwrap()[i],
    );
    let center = mean(&m);
    close(&said.mean(), &center);
    close(&said.mean(), &model.predictions(&table).unwrap().point());
    close(&said.aleatoric(), &mean(&|k, i| s(k, i).powi(2)));
    close(
        &said.epistemic(),
        &mean(&|k, i| (m(k, i) - center[i]).powi(2)),
    );
    assert!(said.has_noise() && said.epistemic().iter().all(|v| *v > 0.0));

    let (file, _) = predicted(&model, Some("members"), &[0.1, 0.9]);
    let expected = [
        "predicted_vol",
        "std_vol",
        "aleatoric_vol",
        "epistemic_vol",
        "quantile_0.1_vol",
        "quantile_0.9_vol",
    ];
    assert_eq!(names(&file), expected);
    let root = |values: Vec<f64>| values.into_iter().map(f64::sqrt).collect::<Vec<_>>();
    close(&column(&file, "epistemic_vol"), &root(said.epistemic()));
    close(&column(&file, "aleatoric_vol"), &root(said.aleatoric()));
    close(
        &column(&file, "quantile_0.1_vol"),
        &said.quantile(0.1).unwrap(),
    );
    // Asked once, the distribution has quantiles too, of the moments of the members' mixture.
    let (file, _) = predicted(&model, None, &[0.5]);
    assert_eq!(names(&file)[4..], ["quantile_0.5_vol"]);
    close(
        &column(&file, "quantile_0.5_vol"),
        &column(&file, "predicted_vol"),
    );
    let once = model.predictive(&table, Some(&[3, 5]), None).unwrap();
    close(&once.mean(), &[center[3], center[5]]);
}

#[test]
fn doubt_without_noise_has_no_quantiles_and_says_why() {
    let model = members("regression", "vol");
    let said = model
        .predictive(&chain(), None, Some(&Inference::Members))
        .unwrap();
    assert!(!said.has_noise());
    let (file, account) = predicted(&model, Some("members"), &[0.1]);
    assert_eq!(names(&file), ["predicted_vol", "epistemic_vol"]);
    let spread = model
        .predictions_spread(&chain(), None, &Inference::Members)
        .unwrap();
    close(&column(&file, "epistemic_vol"), &spread.spread);
    assert!(
        account.contains("no quantiles") && account.contains("regression"),
        "{account}"
    );
    // Moved inputs say how sensitive a model is, not what it knows.
    let (file, account) = predicted(&model, Some("noise:0.1,4"), &[0.1]);
    assert_eq!(names(&file), ["predicted_vol", "spread_vol"]);
    assert!(!account.contains("no quantiles"));

    let model = members("quantiles:0.1,0.5,0.9", "vol");
    let error = model
        .predictive(&chain(), None, Some(&Inference::Members))
        .unwrap_err();
    assert!(
        error.is_unsupported() && error.to_string().contains("quantiles"),
        "{error}"
    );
    let (file, _) = predicted(&model, Some("members"), &[0.25]);
    assert_eq!(
        names(&file)[1..],
        [
            "quantile_0.1_vol",
            "quantile_0.5_vol",
            "quantile_0.9_vol",
            "spread_vol"
        ]
    );

    let folder = tempfile::tempdir().unwrap();
    let mut config = PredictionConfig::of(&model);
    config.quantiles = vec![1.0];
    let error = model.predict_file("none.csv", folder.path().join("out.csv"), &config);
    assert!(error.unwrap_err().to_string().contains("quantiles = 1"));
}

#[test]
fn doubt_about_classes_is_entropy() {
    let model = members("binary", "option_type");
    let (answers, _) = model
        .answers_with_report(&chain(), None, &Inference::Members)
        .unwrap();
    let (file, _) = predicted(&model, Some("members"), &[]);
    let end = [
        "spread_probability_C",
        "spread_probability_P",
        "entropy_option_type",
        "aleatoric_entropy_option_type",
        "epistemic_entropy_option_type",
    ];
    assert!(names(&file).ends_with(&end), "{:?}", names(&file));
    let entropy = |p: f64| -(p * p.ln() + (1.0 - p) * (1.0 - p).ln());
    let p = |k: usize, row: usize| answers[k].probabilities().unwrap()[2 * row];
    let (total, own) = (
        (0..ROWS).map(|i| entropy((0..3).map(|k| p(k, i)).sum::<f64>() / 3.0)),
        (0..ROWS).map(|i| (0..3).map(|k| entropy(p(k, i))).sum::<f64>() / 3.0),
    );
    let (total, own): (Vec<f64>, Vec<f64>) = (total.collect(), own.collect());
    close(&column(&file, "entropy_option_type"), &total);
    close(&column(&file, "aleatoric_entropy_option_type"), &own);
    let model_own: Vec<f64> = total.iter().zip(&own).map(|(t, a)| t - a).collect();
    close(&column(&file, "epistemic_entropy_option_type"), &model_own);
    let error = model
        .predictive(&chain(), None, Some(&Inference::Members))
        .unwrap_err();
    assert!(error.is_unsupported(), "{error}");
}

#[test]
fn a_report_says_how_sure_the_model_is() {
    let folder = tempfile::tempdir().unwrap();
    let report = |model: &str, objective: &str| {
        let mut config = experiment(folder.path());
        config.models = vec![ModelConfig::from_json(model).unwrap().into()];
        config.estimator.objective = Some(objective.parse().unwrap());
        let run = Run::of(&config).unwrap();
        std::fs::read_to_string(run.file("run/report.html")).unwrap()
    };
    let html = report(TABM, "distribution");
    for part in [
        "How sure the model is of vol",
        "Answers of its members",
        "(epistemic)",
    ] {
        assert!(html.contains(part), "{part}");
    }
    // A single network without dropout that predicts values has nothing to say.
    let html = report(
        r#"{"model": "tabular_mlp", "n_blocks": 1, "d_block": 8, "dropout": 0.0}"#,
        "regression",
    );
    assert!(!html.contains("How sure"));
}

fn quotes(n: usize) -> Vec<Column> {
    let all = |f: &dyn Fn(usize) -> f64| (0..n).map(f).collect::<Vec<f64>>();
    let (t, k) = (
        |i: usize| [0.1, 0.4, 0.9][i % 3],
        |i: usize| i as f64 / n as f64 - 0.5,
    );
    vec![
        Column::numeric("log_moneyness", all(&k)),
        Column::numeric("time_to_maturity", all(&t)),
        Column::numeric("implied_vol", all(&|i| 0.2 + k(i).powi(2) / t(i))),
    ]
}

#[test]
fn smiles_are_tasks_of_one_expiry_in_the_units_of_those_learned_from() {
    let config = SmileTasksConfig {
        n_support: 4,
        n_query: 5,
        ..SmileTasksConfig::default()
    };
    let table = Table::new(quotes(60)).unwrap();
    let smiles = SmileTasks::of(&table, config.clone()).unwrap();
    assert_eq!(
        smiles.smiles().iter().map(|s| s.time).collect::<Vec<_>>(),
        [0.1, 0.4, 0.9]
    );
    let (learned, held_out) = smiles.parted().unwrap();
    assert_eq!((learned.smiles().len(), held_out.smiles().len()), (2, 1));
    assert_eq!(learned.unit(), held_out.unit());
    // Mean and deviation of the volatilities that are learned from.
    let kept: Vec<f64> = (0..60)
        .filter(|i| i % 3 < 2)
        .map(|i| {
            let (t, k) = ([0.1, 0.4][i % 3], i as f64 / 60.0 - 0.5);
            0.2 + k * k / t
        })
        .collect();
    let mean = kept.iter().sum::<f64>() / 40.0;
    let unit = (kept.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 40.0).sqrt();
    assert!((learned.unit() - unit).abs() < 1e-12);
    let device = DeviceName::Flex.open().unwrap();
    let task = held_out.task_of(0, 3, &device).unwrap();
    assert_eq!(
        (task.support.0.dims(), task.query.1.dims()),
        ([4, 2], [5, 1])
    );
    // No quote is in both, and each is one of the smile: volatility follows from what is given.
    let mut seen = Vec::new();
    let x_unit = {
        let x: Vec<f64> = (0..60)
            .filter(|i| i % 3 < 2)
            .map(|i| (i as f64 / 60.0 - 0.5) / [0.1f64, 0.4][i % 3].sqrt())
            .collect();
        let mean = x.iter().sum::<f64>() / 40.0;
        (
            mean,
            (x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 40.0).sqrt(),
        )
    };
    for (x, y) in [task.support, task.query] {
        let x: Vec<f32> = x.into_data().iter().collect();
        let y: Vec<f32> = y.into_data().iter().collect();
        for (x, y) in x.chunks_exact(2).zip(y) {
            let x = f64::from(x[0]) * x_unit.1 + x_unit.0;
            let vol = f64::from(y) * unit + mean;
            assert!((vol - (0.2 + x * x)).abs() < 1e-5, "{x} {vol}");
            seen.push((x * 1e4).round());
        }
    }
    seen.sort_by(f64::total_cmp);
    seen.dedup();
    assert_eq!(seen.len(), 9);

    let whole = SmileTasksConfig {
        by: SmilesBy::Day,
        ..config.clone()
    };
    assert_eq!(
        SmileTasks::of(&table, whole).unwrap().smiles()[0].n_quotes(),
        60
    );
    let most = SmileTasksConfig {
        n_query: 17,
        ..config.clone()
    };
    let error = SmileTasks::of(&table, most).unwrap_err().to_string();
    assert!(
        error.contains("none of 3 smiles has the 21 quotes"),
        "{error}"
    );
    let none = SmileTasksConfig {
        n_support: 0,
        ..config.clone()
    };
    assert!(SmileTasks::of(&table, none).unwrap_err().is_config());
    let mut columns = quotes(60);
    columns[1] = Column::numeric("time_to_maturity", vec![0.0; 60]);
    let error = SmileTasks::of(&Table::new(columns).unwrap(), config.clone()).unwrap_err();
    assert!(error.to_string().contains("time_to_maturity"), "{error}");
    let bare = Table::new(quotes(60)[..2].to_vec()).unwrap();
    let error = SmileTasks::of(&bare, config).unwrap_err().to_string();
    assert!(error.contains("implied_vol"), "{error}");
}
