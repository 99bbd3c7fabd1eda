//! The records of an event file: TensorFlow's `Event` in a `TFRecord`.
//!
//! The messages are the part that scalars need of `tensorflow/core/util/event.proto` and
//! `framework/summary.proto`.

use prost::{Message, Oneof};

/// One event.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    what: Option<What>,
}

/// What an event is about.
#[derive(Clone, PartialEq, Oneof)]
pub(super) enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// Numbers of a step.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Scalar>,
}

/// A number by its name.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Scalar {
    #[prost(string, tag = "1")]
    tag: String,
    // Of a choice of kinds, whose zero is written too.
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

/// A session begins or ends.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

impl What {
    /// What every file begins with; of this version on, a session's start makes readers forget.
    pub(super) fn version() -> Self {
        Self::FileVersion("brain.Event:2".into())
    }

    pub(super) fn session_start() -> Self {
        Self::SessionLog(SessionLog { status: 1 })
    }

    #[allow(clippy::cast_possible_truncation)] // TensorBoard has f32.
    pub(super) fn scalars(numbers: Vec<(String, f64)>) -> Self {
        let value = numbers.into_iter().map(|(tag, value)| Scalar {
            tag,
            simple_value: Some(value as f32),
        });
        Self::Summary(Summary {
            value: value.collect(),
        })
    }
}

impl Event {
    pub(super) fn new(wall_time: f64, step: u64, what: What) -> Self {
        Self {
            wall_time,
            step: i64::try_from(step).unwrap_or(i64::MAX),
            what: Some(what),
        }
    }

    /// Length, its checksum, the event, its checksum.
    pub(super) fn record(&self) -> Vec<u8> {
        let event = self.encode_to_vec();
        let length = (event.len() as u64).to_le_bytes();
        [&length[..], &masked(&length), &event, &masked(&event)].concat()
    }
}

/// CRC-32C, rotated and moved as the format asks.
fn masked(bytes: &[u8]) -> [u8; 4] {
    let sum = crc32c::crc32c(bytes);
    sum.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}
