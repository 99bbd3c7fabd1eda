//! Plots as SVG text, and as numbers for the page's script.

use std::fmt::Write;

use serde::Serialize;

use super::figure::{Mark, Plot, Point, Series};
use super::page::escape;
use super::ticks::ticks;

/// Colour-blind-safe hues (Okabe and Ito), enough for a leaderboard.
pub(super) const HUES: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];

/// How the parts of a plot look.
pub(super) const STYLE_OF_PLOTS: &str = "svg text{text-anchor:middle}svg .y{text-anchor:end}\
svg .title{font-size:14px;fill:#222}.axes path{stroke:#e4e4e4}\
.diagonal{stroke:#000;stroke-opacity:.5}.line{fill:none;stroke-width:2}\
.dots{stroke-width:4;stroke-linecap:round;stroke-opacity:.35}.few{stroke-width:6;stroke-opacity:.8}\
.zoom{fill:#0072b2;fill-opacity:.15}.ring{fill:none;stroke:#000}";

/// Pixels of the whole and of the frame within: left, top, right, bottom.
const SIZE: (f64, f64) = (480.0, 340.0);
const FRAME: (f64, f64, f64, f64) = (64.0, 26.0, 470.0, 298.0);

/// Dots are spread over so many paths: within one, overlapping dots do not get darker.
const LAYERS: usize = 8;

/// Few dots are drawn to be seen one by one, many so that where they are dense shows.
const FEW_DOTS: usize = 200;

fn dots_class(dots: usize) -> &'static str {
    if dots > FEW_DOTS { "dots" } else { "dots few" }
}

/// What the script draws a plot anew from.
#[derive(Serialize)]
struct Data<'a> {
    frame: [f64; 4],
    layers: usize,
    extent: [f64; 4],
    diagonal: bool,
    x: &'a str,
    y: &'a str,
    series: Vec<DataSeries<'a>>,
}

#[derive(Serialize)]
struct DataSeries<'a> {
    name: &'a str,
    mark: Mark,
    class: &'static str,
    hue: &'a str,
    points: Vec<[f64; 2]>,
}

/// The extents of both axes: `x` low and high, `y` low and high.
type Extent = [f64; 4];

/// The plot as a file of its own, with the names of its series in it and its notes as a description.
pub(super) fn document(plot: &Plot) -> String {
    let (_, top, right, _) = FRAME;
    let drawn = draw(plot, 0);
    let inside = drawn.strip_prefix("<svg ").unwrap_or(&drawn);
    let inside = inside.strip_suffix("</svg>").unwrap_or(inside);
    let mut svg = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" {inside}");
    let _ = write!(
        svg,
        "<style>svg{{font:11px system-ui,sans-serif;fill:#444;background:#fff}}{STYLE_OF_PLOTS}\
         </style>"
    );
    for (i, (series, hue)) in plot.series.iter().zip(HUES.iter().cycle()).enumerate() {
        let y = top + 14.0 * (i + 1) as f64;
        let name = escape(&series.name);
        let _ = write!(
            svg,
            "<text class=\"y\" style=\"fill:{hue}\" x=\"{}\" y=\"{y}\">{name}</text>",
            right - 6.0
        );
    }
    if !plot.notes.is_empty() {
        let _ = write!(svg, "<desc>{}</desc>", escape(&plot.notes.join("\n")));
    }
    svg.push_str("</svg>\n");
    svg
}

