//! Where a walk through a module stands.

/// The path to the current parameter, as Burn's stores name it (`blocks.0.linear.weight`): enum
/// variants leave no trace.
#[derive(Debug, Default)]
pub(crate) struct ModulePath(Vec<Option<String>>);

impl ModulePath {
    pub(crate) fn enter(&mut self, name: &str, container: &str) {
        let part = (!container.starts_with("Enum:")).then(|| name.to_owned());
        self.0.push(part);
    }

    pub(crate) fn exit(&mut self) {
        self.0.pop();
    }

    pub(crate) fn join(&self) -> String {
        let parts: Vec<&str> = self.0.iter().flatten().map(String::as_str).collect();
        parts.join(".")
    }
}
