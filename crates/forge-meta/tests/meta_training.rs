//! Learning to learn as a run: nothing is lost when it dies, and it is what the methods say by hand.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use burn::module::{Module, ModuleDisplay};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::tanh;
use burn::tensor::{Device, Distribution, Int, Tensor};
use forge_meta::adaptation::{
    LatentConfig, Maml, MamlConfig, MamlModule, MetaLearner, MetaTraining, NeuralProcess,
    NeuralProcessConfig, PerTask, Reptile, ReptileConfig, ReptileLearner, Sinusoids, Task,
    TaskDistribution, prototypical,
};
use forge_meta::functional::{Functional, Params};
use forge_nn::{ForgeError, ModuleConfig, StateDict};
use forge_testkit::survives;
use forge_train::{
    BatchEvent, Flow, Observer, ParameterGroup, Start, TrainOutcome, TrainTask, Trainer,
    TrainerConfig,
};
use serde_json::json;

use crate::functional::{close, noise};

type Batch = (Tensor<2>, Tensor<2>);

#[derive(Module, Debug)]
struct Net {
    body: Linear,
    head: Linear,
}

impl Net {
    fn new(inputs: usize, outputs: usize) -> Self {
        let device = Device::flex();
        device.seed(4);
        let net = Self {
            body: LinearConfig::new(inputs, 6).init(&device),
            head: LinearConfig::new(6, outputs).init(&device),
        };
        drop(Params::on_graph(&net));
        net
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.head.forward(tanh(self.body.forward(x)))
    }
}

fn loss(net: &Net, (x, y): Batch) -> Tensor<1> {
    (net.forward(x) - y).square().mean()
}

fn functional() -> Functional<Batch, Tensor<1>> {
    Functional::capture(&Net::new(1, 1), loss)
}

fn maml() -> Maml<Batch> {
    let config = MamlConfig {
        inner_rate: 0.05,
        inner_steps: 2,
        learn_rates: true,
        ..MamlConfig::default()
    };
    Maml::new(config, functional()).unwrap()
}

fn reptile() -> ReptileLearner<Batch> {
    let reptile = Reptile::new(ReptileConfig::default(), functional()).unwrap();
    ReptileLearner::new(reptile, 3).unwrap()
}

/// A source that dies when it is asked for the task after so many.
struct Dies<D> {
    tasks: D,
    after: Option<usize>,
    asked: Cell<usize>,
}

impl<D: TaskDistribution> TaskDistribution for Dies<D> {
    type Batch = D::Batch;

    fn task(&self, seed: u64, device: &Device) -> Result<Task<D::Batch>, ForgeError> {
        self.asked.set(self.asked.get() + 1);
        match self.after {
            Some(after) if self.asked.get() > after => Err(ForgeError::training("died")),
            _ => self.tasks.task(seed, device),
        }
    }
}

/// Episodes of three classes around their own centres.
struct Classes;

impl TaskDistribution for Classes {
    type Batch = Tensor<3>;

    fn task(&self, seed: u64, device: &Device) -> Result<Task<Tensor<3>>, ForgeError> {
        let centres = noise::<3>(3 * seed + 900, [3, 1, 2], device).cast(burn::tensor::DType::F32);
        let around = |seed, n| {
            let off = noise::<3>(seed, [3, n, 2], device).cast(burn::tensor::DType::F32);
            centres.clone() + off * 0.5
        };
        Ok(Task {
            support: around(3 * seed + 901, 4),
            query: around(3 * seed + 902, 2),
        })
    }
}

fn prototypes() -> PerTask<impl Fn(&Net, Task<Tensor<3>>) -> Result<Tensor<1>, ForgeError>> {
    PerTask::new("prototypes", |net: &Net, task: Task<Tensor<3>>| {
        let device = task.query.device();
        let embedded = |x: Tensor<3>| {
            let [classes, n, width] = x.dims();
            net.forward(x.reshape([classes * n, width]))
        };
        let [classes, n, _] = task.support.dims();
        let support = embedded(task.support).reshape([classes, n, 3]);
        let episode = prototypical(support, embedded(task.query))?;
        Ok(episode.loss(Tensor::<1, Int>::from_ints([0, 0, 1, 1, 2, 2], &device)))
    })
}

