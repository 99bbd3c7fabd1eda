//! A setting that is a name, or a table of fields.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde_json::Value;

/// A name, or a table of fields.
pub(crate) enum NameOrTable {
    Name(String),
    Table(Value),
}

/// Reads either. An untagged enum would say of a wrong table no more than that it fits nothing; made from
/// this, the table's own error is told.
///
/// # Errors
/// For anything else.
pub(crate) fn name_or_table<'de, D: Deserializer<'de>>(from: D) -> Result<NameOrTable, D::Error> {
    struct Either;
    impl<'de> Visitor<'de> for Either {
        type Value = NameOrTable;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a name, or a table of fields")
        }

        fn visit_str<E: Error>(self, name: &str) -> Result<NameOrTable, E> {
            Ok(NameOrTable::Name(name.into()))
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NameOrTable, A::Error> {
            Value::deserialize(MapAccessDeserializer::new(map)).map(NameOrTable::Table)
        }
    }
    from.deserialize_any(Either)
}