/// The plot, standing still.
pub(super) fn draw(plot: &Plot, id: usize) -> String {
    let (left, top, right, bottom) = FRAME;
    let extent = extent(plot);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {} {}\" role=\"img\"><clipPath id=\"clip{id}\"><rect x=\"{left}\" \
         y=\"{top}\" width=\"{}\" height=\"{}\"/></clipPath><text x=\"{}\" y=\"16\" \
         class=\"title\">{}</text><g class=\"axes\">",
        SIZE.0,
        SIZE.1,
        right - left,
        bottom - top,
        (left + right) / 2.0,
        escape(&plot.title)
    );
    axes(&mut svg, extent);
    let _ = write!(svg, "</g><g class=\"data\" clip-path=\"url(#clip{id})\">");
    if plot.diagonal {
        let ends = [extent[0].max(extent[2]), extent[1].min(extent[3])];
        let path = line(&ends.map(|v| (v, v)), extent);
        let _ = write!(svg, "<path class=\"diagonal\" d=\"{path}\"/>");
    }
    for (series, hue) in plot.series.iter().zip(HUES.iter().cycle()) {
        match series.mark {
            Mark::Line => {
                let path = line(&series.points, extent);
                let _ = write!(svg, "<path class=\"line\" stroke=\"{hue}\" d=\"{path}\"/>");
            }
            Mark::Points => {
                let class = dots_class(series.points.len());
                for layer in 0..LAYERS.min(series.points.len()) {
                    let _ = write!(svg, "<path class=\"{class}\" stroke=\"{hue}\" d=\"");
                    for point in series.points.iter().skip(layer).step_by(LAYERS) {
                        let (x, y) = place(*point, extent);
                        let _ = write!(svg, "M{x:.1} {y:.1}h0");
                    }
                    svg.push_str("\"/>");
                }
            }
        }
    }
    let _ = write!(
        svg,
        "</g><text x=\"{}\" y=\"{}\">{}</text><text transform=\"translate(13 {}) \
         rotate(-90)\">{}</text></svg>",
        (left + right) / 2.0,
        SIZE.1 - 8.0,
        escape(&plot.x),
        (top + bottom) / 2.0,
        escape(&plot.y)
    );
    svg
}

/// The plot as JSON.
///
/// # Errors
/// If it cannot be written so.
pub(super) fn data(plot: &Plot) -> Result<String, String> {
    let series = plot.series.iter().zip(HUES.iter().cycle());
    let series = series.map(|(one, hue)| DataSeries {
        name: &one.name,
        mark: one.mark,
        class: dots_class(one.points.len()),
        hue,
        points: one
            .points
            .iter()
            .map(|(x, y)| [short(*x), short(*y)])
            .collect(),
    });
    let data = Data {
        frame: [FRAME.0, FRAME.1, FRAME.2, FRAME.3],
        layers: LAYERS,
        extent: extent(plot),
        diagonal: plot.diagonal,
        x: &plot.x,
        y: &plot.y,
        series: series.collect(),
    };
    serde_json::to_string(&data).map_err(|e| e.to_string())
}

/// Seven digits are more than a plot shows, and half as long as all.
fn short(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

fn axes(svg: &mut String, extent: Extent) {
    let (left, top, right, bottom) = FRAME;
    for (value, text) in ticks(extent[0], extent[1]) {
        let (x, _) = place((value, extent[2]), extent);
        let _ = write!(
            svg,
            "<path d=\"M{x:.1} {top}V{bottom}\"/><text x=\"{x:.1}\" y=\"{}\">{text}</text>",
            bottom + 15.0
        );
    }
    for (value, text) in ticks(extent[2], extent[3]) {
        let (_, y) = place((extent[0], value), extent);
        let _ = write!(
            svg,
            "<path d=\"M{left} {y:.1}H{right}\"/><text class=\"y\" x=\"{}\" y=\"{:.1}\">{text}</text>",
            left - 5.0,
            y + 4.0
        );
    }
}

fn line(points: &[Point], extent: Extent) -> String {
    let mut path = String::new();
    for (i, point) in points.iter().enumerate() {
        let (x, y) = place(*point, extent);
        let _ = write!(path, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
    }
    path
}

/// Where a point is drawn.
fn place(point: Point, extent: Extent) -> (f64, f64) {
    let (left, top, right, bottom) = FRAME;
    let share = |v: f64, low: f64, high: f64| (v - low) / (high - low);
    (
        left + share(point.0, extent[0], extent[1]) * (right - left),
        bottom - share(point.1, extent[2], extent[3]) * (bottom - top),
    )
}

fn extent(plot: &Plot) -> Extent {
    let points = || {
        plot.series
            .iter()
            .flat_map(|series: &Series| &series.points)
    };
    let (x, y) = (range(points().map(|p| p.0)), range(points().map(|p| p.1)));
    [x.0, x.1, y.0, y.1]
}

/// The extent of `values` with a margin; never empty, so that a plot of nothing is an empty plot.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    if low > high {
        return (0.0, 1.0);
    }
    // Where all are equal, the margin must still be one for numbers of that size.
    let least = 1e-6 * low.abs().max(high.abs());
    let margin = (0.04 * (high - low)).max(least);
    let margin = if margin > 0.0 { margin } else { 0.5 };
    (low - margin, high + margin)
}