fn process() -> NeuralProcess {
    let device = Device::flex();
    device.seed(9);
    let config = NeuralProcessConfig {
        encoder_sizes: vec![5, 6],
        decoder_sizes: vec![5],
        latent: Some(LatentConfig {
            d_latent: 3,
            hidden_sizes: vec![5],
            penultimate: 4,
        }),
        ..NeuralProcessConfig::new(1, 1)
    };
    let process = config.init(&device);
    drop(Params::on_graph(&process));
    process
}

/// The latent variable is drawn, by Burn's numbers.
fn of_points() -> PerTask<impl Fn(&NeuralProcess, Task<Batch>) -> Result<Tensor<1>, ForgeError>> {
    PerTask::new("process", |process: &NeuralProcess, task: Task<Batch>| {
        let points = |(x, y): Batch| (x.unsqueeze::<3>(), y.unsqueeze::<3>());
        let (context, targets) = (points(task.support), points(task.query));
        let drawn = Distribution::Normal(0.0, 1.0);
        let noise = Tensor::random([1, 3], drawn, &targets.0.device());
        Ok(process.loss(context, targets, Some(noise))?.loss)
    })
}

fn config() -> TrainerConfig {
    serde_json::from_value(json!({
        "epochs": 2, "batch_size": 4, "seed": 3, "clip_norm": 5.0,
        "optimizer": {"name": "adam_w", "weight_decay": 0.01},
        "schedule": {"name": "constant", "lr": 0.01},
        "checkpoint": {"every_steps": 2},
    }))
    .unwrap()
}

/// 2 epochs of 6 meta-steps.
fn run<D, L, M>(
    tasks: D,
    learner: L,
    module: M,
    folder: Option<&Path>,
    after: Option<usize>,
) -> Result<TrainOutcome<M>, ForgeError>
where
    D: TaskDistribution,
    L: MetaLearner<M, D::Batch>,
    M: Module + ModuleDisplay + 'static,
{
    let asked = Cell::new(0);
    let tasks = Dies {
        tasks,
        after,
        asked,
    };
    let mut training = MetaTraining::new(tasks, learner, 24)?.validated_on(100, 3)?;
    let mut trainer = Trainer::new(config())?;
    if let Some(folder) = folder {
        trainer = trainer.with_checkpoints(folder, Start::ResumeOrFresh);
    }
    trainer.fit(&mut training, module)
}

fn bits<M: Module>(module: &M) -> Vec<(String, Vec<u8>)> {
    let state = StateDict::from_module(module).unwrap();
    let tensors = state.tensors.into_iter();
    tensors
        .map(|(name, data)| (name, data.as_bytes().to_vec()))
        .collect()
}

/// Dies in the first epoch, at its end and in the second, and goes on from the last checkpoint each time.
fn resumes<D, L, M>(tasks: impl Fn() -> D, learner: impl Fn() -> L, module: impl Fn() -> M)
where
    D: TaskDistribution,
    L: MetaLearner<M, D::Batch>,
    M: Module + ModuleDisplay + 'static,
{
    let whole = run(tasks(), learner(), module(), None, None).unwrap();
    assert_ne!(bits(&whole.module), bits(&module()));
    let folder = tempfile::tempdir().unwrap();
    // Tasks asked for before each death: 3, 3 and 5 meta-steps, of which the last one is lost.
    for after in [13, 15, 22] {
        let died = run(
            tasks(),
            learner(),
            module(),
            Some(folder.path()),
            Some(after),
        );
        assert!(died.unwrap_err().to_string().contains("died"));
    }
    let resumed = run(tasks(), learner(), module(), Some(folder.path()), None).unwrap();
    assert_eq!(bits(&resumed.module), bits(&whole.module));
    assert_eq!(resumed.scores, whole.scores);
}

#[test]
fn maml_with_learned_rates_ends_as_if_it_had_not_died() {
    let start = || MamlModule::new(&maml(), Net::new(1, 1)).unwrap();
    resumes(Sinusoids::default, maml, start);
}

#[test]
fn reptile_ends_as_if_it_had_not_died() {
    resumes(Sinusoids::default, reptile, || Net::new(1, 1));
}

#[test]
fn prototypes_end_as_if_they_had_not_died() {
    resumes(|| Classes, prototypes, || Net::new(2, 3));
}

#[test]
fn a_latent_process_ends_as_if_it_had_not_died() {
    resumes(Sinusoids::default, of_points, process);
}

struct Slow;

impl Observer for Slow {
    fn on_batch(&mut self, _: &BatchEvent) -> Flow {
        std::thread::sleep(Duration::from_millis(25));
        Flow::Continue
    }
}

