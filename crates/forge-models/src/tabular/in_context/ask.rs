//! One pass of a network over rows on the host.

use burn::tensor::{DType, Device, Tensor, TensorData};
use forge_nn::ForgeError;

use crate::{Context, TabularInput, TabularModel};

/// Rows to predict per pass: bounds memory, whatever the table.
pub(in crate::tabular) const ROWS_PER_PASS: usize = 1_024;

/// A network that reads labelled rows.
pub(in crate::tabular) trait InContext: TabularModel {
    /// Where its weights are, and of which type.
    fn place(&self) -> (Device, DType);

    /// Prepared columns as the network takes them. Default: as they are.
    ///
    /// # Errors
    /// A shape error for a number of columns that it does not take.
    fn shaped(&self, x: Tensor<2>) -> Result<Tensor<2>, ForgeError> {
        Ok(x)
    }
}

/// Rows as a member sees them.
pub(in crate::tabular) struct Question {
    pub(in crate::tabular) labelled: Vec<Vec<f64>>,
    pub(in crate::tabular) labels: Vec<f64>,
    pub(in crate::tabular) rows: Vec<Vec<f64>>,
}

/// The network's outputs for each row. Values that are not there are NaN; a network that takes no
/// masks must not be given any.
///
/// # Errors
/// What the network finds wrong, or a device error if the outputs cannot be read back.
pub(in crate::tabular) fn ask<M: InContext>(
    model: &M,
    question: Question,
) -> Result<Vec<Vec<f64>>, ForgeError> {
    let (device, dtype) = model.place();
    let tensor = |values: Vec<f64>, width: usize| {
        let shape = [values.len() / width, width];
        let data = TensorData::new(values, shape).convert_dtype(dtype);
        Tensor::<2>::from_data(data, (&device, dtype))
    };
    let masks = model.capabilities().missing;
    let input = |rows: Vec<Vec<f64>>| -> Result<TabularInput, ForgeError> {
        let width = rows.first().map_or(1, Vec::len);
        let values = rows.concat();
        let missing = values.iter().any(|x| x.is_nan());
        let x = model.shaped(tensor(values, width))?;
        let mut input = TabularInput::numeric(x.clone());
        if masks && missing {
            let absent = x.clone().is_nan();
            input = TabularInput::numeric(x.mask_fill(absent.clone(), 0.0));
            input.rows.num_present = Some(absent.bool_not());
        }
        Ok(input)
    };
    let context = Context::labelled(input(question.labelled)?.rows, tensor(question.labels, 1));
    let mut all = vec![];
    for rows in question.rows.chunks(ROWS_PER_PASS) {
        let rows = input(rows.to_vec())?.with_context(context.clone());
        let y = model.try_forward(rows)?;
        let width = y.dims()[1];
        let data = y.try_into_data();
        let data =
            data.map_err(|e| ForgeError::device(format!("predictions cannot be read: {e}")))?;
        let values: Vec<f64> = data.iter::<f64>().collect();
        all.extend(values.chunks_exact(width).map(<[f64]>::to_vec));
    }
    Ok(all)
}
