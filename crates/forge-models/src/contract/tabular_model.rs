//! A model of table rows.

use forge_nn::{ForgeError, Forward, Network, Want};

use burn::tensor::Tensor;

use super::{Capabilities, Context, Labels, TabularInput, TabularRows, TabularSpec};

/// A model from table rows to predictions.
pub trait TabularModel: Network<Input = TabularInput, Spec = TabularSpec> {
    /// What it supports.
    fn capabilities(&self) -> Capabilities;

    /// What this model asks of an input beyond what its capabilities say; nothing, for most.
    ///
    /// # Errors
    /// A shape error for one that it does not take.
    fn admits(&self, input: &TabularInput) -> Result<(), ForgeError> {
        let _ = input;
        Ok(())
    }

    /// What it takes the targets of labelled rows for; absent where it looks at none or takes
    /// whatever comes. See [`TabularConfig::labels`](super::TabularConfig::labels).
    fn labels(&self) -> Option<Labels> {
        None
    }

    /// `context` with what can be computed of it once, for all inputs that share it; in evaluation
    /// mode. Default: as it is.
    ///
    /// # Panics
    /// If the rows do not fit.
    fn encode_context(&self, context: Context) -> Context {
        context
    }

    /// The model as it starts to be trained on `rows`: with statistics and first weights taken from
    /// them, where the architecture has such. Default: as it is.
    ///
    /// For a fresh model, once, before anything is learnt; what is loaded or resumed has started
    /// already. The result follows the seed of the device. Names and shapes of the tensors stay.
    ///
    /// `rows` are the training rows, preprocessed, on the model's device. `target` `[N, D_out]` are
    /// their targets in the model's scale where each output is the value of one; absent for classes,
    /// quantiles and distributions.
    ///
    /// # Errors
    /// As [`TabularInput::check`] for rows that do not fit, or a shape error for targets that do not;
    /// a weights error if something cannot be read back from the device.
    fn start_from(self, rows: TabularRows, target: Option<Tensor<2>>) -> Result<Self, ForgeError> {
        let _ = (rows, target);
        Ok(self)
    }

    /// [`run`](Network::run) for a table of numbers that may have fewer columns than the model is
    /// sized for: what in-context models are trained on, each table of another width. Default: takes
    /// no other width.
    ///
    /// # Errors
    /// An unsupported error for more columns, or fewer where no other width is taken.
    fn run_narrow(&self, input: TabularInput, want: Want) -> Result<Forward, ForgeError> {
        let (own, found) = (self.spec().n_num_features, input.n_numeric());
        if found == own {
            return Ok(self.run(input, want));
        }
        let name = self.name();
        Err(ForgeError::unsupported(format!(
            "{name} is sized for {own} columns, the table has {found}"
        )))
    }

    /// The same weights as a model of its own for a table of their kind that has `labels`: what
    /// makes weights that were trained elsewhere usable. Of columns and outputs those that the table
    /// has are kept; `d_out` is that of its objective, where a single output for two classes is the
    /// difference of their logits, and a single number the mean of all quantiles. Default: there is
    /// no such thing.
    ///
    /// # Errors
    /// An unsupported error for a model without such weights, or a table with more columns or
    /// classes than they know, with the way out.
    fn for_table(self, table: &TabularSpec, labels: Labels) -> Result<Self, ForgeError> {
        let _ = (table, labels);
        let name = self.name();
        Err(ForgeError::unsupported(format!(
            "{name} has no weights that fit other tables than that it was trained on: only models \
             that predict from the labelled rows in their input do, such as tabpfn_v1"
        )))
    }

    /// [`run`](Network::run) for input from outside: checks everything, codes and labels included.
    ///
    /// # Errors
    /// What [`TabularInput::check`], [`admits`](Self::admits), [`TabularInput::check_codes`] and
    /// [`TabularInput::check_labels`] find; an unsupported error for maps that the model does not
    /// declare.
    fn try_run(&self, input: TabularInput, want: Want) -> Result<Forward, ForgeError> {
        let (spec, capabilities) = (self.spec(), self.capabilities());
        input.check(self.name(), &spec, capabilities)?;
        self.admits(&input)?;
        input.check_codes(&spec)?;
        if let Some(labels) = self.labels() {
            input.check_labels(labels)?;
        }
        let lacks = |what| Err(ForgeError::unsupported(format!("{} {what}", self.name())));
        if want.attention && !capabilities.attention_maps {
            return lacks("has no attention maps to return");
        }
        if want.features && !capabilities.feature_masks {
            return lacks("has no feature masks to return");
        }
        Ok(self.run(input, want))
    }

    /// [`try_run`](Self::try_run), the predictions alone.
    ///
    /// # Shapes
    /// - output: `[B, D_out]`
    ///
    /// # Errors
    /// As [`try_run`](Self::try_run).
    fn try_forward(&self, input: TabularInput) -> Result<Tensor<2>, ForgeError> {
        Ok(self.try_run(input, Want::PREDICTIONS)?.y)
    }
}
