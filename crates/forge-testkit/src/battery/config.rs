//! What a config says and refuses.

use burn::module::Param;
use burn::tensor::{Device, Tensor};
use forge_nn::ForgeError;
use forge_nn::parameters::{Floats, ParameterPath, ParameterVisitor, visit_parameters};
use toml::Value;

use super::Subject;

/// A config written to JSON or TOML reads back as itself, an unknown field is refused by name, and
/// so is an unknown model.
///
/// # Panics
/// If it is not.
pub fn config_survives_files<S: Subject>(config: &S) {
    let json = serde_json::to_string(config).unwrap_or_default();
    let read = S::read(&json);
    assert!(
        read.is_ok_and(|read| read == *config),
        "JSON changed {json}"
    );
    let text = toml::to_string(config).unwrap_or_default();
    let read: Result<S, _> = toml::from_str(&text);
    assert!(
        read.is_ok_and(|read| read == *config),
        "TOML changed {text}"
    );
    let tagged = format!("model = \"{}\"", config.model());
    assert!(text.contains(&tagged), "TOML without {tagged}: {text}");

    let unknown = json.replacen('{', "{\"not_a_field\":1,", 1);
    let error = S::read(&unknown).err().map(|error| error.to_string());
    assert!(
        error.is_some_and(|e| e.contains("not_a_field")),
        "an unknown field is not refused"
    );
    let unknown = json.replace(config.model(), "not_a_model");
    let error = S::read(&unknown).err().map(|error| error.to_string());
    let listed = error.is_some_and(|e| e.contains("not_a_model") && e.contains(config.model()));
    assert!(
        listed,
        "an unknown model is not refused with the names there are"
    );
}

/// Every number of the config has values that validation refuses by the field's name: NaN,
/// infinity and below zero for fractions; zero, or the largest there is, for sizes. `configs` are
/// the subjects of one model; a size may be zero in one (no numeric columns beside categorical
/// ones) if it may not in another, or if it may not where a second size is zero too (no layers of
/// one kind or the other), or if the largest preset has it so. The fields of a part of a config
/// (embeddings) are fields too.
///
/// # Panics
/// With the field that takes them.
pub fn bad_fields_are_named<S: Subject>(configs: &[S]) {
    let fields: Vec<String> = configs.iter().flat_map(|config| whole(config).0).collect();
    for field in &fields {
        let refused = configs.iter().any(|config| refuses(config, field));
        assert!(
            refused,
            "{}: no bad value of {field} is refused",
            configs[0].model()
        );
    }
}

/// The names of the fields, and the config as a table in which those that are null stand too.
fn whole<S: Subject>(config: &S) -> (Vec<String>, toml::Table) {
    let json = serde_json::to_value(config).unwrap_or_default();
    let names = json
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.keys());
    let names = names.filter(|name| *name != "model").cloned().collect();
    let table = toml::Table::try_from(config).unwrap_or_default();
    (names, table)
}

/// Whether all bad values of every field of a part `field` are refused by that field's name. Parts
/// have parts; a word has only bad values that do not parse, and a list those of its elements.
fn refuses_in<S: Subject>(config: &S, field: &str, part: &toml::Table) -> bool {
    let table = toml::Table::try_from(config).unwrap_or_default();
    let verdict = |part: &toml::Table| {
        let mut table = table.clone();
        table.insert(field.into(), Value::Table(part.clone()));
        S::deserialize(Value::Table(table)).map(|config| config.validate())
    };
    part_refuses(part, &|part: toml::Table| verdict(&part))
}

type Verdict<'a> = &'a dyn Fn(toml::Table) -> Result<Result<(), ForgeError>, toml::de::Error>;

/// Whether all bad values of the fields of `part` are refused, where `verdict` is what is said of the
/// whole config with another part in its place.
fn part_refuses(part: &toml::Table, verdict: Verdict<'_>) -> bool {
    let with = |inner: &str, value: Value| {
        let mut part = part.clone();
        part.insert(inner.into(), value);
        verdict(part)
    };
    part.iter().all(|(inner, value)| {
        let named = |value: &Value| {
            with(inner, value.clone()).is_ok_and(|result| {
                result.is_err_and(|e| e.is_config() && e.to_string().contains(inner.as_str()))
            })
        };
        let word = Value::String("not_a_word".into());
        match value {
            Value::Float(_) => [f64::NAN, f64::INFINITY, -0.5]
                .map(Value::Float)
                .iter()
                .all(named),
            Value::Integer(0) => named(&Value::Integer(i64::MAX)),
            Value::Integer(_) => [0, i64::MAX].map(Value::Integer).iter().all(named),
            Value::Boolean(_) => true,
            Value::String(_) => with(inner, word).is_err(),
            Value::Array(list) if list.iter().all(Value::is_integer) => {
                named(&Value::Array(vec![Value::Integer(i64::MAX)]))
            }
            Value::Array(list) if list.iter().all(Value::is_float) => {
                let mut bad = list.clone();
                bad[0] = Value::Float(f64::NAN);
                named(&Value::Array(bad))
            }
            Value::Array(list) if list.iter().all(Value::is_str) => {
                with(inner, Value::Array(vec![word])).is_err()
            }
            // Of lists, as the nodes of a cell.
            Value::Array(list) if list.iter().all(Value::is_array) => named(&Value::Array(vec![])),
            Value::Table(parts) => part_refuses(parts, &|parts: toml::Table| {
                with(inner, Value::Table(parts))
            }),
            _ => false,
        }
    })
}

