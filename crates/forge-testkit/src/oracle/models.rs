//! Cases of the registry's models.

use burn::tensor::{Tensor, TensorData};
use forge_models::{
    Context, Model, ModelConfig, RowContext, TabularInput, TabularModel, TabularRows, TabularSpec,
    TrainingContext,
};
use forge_nn::ops::Axes;
use forge_nn::{Network, Want};
use serde_json::Value;

use super::{OracleError, Session};

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config = sized(config(session)?, session)?;
    let model = config.load_reference(&session.params(), session.device())?;
    let model = session.track(model, config.key_map());
    if config.capabilities().rows == RowContext::Labelled {
        return match config.labelled_rows().training {
            TrainingContext::HalfBatch => run_tables(session, &model),
            TrainingContext::OtherRows { .. } => run_candidates(session, &model),
        };
    }
    let rows = TabularRows {
        x_num: session.optional_input("x_num")?,
        x_cat: session.optional_int("x_cat")?,
        num_present: session.optional_mask("num_mask")?,
        cat_present: session.optional_mask("cat_mask")?,
    };
    let want = Want {
        attention: false,
        features: session.has("output/mask"),
    };
    let forward = model.try_run(rows.into(), want)?;
    if let Some(importance) = forward.maps.importance {
        session.output("mask", importance)?;
    }
    if let (ModelConfig::TabNet(config), Some(penalty)) = (&config, forward.penalty) {
        // The reference returns the sum alone and subtracts it with the factor when it trains.
        let sum = (penalty / -config.lambda_sparse).into_data();
        let sum = TensorData::from_bytes(sum.bytes().clone(), Vec::<usize>::new(), sum.dtype());
        session.compare("output/m_loss", sum);
    }
    // An ensemble's reference gives what each member says.
    match forward.members {
        Some(members) => session.output("y", members),
        None => session.output("y", forward.y),
    }
}

/// A model may be of any number of columns: then the case's table says how many.
fn sized(config: ModelConfig, session: &Session<'_>) -> Result<ModelConfig, OracleError> {
    let spec = config.spec();
    if spec.n_num_features > 0 || !session.has("input/x") {
        return Ok(config);
    }
    let table = TabularSpec {
        n_num_features: session.shape("input/x")?.last().copied().unwrap_or(0),
        ..spec
    };
    Ok(config.sized_for(&table)?)
}

/// References that have the tables on the first axis and not on the second.
const TABLES_FIRST: [&str; 1] = ["tabicl"];

/// A case of models that predict from labelled rows: several tables side by side, `x`
/// `[R + N, B, F]` and `y_train` `[R, B]`, of which each is one call.
fn run_tables(session: &Session<'_>, model: &Model) -> Result<(), OracleError> {
    let tables_first = TABLES_FIRST.contains(&model.name());
    let mut x = session.input::<3>("x")?;
    let mut target = session.input::<2>("y_train")?;
    if tables_first {
        (x, target) = (x.swapped(0, 1), target.swapped(0, 1));
    }
    let ([rows, tables, _], [labelled, targets]) = (x.dims(), target.dims());
    if targets != tables || labelled > rows {
        let (x, y) = (x.dims(), target.dims());
        return Err(OracleError::new(format!(
            "input/x {x:?} does not fit y_train {y:?}"
        )));
    }
    let model = positioned(session, model)?;
    let mut outputs = vec![];
    for table in 0..tables {
        let x = x.clone().narrow(1, table, 1).squeeze_dim::<2>(1);
        let context = Context::labelled(
            TabularInput::numeric(x.clone().narrow(0, 0, labelled)).rows,
            target.clone().narrow(1, table, 1),
        );
        let rows = TabularInput::numeric(x.narrow(0, labelled, rows - labelled));
        let y = model.try_forward(rows.with_context(context))?;
        outputs.push(y.unsqueeze_dim::<3>(1));
    }
    let y = Tensor::cat(outputs, 1);
    session.output("y", if tables_first { y.swapped(0, 1) } else { y })
}

/// The model with the case's numbers for the places of features, where it has such.
fn positioned(session: &Session<'_>, model: &Model) -> Result<Model, OracleError> {
    let model = model.clone();
    let Some(positions) = session.optional_input::<2>("feature_position")? else {
        return Ok(model);
    };
    match model {
        Model::TabPfnV2(model) => Ok(Model::TabPfnV2(model.with_feature_positions(positions))),
        model => Err(OracleError::new(format!(
            "input/feature_position: {} has no such input",
            model.name()
        ))),
    }
}

/// A case of models that look at all other training rows: the rows in `x`, or in `x_num` and one-hot
/// columns `x_cat` behind it, the candidates likewise in `candidate_x…` with `candidate_y`; in
/// training the rows' own targets in `y_batch`.
fn run_candidates(session: &Session<'_>, model: &Model) -> Result<(), OracleError> {
    let rows = |prefix: &str| -> Result<TabularRows, OracleError> {
        let name = |name: &str| format!("{prefix}{name}");
        let parts = [
            session.optional_input::<2>(&name("x"))?,
            session.optional_input(&name("x_num"))?,
            session.optional_input(&name("x_cat"))?,
        ];
        let parts = parts.into_iter().flatten().collect();
        Ok(TabularInput::numeric(Tensor::cat(parts, 1)).rows)
    };
    let context = Context::labelled(rows("candidate_")?, labels(session, "candidate_y")?);
    let mut input = TabularInput::from(rows("")?).with_context(context);
    if session.has("input/y_batch") {
        input = input.with_target(labels(session, "y_batch")?);
    }
    let y = model.try_forward(input)?;
    // Some references drop the axis of a single output.
    match session.shape("output/y")?.len() {
        1 => session.output("y", y.squeeze_dim::<1>(1)),
        _ => session.output("y", y),
    }
}

/// Targets as one column; class numbers as floats.
fn labels(session: &Session<'_>, name: &str) -> Result<Tensor<2>, OracleError> {
    if session.dtype_of(&format!("input/{name}"))?.is_float() {
        return Ok(session.input::<1>(name)?.unsqueeze_dim(1));
    }
    let classes = session.optional_int::<1>(name)?;
    let classes = classes.ok_or_else(|| OracleError::new(format!("input/{name} is missing")))?;
    Ok(session.floats(classes).unsqueeze_dim(1))
}

/// The config, which a case must state in full.
fn config(session: &Session<'_>) -> Result<ModelConfig, OracleError> {
    let mut value = session.case().config.clone();
    if let Value::Object(fields) = &mut value {
        fields.insert("model".into(), session.case().model.clone().into());
    }
    let config = ModelConfig::from_value(value)?;
    session.states_in_full(&config, |field| field == "model")?;
    Ok(config)
}
