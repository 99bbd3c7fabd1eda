//! Adaptive computation time: a recurrent layer that decides how long to think.

use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Bool, Device, Int, Tensor};

use crate::config_macro::config;
use crate::ops::split;
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of an [`AdaptiveComputationTime`].
    pub struct AdaptiveComputationTimeConfig {
        /// Width of the input, at least 1.
        pub d_in: usize,
        /// Width of the state, at least 1.
        pub d_hidden: usize,
        /// Width of the output, at least 1.
        pub d_out: usize,
        /// A place halts when its halting probabilities sum to `1 - epsilon`; in `[0, 1)`. Above 0 it
        /// may halt after a single step.
        #[config(default = 0.01)]
        pub epsilon: f64,
        /// Steps after which a place halts in any case, at least 1.
        #[config(default = 100)]
        pub max_steps: usize,
    }
}

/// A recurrent layer that decides how many steps to think at every place of a sequence.
///
/// Step `n` at a place: `s_n = tanh(W [x, flag] + U s_{n-1} + b)`, `h_n = σ(w s_n + c)`, the flag 1
/// in the first step only. `N` is the first step at which `Σ h ≥ 1 - ε`; the weights are
/// `h_1 … h_{N-1}` and the remainder `R = 1 - Σ_{n<N} h_n`. State (which starts the next place) and
/// output are the weighted sums. The ponder cost is `N + R`; add it, times a small factor, to the
/// loss.
///
/// Graves, "Adaptive Computation Time for Recurrent Neural Networks", arXiv 1603.08983, equations
/// (1) to (13). `N` is a constant for the gradient. At `max_steps` the last weight is `R`. The
/// halting bias starts at 1 (the paper's choice, section 3), so that a fresh layer does not think
/// for ever.
#[derive(Module, Debug)]
pub struct AdaptiveComputationTime {
    /// `W` and a bias, `[D_in + 1, D_hidden]`; the flag is the last input.
    pub input: Linear,
    /// `U` and a bias, `[D_hidden, D_hidden]`.
    pub recurrent: Linear,
    /// `w` and `c`, `[D_hidden, 1]`.
    pub halt: Linear,
    /// `[D_hidden, D_out]`.
    pub output: Linear,
    epsilon: f64,
    max_steps: usize,
}

/// What [`AdaptiveComputationTime`] returns.
#[derive(Debug, Clone)]
pub struct Pondered {
    /// `[B, T, D_out]`.
    pub output: Tensor<3>,
    /// The last place's state, `[B, D_hidden]`.
    pub state: Tensor<2>,
    /// Ponder cost `N + R`, `[B, T]`.
    pub ponder: Tensor<2>,
    /// `N`, `[B, T]`.
    pub n_steps: Tensor<2, Int>,
    /// `R`, `[B, T]`.
    pub remainder: Tensor<2>,
    /// The weight of every step, zero after a place has halted, `[B, T, max_steps]`. Rows sum to 1.
    pub halting: Tensor<3>,
}

impl ModuleConfig for AdaptiveComputationTimeConfig {
    type Module = AdaptiveComputationTime;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_in", self.d_in)?;
        check::at_least_one("d_hidden", self.d_hidden)?;
        check::at_least_one("d_out", self.d_out)?;
        check::in_range("epsilon", self.epsilon, 0.0..1.0)?;
        check::at_least_one("max_steps", self.max_steps)
    }

    fn build(&self, device: &Device) -> AdaptiveComputationTime {
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        let halt = LinearConfig::new(self.d_hidden, 1)
            .with_bias_initializer(Some(Initializer::Ones))
            .build(device);
        AdaptiveComputationTime {
            input: linear(self.d_in + 1, self.d_hidden),
            recurrent: linear(self.d_hidden, self.d_hidden),
            halt,
            output: linear(self.d_hidden, self.d_out),
            epsilon: self.epsilon,
            max_steps: self.max_steps,
        }
    }
}

/// One place's outcome.
struct Place {
    state: Tensor<2>,
    n_steps: Tensor<2>,
    remainder: Tensor<2>,
    weights: Tensor<2>,
}

