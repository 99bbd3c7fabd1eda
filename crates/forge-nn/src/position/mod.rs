//! Positions and times as features.

mod calendar_encoding;
mod calendar_time;
mod learned_positions;
mod rotary_embedding;
mod sinusoidal_positions;
mod time2vec;

pub use crate::ops::RotaryLayout;
pub use calendar_encoding::{CalendarEncoding, CalendarEncodingConfig};
pub use calendar_time::CalendarTime;
pub use learned_positions::{LearnedPositions, LearnedPositionsConfig};
pub use rotary_embedding::{RotaryEmbedding, RotaryEmbeddingConfig, RotaryTables};
pub use sinusoidal_positions::{SinusoidalPositions, SinusoidalPositionsConfig};
pub use time2vec::{Time2Vec, Time2VecConfig};
