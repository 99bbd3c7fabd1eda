//! Times the operations and the block stack: `compare [--stock] [ITEM…]` prints `ITEM ms`, the
//! median of several runs in this process. With `--stock`, the same work in Burn's own layers and
//! operations. Items that have to be named: `attention_TYPE_TOKENS`, attention forward and backward
//! over TOKENS tokens in `f32`, `f16` or `bf16`, 4 samples, 8 heads, 64 features.
//! `compare --long KIND TOKENS` prints time and peak memory of attention (`softmax`,
//! `linear` or `linear_causal`) over a long sequence. `FORGE_BENCH_DEVICE` names the device, of
//! those compiled in; default: flex. `benches/compare.sh` at the root runs this beside PyTorch.
#![allow(clippy::print_stdout, clippy::unwrap_used)]
#![allow(
    clippy::disallowed_methods,
    reason = "Burn's own operations are what ours are compared with"
)]

mod block_stack;
mod long_attention;
mod operations;

use forge_testkit::bench::{Work, median_ms};

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
fn work(item: &str, stock: bool) -> Work {
    match item {
        "block_stack_train" => block_stack::train(stock),
        "block_stack_forward" => block_stack::forward(stock),
        _ if item.starts_with("attention_") => long_attention::item(item, stock),
        _ => operations::work(item, stock),
    }
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
        if !ITEMS.contains(item) && long_attention::parse(item).is_none() {
            println!(
                "unknown item {item}; there are {} and attention_TYPE_TOKENS",
                ITEMS.join(" ")
            );
            std::process::exit(1);
        }
    }
    let items = if named.is_empty() { &ITEMS } else { &named[..] };
    for item in items {
        println!("{item} {:.3}", median_ms(work(item, stock)));
    }
}
