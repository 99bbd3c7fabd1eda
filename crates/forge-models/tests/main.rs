//! The integration tests of forge-models, one binary.
