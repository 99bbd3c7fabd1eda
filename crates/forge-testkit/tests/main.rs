//! The integration tests of forge-testkit, one binary.
