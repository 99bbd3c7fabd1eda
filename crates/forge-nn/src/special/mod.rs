//! Layers of their own kind.

mod adaptive_computation_time;
mod attention_pooling;
mod pooling;
mod quantum_inspired_linear;

pub use adaptive_computation_time::{
    AdaptiveComputationTime, AdaptiveComputationTimeConfig, Pondered,
};
pub use attention_pooling::{AttentionPooling, AttentionPoolingConfig};
pub use pooling::{Pooling, PoolingConfig, PoolingKind, cls_pool, max_pool, mean_pool};
pub use quantum_inspired_linear::{QuantumInspiredLinear, QuantumInspiredLinearConfig};
