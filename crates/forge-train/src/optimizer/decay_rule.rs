//! Which parameters decay.

use forge_nn::parameters::ParameterPath;

/// Which parameters weight decay applies to, where no group says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecayRule {
    biases: bool,
    exempt: Vec<String>,
}

impl DecayRule {
    /// Parameters of rank 2 and above (`biases`: of any rank), but none where one of the `exempt`
    /// words occurs in the parameter's name, in the field that holds it or in that field's type,
    /// whatever the case.
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
        if rank < 2 && !self.biases {
            return false;
        }
        let words = [path.name(), path.field(), path.holder()].map(str::to_lowercase);
        let exempt = |word: &String| words.iter().any(|part| part.contains(word));
        !self.exempt.iter().any(exempt)
    }
}
