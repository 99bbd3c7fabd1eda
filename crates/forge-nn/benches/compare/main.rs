//! Times the operations and the block stack: `compare [--stock] [ITEM…]` prints `ITEM ms`, the
//! median of several runs in this process. With `--stock`, the same work in Burn's own layers and
//! operations. `compare --long KIND TOKENS` prints time and peak memory of attention (`softmax`,
//! `linear` or `linear_causal`) over a long sequence. `FORGE_BENCH_DEVICE` names the device, of
//! those compiled in; default: flex. `benches/compare.sh` at the root runs this beside PyTorch.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod block_stack;
mod long_attention;
mod operations;

use std::time::Instant;

use burn::tensor::Device;
use forge_nn::DeviceName;

// Freed tensors' memory is reused instead of going back to the kernel.
#[cfg(not(system_allocator))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The items, in the order in which they are printed.
const ITEMS: [&str; 12] = [
    "block_stack_train",
    "block_stack_forward",
    "attention",
    "linear",
    "layer_norm",
    "rms_norm",
    "reglu",
    "geglu",
    "swiglu",
    "softmax",
    "adamw",
    "dropout_residual",
];

/// What one side runs for `item`.
fn work(item: &str, stock: bool) -> Box<dyn FnMut()> {
    match item {
        "block_stack_train" => block_stack::train(stock),
        "block_stack_forward" => block_stack::forward(stock),
        _ => operations::work(item, stock),
    }
}

/// Where everything runs.
fn device() -> Device {
    let name = std::env::var("FORGE_BENCH_DEVICE").unwrap_or_else(|_| "flex".into());
    name.parse::<DeviceName>().unwrap().open().unwrap()
}

fn median_ms(mut work: Box<dyn FnMut()>) -> f64 {
    let runs = std::env::var("RUNS").map_or(7, |runs| runs.parse().unwrap());
    let device = device();
    let mut work = || {
        work();
        device.sync().unwrap();
    };
    for _ in 0..3 {
        work();
    }
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}

fn main() {
    // Cargo itself passes `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    if let [flag, kind, tokens] = &arguments[..]
        && flag == "--long"
    {
        return long_attention::report(kind, tokens.parse().unwrap());
    }
    let stock = arguments.iter().any(|argument| argument == "--stock");
    let named: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    for item in &named {
        if !ITEMS.contains(item) {
            println!("unknown item {item}; there are {}", ITEMS.join(" "));
            std::process::exit(1);
        }
    }
    for item in ITEMS {
        if named.is_empty() || named.contains(&item) {
            println!("{item} {:.3}", median_ms(work(item, stock)));
        }
    }
}
