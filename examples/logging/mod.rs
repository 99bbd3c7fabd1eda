//! What the library warns of, on the terminal: a checkpoint set aside, a file that cannot be removed.

use tracing_subscriber::filter::LevelFilter;

/// Shows warnings and errors as lines on standard error.
pub(crate) fn install() {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .log_internal_errors(false)
        .init();
}
