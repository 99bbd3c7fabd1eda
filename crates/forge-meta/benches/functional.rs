//! What derivatives by replay cost: `functional [ITEM…]` prints `ITEM ms` for the items that it is given, or
//! for all; `--list` prints their names. `FORGE_BENCH_DEVICE` names the device, of those compiled in;
//! default: flex.
//!
//! An item is a model and what is timed of it, at its fast preset with 256 rows of 40 numeric features in
//! evaluation mode:
//!
//! - `direct`: Burn's forward and backward pass
//! - `gradient`, `hvp`: `value_and_grad` and `hvp`
//! - `per_sample`: `per_sample_grads` of the 256 rows; `one_sample`: `value_and_grad` of one row
//! - `one`, `members`: the answers of one member, and of eight at once (`call_each`); `one_of_one_row` and
//!   `members_of_one_row`: the same for one row
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use forge_meta::functional::{Functional, Params};
use forge_models::{Model, ModelConfig, Strategy, TabularInput, TabularSpec};
use forge_nn::{Mode, ModuleConfig, Network, set_mode};
use forge_testkit::bench::{Work, device, median_ms};

// Freed tensors' memory is reused instead of going back to the kernel.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FEATURES: usize = 40;
const ROWS: usize = 256;
const MEMBERS: usize = 8;

const MODELS: [&str; 3] = ["tabular_mlp", "tabular_resnet", "ft_transformer"];
const KINDS: [&str; 9] = [
    "direct",
    "gradient",
    "hvp",
    "per_sample",
    "one_sample",
    "one",
    "members",
    "one_of_one_row",
    "members_of_one_row",
];

type Batch = (Tensor<2>, Tensor<2>);

fn loss(model: &Model, (x, y): Batch) -> Tensor<1> {
    (model.forward(TabularInput::numeric(x)) - y)
        .square()
        .mean()
}

/// A model on a device that differentiates.
fn model(name: &str, tracked: &Device) -> Model {
    let spec = TabularSpec {
        n_num_features: FEATURES,
        cat_cardinalities: vec![],
        d_out: 1,
    };
    let config = ModelConfig::preset(name, Strategy::Fast).unwrap().config;
    let config = config.sized_for(&spec).unwrap();
    set_mode(config.init(tracked).materialize(), Mode::Evaluate)
}

/// What is timed of a model.
fn work(name: &str, kind: &str) -> Work {
    let device = device();
    let tracked = device.clone().autodiff();
    let model = model(name, &tracked);
    let rows = match kind.ends_with("one_row") || kind == "one_sample" {
        true => 1,
        false => ROWS,
    };
    let random = |width| Tensor::<2>::random([rows, width], Distribution::Default, &device);
    let (x, y) = (random(FEATURES), random(1));
    if kind == "direct" {
        let on = move |t: &Tensor<2>| t.clone().to_device(&tracked);
        return Box::new(move || {
            let _ = loss(&model, (on(&x), on(&y))).backward();
        });
    }
    let params = Params::of(&model);
    let answers = || {
        Functional::capture(&model, |model, (x,): (Tensor<2>,)| {
            model.forward(TabularInput::numeric(x))
        })
    };
    let loss = || Functional::capture(&model, loss);
    let batch = {
        let x = x.clone();
        move || (x.clone(), y.clone())
    };
    match kind {
        "one" | "one_of_one_row" => {
            let f = answers();
            Box::new(move || {
                let _ = f.call(&params, (x.clone(),)).unwrap();
            })
        }
        "members" | "members_of_one_row" => {
            let f = answers();
            let members = Params::stack(&vec![params; MEMBERS]).unwrap();
            Box::new(move || {
                let _: Tensor<3> = f.call_each(&members, (x.clone(),)).unwrap();
            })
        }
        "gradient" | "one_sample" => {
            let f = loss();
            Box::new(move || {
                let _ = f.value_and_grad(&params, batch()).unwrap();
            })
        }
        "hvp" => {
            let f = loss();
            let direction = f.grad(&params, batch()).unwrap();
            Box::new(move || {
                let _ = f.hvp(&params, &direction, batch()).unwrap();
            })
        }
        "per_sample" => {
            let f = loss();
            Box::new(move || {
                let _ = f.per_sample_grads(&params, batch()).unwrap();
            })
        }
        _ => panic!("{name}_{kind} is not an item"),
    }
}

/// The names of all items, each with its model and what is timed of it.
fn items() -> Vec<(String, &'static str, &'static str)> {
    let of = |model| KINDS.map(|kind| (format!("{model}_{kind}"), model, kind));
    MODELS.into_iter().flat_map(of).collect()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_listing = arguments.iter().any(|argument| argument == "--list");
    let named: Vec<String> = arguments
        .into_iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let items = items();
    let names: Vec<&String> = items.iter().map(|(name, ..)| name).collect();
    if let Some(unknown) = named.iter().find(|name| !names.contains(name)) {
        println!("unknown item {unknown}; --list prints those that there are");
        std::process::exit(1);
    }
    for (name, model, kind) in &items {
        if is_listing {
            println!("{name}");
        } else if named.is_empty() || named.contains(name) {
            println!("{name} {:.3}", median_ms(work(model, kind)));
        }
    }
}
