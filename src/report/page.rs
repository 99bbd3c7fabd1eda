//! The HTML around the figures.

use std::fmt::Write;

use forge_train::metric::Score;

use super::figure::{ConfusionTable, Figure, Plot, Section};
use super::svg::{self, HUES, STYLE_OF_PLOTS};
use super::{LeaderboardRow, Report};

/// Plots of more points can be hovered over and zoomed into.
const STILL_POINTS: usize = 100;
/// Most classes of a confusion table; the most frequent ones are shown.
const TABLE_CLASSES: usize = 30;

const SCRIPT: &str = include_str!("interactive.js");
const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:68rem;margin:2rem auto;\
padding:0 1rem;color:#222}table{border-collapse:collapse}td,th{padding:.3rem .8rem;\
border-bottom:1px solid #ddd;text-align:right}td:first-child,th:first-child{text-align:left}\
.baseline{color:#777}.figures{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;\
flex:0 1 480px;min-width:20rem}figcaption,output{font-size:12px;color:#555;display:block}\
figcaption b{margin-right:.8em}figure svg{width:100%;height:auto;font-size:11px;fill:#444}";

pub(super) fn render(report: &Report) -> Result<String, String> {
    let title = escape(&report.title);
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}{STYLE_OF_PLOTS}</style><h1>{title}</h1>"
    );
    for note in &report.notes {
        let _ = write!(html, "<p>{}</p>", escape(note));
    }
    html.push_str("<h2>Leaderboard (hold-out rows)</h2>");
    html.push_str(&leaderboard(&report.leaderboard));
    let mut id = 0;
    let mut interactive = false;
    for section in &report.sections {
        html.push_str(&heading(section));
        for figure in &section.figures {
            id += 1;
            match figure {
                Figure::ConfusionTable(table) => html.push_str(&confusion(table)),
                Figure::Bars(bars) => html.push_str(&super::bars::render(bars)),
                Figure::Plot(plot) => {
                    interactive |= plot.len() > STILL_POINTS;
                    html.push_str(&self::plot(plot, id)?);
                }
            }
        }
        html.push_str("</div>");
    }
    if interactive {
        let _ = write!(html, "<script>{SCRIPT}</script>");
    }
    html.push_str("</html>\n");
    Ok(html)
}

fn heading(section: &Section) -> String {
    let mut html = format!("<h2>{}</h2>", escape(&section.title));
    for note in &section.notes {
        let _ = write!(html, "<p>{}</p>", escape(note));
    }
    html + "<div class=\"figures\">"
}

fn plot(plot: &Plot, id: usize) -> Result<String, String> {
    let mut html = format!("<figure class=\"plot\">{}", svg::draw(plot, id));
    if plot.series.len() > 1 || !plot.notes.is_empty() {
        html.push_str("<figcaption>");
        if plot.series.len() > 1 {
            for (series, hue) in plot.series.iter().zip(HUES.iter().cycle()) {
                let name = escape(&series.name);
                let _ = write!(html, "<b style=\"color:{hue}\">{name}</b>");
            }
        }
        for note in &plot.notes {
            let _ = write!(html, "<br>{}", escape(note));
        }
        html.push_str("</figcaption>");
    }
    if plot.len() > STILL_POINTS {
        // Within a script element only the end tag would end it, and a comment hide it.
        let data = svg::data(plot)?.replace('<', "\\u003c");
        let _ = write!(html, "<script type=\"application/json\">{data}</script>");
    }
    Ok(html + "</figure>")
}

fn leaderboard(rows: &[LeaderboardRow]) -> String {
    let names = LeaderboardRow::score_names(rows);
    let mut html = String::from("<table><tr><th>model</th>");
    for name in &names {
        let _ = write!(html, "<th>{}</th>", escape(&name.replace('_', " ")));
    }
    html.push_str("<th>seconds</th><th>parameters</th></tr>");
    for row in rows {
        let class = if row.baseline {
            " class=\"baseline\""
        } else {
            ""
        };
        let _ = write!(html, "<tr{class}><td>{}</td>", escape(&row.name));
        for name in &names {
            let shown = row.scores.find(name).map_or("–".into(), Score::shown);
            let _ = write!(html, "<td>{shown}</td>");
        }
        let parameters = row.parameters.map_or("–".to_string(), |p| p.to_string());
        let _ = write!(
            html,
            "<td>{:.1}</td><td>{parameters}</td></tr>",
            row.seconds
        );
    }
    html.push_str("</table>");
    html
}

fn confusion(table: &ConfusionTable) -> String {
    let n = table.classes.len();
    let count = |truth: usize, taken: usize| table.counts.get(truth * n + taken).copied();
    let of_class = |truth: usize| (0..n).filter_map(|taken| count(truth, taken)).sum::<f64>();
    let mut shown: Vec<usize> = (0..n).collect();
    let mut html = String::from("<div>");
    if n > TABLE_CLASSES {
        shown.sort_by(|a, b| of_class(*b).total_cmp(&of_class(*a)));
        shown.truncate(TABLE_CLASSES);
        shown.sort_unstable();
        let _ = write!(
            html,
            "<p>The {TABLE_CLASSES} most frequent of {n} classes.</p>"
        );
    }
    html.push_str("<table><tr><th>true \\ predicted</th>");
    for class in &shown {
        let _ = write!(html, "<th>{}</th>", escape(&table.classes[*class]));
    }
    html.push_str("</tr>");
    for truth in &shown {
        let _ = write!(html, "<tr><td>{}</td>", escape(&table.classes[*truth]));
        for taken in &shown {
            let found = count(*truth, *taken).unwrap_or(0.0);
            let share = found / of_class(*truth).max(f64::MIN_POSITIVE);
            let hue = if truth == taken {
                "0,114,178"
            } else {
                "213,94,0"
            };
            let _ = write!(
                html,
                "<td style=\"background:rgba({hue},{:.2})\">{found}</td>",
                0.6 * share
            );
        }
        html.push_str("</tr>");
    }
    html + "</table></div>"
}

/// Column names and titles come from users' files.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
