//! The batteries over backbones: padding, and token by token.

use forge_models::{
    AttentionKind, Backbone, BackboneConfig, CarriesState, FtTransformerConfig,
    HybridTransformerConfig, HyperMixerConfig, LayerState, Mamba2BackboneConfig,
    MambaBackboneConfig, ModernTcnConfig, ModernTransformerBackbone, ModernTransformerConfig,
    NtmConfig, ParallelTransformerConfig, SearchedBackboneConfig, Shrink, TabularConfig,
    TabularInput, TabularSpec, TokenConfig, TttMlpBackboneConfig, XlstmBackboneConfig,
};
use forge_nn::burn::module::Module;
use forge_nn::burn::tensor::{Device, Distribution, Tensor};
use forge_nn::{ForgeError, ModuleConfig, Network, StateDict};
use forge_testkit::battery;

/// What a causal backbone with state must do; `apart` as in [`battery::sequences_leave_and_join`].
fn check<C: BackboneConfig<Module: CarriesState> + Clone>(apart: [bool; 2]) {
    let (config, device) = (C::narrow(), Device::flex());
    let backbone = config.try_init(&device).unwrap();
    let (name, width) = (C::NAME, config.d_token());
    battery::padding_changes_nothing(name, &backbone, width, &device);
    battery::steps_equal_the_sequence(name, &backbone, width, &device);
    states_of_others(name, &config);
    battery::states_survive_files(name, &backbone, width, &device);
    battery::sequences_leave_and_join(name, &backbone, width, apart, &device);
    let learning = device.autodiff();
    let backbone = config.try_init(&learning).unwrap();
    battery::gradients_flow_through_the_state(name, &backbone, width, &learning);
    battery::large_tokens_stay_finite(name, &backbone, width, &learning);
    battery::shortest_sequences_are_right(name, &backbone, width, &learning);
}

/// The state of a student of half the width, and tokens of another batch and width.
fn states_of_others<C: BackboneConfig<Module: CarriesState> + Clone>(name: &str, config: &C) {
    let device = Device::flex();
    let other = config.clone().smaller(Shrink::by(0.5).unwrap());
    let [backbone, smaller] = [config, &other].map(|config| config.try_init(&device).unwrap());
    let smaller = (&smaller, other.d_token());
    battery::states_of_others_are_refused(name, &backbone, config.d_token(), smaller, &device);
}

macro_rules! streaming {
    ($($test:ident: $config:ident, $apart:expr);* $(;)?) => {
        $(
            #[test]
            fn $test() {
                check::<forge_models::$config>($apart);
            }
        )*
    };
}

streaming! {
    mamba: MambaBackboneConfig, [true; 2];
    mamba2: Mamba2BackboneConfig, [true; 2];
    xlstm: XlstmBackboneConfig, [true; 2];
    ttt_linear: TttLinearBackboneConfig, [false; 2];
    ttt_mlp: TttMlpBackboneConfig, [false; 2];
}

#[test]
fn padding_changes_nothing_in_an_ft_transformer() {
    let table = TabularSpec {
        n_num_features: 1,
        cat_cardinalities: vec![],
        d_out: 1,
    };
    let device = Device::flex();
    let config = FtTransformerConfig::narrow().sized_for(&table).unwrap();
    let model = config.try_init(&device).unwrap();
    battery::padding_changes_nothing("ft_transformer", &model.backbone, config.d_block, &device);
}

fn padding<C: BackboneConfig>(name: &str, config: &C) {
    let device = Device::flex();
    let backbone = config.try_init(&device).unwrap();
    battery::padding_changes_nothing(name, &backbone, config.d_token(), &device);
}

fn steps<C: BackboneConfig<Module: CarriesState>>(name: &str, config: &C, apart: [bool; 2]) {
    let device = Device::flex();
    let backbone = config.try_init(&device).unwrap();
    battery::steps_equal_the_sequence(name, &backbone, config.d_token(), &device);
    battery::states_survive_files(name, &backbone, config.d_token(), &device);
    battery::sequences_leave_and_join(name, &backbone, config.d_token(), apart, &device);
    let learning = device.autodiff();
    let backbone = config.try_init(&learning).unwrap();
    battery::gradients_flow_through_the_state(name, &backbone, config.d_token(), &learning);
}

/// Every kind of attention, in a transformer that is causal or not.
fn modern_transformers(causal: bool) -> Vec<(String, ModernTransformerConfig)> {
    let kinds = [
        AttentionKind::MultiHead,
        AttentionKind::MultiQuery,
        AttentionKind::GroupedQuery,
        AttentionKind::Linear,
        AttentionKind::SlidingWindow,
    ];
    let config = |attention| ModernTransformerConfig {
        attention,
        causal,
        window: (attention == AttentionKind::SlidingWindow).then_some(3),
        ..ModernTransformerConfig::narrow()
    };
    let named = |kind| (format!("modern_transformer, {kind:?}"), config(kind));
    kinds.map(named).into()
}

