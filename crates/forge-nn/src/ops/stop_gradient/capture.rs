//! The trace in a captured graph.

use burn::backend::Capture;
use burn::backend::tensor::FloatTensor;
use burn_ir::{CustomOpIr, OperationIr, OperationOutput, TensorIr};
use burn_router::RouterClient;

use super::{STOP_GRADIENT, StopGradientOps};

impl StopGradientOps for Capture {
    fn stop_gradient(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let client = x.client.clone();
        let x = x.into_ir();
        let y = TensorIr::uninit(client.create_empty_handle(), x.shape.clone(), x.dtype);
        let operation = CustomOpIr::new(STOP_GRADIENT, &[x], &[y]);
        client.register(OperationIr::Custom(operation)).output()
    }
}
