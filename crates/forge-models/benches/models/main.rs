//! Times models: `models [--preset STRATEGY] [ITEM…]` prints `ITEM ms`, the median of several runs in
//! this process. `NAME_train` is an optimiser step on 256 rows (forward, squared error, backward,
//! AdamW), `NAME_forward` a forward pass of 1,024 rows without gradients, both of the model called
//! NAME at its default architecture, or that of a preset, over 40 numeric features. Models that
//! predict from labelled rows are given 256 more. `NAME_block` is an optimiser step of one layer of the
//! backbone NAME at its default width over 8 sequences of 512 tokens (squared error of all outputs, AdamW).
//! `models --long NAME TOKENS` prints time of forward and
//! backward, peak memory, and the time of a step after so many tokens, of the backbone NAME at its
//! balanced preset; `models --long NAME` how its time grows with every doubling from 1,024 to 16,384 tokens. `models --memory fused|stored [WINDOWS]` prints time and peak memory of MIGT-TVDT with
//! the library's attention and with stored weights (default: 8 windows). `models --checkpointing kept|recomputed
//! [BLOCKS]` prints them of a transformer of 24 blocks that are kept for the backward pass or computed again.
//! `models --series [NAME…]` prints the time of an optimiser step of forecasting models.
//! `FORGE_BENCH_DEVICE` names the device, of those
//! compiled in; default: flex. `benches/compare.sh models` at the root runs this beside the authors'
//! code.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod blocks;
mod depth;
mod long;
mod memory;
mod series;

use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor};
use forge_models::{
    Context, Model, ModelConfig, RowContext, Strategy, TabularInput, TabularRows, TabularSpec,
    TrainingRows,
};
use forge_nn::{ModuleConfig, Network};
use forge_testkit::bench::{Work, begin, device, median_ms, where_trained};
use forge_train::optimizer::OptimizerConfig;

// Freed tensors' memory is reused instead of going back to the kernel.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FEATURES: usize = 40;
const ROWS: [(&str, usize); 2] = [("train", 256), ("forward", 1024)];

/// What is to be timed: a model and which of [`ROWS`].
struct Item {
    config: ModelConfig,
    name: String,
    rows: usize,
    train: bool,
}

impl Item {
    fn list(strategy: Option<Strategy>) -> Vec<Self> {
        let table = TabularSpec {
            n_num_features: FEATURES,
            cat_cardinalities: vec![],
            d_out: 1,
        };
        let of = |name: &&'static str| {
            let config = match strategy {
                Some(strategy) => ModelConfig::preset(name, strategy).unwrap().config,
                None => ModelConfig::named(name).unwrap(),
            };
            // Presets may take bins from training rows.
            let numbers: Vec<f32> = (0..1_000 * FEATURES).map(|i| (i as f32).sin()).collect();
            let rows = TrainingRows::new(&numbers, FEATURES, &numbers[..1_000], 1, None).unwrap();
            let config = config.sized_for(&table).unwrap();
            let config = config.fitted_to(&rows).unwrap();
            ROWS.map(|(what, rows)| Self {
                config: config.clone(),
                name: format!("{name}_{what}"),
                rows,
                train: what == "train",
            })
        };
        ModelConfig::NAMES.iter().flat_map(of).collect()
    }

    fn work(self) -> Work {
        let device = match self.train {
            true => device().autodiff(),
            false => device(),
        };
        let model = self.config.try_init(&device).unwrap();
        let input = input(&self.config, self.rows, &device);
        if self.train {
            let target = random([self.rows, self.config.spec().d_out], &device);
            step(model, input, target)
        } else {
            Box::new(move || drop(model.forward(input.clone())))
        }
    }
}

fn random(shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

fn input(config: &ModelConfig, rows: usize, device: &Device) -> TabularInput {
    let some = |rows| TabularRows {
        x_num: Some(random([rows, FEATURES], device)),
        ..TabularRows::default()
    };
    let input = TabularInput::from(some(rows));
    match config.capabilities().rows {
        RowContext::Labelled => {
            let targets = random([256, 1], device);
            input.with_context(Context::labelled(some(256), targets))
        }
        RowContext::Alone | RowContext::Neighbours => input,
    }
}

fn step(model: Model, input: TabularInput, target: Tensor<2>) -> Work {
    let mut optimizer = OptimizerConfig::default().build().unwrap();
    let mut model = Some(model);
    Box::new(move || {
        let current = model.take().unwrap();
        let error = current.forward(input.clone()) - target.clone();
        let gradients = (error.clone() * error).mean().backward();
        let gradients = GradientsParams::from_grads(gradients, &current);
        model = Some(optimizer.step(1e-4, current, gradients));
    })
}

fn main() {
    begin();
    // Cargo itself passes `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    if let [flag, name, tokens @ ..] = &arguments[..]
        && flag == "--long"
    {
        let tokens = tokens.first().map(|tokens| tokens.parse().unwrap());
        return where_trained(|| long::report(name, tokens));
    }
    if let [flag, attention, windows @ ..] = &arguments[..]
        && flag == "--memory"
    {
        let windows = windows
            .first()
            .map_or(8, |windows| windows.parse().unwrap());
        return where_trained(|| memory::report(attention, windows));
    }
    if let [flag, how, blocks @ ..] = &arguments[..]
        && flag == "--checkpointing"
    {
        let blocks = blocks.first().map_or(24, |blocks| blocks.parse().unwrap());
        return where_trained(|| depth::report(how, blocks));
    }
    if arguments.first().is_some_and(|flag| flag == "--series") {
        return series::report(&arguments[1..]);
    }
    let mut arguments = arguments.into_iter();
    let mut strategy = None;
    let mut named = Vec::new();
    while let Some(argument) = arguments.next() {
        if argument == "--preset" {
            strategy = Some(arguments.next().unwrap().parse().unwrap());
        } else {
            named.push(argument);
        }
    }
    let items = Item::list(strategy);
    let mut names: Vec<_> = items.iter().map(|item| item.name.as_str()).collect();
    names.extend(blocks::ITEMS.map(|(name, _)| name));
    if let Some(unknown) = named.iter().find(|n| !names.contains(&n.as_str())) {
        println!("unknown item {unknown}; there are {}", names.join(" "));
        std::process::exit(1);
    }
    let wanted = |name: &str| named.is_empty() || named.iter().any(|wanted| wanted == name);
    for item in items {
        if wanted(&item.name) {
            let name = item.name.clone();
            println!("{name} {:.3}", median_ms(item.work()));
        }
    }
    for (name, work) in blocks::ITEMS {
        if wanted(name) {
            println!("{name} {:.3}", median_ms(work()));
        }
    }
}
