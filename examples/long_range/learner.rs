//! Codes to tokens, a backbone, tokens to codes.

use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use volatilityforge::burn::module::Module;
use volatilityforge::burn::nn::{Embedding, EmbeddingConfig};
use volatilityforge::burn::optim::GradientsParams;
use volatilityforge::burn::tensor::activation::log_softmax;
use volatilityforge::burn::tensor::{Device, Tensor};
use volatilityforge::models::{Backbone, BackboneConfig};
use volatilityforge::nn::norm::{RmsNorm, RmsNormConfig};
use volatilityforge::nn::{Linear, LinearConfig, ModuleConfig};
use volatilityforge::train::optimizer::{OptimizerConfig, clip_global_norm};

use crate::Arguments;
use crate::tasks::{CODES, Questions};

/// A language model of 16 words, with a norm before its head as language models have it.
#[derive(Module, Debug)]
struct Learner<B: Backbone> {
    embedding: Embedding,
    backbone: B,
    norm: RmsNorm,
    head: Linear,
}

/// What came of training.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Share of right answers on new sequences, for each length that is asked for.
    pub(crate) accuracies: Vec<f64>,
    /// Tokens of the last sequences of training.
    pub(crate) reached: usize,
    pub(crate) steps: usize,
    pub(crate) seconds: f64,
}

impl<B: Backbone> Learner<B> {
    /// Logits of the answers, `[B, A, CODES]`.
    fn forward(&self, questions: &Questions) -> Tensor<3> {
        let tokens = self.embedding.forward(questions.codes.clone());
        let outputs = self.backbone.forward(tokens, None);
        let ([_, time, _], [_, asked]) = (outputs.dims(), questions.answers.dims());
        let outputs = outputs.narrow(1, time - asked, asked);
        self.head.forward(self.norm.forward(outputs))
    }
}

/// How long the sequences of training are: longer, once shorter ones are understood.
#[derive(Debug)]
struct Lesson {
    batch: usize,
    time: usize,
    longest: usize,
    /// Of the steps at this length.
    losses: Vec<f64>,
}

impl Lesson {
    /// Steps whose mean loss decides, and below what.
    const UNDERSTOOD: (usize, f64) = (20, 0.2);

    fn new(arguments: &Arguments) -> Self {
        Self {
            batch: arguments.batch,
            time: arguments.from.unwrap_or(arguments.time).min(arguments.time),
            longest: arguments.time,
            losses: vec![],
        }
    }

    /// After a step with this loss.
    fn next(&mut self, loss: f64) {
        self.losses.push(loss);
        let (steps, below) = Self::UNDERSTOOD;
        let Some(from) = self.losses.len().checked_sub(steps) else {
            return;
        };
        let mean = self.losses[from..].iter().sum::<f64>() / steps as f64;
        if mean < below && self.time < self.longest {
            self.time = (2 * self.time).min(self.longest);
            self.batch = (self.batch / 2).max(1);
            self.losses.clear();
        }
    }
}

/// Trains a backbone and asks it 256 new questions of each length.
pub(crate) fn accuracy<C: BackboneConfig>(
    config: &C,
    arguments: &Arguments,
) -> Result<Outcome, volatilityforge::Error> {
    let device = Device::flex();
    device.seed(arguments.seed);
    let learning = device.clone().autodiff();
    let width = config.d_token();
    let mut learner = Learner {
        embedding: EmbeddingConfig::new(CODES, width).init(&learning),
        backbone: config.try_init(&learning)?,
        norm: RmsNormConfig::new(width).try_init(&learning)?,
        head: LinearConfig::new(width, CODES).try_init(&learning)?,
    };
    let mut optimizer = OptimizerConfig::default().build()?;
    let mut random = ChaCha8Rng::seed_from_u64(arguments.seed);
    let task = arguments.task;
    let start = Instant::now();
    let (mut share, mut steps) = (0.0, 0);
    let mut lesson = Lesson::new(arguments);
    while share < 1.0 {
        let size = (lesson.batch, lesson.time, arguments.kept);
        let questions = task.draw(size, &mut random, &learning);
        let said = log_softmax(learner.forward(&questions), 2);
        let answers = questions.answers.unsqueeze_dim::<3>(2);
        let loss = said.gather(2, answers).mean().neg();
        lesson.next(f64::from(loss.clone().into_scalar::<f32>()));
        let gradients = GradientsParams::from_grads(loss.backward(), &learner);
        let (gradients, _) = clip_global_norm(&learner, gradients, 1.0);
        let warm = ((steps + 1) as f64 / 100.0).min(1.0);
        learner = optimizer.step(arguments.rate * warm * (1.0 - share), learner, gradients);
        steps += 1;
        // The rate falls with whatever ends first, steps or time.
        let of_steps = steps as f64 / arguments.steps as f64;
        share = of_steps.max(start.elapsed().as_secs_f64() / arguments.seconds);
    }
    let seconds = start.elapsed().as_secs_f64();
    let learner = learner.valid();
    let share_of_right = |time| {
        let shares = (0..64).map(|_| {
            let questions = task.draw((4, time, arguments.kept), &mut random, &device);
            let said = learner.forward(&questions).argmax(2).squeeze_dim::<2>(2);
            let hits = said.equal(questions.answers.clone()).float().mean();
            f64::from(hits.into_scalar::<f32>())
        });
        shares.sum::<f64>() / 64.0
    };
    Ok(Outcome {
        accuracies: arguments.lengths().map(share_of_right).collect(),
        reached: lesson.time,
        steps,
        seconds,
    })
}
