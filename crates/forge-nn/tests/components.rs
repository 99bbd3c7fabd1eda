//! Every component against its oracle cases: outputs and gradients, f64 and f32.

use std::path::{Path, PathBuf};

use burn::tensor::{DType, Tensor};
use forge_nn::activation::{
    AconCConfig, FRelu1dConfig, FRelu2dConfig, GatedFeedForwardConfig, GluKind, MetaAconConfig,
    StarReluConfig, entmax15, glu as activation_glu, lisht, mish, sparsemax, squared_relu,
};
use forge_nn::attention::{
    CrossAttentionConfig, GroupedQueryAttentionConfig, LinearAttentionState,
    MultiHeadAttentionConfig, SlidingWindowAttentionConfig, linear_attention,
    linear_attention_causal,
};
use forge_nn::gating::SqueezeExcitationConfig;
use forge_nn::norm::{
    AdaptiveLayerNormConfig, ClassConditionalLayerNormConfig, ConditionalLayerNormConfig,
    GroupNorm1dConfig, LayerScaleConfig, RevInConfig, RmsNormConfig,
};
use forge_nn::ops::AttentionMask;
use forge_nn::position::RotaryEmbeddingConfig;
use forge_nn::special::AdaptiveComputationTimeConfig;
use forge_nn::{ModuleConfig, burn};

use crate::case::{Case, Run};

fn cases(component: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/oracle")
        .join(component);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no cases in {}", folder.display());
    files
}

fn same(name: &str) -> String {
    name.into()
}

fn rank(run: &Run<'_>) -> usize {
    run.rank("x")
}

macro_rules! at_rank {
    ($run:expr, $body:ident) => {
        match rank($run) {
            2 => at_rank!(@call $run, $body, 2),
            3 => at_rank!(@call $run, $body, 3),
            _ => at_rank!(@call $run, $body, 4),
        }
    };
    (@call $run:expr, $body:ident, $rank:literal) => { $body::<$rank>($run) };
}

fn glu(run: &Run<'_>) {
    let kind = match run.case.config["activation"].as_str().unwrap() {
        "swiglu" => GluKind::Silu,
        "geglu" => GluKind::Gelu,
        "reglu" => GluKind::Relu,
        other => panic!("no gated linear unit {other}"),
    };
    if run.case.config["form"] == "split" {
        run.output("y", activation_glu(run.input::<2>("x"), kind));
        return;
    }
    let module = GatedFeedForwardConfig::new(run.case.int("d_model"), run.case.int("d_hidden"))
        .with_kind(kind)
        .with_bias(run.case.flag("bias"))
        .init(&run.device);
    let module = run.load(module, same);
    if rank(run) == 2 {
        run.output("y", module.forward(run.input::<2>("x")));
    } else {
        run.output("y", module.forward(run.input::<3>("x")));
    }
}

fn elementwise(run: &Run<'_>, f: impl Fn(Tensor<2>) -> Tensor<2>) {
    run.output("y", f(run.input::<2>("x")));
}

fn acon_c<const D: usize>(run: &Run<'_>) {
    let module = AconCConfig::new(run.case.int("n_channels")).init(&run.device);
    run.output("y", run.load(module, same).forward(run.input::<D>("x")));
}

fn meta_acon<const D: usize>(run: &Run<'_>) {
    let config =
        MetaAconConfig::new(run.case.int("n_channels")).with_reduction(run.case.int("reduction"));
    let module = run.load(config.init(&run.device), same);
    let x = run.input::<D>("x");
    let beta = module.switching_factor(x.clone());
    run.output("beta", beta.clone());
    run.output("y", module.forward_with(x, beta));
}

