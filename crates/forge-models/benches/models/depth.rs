//! What a deep stack costs when its blocks are kept for the backward pass, and when each is computed again.

use burn::tensor::{Distribution, Tensor};
use forge_models::{Backbone, BackboneConfig, ModernTransformerConfig, Strategy};
use forge_nn::{ModuleConfig, with_recomputation};
use forge_testkit::bench::{device, median_ms, peak_mib};

const SEQUENCES: usize = 8;
const TOKENS: usize = 512;

/// Prints the median time of a forward and a backward pass and the peak memory of the process, for
/// `modern_transformer` at the width of its balanced preset with `blocks` blocks over 8 sequences of 512
/// tokens. `kept` keeps what the forward pass computes, `recomputed` the input of each block.
///
/// # Panics
/// If `how` is none of the two.
pub(crate) fn report(how: &str, blocks: usize) {
    let recompute = match how {
        "kept" => false,
        "recomputed" => true,
        _ => panic!("{how} is none of kept, recomputed"),
    };
    let config = ModernTransformerConfig {
        n_layers: blocks,
        causal: true,
        ..ModernTransformerConfig::preset(Strategy::Balanced).config
    };
    let device = device().autodiff();
    let backbone = config.try_init(&device).unwrap();
    let shape = [SEQUENCES, TOKENS, config.d_token()];
    let x = Tensor::<3>::random(shape, Distribution::Normal(0.0, 1.0), &device);
    let median = median_ms(Box::new(move || {
        let forward = || backbone.forward(x.clone(), None);
        let y = match recompute {
            true => with_recomputation(0, forward),
            false => forward(),
        };
        drop(y.square().mean().backward());
    }));
    let peak = peak_mib();
    println!("modern_transformer_{blocks}_{how} {median:.0} ms, peak {peak} MiB");
}
