//! The HTML around the plots.

use std::fmt::Write;

use super::chart::{Labels, Line, lines, scatter, smile};
use super::{LeaderboardRow, Report};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:68rem;margin:2rem auto;\
padding:0 1rem;color:#222}table{border-collapse:collapse}td,th{padding:.3rem .8rem;\
border-bottom:1px solid #ddd;text-align:right}td:first-child,th:first-child{text-align:left}\
.baseline{color:#777}.plots{display:flex;flex-wrap:wrap;gap:1rem}svg{max-width:100%;height:auto}";

pub(super) fn render(report: &Report) -> Result<String, String> {
    let title = escape(&report.title);
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}</style><h1>{title}</h1>"
    );
    for note in &report.notes {
        let _ = write!(html, "<p>{}</p>", escape(note));
    }
    html.push_str("<h2>Leaderboard (hold-out rows)</h2>");
    html.push_str(&table(&report.leaderboard));
    html.push_str("<h2>Training</h2><div class=\"plots\">");
    html.push_str(&loss_charts(report)?);
    html.push_str("</div>");
    if !report.predictions.is_empty() {
        html.push_str("<h2>Predicted against actual</h2><div class=\"plots\">");
        let labels = Labels {
            caption: "best model, hold-out rows",
            x: &format!("actual {}", report.target),
            y: &format!("predicted {}", report.target),
            legend: false,
        };
        html.push_str(&scatter(&labels, &report.predictions)?);
        html.push_str("</div>");
    }
    if !report.smiles.is_empty() {
        html.push_str("<h2>Smiles (points: quotes; line: best model)</h2><div class=\"plots\">");
        for one in &report.smiles {
            let labels = Labels {
                caption: &one.title,
                x: "log-moneyness",
                y: &report.target,
                legend: false,
            };
            html.push_str(&smile(&labels, &one.quotes, &one.model)?);
        }
        html.push_str("</div>");
    }
    html.push_str("</html>\n");
    Ok(html)
}

fn loss_charts(report: &Report) -> Result<String, String> {
    let train: Vec<Line<'_>> = report
        .curves
        .iter()
        .map(|c| Line {
            name: &c.model,
            points: &c.train,
        })
        .collect();
    let validation: Vec<Line<'_>> = report
        .curves
        .iter()
        .map(|c| Line {
            name: &c.model,
            points: &c.validation,
        })
        .collect();
    let labels = |caption, y| Labels {
        caption,
        x: "epoch",
        y,
        legend: true,
    };
    let left = lines(&labels("training loss", "log10 of the loss"), &train, true)?;
    let right = lines(
        &labels("validation RMSE", "log10 of the RMSE"),
        &validation,
        true,
    )?;
    Ok(left + &right)
}

fn table(rows: &[LeaderboardRow]) -> String {
    let mut html = String::from(
        "<table><tr><th>model</th><th>RMSE</th><th>MAE</th><th>R²</th><th>seconds</th>\
         <th>parameters</th></tr>",
    );
    for row in rows {
        let class = if row.baseline {
            " class=\"baseline\""
        } else {
            ""
        };
        let parameters = row.parameters.map_or("–".to_string(), |p| p.to_string());
        let _ = write!(
            html,
            "<tr{class}><td>{}</td><td>{:.6}</td><td>{:.6}</td><td>{:.4}</td><td>{:.1}</td>\
             <td>{parameters}</td></tr>",
            escape(&row.name),
            row.rmse,
            row.mae,
            row.r2,
            row.seconds,
        );
    }
    html.push_str("</table>");
    html
}

/// Column names and titles come from users' files.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