#[test]
fn a_killed_meta_training_ends_as_one_that_was_not() {
    survives(
        "meta_training::a_killed_meta_training_ends_as_one_that_was_not",
        [20, 200].map(Duration::from_millis),
        |folder| {
            let mut training = MetaTraining::new(Sinusoids::default(), reptile(), 240).unwrap();
            let outcome = Trainer::new(config())
                .unwrap()
                .with_checkpoints(folder, Start::ResumeOrFresh)
                .with_observer(Slow)
                .fit(&mut training, Net::new(1, 1))
                .unwrap();
            format!("{:?}", bits(&outcome.module))
        },
    );
}

fn one_step(lr: f64) -> TrainerConfig {
    serde_json::from_value(json!({
        "epochs": 1, "batch_size": 3, "optimizer": {"name": "sgd"},
        "schedule": {"name": "constant", "lr": lr},
    }))
    .unwrap()
}

fn values(params: &Params) -> Vec<f64> {
    let each = params.iter();
    each.flat_map(|(_, tensor)| tensor.clone().into_data().iter::<f64>().collect::<Vec<_>>())
        .collect()
}

fn three_tasks() -> Vec<Task<Batch>> {
    let task = |seed| Sinusoids::default().task(seed, &Device::flex()).unwrap();
    vec![task(7), task(8), task(9)]
}

/// One step of plain descent is that by the meta-gradient, for parameters and step sizes.
#[test]
fn a_step_of_maml_is_by_its_meta_gradient() {
    let net = Net::new(1, 1);
    let start = MamlModule::new(&maml(), net.clone()).unwrap();
    let (params, rates) = (Params::of(&net), start.rates().unwrap().unwrap());
    assert_eq!(values(&rates), values(&maml().rates(&params).unwrap()));
    let meta = maml()
        .meta_gradient(&params, Some(&rates), three_tasks())
        .unwrap();
    let mut training = MetaTraining::new(Sinusoids::default(), maml(), 3)
        .unwrap()
        .starting_at(7)
        .unwrap();
    let outcome = Trainer::new(one_step(0.1))
        .unwrap()
        .fit(&mut training, start)
        .unwrap();
    let found = outcome.module;
    let expected = params.add_scaled(&meta.gradient, -0.1).unwrap();
    close(&values(&Params::of(&found.net)), &values(&expected), 1e-6);
    let expected = rates.add_scaled(&meta.rates.unwrap(), -0.1).unwrap();
    let new_rates = found.rates().unwrap().unwrap();
    close(&values(&new_rates), &values(&expected), 1e-6);
    assert_ne!(values(&new_rates), values(&rates));
    close(&[outcome.history[0].train_loss], &[meta.loss], 1e-6);
}

/// Plain descent with rate 1 is algorithm 2.
#[test]
fn a_step_of_reptile_is_algorithm_2() {
    let net = Net::new(1, 1);
    // The moments of Adam go from task to task, whose order is the sampler's.
    let config = ReptileConfig {
        reset_optimizer: true,
        ..ReptileConfig::default()
    };
    let reptile = || Reptile::new(config.clone(), functional()).unwrap();
    let supports = three_tasks().into_iter().map(|task| vec![task.support; 3]);
    let step = reptile().step(&Params::of(&net), supports).unwrap();
    let learner = ReptileLearner::new(reptile(), 3).unwrap();
    let training = MetaTraining::new(Sinusoids::default(), learner, 3).unwrap();
    let mut training = training.starting_at(7).unwrap();
    let trainer = Trainer::new(one_step(1.0)).unwrap();
    let found = trainer.fit(&mut training, net.clone()).unwrap().module;
    // Three of Adam's steps of 0.001 each: far more than rounding.
    close(&values(&Params::of(&found)), &values(&step.params), 1e-6);
    let way = step.params.add_scaled(&Params::of(&net), -1.0).unwrap();
    assert!(way.norm().unwrap().into_scalar::<f64>() > 1e-3);
}