fn frelu(run: &Run<'_>) {
    let names = |name: &str| {
        name.replace("conv.", "conv_frelu.")
            .replace("bn.", "bn_frelu.")
    };
    let (channels, kernel) = (run.case.int("n_channels"), run.case.int("kernel_size"));
    if rank(run) == 3 {
        let config = FRelu1dConfig::new(channels).with_kernel_size(kernel);
        let module = run.load(config.init(&run.device), names);
        run.output("y", module.forward(run.input::<3>("x")));
    } else {
        let config = FRelu2dConfig::new(channels).with_kernel_size(kernel);
        let module = run.load(config.init(&run.device), names);
        run.output("y", module.forward(run.input::<4>("x")));
    }
}

fn squeeze_excitation<const D: usize>(run: &Run<'_>) {
    let config = SqueezeExcitationConfig::new(run.case.int("n_channels"), run.case.int("hidden"));
    let module = run.load(config.init(&run.device), same);
    run.output("gate", module.gate(run.input::<D>("x").detach()));
    run.output("y", module.forward(run.input::<D>("x")));
}

fn simplex<const D: usize>(run: &Run<'_>) {
    let x = run.input::<D>("x");
    assert_eq!(run.case.config["dim"], -1);
    run.output(
        "y",
        match run.case.model.as_str() {
            "sparsemax" => sparsemax(x, D - 1),
            _ => entmax15(x, D - 1),
        },
    );
}

fn rms_norm<const D: usize>(run: &Run<'_>) {
    let config = RmsNormConfig::new(run.case.int("d_model")).with_eps(run.case.float("eps"));
    let module = run.load(config.init(&run.device), same);
    run.output("y", module.forward(run.input::<D>("x")));
}

fn layer_scale<const D: usize>(run: &Run<'_>) {
    let module = LayerScaleConfig::new(run.case.int("d_model")).init(&run.device);
    run.output("y", run.load(module, same).forward(run.input::<D>("x")));
}

fn group_norm<const D: usize>(run: &Run<'_>) {
    let config = GroupNorm1dConfig::new(run.case.int("n_channels"), run.case.int("n_groups"))
        .with_eps(run.case.float("eps"));
    let module = run.load(config.init(&run.device), same);
    run.output("y", module.forward(run.input::<D>("x")));
}

fn adaptive_layer_norm<const D: usize>(run: &Run<'_>) {
    let activation = run.case.config["cond_activation"].clone();
    let config = AdaptiveLayerNormConfig::new(run.case.int("d_model"), run.case.int("d_cond"))
        .with_eps(run.case.float("eps"))
        .with_cond_activation(serde_json::from_value(activation).unwrap());
    let module = run.load(config.init(&run.device), same);
    run.output("y", module.forward(run.input::<D>("x"), run.input("cond")));
}

fn conditional_layer_norm<const D: usize>(run: &Run<'_>) {
    let (width, eps) = (run.case.int("d_model"), run.case.float("eps"));
    if run.case.config["condition"] == "class" {
        let config = ClassConditionalLayerNormConfig::new(width, run.case.int("n_classes"));
        let module = run.load(config.with_eps(eps).init(&run.device), same);
        let class = run.int_tensor("class_id");
        run.output("y", module.forward(run.input::<D>("x"), class));
    } else {
        let config = ConditionalLayerNormConfig::new(width, run.case.int("d_cond"));
        let module = run.load(config.with_eps(eps).init(&run.device), same);
        run.output("y", module.forward(run.input::<D>("x"), run.input("cond")));
    }
}

fn revin(run: &Run<'_>) {
    let config = RevInConfig::new(run.case.int("num_features"))
        .with_eps(run.case.float("eps"))
        .with_affine(run.case.flag("affine"))
        .with_subtract_last(run.case.flag("subtract_last"));
    let module = run.load(config.init(&run.device), same);
    let (normalized, statistics) = module.normalize(run.input("x"));
    run.output("normalized", normalized.clone());
    let centre = if config.subtract_last { "last" } else { "mean" };
    run.output(centre, statistics.centre.clone());
    run.output("stdev", statistics.deviation.clone());
    run.output(
        "y",
        module.denormalize(normalized * run.input("z"), &statistics),
    );
}