fn hybrid_transformer(causal: bool) -> HybridTransformerConfig {
    HybridTransformerConfig {
        causal,
        ..HybridTransformerConfig::narrow()
    }
}

fn parallel_transformers(causal: bool) -> [ParallelTransformerConfig; 2] {
    [None, Some(3)].map(|window| ParallelTransformerConfig {
        causal,
        window,
        ..ParallelTransformerConfig::narrow()
    })
}

#[test]
fn padding_changes_nothing_in_transformers() {
    for causal in [false, true] {
        for (name, config) in modern_transformers(causal) {
            padding(&name, &config);
        }
        padding("hybrid_transformer", &hybrid_transformer(causal));
        for config in parallel_transformers(causal) {
            padding("parallel_transformer", &config);
        }
    }
}

#[test]
fn padding_changes_nothing_in_mixers_convolutions_and_machines() {
    padding("hyper_mixer", &HyperMixerConfig::narrow());
    padding("modern_tcn", &ModernTcnConfig::narrow());
    padding("ntm", &NtmConfig::narrow());
    padding("searched_tokens", &SearchedBackboneConfig::narrow());
}

/// The name says what the tests on devices ask for.
#[test]
fn every_backend_gives_the_pieces_of_flex() {
    fn check<C: BackboneConfig<Module: CarriesState>>(config: &C) {
        battery::pieces_on_devices_equal_flex(C::NAME, config, config.d_token());
    }
    check(&MambaBackboneConfig::narrow());
    check(&Mamba2BackboneConfig::narrow());
    check(&XlstmBackboneConfig::narrow());
    check(&TttMlpBackboneConfig::narrow());
    for (_, config) in modern_transformers(true).iter().skip(3) {
        check(config);
    }
}

#[test]
fn steps_equal_the_sequence_in_causal_transformers() {
    for (name, config) in modern_transformers(true) {
        steps(&name, &config, [false; 2]);
    }
    steps("hybrid_transformer", &hybrid_transformer(true), [false; 2]);
    for config in parallel_transformers(true) {
        steps("parallel_transformer", &config, [false; 2]);
    }
}

#[test]
fn steps_equal_the_sequence_in_a_machine() {
    steps("ntm", &NtmConfig::narrow(), [false, true]);
}

/// The last token of a single causal layer sees what the layer without order shows it, beyond a chunk
/// of the sums too.
#[test]
fn the_last_token_of_a_causal_layer_sees_all() {
    let device = Device::flex();
    for time in [1, 5, 64, 71] {
        let causal = modern_transformers(true).into_iter();
        for ((name, causal), (_, open)) in causal.zip(modern_transformers(false)) {
            let [causal, open] = [causal, open].map(|config| ModernTransformerConfig {
                n_layers: 1,
                ..config
            });
            let causal = causal.try_init(&device).unwrap();
            let state = StateDict::from_module(&causal).unwrap();
            let open = state.load_into(open.try_init(&device).unwrap()).unwrap();
            let tokens = Tensor::<3>::random([2, time, 16], Distribution::Default, &device);
            let last = |backbone: &ModernTransformerBackbone| {
                backbone
                    .forward(tokens.clone(), None)
                    .narrow(1, time - 1, 1)
            };
            let error = (last(&causal) - last(&open))
                .abs()
                .max()
                .into_scalar::<f32>();
            assert!(error < 1e-5, "{name}, {time} tokens: {error}");
        }
    }
}

#[test]
fn what_a_step_keeps_does_not_grow_with_a_window_or_sums() {
    let device = Device::flex();
    let config = ModernTransformerConfig {
        attention: AttentionKind::SlidingWindow,
        window: Some(3),
        causal: true,
        ..ModernTransformerConfig::narrow()
    };
    let backbone = config.try_init(&device).unwrap();
    let mut state = backbone.start(1, &device);
    for seen in 1..=9 {
        let token = Tensor::ones([1, config.d_model], &device);
        (_, state) = backbone.step(token, state);
        assert_eq!(state.seen(), seen);
        for layer in state.layers() {
            let LayerState::Keys(cache) = layer else {
                panic!("a window keeps keys")
            };
            assert_eq!(cache.kept(), seen.min(3));
        }
    }
}

#[test]
fn a_causal_transformer_as_a_model_reads_what_has_seen_every_column() {
    let device = Device::flex();
    let table = TabularSpec {
        n_num_features: 3,
        cat_cardinalities: vec![],
        d_out: 1,
    };
    let backbone = ModernTransformerConfig {
        causal: true,
        ..ModernTransformerConfig::narrow()
    };
    let config = TokenConfig::new(backbone).sized_for(&table).unwrap();
    let model = config.try_init(&device).unwrap();
    let y = |x: [f32; 3]| {
        let x = Tensor::<2>::from_data([x], &device);
        model.forward(TabularInput::numeric(x)).into_data()
    };
    for changed in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] {
        assert_ne!(y(changed), y([0.0; 3]), "{changed:?}");
    }
}

