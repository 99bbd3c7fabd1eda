//! The integration tests of forge-train, one binary.