fn mask(run: &Run<'_>) -> AttentionMask {
    run.mask("key_valid")
        .map_or_else(AttentionMask::none, AttentionMask::key_valid)
}

fn multi_head(run: &Run<'_>) {
    let width = |field: &str| {
        run.case
            .config
            .get(field)
            .and_then(|v| v.as_u64())
            .map(|v| v as usize)
    };
    let config = MultiHeadAttentionConfig::new(run.case.int("d_model"), run.case.int("n_heads"))
        .with_bias(run.case.flag("bias"))
        .with_causal(run.case.flag("causal"))
        .with_k_dim(width("k_dim"))
        .with_v_dim(width("v_dim"));
    let module = run.load(config.init(&run.device), |name: &str| {
        match name.strip_prefix("in_proj.") {
            Some("q.weight") => "q_proj_weight".into(),
            Some("k.weight") => "k_proj_weight".into(),
            Some("v.weight") => "v_proj_weight".into(),
            Some(rest) => format!("in_proj_{rest}"),
            None => name.into(),
        }
    });
    let x = run.input("x");
    let (y, map) = match run.try_input("key") {
        Some(key) => module.forward_cross_with_map(x, key, run.input("value"), mask(run), None),
        None => module.forward_with_map(x, mask(run), None),
    };
    run.output("attention", map.unwrap());
    run.output("y", y);
}

fn grouped(run: &Run<'_>) {
    let (heads, width) = (run.case.int("n_heads"), run.case.int("d_model"));
    let mut config = GroupedQueryAttentionConfig::new(width, heads, run.case.int("n_kv_heads"))
        .with_head_dim(Some(run.case.int("head_dim")))
        .with_causal(run.case.flag("causal"))
        .with_bias(run.case.flag("bias"));
    if let Some(norm) = run.case.config.get("norm") {
        config = config
            .with_qk_norm(serde_json::from_value(norm.clone()).unwrap())
            .with_qk_norm_eps(run.case.float("eps"));
    }
    let module = run.load(config.init(&run.device), |name: &str| {
        name.replace("qk_norm.", "")
    });
    run.output("y", module.forward(run.input("x"), mask(run), None));
}

fn sliding(run: &Run<'_>) {
    let (heads, width) = (run.case.int("n_heads"), run.case.int("d_model"));
    let config = SlidingWindowAttentionConfig::new(width, heads, run.case.int("window"))
        .with_causal(run.case.flag("causal"))
        .with_bias(run.case.flag("bias"));
    let module = run.load(config.init(&run.device), same);
    run.output("y", module.forward(run.input("x"), mask(run), None));
}

fn cross(run: &Run<'_>) {
    let (context, width) = (run.case.int("d_context"), run.case.int("d_model"));
    let config = CrossAttentionConfig::new(width, context, run.case.int("n_heads"))
        .with_bias(run.case.flag("bias"));
    let module = run.load(config.init(&run.device), same);
    run.output(
        "y",
        module.forward(run.input("x"), run.input("context"), mask(run), None),
    );
}

fn linear(run: &Run<'_>) {
    let (q, k, v) = (run.input("q"), run.input("k"), run.input("v"));
    let (valid, eps) = (run.mask("key_valid"), run.case.float("eps"));
    let y = if run.case.flag("causal") {
        linear_attention_causal(q, k, v, valid, eps, &mut LinearAttentionState::new())
    } else {
        linear_attention(q, k, v, valid, eps)
    };
    run.output("y", y);
}

fn rope(run: &Run<'_>) {
    let layout = serde_json::from_value(run.case.config["layout"].clone()).unwrap();
    let module = RotaryEmbeddingConfig::new(run.case.int("rotary_dim"))
        .with_theta(run.case.float("theta"))
        .with_layout(layout)
        .init(&run.device);
    let x = run.input("x");
    let tables = module.tables(&run.integers("positions"), &run.device, x.dtype());
    run.output("cos", tables.cos.clone());
    run.output("sin", tables.sin.clone());
    run.output("y", module.rotate(x, &tables));
}