#[test]
fn sequences_of_no_and_of_one_token_are_right() {
    fn check<C: BackboneConfig>(config: &C) {
        let device = Device::flex().autodiff();
        let backbone = config.try_init(&device).unwrap();
        battery::shortest_sequences_are_right(C::NAME, &backbone, config.d_token(), &device);
    }
    for causal in [false, true] {
        for (_, config) in modern_transformers(causal) {
            check(&config);
        }
        check(&hybrid_transformer(causal));
        parallel_transformers(causal).iter().for_each(check);
    }
    check(&HyperMixerConfig::narrow());
    check(&ModernTcnConfig::narrow());
    check(&NtmConfig::narrow());
    check(&SearchedBackboneConfig::narrow());
}

#[test]
fn steps_refuse_states_and_tokens_of_others() {
    for (name, config) in modern_transformers(true) {
        states_of_others(&name, &config);
    }
    states_of_others("hybrid_transformer", &hybrid_transformer(true));
    for config in parallel_transformers(true) {
        states_of_others("parallel_transformer", &config);
    }
    states_of_others("ntm", &NtmConfig::narrow());
}

#[test]
fn windows_and_patterns_that_do_not_fit_are_refused_by_name() {
    let refused = |result: Result<(), ForgeError>, part: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(part), "'{part}' is not in: {error}");
    };
    let modern = |attention, window| ModernTransformerConfig {
        attention,
        window,
        ..ModernTransformerConfig::narrow()
    };
    refused(
        modern(AttentionKind::SlidingWindow, None).validate(),
        "window",
    );
    refused(
        modern(AttentionKind::MultiHead, Some(3)).validate(),
        "window",
    );
    let odd = ModernTransformerConfig {
        d_model: 20,
        ..ModernTransformerConfig::narrow()
    };
    refused(odd.validate(), "head_dim = d_model / n_heads = 5");
    let empty = HybridTransformerConfig {
        layer_attention: vec![],
        ..HybridTransformerConfig::narrow()
    };
    refused(empty.validate(), "layer_attention");
    // The first of 8 tokens does not see the last through one kernel of 7.
    let short = ModernTcnConfig {
        n_blocks: 1,
        ..ModernTcnConfig::narrow()
    };
    let table = TabularSpec {
        n_num_features: 7,
        cat_cardinalities: vec![],
        d_out: 1,
    };
    let short = TokenConfig::new(short).sized_for(&table).unwrap();
    refused(short.validate(), "large_size = 7, must be at least 15");
}

#[test]
fn merged_kernels_of_a_modern_tcn_give_the_same() {
    let device = Device::flex();
    let train = device.clone().autodiff();
    let backbone = ModernTcnConfig::narrow().try_init(&train).unwrap();
    let shape = [5, 11, ModernTcnConfig::narrow().d_model];
    let tokens = |device: &Device| Tensor::<3>::random(shape, Distribution::Default, device);
    // The norms' running statistics move away from where they start.
    for _ in 0..20 {
        let _ = backbone.forward(tokens(&train) * 3.0 + 1.0, None);
    }
    let backbone = backbone.valid();
    let tokens = tokens(&device);
    let y = backbone.forward(tokens.clone(), None);
    let merged = backbone.clone().merged();
    assert!(merged.num_params() < backbone.num_params());
    let error = (merged.forward(tokens, None) - y.clone()).abs().max();
    let size = y.abs().max().into_scalar::<f32>();
    assert!(error.into_scalar::<f32>() <= 1e-5 * size);
}

/// In training padding is no part of a batch's statistics either.
#[test]
fn padding_changes_nothing_in_a_modern_tcn_in_training() {
    let device = Device::flex().autodiff();
    let config = ModernTcnConfig {
        dropout: 0.0,
        ..ModernTcnConfig::narrow()
    };
    let backbone = config.try_init(&device).unwrap();
    let alone = Tensor::<3>::random([3, 6, config.d_model], Distribution::Default, &device);
    let junk = Tensor::<3>::full([3, 5, config.d_model], 9.0, &device);
    let valid = Tensor::<2>::ones([3, 6], &device);
    let valid = Tensor::cat(vec![valid, Tensor::zeros([3, 5], &device)], 1).equal_elem(1.0);
    let padded = Tensor::cat(vec![alone.clone(), junk], 1);
    let y = backbone.forward(padded, Some(valid)).narrow(1, 0, 6);
    let error = (y - backbone.forward(alone, None)).abs().max();
    assert!(error.into_scalar::<f32>() < 1e-5);
}
