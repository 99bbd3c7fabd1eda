//! Settings of a run.

use volatilityforge::ModelChoice;
use volatilityforge::chain;
use volatilityforge::experiment::{Experiment, ExperimentConfig, TaskChoice};

use crate::experiment::quick;

fn config() -> ExperimentConfig {
    ExperimentConfig {
        data: Some("table.csv".into()),
        target: vec!["y".into()],
        models: vec!["tabular_mlp".into()],
        estimator: quick(),
        ..ExperimentConfig::default()
    }
}

#[test]
fn unknown_keys_are_named_at_every_depth() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    for (text, key) in [
        ("target = \"vol\"\nlerning_rate = 0.1\n", "lerning_rate"),
        ("[estimator]\nobjektive = 1\n", "objektive"),
        ("[estimator.training]\nepoch = 1\n", "epoch"),
        ("[estimator.preprocess]\nnumerik = \"none\"\n", "numerik"),
        ("[read]\nshet = \"a\"\n", "shet"),
        ("[market]\ndayz = 3\n", "dayz"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = ExperimentConfig::from_toml_file(&path)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(key) && error.contains("config.toml"),
            "{error}"
        );
    }
}

#[test]
fn bad_values_are_named() {
    type Change = fn(&mut ExperimentConfig);
    let changes: [(&str, Change); 14] = [
        ("epochs", |c| c.estimator.training.epochs = Some(0)),
        ("batch_size", |c| c.estimator.training.batch_size = Some(0)),
        ("lr", |c| c.estimator.training.learning_rate = Some(-1.0)),
        ("validation_fraction", |c| {
            c.estimator.validation_fraction = 1.5;
        }),
        ("models", |c| c.models.clear()),
        ("models", |c| c.models.push("tabular_mlp".into())),
        ("resnet", |c| c.models.push("resnet".into())),
        ("estimator.model", |c| {
            c.estimator.model = "tabular_resnet".into();
        }),
        ("target", |c| c.target.clear()),
        ("data", |c| c.data = None),
        ("data", |c| c.market = chain::experiment().market),
        ("task", |c| {
            c.task = TaskChoice::Regression;
            c.estimator.objective = Some("binary".parse().unwrap());
        }),
        ("fraction", |c| {
            c.split = Some(
                "random"
                    .parse::<volatilityforge::data::SplitConfig>()
                    .unwrap()
                    .with_fraction(1.0),
            )
        }),
        ("threshold", |c| {
            let text = "{ name = \"binary\", threshold = 1.5 }";
            c.set(&format!("estimator.objective={text}")).unwrap();
        }),
    ];
    assert!(Experiment::new(config()).is_ok());
    for (field, change) in changes {
        let mut config = config();
        change(&mut config);
        let error = Experiment::new(config).unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(field),
            "{field}: {error}"
        );
    }
}

#[test]
fn any_setting_can_be_set_by_its_place() {
    let mut config = config();
    for assignment in [
        "estimator.training.weight_decay=0.25",
        "estimator.preprocess.numeric=quantile",
        "estimator.objective={ name = \"quantiles\", quantiles = [0.2, 0.8] }",
        "target=[\"a\", \"b\"]",
        "weights = w",
    ] {
        config.set(assignment).unwrap();
    }
    config.models[0] = "tabm".into();
    config.set("estimator.model=tabm").unwrap();
    config.set("estimator.model.k=4").unwrap();
    config.set("estimator.model.dropout=0.25").unwrap();
    let ModelChoice::Changed(model) = &config.estimator.model else {
        panic!("a name with fields is a change of its preset")
    };
    assert_eq!((model.model.as_str(), model.fields.len()), ("tabm", 2));
    config.estimator.model = ModelChoice::default();
    assert_eq!(config.estimator.training.weight_decay, Some(0.25));
    assert_eq!(config.target, ["a", "b"]);
    assert_eq!(config.weights.as_deref(), Some("w"));
    let toml = config.to_toml().unwrap();
    assert!(
        toml.contains("quantiles = [") && toml.contains("numeric = \"quantile\""),
        "{toml}"
    );
    assert_eq!(ExperimentConfig::from_toml(&toml).unwrap(), config);
    for bad in [
        "epochs",
        "estimator.training.epoch=3",
        "target.x=1",
        "task=ranking",
    ] {
        let error = config.set(bad).unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(bad),
            "{error}"
        );
    }
}

/// A learning rate holds under every schedule, whether the preset's or a given one.
#[test]
fn the_learning_rate_reaches_every_schedule() {
    for schedule in [
        "constant",
        "cosine_warmup",
        "cosine_warm_restarts",
        "one_cycle",
    ] {
        let mut config = config();
        let place = format!("estimator.training.config.schedule={{ name = \"{schedule}\" }}");
        config.set(&place).unwrap();
        config
            .set("estimator.training.learning_rate=0.0123")
            .unwrap();
        let trainer = config.estimator.trainer(1000).unwrap();
        assert_eq!(trainer.schedule.peak_lr(), 0.0123, "{schedule}");
    }
}

