//! What the benchmarks share.

use std::sync::OnceLock;
use std::time::Instant;

use burn::tensor::Device;
use forge_nn::{DeviceName, on_worker};

/// The device that `FORGE_BENCH_DEVICE` names, of those compiled in; flex where it is not set.
///
/// # Panics
/// If it names one that is unknown, not compiled in or not there.
#[must_use]
pub fn device() -> Device {
    let name = std::env::var("FORGE_BENCH_DEVICE").unwrap_or_else(|_| "flex".into());
    let open = || name.parse::<DeviceName>().and_then(DeviceName::open);
    match open() {
        Ok(device) => device,
        Err(error) => panic!("FORGE_BENCH_DEVICE={name}: {error}"),
    }
}

/// MiB at [`begin`].
static BEFORE: OnceLock<f64> = OnceLock::new();

/// What the process holds now is none of what [`median_ms`] tells of its memory.
pub fn begin() {
    if let Some(mib) = of_process("VmRSS") {
        BEFORE.get_or_init(|| mib);
    }
}

/// Something to be timed.
pub type Work = Box<dyn FnMut() + Send>;

/// Milliseconds that `work` takes: the median of `RUNS` runs (default: 7) after three more, each
/// until the device has done it. With `CLOCK=cpu` the time that the process was on a processor, all
/// threads together, which says more where others use the same cores. With `MEASURE=memory` no time but the
/// most MiB that the process has held by then, beyond what it had at [`begin`].
///
/// It runs [where the trainer does](where_trained).
///
/// # Panics
/// If `RUNS` is not a number above 0, the device fails, or the kernel does not tell threads' times or memory.
#[must_use]
pub fn median_ms(work: Work) -> f64 {
    where_trained(|| median_here(work))
}

/// Runs `work` where the trainer runs ([`on_worker`]), on the [`device`] of the benchmark; with `OUTSIDE=1` on the
/// thread that calls, as a loop that knows nothing of it.
pub fn where_trained<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    match std::env::var_os("OUTSIDE") {
        Some(_) => work(),
        None => on_worker(&device(), work),
    }
}

fn median_here(mut work: Work) -> f64 {
    let runs = std::env::var("RUNS").map_or(Some(7), |runs| runs.parse().ok());
    let Some(runs) = runs.filter(|runs| *runs > 0) else {
        panic!("RUNS is not a number above 0");
    };
    let device = device();
    let begin = Instant::now();
    let now = || match std::env::var("CLOCK").as_deref() {
        Ok("cpu") => on_processor_ms(),
        _ => begin.elapsed().as_secs_f64() * 1e3,
    };
    let mut timed = || {
        let start = now();
        work();
        if let Err(error) = device.sync() {
            panic!("the device failed: {error:?}");
        }
        now() - start
    };
    for _ in 0..3 {
        timed();
    }
    let mut times: Vec<f64> = (0..runs).map(|_| timed()).collect();
    if std::env::var("MEASURE").is_ok_and(|what| what == "memory") {
        let Some(peak) = of_process("VmHWM") else {
            panic!("MEASURE=memory needs /proc/self/status");
        };
        return peak - BEFORE.get().copied().unwrap_or(0.0);
    }
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}

/// Milliseconds that the threads of this process have run so far.
fn on_processor_ms() -> f64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        panic!("CLOCK=cpu needs /proc/self/task");
    };
    let nanoseconds = threads.filter_map(|thread| {
        let times = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        times.split_whitespace().next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e6
}

/// The peak memory of this process in MiB, where the kernel tells.
#[must_use]
pub fn peak_mib() -> String {
    of_process("VmHWM").map_or_else(|| "unknown".into(), |mib| format!("{mib:.0}"))
}

/// What the kernel knows of this process, in MiB.
fn of_process(what: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(what))?;
    let kib = line.split_whitespace().nth(1)?.parse::<f64>().ok()?;
    Some(kib / 1024.0)
}
