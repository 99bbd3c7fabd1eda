//! What has several tasks, one after the other.

use burn::tensor::Tensor;
use forge_nn::ForgeError;
use forge_train::TrainTask;
use forge_train::metric::Direction;

/// What a module's outputs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// Numbers, compared by their squared distance.
    Numbers,
    /// Logits of classes, of which one is right.
    Classes,
    /// Logits of a yes or no each.
    YesOrNo,
}

/// A [`TrainTask`] whose training rows belong to several tasks, which are learned one after the other.
///
/// Its loss is that of any rows, of whichever task; a module with a head per task looks up which row
/// is of which. What only some strategies need has a default that says so.
pub trait ContinualTask: TrainTask {
    /// The training rows of each task, in the order in which they are learned. None is empty.
    fn task_rows(&self) -> &[Vec<usize>];

    /// How good `module`, in inference mode, is at a task; on rows that it does not train on.
    ///
    /// # Errors
    /// What the task finds wrong.
    fn score(&self, module: &Self::Module, task: usize) -> Result<f64, ForgeError>;

    /// Which scores are better. Default: higher ones.
    fn better(&self) -> Direction {
        Direction::Maximize
    }

    /// What the module says of training rows by the head of task `head`; a module with one head for
    /// all ignores it. Wanted by learning without forgetting.
    ///
    /// # Shapes
    /// - output: `[B, C]`
    ///
    /// # Errors
    /// By default an unsupported error.
    fn outputs(
        &self,
        module: &Self::Module,
        rows: &[usize],
        head: usize,
    ) -> Result<Tensor<2>, ForgeError> {
        let _ = (module, rows, head);
        let what = "lwf compares outputs: write the task's `outputs`";
        Err(ForgeError::unsupported(what))
    }

    /// What [`outputs`](Self::outputs) are. Default: logits of classes.
    fn says(&self) -> Says {
        Says::Classes
    }

    /// Whether each task has outputs of its own. Default: one head for all.
    fn has_heads(&self) -> bool {
        false
    }

    /// `module` with a column for one more task, the earlier ones frozen. Wanted by progressive
    /// networks.
    ///
    /// # Errors
    /// By default an unsupported error.
    fn grow(&self, module: Self::Module) -> Result<Self::Module, ForgeError> {
        let _ = module;
        let what = "progressive needs a module that grows: write the task's `grow`, for a \
                    `Progressive`, say";
        Err(ForgeError::unsupported(what))
    }
}
