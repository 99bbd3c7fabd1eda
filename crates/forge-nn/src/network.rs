//! What enters and leaves a model, whatever its family.

use burn::module::Module;
use burn::tensor::Tensor;

/// What a caller wants of a forward pass besides the predictions. Nothing of it is computed unless
/// asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Want {
    /// The attention weights: [`Maps::attention`].
    pub attention: bool,
    /// Which features were used: [`Maps::masks`], [`Maps::importance`] and [`Maps::variables`].
    pub features: bool,
}

impl Want {
    /// Predictions only.
    pub const PREDICTIONS: Self = Self {
        attention: false,
        features: false,
    };
}

/// What a model shows of its inside.
#[derive(Debug, Clone, Default)]
pub struct Maps {
    /// Attention weights `[B, H, Tq, Tk]`, layer by layer.
    pub attention: Vec<Tensor<4>>,
    /// Weights of the features `[B, F]`, step by step; numeric features first, then categorical
    /// ones.
    pub masks: Vec<Tensor<2>>,
    /// How much each feature counted in all, `[B, F]`, in the same order; not normalised.
    pub importance: Option<Tensor<2>>,
    /// Weights of the variables of a series, step by step.
    pub variables: Vec<VariableWeights>,
}

/// How a model weighs the variables of a series at each step.
#[derive(Debug, Clone)]
pub struct VariableWeights {
    /// What is weighed (`past`, `future`, `static`); the model's page lists them and their
    /// variables.
    pub name: &'static str,
    /// `[B, T, V]`, one step where nothing changes with time.
    pub weights: Tensor<3>,
}

/// What a forward pass gives.
#[derive(Debug, Clone)]
pub struct Forward {
    /// Predictions (values or logits) `[B, D_out]`; of several members, the mean.
    pub y: Tensor<2>,
    /// Predictions of each member `[B, K, D_out]`, for models that are ensembles in themselves.
    /// Each learns by its own loss, and what they say is averaged after decoding (probabilities,
    /// not logits). Absent for all others.
    pub members: Option<Tensor<3>>,
    /// What the architecture adds to the loss in training (sparsity of masks, pondering), `[1]`,
    /// with its factor applied. Absent where there is nothing to add.
    pub penalty: Option<Tensor<1>>,
    /// What was [wanted](Want) and the model declares.
    pub maps: Maps,
}

impl From<Tensor<2>> for Forward {
    fn from(y: Tensor<2>) -> Self {
        Self {
            y,
            members: None,
            penalty: None,
            maps: Maps::default(),
        }
    }
}

impl Forward {
    /// The predictions of several members.
    ///
    /// # Shapes
    /// - members: `[B, K, D_out]`, `K` at least 1
    #[must_use]
    pub fn of_members(members: Tensor<3>) -> Self {
        Self {
            members: Some(members.clone()),
            ..members.mean_dim(1).squeeze_dim::<2>(1).into()
        }
    }
}

/// A model: input to predictions.
///
/// A family of models (table rows, series) is this trait with its own kind of input. The enum over
/// all models of a family implements it as each of them does.
pub trait Network: Module {
    /// One batch.
    type Input;

    /// What the model is sized for.
    type Spec;

    /// Its name in the registry.
    fn name(&self) -> &'static str;

    /// What it is sized for.
    fn spec(&self) -> Self::Spec;

    /// The forward pass.
    ///
    /// # Shapes
    /// - output: `y` `[B, D_out]`
    ///
    /// # Panics
    /// If the input does not fit; the message has both shapes.
    fn run(&self, input: Self::Input, want: Want) -> Forward;

    /// The predictions alone.
    ///
    /// # Shapes
    /// - output: `[B, D_out]`
    ///
    /// # Panics
    /// As [`run`](Self::run).
    fn forward(&self, input: Self::Input) -> Tensor<2> {
        self.run(input, Want::PREDICTIONS).y
    }
}
