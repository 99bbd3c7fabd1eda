//! From what objectives decode to what is said of doubt.

use forge_nn::ForgeError;
use forge_train::objective::{Family, Predictions};

use super::Predictive;
use super::predictive::Part;

impl Predictive {
    /// Of what each member, pass or draw of weights predicts, `N x S` numbers in the targets' units:
    /// means, and as variances of noise those of their distributions.
    ///
    /// Distributions keep their family, and evidential ones the part of the variance that is the
    /// mean's own. Probabilities of buckets are taken by mean and variance, so that
    /// [quantiles](Self::quantile) are those of a normal distribution; their own are
    /// [`Predictions::quantile`]'s. Plain values have no noise.
    ///
    /// ```
    /// use forge_meta::bayesian::Predictive;
    /// use forge_train::objective::Predictions;
    ///
    /// let says = |value| Predictions::Values { slots: 1, values: vec![value] };
    /// let said = Predictive::of_predictions(&[says(1.0), says(3.0)])?;
    /// assert_eq!((said.mean(), said.epistemic()), (vec![2.0], vec![1.0]));
    /// assert!(!said.has_noise());
    /// # Ok::<(), forge_nn::ForgeError>(())
    /// ```
    ///
    /// # Errors
    /// A config error for no predictions; an unsupported error for classes (their doubt is
    /// [`ClassDoubt`](forge_train::objective::ClassDoubt)) and for quantiles, which tell no variance; as
    /// [`of_answers`](Self::of_answers), and what [`Predictions::validate`] finds.
    pub fn of_predictions(answers: &[Predictions]) -> Result<Self, ForgeError> {
        forge_nn::check::at_least_one("predictions", answers.len())?;
        let parts = answers.iter().map(|answer| {
            answer.validate()?;
            part(answer)
        });
        Self::new(parts.collect::<Result<Vec<_>, _>>()?)
    }
}

fn part(answer: &Predictions) -> Result<Part, ForgeError> {
    let mean = answer.point();
    let none = vec![0.0; mean.len()];
    let squares = |std: &[f64]| std.iter().map(|s| s * s).collect::<Vec<_>>();
    match answer {
        Predictions::Values { .. } | Predictions::Directions { .. } => Ok(Part {
            mean,
            aleatoric: none.clone(),
            epistemic: none,
            df: None,
        }),
        Predictions::Distribution {
            family, std, df, ..
        } => {
            let parts = answer.aleatoric().zip(answer.epistemic());
            let (aleatoric, epistemic) = match parts {
                Some((aleatoric, epistemic)) => (squares(&aleatoric), squares(epistemic)),
                None => (squares(std), none),
            };
            Ok(Part {
                mean,
                aleatoric,
                epistemic,
                df: (*family != Family::Gaussian).then(|| df.clone()),
            })
        }
        Predictions::Bars { .. } => Ok(Part {
            aleatoric: answer.std().map_or(none.clone(), |std| squares(&std)),
            mean,
            epistemic: none,
            df: None,
        }),
        Predictions::Quantiles { .. } | Predictions::Probabilities { .. } => {
            Err(ForgeError::unsupported(format!(
                "variances of {}: train with the objective 'distribution' (or plain regression) for \
                 both parts of the doubt about numbers; that about classes comes with their spread",
                answer.kind()
            )))
        }
    }
}
