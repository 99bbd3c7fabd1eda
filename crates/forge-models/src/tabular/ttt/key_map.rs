//! The names of the authors' code.

use super::{InnerModel, TttBackboneConfig};
use crate::reference::KeyMap;

/// A weight without a bias.
fn weight(map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
    map.transposed(&format!("{ours}.weight"), &format!("{theirs}.weight"))
}

/// A mixer at `ours`, which the reference keeps at `theirs`.
pub(super) fn mixer<I: InnerModel>(
    config: &TttBackboneConfig<I>,
    map: KeyMap,
    ours: &str,
    theirs: &str,
) -> KeyMap {
    let mut projections = vec!["q_proj", "v_proj", "o_proj"];
    if !config.share_qk {
        projections.push("k_proj");
    }
    if config.use_gate {
        projections.push("g_proj");
    }
    let map = projections.iter().fold(map, |map, name| {
        weight(map, &format!("{ours}{name}"), &format!("{theirs}{name}"))
    });
    let convolutions: &[&str] = match config.share_qk {
        true => &["conv_q", "conv_k"],
        false => &[],
    };
    let map = convolutions.iter().fold(map, |map, name| {
        map.norm(&format!("{ours}{name}"), &format!("{theirs}{name}"))
    });
    let layers = 0..config.inner_sizes().len();
    let map = layers.fold(map, |map, l| {
        let n = l + 1;
        map.same(&format!("{ours}weights.{l}"), &format!("{theirs}W{n}"))
            .same(&format!("{ours}biases.{l}"), &format!("{theirs}b{n}"))
    });
    let names = [
        ("inner_norm_weight", "ttt_norm_weight"),
        ("inner_norm_bias", "ttt_norm_bias"),
        ("rate_weight", "learnable_ttt_lr_weight"),
        ("rate_bias", "learnable_ttt_lr_bias"),
        ("token_scale", "learnable_token_idx"),
    ];
    let map = names.iter().fold(map, |map, (our, their)| {
        map.same(&format!("{ours}{our}"), &format!("{theirs}{their}"))
    });
    map.norm(&format!("{ours}post_norm"), &format!("{theirs}post_norm"))
}

/// A stack at `ours`, which the reference keeps at `theirs`layers.
pub(super) fn stack<I: InnerModel>(
    config: &TttBackboneConfig<I>,
    map: KeyMap,
    ours: &str,
    theirs: &str,
) -> KeyMap {
    (0..config.num_hidden_layers).fold(map, |map, i| {
        let (ours, theirs) = (format!("{ours}blocks.{i}."), format!("{theirs}layers.{i}."));
        let map = mixer(
            config,
            map,
            &format!("{ours}mixer."),
            &format!("{theirs}seq_modeling_block."),
        );
        let map = [("mixer_norm", "seq_norm"), ("ffn_norm", "ffn_norm")]
            .iter()
            .fold(map, |map, (our, their)| {
                map.same(
                    &format!("{ours}{our}.weight"),
                    &format!("{theirs}{their}.weight"),
                )
            });
        [
            ("w_gate", "gate_proj"),
            ("w_up", "up_proj"),
            ("w_down", "down_proj"),
        ]
        .iter()
        .fold(map, |map, (our, their)| {
            let theirs = format!("{theirs}mlp.{their}");
            weight(map, &format!("{ours}ffn.{our}"), &theirs)
        })
    })
}
