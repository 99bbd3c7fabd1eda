//! Every component against its oracle cases: outputs and gradients, f64 and f32.

use std::path::Path;

use forge_testkit::{components, oracle};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle"))
}

macro_rules! agree {
    ($($component:ident),* $(,)?) => {
        $(
            #[test]
            fn $component() {
                oracle::assert_cases(folder().join(stringify!($component)));
            }
        )*

        /// What this file runs.
        const HERE: &[&str] = &[$(stringify!($component)),*];
    };
}

agree!(
    acon_c,
    act,
    adaptive_layer_norm,
    attention_core,
    conditional_layer_norm,
    cross_attention,
    entmax15,
    frelu,
    geglu,
    group_norm_1d,
    grouped_query_attention,
    layer_scale,
    linear_attention,
    lisht,
    meta_acon,
    mish,
    multi_head_attention,
    num_embedding_bins,
    num_embeddings,
    qk_norm,
    realmlp_preprocessing,
    reglu,
    revin,
    rms_norm,
    rope,
    sliding_window_attention,
    sparsemax,
    squared_relu,
    squeeze_excitation,
    star_relu,
    swiglu,
);

#[test]
fn no_component_is_forgotten() {
    // The cases of backbones stand beside their models, those of losses beside the losses, those of
    // methods beside the methods.
    let others = ["forge-models", "forge-train", "forge-meta"];
    let others = others.map(|name| folder().join(format!("../../../{name}/tests/oracle")));
    let known: Vec<&str> = components::ALL
        .iter()
        .map(|component| component.name)
        .filter(|name| !others.iter().any(|cases| cases.join(name).exists()))
        .collect();
    assert_eq!(known, HERE);
    for name in known {
        let cases = std::fs::read_dir(folder().join(name)).unwrap().count();
        assert!(cases > 0, "{name} has no case");
    }
}
