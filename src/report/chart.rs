//! Plots as SVG text.

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{
    BLACK, BLUE, Cartesian2d, ChartBuilder, ChartContext, Circle, Color, DrawingBackend,
    IntoDrawingArea, LineSeries, RED, RGBColor, SVGBackend, WHITE,
};

use super::Point;

/// Colour-blind-safe hues (Okabe and Ito), enough for a leaderboard.
const HUES: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// A named line.
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) points: &'a [Point],
}

type Plane<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Failure<'a> =
    plotters::drawing::DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

/// What a chart is called.
pub(super) struct Labels<'a> {
    pub(super) caption: &'a str,
    pub(super) x: &'a str,
    pub(super) y: &'a str,
    /// Whether series are named beside the plot.
    pub(super) legend: bool,
}

/// Lines over a common x axis; `log_y` plots log10 of positive values.
pub(super) fn lines(
    labels: &Labels<'_>,
    lines: &[Line<'_>],
    log_y: bool,
) -> Result<String, String> {
    let scaled: Vec<Vec<Point>> = lines
        .iter()
        .map(|line| {
            let finite = line
                .points
                .iter()
                .copied()
                .filter(|(x, y)| x.is_finite() && y.is_finite() && (!log_y || *y > 0.0));
            finite
                .map(|(x, y)| (x, if log_y { y.log10() } else { y }))
                .collect()
        })
        .collect();
    draw(labels, (640, 360), &scaled.concat(), |chart| {
        for (i, (line, points)) in lines.iter().zip(&scaled).enumerate() {
            let hue = HUES[i % HUES.len()];
            chart
                .draw_series(LineSeries::new(points.iter().copied(), hue.stroke_width(2)))?
                .label(line.name)
                .legend(move |(x, y)| {
                    plotters::element::PathElement::new([(x, y), (x + 18, y)], hue.stroke_width(2))
                });
        }
        Ok(())
    })
}

/// Points against the diagonal.
pub(super) fn scatter(labels: &Labels<'_>, points: &[Point]) -> Result<String, String> {
    let points: Vec<Point> = finite(points);
    draw(labels, (480, 480), &points, |chart| {
        chart.draw_series(
            points
                .iter()
                .map(|p| Circle::new(*p, 2, BLUE.mix(0.35).filled())),
        )?;
        let (low, high) = range(points.iter().map(|p| p.0));
        chart.draw_series(LineSeries::new([(low, low), (high, high)], BLACK.mix(0.6)))?;
        Ok(())
    })
}

/// Quotes as points and the model as a line.
pub(super) fn smile(
    labels: &Labels<'_>,
    quotes: &[Point],
    model: &[Point],
) -> Result<String, String> {
    let (quotes, model) = (finite(quotes), finite(model));
    let both = [quotes.clone(), model.clone()].concat();
    draw(labels, (420, 300), &both, |chart| {
        chart.draw_series(
            quotes
                .iter()
                .map(|p| Circle::new(*p, 2, BLUE.mix(0.6).filled())),
        )?;
        chart.draw_series(LineSeries::new(model.iter().copied(), RED.stroke_width(2)))?;
        Ok(())
    })
}

fn draw(
    labels: &Labels<'_>,
    size: (u32, u32),
    extent: &[Point],
    series: impl for<'a, 'b> FnOnce(&mut Plane<'a, 'b>) -> Result<(), Failure<'b>>,
) -> Result<String, String> {
    let mut svg = String::new();
    let (x_low, x_high) = range(extent.iter().map(|p| p.0));
    let (y_low, y_high) = range(extent.iter().map(|p| p.1));
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let text = |e: &dyn std::fmt::Display| e.to_string();
        root.fill(&WHITE).map_err(|e| text(&e))?;
        let mut chart = ChartBuilder::on(&root)
            .caption(labels.caption, ("sans-serif", 16))
            .margin(8)
            .x_label_area_size(36)
            .y_label_area_size(64)
            .build_cartesian_2d(x_low..x_high, y_low..y_high)
            .map_err(|e| text(&e))?;
        chart
            .configure_mesh()
            .x_desc(labels.x)
            .y_desc(labels.y)
            .light_line_style(WHITE)
            .draw()
            .map_err(|e| text(&e))?;
        series(&mut chart).map_err(|e| text(&e))?;
        if labels.legend {
            chart
                .configure_series_labels()
                .background_style(WHITE.mix(0.8))
                .border_style(BLACK.mix(0.3))
                .draw()
                .map_err(|e| text(&e))?;
        }
        root.present().map_err(|e| text(&e))?;
    }
    Ok(svg)
}

fn finite(points: &[Point]) -> Vec<Point> {
    let keep = |p: &&Point| p.0.is_finite() && p.1.is_finite();
    points.iter().filter(keep).copied().collect()
}

/// The extent of `values` with a margin; never empty, so that a chart of nothing is an empty chart.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    if low > high {
        return (0.0, 1.0);
    }
    let margin = if high > low { 0.04 * (high - low) } else { 0.5 };
    (low - margin, high + margin)
}
