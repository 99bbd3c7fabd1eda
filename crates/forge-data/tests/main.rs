//! The integration tests of forge-data, one binary.