impl AdaptiveComputationTime {
    /// Runs over a sequence. `None` starts from a zero state.
    ///
    /// After every step the host asks the device whether any sample still runs.
    ///
    /// # Shapes
    /// - x: `[B, T, D_in]`, `T` at least 1
    /// - state: `[B, D_hidden]`
    ///
    /// # Panics
    /// If the shapes are not those of the config.
    pub fn forward(&self, x: Tensor<3>, state: Option<Tensor<2>>) -> Pondered {
        let [batch, time, width] = x.dims();
        let hidden = self.input.d_output();
        let like = (&x.device(), x.dtype());
        let mut state = state.unwrap_or_else(|| Tensor::zeros([batch, hidden], like));

        // Everything about the input but the flag, for all places at once.
        let unflagged = Tensor::cat(vec![x, Tensor::zeros([batch, time, 1], like)], 2);
        let inputs = self.input.forward(unflagged);
        let flag = self.input.weight.val().narrow(0, width, 1);

        let (mut states, mut steps, mut remainders, mut weights) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for input in split(inputs, 1, 1) {
            let input = input.reshape([batch, hidden]);
            let place = self.ponder(input, flag.clone(), state);
            state = place.state.clone();
            states.push(place.state);
            steps.push(place.n_steps);
            remainders.push(place.remainder);
            weights.push(place.weights);
        }
        let remainder = Tensor::cat(remainders, 1);
        let n_steps = Tensor::cat(steps, 1);
        // The weights of a place sum to 1, so the output of the weighted state is the weighted
        // output, bias included.
        let output = self.output.forward(Tensor::stack::<3>(states, 1));
        Pondered {
            output,
            state,
            ponder: remainder.clone() + n_steps.clone(),
            n_steps: n_steps.int(),
            remainder,
            halting: Tensor::stack::<3>(weights, 1),
        }
    }

    /// All steps of one place. `input` is `W [x, 0] + b`, `flag` the flag's row of `W`.
    fn ponder(&self, input: Tensor<2>, flag: Tensor<2>, start: Tensor<2>) -> Place {
        let [batch, _] = input.dims();
        let like = (&input.device(), input.dtype());
        let zero = Tensor::<2>::zeros([batch, 1], like);
        let mut running: Tensor<2, Bool> = zero.clone().equal_scalar(0.0);
        let (mut spent, mut remainder, mut n_steps) = (zero.clone(), zero.clone(), zero.clone());
        let (mut step_state, mut mean_state) = (start.clone(), start * 0.0);
        let mut weights = Vec::with_capacity(self.max_steps);

        for step in 1..=self.max_steps {
            let input = match step {
                1 => input.clone() + flag.clone(),
                _ => input.clone(),
            };
            step_state = (input + self.recurrent.forward(step_state)).tanh();
            let halting = sigmoid(self.halt.forward(step_state.clone()));
            let total = spent.clone() + halting.clone();
            let full = match step == self.max_steps {
                true => running.clone(),
                false => total.clone().greater_equal_scalar(1.0 - self.epsilon),
            };
            let stops = running.clone().bool_and(full);
            let stopped = running.clone().bool_not();

            let rest = spent.clone().neg() + 1.0;
            let weight = halting
                .mask_where(stops.clone(), rest.clone())
                .mask_fill(stopped.clone(), 0.0);
            remainder = remainder.mask_where(stops.clone(), rest);
            n_steps = n_steps + zero.clone().mask_fill(running.clone(), 1.0);
            mean_state = mean_state + step_state.clone() * weight.clone();
            weights.push(weight);
            spent = total;

            running = running.bool_and(stops.bool_not());
            if !running.clone().any().into_scalar::<bool>() {
                break;
            }
        }
        let missing = self.max_steps - weights.len();
        if missing > 0 {
            weights.push(Tensor::zeros([batch, missing], like));
        }
        Place {
            state: mean_state,
            n_steps,
            remainder,
            weights: Tensor::cat(weights, 1),
        }
    }
}
