//! Merged cells: one value shown over several.

use calamine::Data;

use super::{EMPTY_FLOOR, EMPTY_PER_FULL, Entry, MAX_COLUMNS};
use crate::DataError;
use crate::read::finding::{Finding, FindingKind};
use crate::read::options::MergedCells;

/// The cells that a merged one covers, first and last of each, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Region {
    pub(super) rows: (u32, u32),
    pub(super) columns: (u32, u32),
}

impl Region {
    /// `A2:A21`.
    fn name(&self) -> String {
        let corner = |row: u32, column: u32| format!("{}{}", letters(column), u64::from(row) + 1);
        let from = corner(self.rows.0, self.columns.0);
        format!("{from}:{}", corner(self.rows.1, self.columns.1))
    }
}

/// `A`, `Z`, `AA`, ..
fn letters(column: u32) -> String {
    let mut out = Vec::new();
    let mut left = column + 1;
    while left > 0 {
        let letter = u8::try_from((left - 1) % 26).unwrap_or_default();
        out.insert(0, char::from(b'A' + letter));
        left = (left - 1) / 26;
    }
    out.into_iter().collect()
}

/// What a cell holds: its value and its formula.
type Content = (Data, Option<String>);

/// The merged cells of a sheet, row by row.
#[derive(Debug)]
pub(super) struct Merged {
    /// In the order of their rows.
    regions: Vec<Region>,
    rule: MergedCells,
    /// The first that have not begun.
    next: usize,
    /// Those that the current row is in, with what their first cell holds.
    active: Vec<(Region, Option<Content>)>,
    filled: u64,
    /// Cells filled, those of the header among them, and cells that the sheet itself has.
    made: u64,
    own: u64,
    rows: Vec<u64>,
    example: String,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A header of this row alone.
    Header,
    /// One of several rows of a header.
    HeaderRow,
    /// Data, as wide as the widest row so far.
    Data(u32),
}

impl Merged {
    pub(super) fn new(mut regions: Vec<Region>, rule: MergedCells) -> Self {
        regions.retain(|r| r.rows.1 > r.rows.0 || r.columns.1 > r.columns.0);
        regions.sort_unstable();
        Self {
            regions,
            rule,
            next: 0,
            active: Vec::new(),
            filled: 0,
            made: 0,
            own: 0,
            rows: Vec::new(),
            example: String::new(),
        }
    }

    /// Begins again at the first row.
    pub(super) fn restart(&mut self) {
        self.next = 0;
        self.active.clear();
        (self.filled, self.made, self.own) = (0, 0, 0);
        self.rows.clear();
    }

    /// Gives the cells of a row what merged cells over them hold.
    pub(super) fn fill(
        &mut self,
        row: u32,
        entries: &mut Vec<Entry>,
        part: Part,
    ) -> Result<(), DataError> {
        if self.rule == MergedCells::Missing || self.regions.is_empty() {
            return Ok(());
        }
        self.active.retain(|(region, _)| region.rows.1 >= row);
        while let Some(region) = self.regions.get(self.next).filter(|r| r.rows.0 <= row) {
            if region.rows.1 >= row {
                let first = |e: &&Entry| e.0 == region.columns.0 && region.rows.0 == row;
                let value = entries.iter().find(first).filter(|e| is_full(e));
                let value = value.map(|e| (e.1.clone(), e.2.clone()));
                self.active.push((*region, value));
            }
            self.next += 1;
        }
        let widths = self
            .active
            .iter()
            .map(|(r, _)| u64::from(r.columns.1 - r.columns.0) + 1);
        if widths.sum::<u64>() > u64::from(MAX_COLUMNS) {
            return Err(DataError::parse("merged cells of the sheet overlap").at_row(seen(row)));
        }
        let Some((first, _)) = self.active.iter().find(|(_, value)| value.is_some()) else {
            return Ok(());
        };
        if self.rule == MergedCells::Refuse {
            let name = first.name();
            return Err(DataError::value(format!(
                "the cells {name} are merged; part them, or set `merged_cells` to `fill` or \
                 `missing`"
            ))
            .at_row(seen(row)));
        }
        let width = entries.iter().filter(|e| is_full(e)).map(|e| e.0 + 1).max();
        let limit = match part {
            Part::Data(widest) => widest.max(width.unwrap_or(0)),
            Part::Header | Part::HeaderRow => MAX_COLUMNS,
        };
        // A row that has nothing of its own is not made of what covers it.
        let own = entries.iter().filter(|e| is_full(e)).count() as u64;
        if own == 0 {
            return Ok(());
        }
        self.own += own;
        // Where each column's cell is in the row.
        let mut places: Vec<Option<usize>> = Vec::new();
        for (place, (column, ..)) in entries.iter().enumerate() {
            let column = *column as usize;
            places.resize(places.len().max(column + 1), None);
            places[column] = Some(place);
        }
        for (region, value) in &self.active {
            let Some((value, formula)) = value else {
                continue;
            };
            if part == Part::Header && region.columns.1 > region.columns.0 {
                return Err(merged_header(region, value, row));
            }
            for column in region.columns.0..=region.columns.1.min(limit.saturating_sub(1)) {
                if (row, column) == (region.rows.0, region.columns.0) {
                    continue;
                }
                let place = places.get(column as usize).copied().flatten();
                match place.and_then(|place| entries.get_mut(place)) {
                    Some(entry) if is_full(entry) => continue,
                    Some(entry) => *entry = (column, value.clone(), formula.clone()),
                    None => entries.push((column, value.clone(), formula.clone())),
                }
                self.made += 1;
                if let Part::Data(_) = part {
                    self.filled += 1;
                    if self.filled == 1 {
                        self.example = region.name();
                    }
                    let named = self.rows.last() == Some(&seen(row));
                    if self.rows.len() < Finding::MAX_ROWS && !named {
                        self.rows.push(seen(row));
                    }
                }
            }
        }
        if self.made > EMPTY_FLOOR + EMPTY_PER_FULL * self.own {
            return Err(DataError::parse(format!(
                "the sheet is nearly all merged cells: {} cells up to here would fill {}; part them",
                self.own, self.made
            ))
            .at_row(seen(row)));
        }
        Ok(())
    }

    /// What was filled since the start.
    pub(super) fn finding(&self) -> Option<Finding> {
        (self.filled > 0).then(|| {
            let mut finding = Finding::new(FindingKind::MergedCells, &self.example);
            finding.count = self.filled;
            finding.rows.clone_from(&self.rows);
            finding
        })
    }
}

fn is_full(entry: &Entry) -> bool {
    entry.1 != Data::Empty || entry.2.is_some()
}

fn seen(row: u32) -> u64 {
    u64::from(row) + 1
}

fn merged_header(region: &Region, value: &Data, row: u32) -> DataError {
    let text = crate::read::finding::shorten(&value.to_string(), 60);
    DataError::schema(format!(
        "the header's cells {} are merged ('{text}'): if it has several rows, set `header_rows`; if \
         this is a title, set `skip_rows` to {} to pass over it",
        region.name(),
        seen(row)
    ))
    .at_row(seen(row))
}

#[cfg(test)]
mod tests {
    use super::{Region, letters};

    #[test]
    fn cells_are_named_as_in_the_sheet() {
        for (column, name) in [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (701, "ZZ"),
            (702, "AAA"),
            (16_383, "XFD"),
        ] {
            assert_eq!(letters(column), name);
        }
        let region = Region {
            rows: (1, 20),
            columns: (0, 2),
        };
        assert_eq!(region.name(), "A2:C21");
    }
}
