//! What derivatives by replay cost: `functional [MODEL…]` (default: `tabular_mlp`,
//! `tabular_resnet` and `ft_transformer`) prints for each, at its fast preset with 256 rows of 40
//! numeric features in evaluation mode, milliseconds of Burn's forward and backward pass, of
//! `value_and_grad` and `hvp`, and how often the first goes into the second and the second into the
//! third; of `per_sample_grads`, the same 256 rows at once and one by one, and how often
//! `value_and_grad` goes into the former; and of the answers of eight members at once (`call_each`)
//! beside those of one, for all rows and for one row. `FORGE_BENCH_DEVICE` names the device, of those compiled in; default: flex.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use burn::module::Module;
use burn::tensor::{Distribution, Tensor};
use forge_meta::functional::{Functional, Params};
use forge_models::{Model, ModelConfig, Strategy, TabularInput, TabularSpec};
use forge_nn::{Mode, ModuleConfig, Network, set_mode};
use forge_testkit::bench::{device, median_ms};

// Freed tensors' memory is reused instead of going back to the kernel.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FEATURES: usize = 40;
const ROWS: usize = 256;
const MEMBERS: usize = 8;

type Batch = (Tensor<2>, Tensor<2>);

fn loss(model: &Model, (x, y): Batch) -> Tensor<1> {
    (model.forward(TabularInput::numeric(x)) - y)
        .square()
        .mean()
}

fn main() {
    let named: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let usual = ["tabular_mlp", "tabular_resnet", "ft_transformer"];
    let names = match named.is_empty() {
        true => usual.map(String::from).to_vec(),
        false => named,
    };
    let device = device();
    for name in names {
        let spec = TabularSpec {
            n_num_features: FEATURES,
            cat_cardinalities: vec![],
            d_out: 1,
        };
        let config = ModelConfig::preset(&name, Strategy::Fast).unwrap().config;
        let config = config.sized_for(&spec).unwrap();
        let tracked = device.clone().autodiff();
        let model = set_mode(config.init(&tracked).materialize(), Mode::Evaluate);
        let random = |width| Tensor::<2>::random([ROWS, width], Distribution::Default, &device);
        let (x, y) = (random(FEATURES), random(1));
        let f = Functional::capture(&model, loss);
        let params = Params::of(&model);
        let direction = f.grad(&params, (x.clone(), y.clone())).unwrap();
        let direct = {
            let (model, x, y) = (model.clone(), x.clone(), y.clone());
            let on = move |t: &Tensor<2>| t.clone().to_device(&tracked);
            median_ms(Box::new(move || {
                let _ = loss(&model, (on(&x), on(&y))).backward();
            }))
        };
        let f = std::sync::Arc::new(f);
        let rows = {
            let (f, params, x, y) = (f.clone(), params.clone(), x.clone(), y.clone());
            median_ms(Box::new(move || {
                let _ = f.per_sample_grads(&params, (x.clone(), y.clone())).unwrap();
            }))
        };
        let single = {
            let (f, params) = (f.clone(), params.clone());
            let (x, y) = (x.clone().narrow(0, 0, 1), y.clone().narrow(0, 0, 1));
            median_ms(Box::new(move || {
                let _ = f.value_and_grad(&params, (x.clone(), y.clone())).unwrap();
            }))
        };
        for rows in [ROWS, 1] {
            let said = Functional::capture(&model, |model, (x,): (Tensor<2>,)| {
                model.forward(TabularInput::numeric(x))
            });
            let said = std::sync::Arc::new(said);
            let x = x.clone().narrow(0, 0, rows);
            let members: Vec<Params> = (0..MEMBERS).map(|_| params.clone()).collect();
            let stacked = Params::stack(&members).unwrap();
            let (one, own, input) = (said.clone(), params.clone(), x.clone());
            let one = median_ms(Box::new(move || {
                let _ = one.call(&own, (input.clone(),)).unwrap();
            }));
            let all = median_ms(Box::new(move || {
                let _: Tensor<3> = said.call_each(&stacked, (x.clone(),)).unwrap();
            }));
            println!(
                "{name}, {rows} rows: one member {one:.3} ms, {MEMBERS} at once {all:.3} ms ({:.2})",
                all / one
            );
        }
        let (replay, curved) = (f.clone(), f);
        let (p, a) = (params.clone(), (x.clone(), y.clone()));
        let gradient = median_ms(Box::new(move || {
            let _ = replay.value_and_grad(&p, a.clone()).unwrap();
        }));
        let hvp = median_ms(Box::new(move || {
            let _ = curved
                .hvp(&params, &direction, (x.clone(), y.clone()))
                .unwrap();
        }));
        println!(
            "{name}: per_sample_grads {rows:.2} ms ({:.2}), one by one {:.2} ms",
            rows / gradient,
            ROWS as f64 * single
        );
        println!(
            "{name}: direct {direct:.2} ms, value_and_grad {gradient:.2} ms ({:.2}), hvp {hvp:.2} ms \
             ({:.2})",
            gradient / direct,
            hvp / gradient
        );
    }
}