fn act(run: &Run<'_>) {
    let config = AdaptiveComputationTimeConfig::new(
        run.case.int("d_in"),
        run.case.int("d_hidden"),
        run.case.int("d_out"),
    )
    .with_epsilon(run.case.float("epsilon"))
    .with_max_steps(run.case.int("max_steps"));
    let module = run.load(config.init(&run.device), |name: &str| match name {
        "input.weight" => "cell.weight_ih".into(),
        "input.bias" => "cell.bias_ih".into(),
        "recurrent.weight" => "cell.weight_hh".into(),
        "recurrent.bias" => "cell.bias_hh".into(),
        _ => name.replace("output.", "out."),
    });
    let result = module.forward(run.input("x"), Some(run.input("state")));
    run.output("y", result.output);
    run.output("state", result.state);
    run.output("ponder", result.ponder);
    run.output("n_steps", result.n_steps.float());
    run.output("remainder", result.remainder);
    run.output("halting", result.halting);
}

fn dispatch(run: &Run<'_>) {
    match run.case.model.as_str() {
        "swiglu" | "geglu" | "reglu" => glu(run),
        "squared_relu" => elementwise(run, squared_relu),
        "mish" => elementwise(run, mish),
        "lisht" => elementwise(run, lisht),
        "star_relu" => {
            let config = StarReluConfig::new().with_learnable(run.case.flag("learnable"));
            let module = run.load(config.init(&run.device), same);
            elementwise(run, |x| module.forward(x));
        }
        "acon_c" => at_rank!(run, acon_c),
        "meta_acon" => at_rank!(run, meta_acon),
        "frelu" => frelu(run),
        "squeeze_excitation" => at_rank!(run, squeeze_excitation),
        "sparsemax" | "entmax15" => at_rank!(run, simplex),
        "rms_norm" => at_rank!(run, rms_norm),
        "layer_scale" => at_rank!(run, layer_scale),
        "group_norm_1d" => at_rank!(run, group_norm),
        "adaptive_layer_norm" => at_rank!(run, adaptive_layer_norm),
        "conditional_layer_norm" => at_rank!(run, conditional_layer_norm),
        "revin" => revin(run),
        "multi_head_attention" => multi_head(run),
        "grouped_query_attention" | "qk_norm" => grouped(run),
        "sliding_window_attention" => sliding(run),
        "cross_attention" => cross(run),
        "linear_attention" => linear(run),
        "rope" => rope(run),
        "act" => act(run),
        other => panic!("no component {other}"),
    }
}

fn check(component: &str) {
    let mut failures = Vec::new();
    for path in cases(component) {
        let case = Case::read(&path);
        for dtype in [DType::F64, DType::F32] {
            let run = Run::new(&case, dtype);
            dispatch(&run);
            for line in run.compare() {
                failures.push(format!("{} {dtype:?} {line}", path.display()));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

macro_rules! components {
    ($($name:ident),* $(,)?) => { $(
        #[test]
        fn $name() {
            check(stringify!($name));
        }
    )* };
}

mod oracle {
    use super::check;
    components!(
        multi_head_attention,
        grouped_query_attention,
        qk_norm,
        sliding_window_attention,
        cross_attention,
        linear_attention,
        rope,
        act,
        swiglu,
        geglu,
        reglu,
        squared_relu,
        mish,
        lisht,
        star_relu,
        acon_c,
        meta_acon,
        frelu,
        squeeze_excitation,
        sparsemax,
        entmax15,
        rms_norm,
        layer_scale,
        group_norm_1d,
        adaptive_layer_norm,
        conditional_layer_norm,
        revin,
    );
}
