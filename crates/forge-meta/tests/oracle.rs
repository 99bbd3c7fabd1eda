//! Recorded cases through the runner: values and gradients in f64 and f32.

use std::path::Path;

use forge_testkit::oracle::assert_cases;

macro_rules! cases {
    ($($folder:ident),* $(,)?) => {$(
        #[test]
        fn $folder() {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
            assert_cases(root.join(stringify!($folder)));
        }
    )*};
}

cases!(
    bayesian_linear,
    cnp,
    darts,
    enas_child,
    enas_controller,
    ewc,
    gem,
    gumbel_softmax,
    maml,
    neural_process,
    packnet,
    progressive,
    proto_net,
    proxyless,
    reptile,
    swag,
);
