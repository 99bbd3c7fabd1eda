//! Where the heads point, as an SVG.

use std::fmt::Write;

use volatilityforge::burn::tensor::Tensor;

const CELL: usize = 8;
const MARGIN: usize = 30;

/// The weights over the slots, step by step, of writing and of reading, one map over the other: time
/// from left to right, slots from top to bottom, black for a weight of 1. `maps` are named `[N]` rows.
pub(crate) fn addresses(maps: &[(&str, Vec<Tensor<1>>)]) -> String {
    let steps = maps.first().map_or(0, |(_, rows)| rows.len());
    let slots = maps
        .first()
        .and_then(|(_, rows)| rows.first())
        .map_or(0, |row| row.dims()[0]);
    let height = slots * CELL + MARGIN;
    let (width, total) = (steps * CELL + 2 * MARGIN, maps.len() * height + MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{total}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (i, (name, rows)) in maps.iter().enumerate() {
        let top = i * height + MARGIN;
        let _ = writeln!(
            svg,
            "<text x=\"{MARGIN}\" y=\"{}\">{name}: slots over time</text>\n\
             <rect x=\"{MARGIN}\" y=\"{top}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"gray\"/>",
            top - 6,
            steps * CELL,
            slots * CELL
        );
        for (step, row) in rows.iter().enumerate() {
            for (slot, weight) in row.to_data().iter::<f32>().enumerate() {
                if weight > 0.005 {
                    let (x, y) = (MARGIN + step * CELL, top + slot * CELL);
                    let _ = writeln!(
                        svg,
                        "<rect x=\"{x}\" y=\"{y}\" width=\"{CELL}\" height=\"{CELL}\" fill-opacity=\"{weight:.3}\"/>"
                    );
                }
            }
        }
    }
    svg + "</svg>\n"
}
