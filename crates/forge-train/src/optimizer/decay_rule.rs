//! Which parameters decay.

use forge_nn::parameters::ParameterPath;

/// The name of logarithms of rates, which state-space models never decay towards a rate of 1.
const RATES: &str = "a_log";

/// Which parameters weight decay applies to, where no group says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecayRule {
    biases: bool,
    exempt: Vec<String>,
}

impl DecayRule {
    /// Parameters of rank 2 and above that are not called `a_log` (`biases`: of any rank and name), but none
    /// where one of the `exempt` words occurs in the parameter's name, in the field that holds it or in that
    /// field's type, whatever the case.
    #[must_use]
    pub fn new(biases: bool, exempt: &[String]) -> Self {
        Self {
            biases,
            exempt: exempt.iter().map(|w| w.to_lowercase()).collect(),
        }
    }

    /// Whether the parameter of that `rank` at `path` decays.
    #[must_use]
    pub fn decays(&self, rank: usize, path: &ParameterPath) -> bool {
        if !self.biases && (rank < 2 || path.name() == RATES) {
            return false;
        }
        let words = [path.name(), path.field(), path.holder()].map(str::to_lowercase);
        let exempt = |word: &String| words.iter().any(|part| part.contains(word));
        !self.exempt.iter().any(exempt)
    }
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, Param};
    use burn::tensor::{Device, Tensor};
    use forge_nn::parameters::{ParameterVisitor, visit_parameters};

    use super::*;

    #[derive(Module, Debug)]
    struct Mixer {
        a_log: Param<Tensor<2>>,
        a_logits: Param<Tensor<2>>,
    }

    struct Decaying(DecayRule, Vec<String>);

    impl ParameterVisitor for Decaying {
        fn visit<const D: usize>(&mut self, path: &ParameterPath, _: &Param<Tensor<D>>) {
            if self.0.decays(D, path) {
                self.1.push(path.name().into());
            }
        }
    }

    #[test]
    fn rates_of_forgetting_do_not_decay() {
        let ones = || Param::from_tensor(Tensor::ones([2, 2], &Device::flex()));
        let mixer = Mixer {
            a_log: ones(),
            a_logits: ones(),
        };
        for (biases, expected) in [(false, &["a_logits"][..]), (true, &["a_log", "a_logits"])] {
            let mut decaying = Decaying(DecayRule::new(biases, &[]), vec![]);
            visit_parameters(&mixer, &mut decaying);
            assert_eq!(decaying.1, expected);
        }
    }
}
