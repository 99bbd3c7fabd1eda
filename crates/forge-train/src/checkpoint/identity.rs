//! Is the run that is resumed the run that was saved?

use std::path::Path;

use forge_nn::ForgeError;
use serde_json::Value;

/// Compares what identifies a run, field by field; `file` is what the saved one was read from.
///
/// # Errors
/// A config error naming the first field that differs, its present value and the saved one.
pub fn check_same(saved: &Value, present: &Value, file: &Path) -> Result<(), ForgeError> {
    match difference(saved, present, String::new()) {
        None => Ok(()),
        Some((field, saved, present)) => Err(ForgeError::config(
            &field,
            present,
            format!(
                "{saved} to resume {}; start anew for another value",
                file.display()
            ),
        )),
    }
}

fn difference(saved: &Value, present: &Value, at: String) -> Option<(String, String, String)> {
    let join = |key: &str| {
        if at.is_empty() {
            key.to_owned()
        } else {
            format!("{at}.{key}")
        }
    };
    match (saved, present) {
        (Value::Object(a), Value::Object(b)) => a
            .keys()
            .chain(b.keys().filter(|key| !a.contains_key(*key)))
            .find_map(|key| {
                let of = |map: &serde_json::Map<String, Value>| {
                    map.get(key).cloned().unwrap_or(Value::Null)
                };
                difference(&of(a), &of(b), join(key))
            }),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (a, b))| difference(a, b, format!("{at}[{i}]"))),
        _ if saved == present => None,
        _ => Some((at, saved.to_string(), present.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_the_first_field_that_differs() {
        let saved = json!({"seed": 1, "optimizer": {"weight_decay": 0.01, "no_decay": ["a"]}});
        let mut present = saved.clone();
        let check = |present: &Value| check_same(&saved, present, Path::new("c.safetensors"));
        assert!(check(&present).is_ok());
        present["optimizer"]["no_decay"][0] = json!("b");
        let error = check(&present).err().map(|e| e.to_string());
        assert_eq!(
            error.as_deref(),
            Some(
                "config: optimizer.no_decay[0] = \"b\", must be \"a\" to resume c.safetensors; \
                 start anew for another value"
            )
        );
        let more = json!({"seed": 1, "optimizer": saved["optimizer"], "ema": {}});
        let error = check(&more)
            .err()
            .map(|e| e.to_string())
            .unwrap_or_default();
        assert!(
            error.starts_with("config: ema = {}, must be null"),
            "{error}"
        );
    }
}
