//! How the step sizes of state-space layers start.

use burn::module::Param;
use burn::tensor::{Device, Distribution, Tensor};
use forge_nn::parameters::drawn;

/// Step sizes start log-uniform between these, and never below the floor.
const FIRST_STEPS: [f64; 2] = [1e-3, 1e-1];
const STEP_FLOOR: f64 = 1e-4;

/// Biases whose softplus are step sizes.
pub(in crate::tabular) fn first_steps(n: usize, device: &Device) -> Param<Tensor<1>> {
    drawn([n], device, move |device| {
        let [low, high] = FIRST_STEPS.map(f64::ln);
        let uniform = Tensor::<1>::random([n], Distribution::Uniform(low, high), device);
        let steps = uniform.exp().clamp_min(STEP_FLOOR);
        // log(e^x - 1) = x + log(1 - e^-x)
        let rest = -((-steps.clone()).exp() - 1.0);
        steps + rest.log()
    })
}
