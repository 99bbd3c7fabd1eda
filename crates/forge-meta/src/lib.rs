//! Adaptation, architecture search, continual learning and uncertainty: methods that work on any
//! module and never name a model.
//!
//! Nothing is here yet. The crate holds the place in the dependency order (`forge-nn` ←
//! `forge-train` ← `forge-meta`) and forwards the backend features.
