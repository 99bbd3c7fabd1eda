//! The integration tests of forge-nn, one binary.