/// Step sizes have an optimiser of their own, and stay where it does not move them.
#[test]
fn step_sizes_are_a_group_of_their_own() {
    let start = MamlModule::new(&maml(), Net::new(1, 1)).unwrap();
    let rates = start.rates().unwrap().unwrap();
    let still = serde_json::from_value(json!({"name": "constant", "lr": 1e-12})).unwrap();
    let groups = vec![
        ParameterGroup::under("net", ["net"]),
        ParameterGroup::under("rates", ["rates"]).with_schedule(still),
    ];
    let training = MetaTraining::new(Sinusoids::default(), maml(), 3).unwrap();
    let mut training = training.with_groups(groups);
    let trainer = Trainer::new(one_step(0.1)).unwrap();
    let found = trainer.fit(&mut training, start.clone()).unwrap().module;
    assert_eq!(values(&found.rates().unwrap().unwrap()), values(&rates));
    assert_ne!(bits(&found.net), bits(&start.net));
}

#[test]
fn what_does_not_fit_is_refused() {
    let of = |n| MetaTraining::<_, _, Net>::new(Sinusoids::default(), reptile(), n);
    let said = |error: Option<ForgeError>| error.map(|e| e.to_string()).unwrap_or_default();
    let error = said(of(0).err());
    assert!(error.contains("n_tasks = 0"), "{error}");
    let error = said(of(24).unwrap().validated_on(20, 5).err());
    assert!(
        error.contains("5 from 20 on") && error.contains("0..24"),
        "{error}"
    );
    // In whichever order.
    let validated = of(24).unwrap().validated_on(40, 5).unwrap();
    let error = said(validated.starting_at(20).err());
    assert!(
        error.contains("5 from 40 on") && error.contains("20..44"),
        "{error}"
    );
    let error = said(of(24).unwrap().validated_on(24, 0).err());
    assert!(error.contains("tasks to validate on = 0"), "{error}");
    let plain = Reptile::new(ReptileConfig::default(), functional()).unwrap();
    let error = said(ReptileLearner::new(plain, 0).err());
    assert!(error.contains("inner_steps = 0"), "{error}");

    // Another method does not go on from the checkpoint, nor does one of other tasks.
    let folder = tempfile::tempdir().unwrap();
    let died = run(
        Sinusoids::default(),
        reptile(),
        Net::new(1, 1),
        Some(folder.path()),
        Some(20),
    );
    assert!(died.is_err());
    let other = Reptile::new(ReptileConfig::default(), functional()).unwrap();
    let other = ReptileLearner::new(other, 4).unwrap();
    let error = run(
        Sinusoids::default(),
        other,
        Net::new(1, 1),
        Some(folder.path()),
        None,
    );
    let error = said(error.err());
    assert!(
        error.contains("meta-training") && error.contains("\"inner_steps\":3"),
        "{error}"
    );

    // A state with something too little or too much.
    let mut learner = reptile();
    let module = Net::new(1, 1).to_device(&Device::flex().autodiff()).train();
    let device = Device::flex().autodiff();
    let first = learner.loss(&module, &Sinusoids::default(), &[1, 2], &device);
    assert!(first.is_ok());
    let state = MetaLearner::<Net, Batch>::state(&learner).unwrap();
    let mut more = state.clone();
    more.tensors.insert(
        "stranger".into(),
        state.tensors.values().next().unwrap().clone(),
    );
    let restored = MetaLearner::<Net, Batch>::restore(&mut learner, more);
    assert!(said(restored.err()).contains("stranger"));
    let mut less = state.clone();
    less.tensors.pop_first();
    MetaLearner::<Net, Batch>::restore(&mut learner, less).unwrap();
    let error = learner.loss(&module, &Sinusoids::default(), &[1, 2], &device);
    assert!(error.err().is_some_and(|error| error.is_weights()));
    MetaLearner::<Net, Batch>::restore(&mut learner, state.clone()).unwrap();
    assert_eq!(MetaLearner::<Net, Batch>::state(&learner).unwrap(), state);
}

/// Adaptation becomes better on tasks that nobody trained on.
#[test]
fn it_learns_to_learn() {
    let training = MetaTraining::new(Sinusoids::default(), maml(), 800).unwrap();
    let mut training = training.validated_on(5000, 40).unwrap();
    let start = MamlModule::new(&maml(), Net::new(1, 1)).unwrap();
    let before = training.validate(&start).unwrap().unwrap();
    let config = TrainerConfig {
        epochs: 1,
        ..config()
    };
    let outcome = Trainer::new(config)
        .unwrap()
        .fit(&mut training, start)
        .unwrap();
    let (before, after) = (before.get("meta_loss").unwrap(), outcome.score().unwrap());
    assert!(after < 0.85 * before, "{after} of {before}");
}
