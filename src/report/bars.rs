//! Named amounts as a table with bars.

use std::fmt::Write;

use forge_train::metric::significant;

use super::figure::Bars;
use super::page::escape;
use super::svg::HUES;

/// Most bars; a table may have thousands of columns.
const MOST: usize = 40;
/// Length of the longest bar, in the page's `rem`.
const LENGTH: f64 = 14.0;

pub(super) fn render(bars: &Bars) -> String {
    let longest = bars.bars.iter().map(|bar| bar.value);
    let longest = longest.fold(f64::MIN_POSITIVE, f64::max);
    let mut html = format!(
        "<div><p>{}</p><table><tr><th></th><th>{}</th><th></th></tr>",
        escape(&bars.title),
        escape(&bars.unit)
    );
    for bar in bars.bars.iter().take(MOST) {
        let spread = bar
            .spread
            .map(|spread| format!(" ± {}", significant(spread)));
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{}{}</td><td><div style=\"height:.7rem;width:{:.2}rem;\
             background:{}\"></div></td></tr>",
            escape(&bar.name),
            significant(bar.value),
            spread.unwrap_or_default(),
            LENGTH * (bar.value / longest).clamp(0.0, 1.0),
            HUES[0]
        );
    }
    html.push_str("</table>");
    let more = bars.bars.len().saturating_sub(MOST);
    let more = (more > 0).then(|| format!("{more} more are not shown"));
    for note in bars.notes.iter().cloned().chain(more) {
        let _ = write!(html, "<p>{}</p>", escape(&note));
    }
    html + "</div>"
}
