//! The layers of forge-nn, the backbones of forge-models and the functions of forge-train that the
//! oracle runner knows, by the names of the cases.
//!
//! A component is one file here: a function that reads its config, parameters and inputs from a
//! [`Session`] and hands in its outputs. The runner does the rest. To add one: its file, and its
//! line in [`ALL`].

/// Runs a function that is generic over the rank of the input `x` at the rank that the case has.
macro_rules! at_rank_of_x {
    ($session:expr, $run:ident) => {
        match $session.shape("input/x")?.len() {
            2 => $run::<2>($session),
            3 => $run::<3>($session),
            4 => $run::<4>($session),
            rank => Err(crate::oracle::OracleError::new(format!(
                "input/x has {rank} axes, expected 2 to 4"
            ))),
        }
    };
}

mod acon_c;
mod adaptive_computation_time;
mod adaptive_layer_norm;
mod attention_core;
mod backbone;
mod bayesian_linear;
mod by_path;
mod conditional_layer_norm;
mod cross_attention;
mod darts;
mod elementwise;
mod enas;
mod evidential;
mod ewc;
mod frelu;
mod gated_linear_unit;
mod gem;
mod group_norm_1d;
mod grouped_query_attention;
mod gumbel_softmax;
mod hyper_mixer;
mod layer_scale;
mod linear_attention;
mod losses;
mod mamba;
mod maml;
mod mc_dropout;
mod meta_acon;
mod migt;
mod multi_head_attention;
mod neural_process;
mod ntm;
mod num_embedding_bins;
mod num_embeddings;
mod packnet;
mod progressive;
mod proto_net;
mod proxyless;
mod reptile;
mod revin;
mod rms_norm;
mod robust_scale;
mod rope;
mod simplex;
mod sliding_window_attention;
mod small_net;
mod squeeze_excitation;
mod star_relu;
mod stock_former_loss;
mod swag;
mod ttt;
mod xlstm;

use forge_models::{
    HybridTransformerConfig, ModernTransformerConfig, ParallelTransformerConfig,
    SearchedBackboneConfig,
};

use crate::oracle::{OracleError, Session};

/// Computes a case's outputs.
type Run = fn(&Session<'_>) -> Result<(), OracleError>;

/// A layer or function that has cases.
#[derive(Debug, Clone, Copy)]
pub struct Component {
    /// `model` in the metadata of its cases.
    pub name: &'static str,
    /// Computes the outputs.
    pub run: Run,
}

const fn component(name: &'static str, run: Run) -> Component {
    Component { name, run }
}

/// All of them, in name order.
pub const ALL: &[Component] = &[
    component("acon_c", acon_c::run),
    component("act", adaptive_computation_time::run),
    component("adaptive_layer_norm", adaptive_layer_norm::run),
    component("attention_core", attention_core::run),
    component("bayesian_linear", bayesian_linear::run),
    component("cnp", neural_process::run),
    component("conditional_layer_norm", conditional_layer_norm::run),
    component("cross_attention", cross_attention::run),
    component("darts", darts::run),
    component("enas_child", enas::run_child),
    component("enas_controller", enas::run_controller),
    component("entmax15", simplex::run),
    component("evidential", evidential::run),
    component("ewc", ewc::run),
    component("frelu", frelu::run),
    component("geglu", gated_linear_unit::run),
    component("gem", gem::run),
    component("group_norm_1d", group_norm_1d::run),
    component("grouped_query_attention", grouped_query_attention::run),
    component("gumbel_softmax", gumbel_softmax::run),
    component(
        "hybrid_transformer",
        backbone::run::<HybridTransformerConfig>,
    ),
    component("hyper_mixer", hyper_mixer::run),
    component("layer_scale", layer_scale::run),
    component("linear_attention", linear_attention::run),
    component("lisht", elementwise::run),
    component("losses", losses::run),
    component("mamba", mamba::run),
    component("mamba2", mamba::run_mamba2),
    component("maml", maml::run),
    component("mc_dropout", mc_dropout::run),
    component("meta_acon", meta_acon::run),
    component("migt_calendar_encoding", migt::run_calendar),
    component("migt_gated_instance_norm", migt::run_gate),
    component("migt_masked_revin", migt::run_revin),
    component("migt_quantile_head", migt::run_head),
    component("migt_temporal_aggregation", migt::run_aggregation),
    component("migt_temporal_block", migt::run_temporal_block),
    component("migt_variable_block", migt::run_variable_block),
    component("mish", elementwise::run),
    component(
        "modern_transformer",
        backbone::run::<ModernTransformerConfig>,
    ),
    component("multi_head_attention", multi_head_attention::run),
    component("neural_process", neural_process::run),
    component("ntm", ntm::run),
    component("num_embedding_bins", num_embedding_bins::run),
    component("num_embeddings", num_embeddings::run),
    component("packnet", packnet::run),
    component(
        "parallel_transformer",
        backbone::run::<ParallelTransformerConfig>,
    ),
    component("progressive", progressive::run),
    component("proto_net", proto_net::run),
    component("proxyless", proxyless::run),
    component("qk_norm", grouped_query_attention::run),
    component("realmlp_preprocessing", robust_scale::run),
    component("reglu", gated_linear_unit::run),
    component("reptile", reptile::run),
    component("revin", revin::run),
    component("rms_norm", rms_norm::run),
    component("rope", rope::run),
    component("searched_tokens", backbone::run::<SearchedBackboneConfig>),
    component("sliding_window_attention", sliding_window_attention::run),
    component("sparsemax", simplex::run),
    component("squared_relu", elementwise::run),
    component("squeeze_excitation", squeeze_excitation::run),
    component("star_relu", star_relu::run),
    component("stock_former_loss", stock_former_loss::run),
    component("swag", swag::run),
    component("swiglu", gated_linear_unit::run),
    component("ttt_linear", ttt::run_linear),
    component("ttt_mlp", ttt::run_mlp),
    component("xlstm", xlstm::run),
    component("xlstm_mlstm", xlstm::run_mlstm),
    component("xlstm_slstm", xlstm::run_slstm),
];

/// The component called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Component> {
    ALL.iter().find(|component| component.name == name)
}
