//! Rows by group.

use forge_nn::ForgeError;

/// The rows of each group, in their order; no group without a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Members(Vec<Vec<usize>>);

/// The rows of each of `n` groups, of which `of` has the number of every row's. `field` is named in
/// errors.
pub(super) fn members(field: &str, of: &[usize], n: usize) -> Result<Members, ForgeError> {
    let mut groups = vec![Vec::new(); n];
    for (row, group) in of.iter().enumerate() {
        let Some(rows) = groups.get_mut(*group) else {
            let field = format!("{field}[{row}]");
            return Err(ForgeError::config(&field, group, format!("below {n}")));
        };
        rows.push(row);
    }
    Members::new(field, groups)
}

impl Members {
    pub(super) fn new(field: &str, groups: Vec<Vec<usize>>) -> Result<Self, ForgeError> {
        if groups.is_empty() {
            return Err(ForgeError::config(field, "none", "at least one, with rows"));
        }
        if let Some(empty) = groups.iter().position(Vec::is_empty) {
            let field = format!("{field}[{empty}]");
            let allowed = "at least one row: leave the group out, or give it rows";
            return Err(ForgeError::config(&field, "without rows", allowed));
        }
        Ok(Self(groups))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn n_rows(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[usize]> {
        self.0.iter().map(Vec::as_slice)
    }

    pub(super) fn of(&self, group: usize) -> &[usize] {
        self.0.get(group).map_or(&[], Vec::as_slice)
    }

    /// Tells one grouping from another in a run's identity.
    pub(super) fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for rows in &self.0 {
            hasher.update(&(rows.len() as u64).to_le_bytes());
            for row in rows {
                hasher.update(&(*row as u64).to_le_bytes());
            }
        }
        hasher.finalize().to_hex().to_string()
    }
}
