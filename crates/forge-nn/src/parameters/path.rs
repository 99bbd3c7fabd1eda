//! What a parameter is called.

use std::fmt;

/// Where a walk through a module stands: the names on the way, joined by `.`
/// (`blocks.0.linear.weight`), and the types that they are in.
///
/// Enum variants leave no trace: a field that holds an enum of modules has the name that it would
/// have if it held the variant's content. These are the names of [`StateDict`](crate::StateDict).
///
/// Visitors and mappers of Burn that need more than [`visit_parameters`](super::visit_parameters)
/// offers (flags, integers) call [`enter`](Self::enter) and [`exit`](Self::exit) from their own
/// `enter_module` and `exit_module`.
///
/// ```
/// use forge_nn::parameters::ParameterPath;
///
/// let mut path = ParameterPath::default();
/// path.enter("norm", "Struct:Block");
/// path.enter("Layer", "Enum:NormKind");
/// path.enter("weight", "Struct:LayerNorm");
/// assert_eq!(path.join(), "norm.weight");
/// assert_eq!((path.name(), path.field(), path.holder()), ("weight", "norm", "LayerNorm"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParameterPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    name: String,
    container: String,
}

impl Step {
    fn has_trace(&self) -> bool {
        !self.container.starts_with("Enum:")
    }
}

impl ParameterPath {
    /// Goes down to the part called `name` of a `container`, both as Burn's walks report them.
    pub fn enter(&mut self, name: &str, container: &str) {
        self.0.push(Step {
            name: name.into(),
            container: container.into(),
        });
    }

    /// Goes up again.
    pub fn exit(&mut self) {
        self.0.pop();
    }

    /// The whole name.
    #[must_use]
    pub fn join(&self) -> String {
        let names: Vec<&str> = self.names().collect();
        names.join(".")
    }

    /// The parameter's own name (`weight`): the last part of the path. Empty at the top.
    #[must_use]
    pub fn name(&self) -> &str {
        self.names().next_back().unwrap_or_default()
    }

    /// The field that holds the parameter's module (`norm` in `blocks.0.norm.weight`), or its
    /// number in a list. Empty where the parameter is the module's own.
    #[must_use]
    pub fn field(&self) -> &str {
        self.names().nth_back(1).unwrap_or_default()
    }

    /// The type of the module that has the parameter as its field (`LayerNorm`), without its
    /// generics; `Vec`, `Array` or `Tuple` in a list. Empty at the top.
    #[must_use]
    pub fn holder(&self) -> &str {
        let container = self.0.last().map_or("", |step| step.container.as_str());
        container
            .split_once(':')
            .map_or(container, |(_, kind)| kind)
    }

    fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        let named = self.0.iter().filter(|step| step.has_trace());
        named.map(|step| step.name.as_str())
    }
}

impl fmt::Display for ParameterPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.join())
    }
}
