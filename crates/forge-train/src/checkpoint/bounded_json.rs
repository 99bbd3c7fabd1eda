//! JSON of a size that a file cannot choose.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use forge_nn::ForgeError;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Most values, those within lists and objects included. In memory a value takes up to a hundred
/// times its text, so that a hostile file could ask for far more than it holds; what a run
/// remembers beside its tensors are counters.
pub(crate) const MOST_VALUES: usize = 100_000;

/// One JSON value.
pub(crate) fn value<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
    Bounded(&Cell::new(MOST_VALUES)).deserialize(from)
}

/// JSON values by name.
pub(crate) fn by_name<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, Value>, D::Error> {
    match value(from)? {
        Value::Object(values) => Ok(values.into_iter().collect()),
        _ => Err(D::Error::custom("not values by name")),
    }
}

/// That `values` can be read back.
///
/// # Errors
/// A training error if they are too many.
pub(crate) fn check(values: &BTreeMap<String, Value>) -> Result<(), ForgeError> {
    fn count(value: &Value) -> usize {
        1 + match value {
            Value::Array(values) => values.iter().map(count).sum(),
            Value::Object(values) => values.values().map(count).sum(),
            _ => 0,
        }
    }
    let n = 1 + values.values().map(count).sum::<usize>();
    if n > MOST_VALUES {
        return Err(ForgeError::training(format!(
            "the parts of the run remember {n} values beside their tensors, at most {MOST_VALUES} \
             are read back; keep long lists as tensors"
        )));
    }
    Ok(())
}

/// Makes a value, and counts down for each.
#[derive(Clone, Copy)]
struct Bounded<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        let left = self.0.get().checked_sub(1).ok_or_else(|| {
            D::Error::custom(format!("more than {MOST_VALUES} values beside the tensors"))
        })?;
        self.0.set(left);
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(name) = entries.next_key()? {
            values.insert(name, entries.next_value_seed(self)?);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Holds {
        #[serde(deserialize_with = "value")]
        one: Value,
        #[serde(deserialize_with = "by_name")]
        more: BTreeMap<String, Value>,
    }

    #[test]
    fn values_come_back_as_they_are() -> Result<(), serde_json::Error> {
        let text = r#"{"one": [null, true, -3, 18446744073709551615, 0.1, "a", {"b": []}],
                       "more": {"x": {"y": 1}, "z": null}}"#;
        let holds: Holds = serde_json::from_str(text)?;
        let plain: Value = serde_json::from_str(text)?;
        assert_eq!(holds.one, plain["one"]);
        assert_eq!(serde_json::to_value(&holds.more)?, plain["more"]);
        assert!(check(&holds.more).is_ok());
        Ok(())
    }

    #[test]
    fn too_many_are_refused_on_both_ways() {
        let many = "{},".repeat(MOST_VALUES);
        let text = format!(r#"{{"one": 1, "more": {{"x": [{many}1]}}}}"#);
        let error = serde_json::from_str::<Holds>(&text).err();
        let error = error.map(|e| e.to_string()).unwrap_or_default();
        assert!(error.contains("100000 values"), "{error}");
        let many = Value::Array(vec![Value::Null; MOST_VALUES]);
        assert!(check(&BTreeMap::from([("x".into(), many)])).is_err());
    }
}
