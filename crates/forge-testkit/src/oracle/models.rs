//! Cases of the registry's models.

use burn::tensor::{Tensor, TensorData};
use forge_models::{
    Context, Model, ModelConfig, RowContext, TabularInput, TabularModel, TabularRows,
};
use forge_nn::Want;
use serde_json::Value;

use super::{OracleError, Session};

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config = config(session)?;
    let model = config.load_reference(&session.params(), session.device())?;
    let model = session.track(model, config.key_map());
    if config.capabilities().rows == RowContext::Labelled {
        return run_tables(session, &model);
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

/// A case of models that predict from labelled rows: several tables side by side, `x`
/// `[R + N, B, F]` and `y_train` `[R, B]`, of which each is one call.
fn run_tables(session: &Session<'_>, model: &Model) -> Result<(), OracleError> {
    let x = session.input::<3>("x")?;
    let target = session.input::<2>("y_train")?;
    let ([rows, tables, _], [labelled, targets]) = (x.dims(), target.dims());
    if targets != tables || labelled > rows {
        let (x, y) = (x.dims(), target.dims());
        return Err(OracleError::new(format!(
            "input/x {x:?} does not fit y_train {y:?}"
        )));
    }
    let mut outputs = vec![];
    for table in 0..tables {
        let x = x.clone().narrow(1, table, 1).squeeze_dim::<2>(1);
        let context = Context {
            rows: TabularInput::numeric(x.clone().narrow(0, 0, labelled)).rows,
            target: Some(target.clone().narrow(1, table, 1)),
        };
        let rows = TabularInput::numeric(x.narrow(0, labelled, rows - labelled));
        let y = model.try_forward(rows.with_context(context))?;
        outputs.push(y.unsqueeze_dim::<3>(1));
    }
    session.output("y", Tensor::cat(outputs, 1))
}

/// The config, which a case must state in full: a default filled in here would test something
/// else than the reference did.
fn config(session: &Session<'_>) -> Result<ModelConfig, OracleError> {
    let mut value = session.case().config.clone();
    if let Value::Object(fields) = &mut value {
        fields.insert("model".into(), session.case().model.clone().into());
    }
    let config = ModelConfig::from_value(value)?;
    let whole = serde_json::to_value(&config).map_err(OracleError::new)?;
    let stated = &session.case().config;
    let mut fields = whole
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.keys());
    match fields.find(|field| *field != "model" && stated.get(field).is_none()) {
        Some(field) => Err(OracleError::new(format!("'config' lacks '{field}'"))),
        None => Ok(config),
    }
}