/// Whether the largest preset, sized as `config` is, is good with a `field` of 0.
fn is_zero_in_the_preset<S: Subject>(config: &S, field: &str) -> bool {
    config.largest().is_ok_and(|preset| {
        let zero = whole(&preset).1.get(field) == Some(&Value::Integer(0));
        zero && preset.validate().is_ok()
    })
}

/// Whether all bad values of `field` are refused, whatever kind the field is of.
fn refuses<S: Subject>(config: &S, field: &str) -> bool {
    let (fields, table) = whole(config);
    if let Some(Value::Table(part)) = table.get(field) {
        return refuses_in(config, field, part);
    }
    let verdict = |changes: &[(&str, &Value)]| {
        let mut table = table.clone();
        for (field, value) in changes {
            table.insert((*field).into(), (*value).clone());
        }
        let read = S::deserialize(Value::Table(table));
        read.ok().map(|config| config.validate())
    };
    let named = |result: Result<(), ForgeError>| {
        result.is_err_and(|error| error.is_config() && error.to_string().contains(field))
    };
    // None: of another type. All values of the field's own type must be refused.
    let all = |values: &[Value]| {
        let verdicts: Vec<_> = values
            .iter()
            .filter_map(|value| verdict(&[(field, value)]))
            .collect();
        (!verdicts.is_empty()).then(|| verdicts.into_iter().all(named))
    };
    let fractions = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.5].map(Value::Float);
    let [zero, largest] = [0, i64::MAX].map(Value::Integer);
    let zero_twice = || {
        let others = fields.iter().filter(|other| *other != field);
        let mut verdicts = others.filter_map(|other| verdict(&[(field, &zero), (other, &zero)]));
        verdicts.any(named)
    };
    let lists = [0, i64::MAX].map(|size| Value::Array(vec![Value::Integer(size)]));
    let pairs = [0, i64::MAX].map(|size| {
        let pair = Value::Array(vec![Value::Integer(size); 2]);
        Value::Array(vec![pair])
    });
    let words = [Value::String("not_a_word".into())];
    // A word that is not one of the allowed ones does not even parse.
    let is_word = matches!(table.get(field), Some(Value::String(_)));
    let word = is_word.then(|| {
        words
            .iter()
            .all(|value| verdict(&[(field, value)]).is_none())
    });
    let of_words = match table.get(field) {
        Some(Value::Array(list)) => !list.is_empty() && list.iter().all(Value::is_str),
        _ => false,
    };
    let word = word.or(of_words.then(|| {
        let list = Value::Array(words.to_vec());
        verdict(&[(field, &list)]).is_none()
    }));
    // Integers would pass for fractions, so fractions are tried first.
    // The other of two values may be good.
    let is_switch = matches!(table.get(field), Some(Value::Boolean(_)));
    let verdict = word
        .or(is_switch.then_some(true))
        .or_else(|| all(&fractions))
        .or_else(|| {
            let refused = all(std::slice::from_ref(&largest))?;
            let zero_refused = all(std::slice::from_ref(&zero)) == Some(true)
                || zero_twice()
                || is_zero_in_the_preset(config, field);
            Some(refused && zero_refused)
        })
        .or_else(|| all(&lists))
        .or_else(|| all(&pairs));
    verdict.unwrap_or(false)
}

/// The count by arithmetic is the count of what is made.
///
/// # Panics
/// If it is not.
pub fn parameter_count_is_right<S: Subject>(config: &S, device: &Device) {
    let counted = config.counted();
    let mut count = Trainable(0);
    visit_parameters(&config.init(device), &mut count);
    let Trainable(made) = count;
    assert!(
        counted.is_ok_and(|counted| counted == made),
        "{config:?} makes {made} parameters"
    );
}

/// Elements of all that training moves; statistics are none of it.
struct Trainable(usize);

impl ParameterVisitor for Trainable {
    fn visit<const D: usize>(&mut self, _: &ParameterPath, param: &Param<Tensor<D>>) {
        if Floats::Trainable.take(param) {
            self.0 += param.lazy_shape().num_elements();
        }
    }
}