#[test]
fn the_default_run_of_the_example_is_a_valid_one() {
    let config = chain::experiment();
    assert!(Experiment::new(config.clone()).is_ok());
    let toml = config.to_toml().unwrap();
    assert_eq!(ExperimentConfig::from_toml(&toml).unwrap(), config);
}

/// What the command line takes as text, files take too.
#[test]
fn short_forms_are_read_from_files() {
    let short = "data = \"t.csv\"\ntarget = \"y\"\nsplit = \"group:t\"\n\
                 [estimator]\nobjective = \"quantiles:0.1,0.9\"\n";
    let short = ExperimentConfig::from_toml(short).unwrap();
    let long = "data = \"t.csv\"\ntarget = [\"y\"]\nsplit = { name = \"group\", column = \"t\" }\n\
                [estimator]\nobjective = { name = \"quantiles\", quantiles = [0.1, 0.9] }\n";
    assert_eq!(short, ExperimentConfig::from_toml(long).unwrap());
    let again = ExperimentConfig::from_toml(&short.to_toml().unwrap()).unwrap();
    assert_eq!(again, short);
    let mut set = config();
    set.set("split=group:t").unwrap();
    assert_eq!(set.split, short.split);
    for (text, parts) in [
        ("split = \"groups:t\"", ["groups:t", "group:COLUMN"]),
        ("split = 3", ["3", "command line"]),
        (
            "split = { name = \"group\", colum = \"t\" }",
            ["colum", "column"],
        ),
        (
            "[estimator]\nobjective = \"quantile\"",
            ["quantile", "quantiles"],
        ),
    ] {
        let error = ExperimentConfig::from_toml(text).unwrap_err();
        let error_text = error.to_string();
        assert!(error.is_config(), "{error}");
        for part in parts {
            assert!(error_text.contains(part), "{part}: {error_text}");
        }
    }
}

#[test]
fn a_test_fraction_of_nothing_says_what_to_set() {
    let mut config = config();
    let split: volatilityforge::data::SplitConfig = "random".parse().unwrap();
    config.split = Some(split.with_fraction(0.0));
    let error = Experiment::new(config).unwrap_err().to_string();
    for part in ["--test-fraction", "split.fraction", "0.01", "compared"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

/// As a file's own folder has it, not where the program was started; and in the run's folder it is
/// absolute.
#[test]
fn a_relative_path_is_relative_to_the_file_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("settings")).unwrap();
    let file = folder.path().join("settings/run.toml");
    std::fs::write(&file, "data = \"../chain.csv\"\ntarget = \"vol\"\n").unwrap();
    crate::chain::chain()
        .write_csv(folder.path().join("chain.csv"))
        .unwrap();
    let mut config = ExperimentConfig::from_toml_file(&file).unwrap();
    config.models = vec!["tabular_mlp".into()];
    config.estimator = quick();
    let out = folder.path().join("run");
    crate::experiment::run_with_notes(&config, &out).unwrap();
    let stored = ExperimentConfig::from_toml_file(out.join("config.toml")).unwrap();
    let data = stored.data.unwrap();
    assert!(data.is_absolute() && data.exists(), "{}", data.display());

    let absolute = format!(
        "data = {:?}\ntarget = \"vol\"\n",
        folder.path().join("chain.csv")
    );
    std::fs::write(&file, absolute).unwrap();
    let config = ExperimentConfig::from_toml_file(&file).unwrap();
    assert_eq!(config.data.unwrap(), folder.path().join("chain.csv"));
}

#[test]
fn baselines_are_chosen_by_a_word_or_a_list() {
    for (text, shown) in [
        ("\"all\"", "all"),
        ("\"none\"", "none"),
        ("[]", "none"),
        ("\"ridge\"", "ridge"),
        ("\"ridge,mean\"", "ridge,mean"),
        ("[\"logistic\", \"boosting\"]", "logistic,boosting"),
    ] {
        let config = ExperimentConfig::from_toml(&format!("baselines = {text}")).unwrap();
        assert_eq!(config.baselines.to_string(), shown);
        let again = ExperimentConfig::from_toml(&config.to_toml().unwrap()).unwrap();
        assert_eq!(again.baselines, config.baselines);
    }
    let error = ExperimentConfig::from_toml("baselines = [\"boost\"]").unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("boost") && text.contains("majority"),
        "{text}"
    );
    let absent = ExperimentConfig::from_toml("target = \"y\"").unwrap();
    assert_eq!(absent.baselines.to_string(), "all");
}
