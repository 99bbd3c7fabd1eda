//! The leaderboard as text.

use volatilityforge::chain;
use volatilityforge::experiment::Summary;
use volatilityforge::report::LeaderboardRow;
use volatilityforge::train::metric::{Score, significant};

/// Prints models and (in brackets) baselines, best first, with the scores that fit the task.
pub(crate) fn print(summary: &Summary) {
    let data = if summary.synthetic {
        " of SYNTHETIC data"
    } else {
        ""
    };
    println!(
        "\n{} ({}) on {} hold-out rows{data}, split {}:",
        summary.target.join(", "),
        summary.objective,
        summary.test_rows,
        summary.split
    );
    if summary.baseline_rows < summary.train_rows {
        println!(
            "(baselines on {} evenly spread training rows)",
            summary.baseline_rows
        );
    }
    let rows = summary.leaderboard();
    let names = LeaderboardRow::score_names(&rows);
    print!("{:<18}", "");
    for name in &names {
        print!("{:>width$}", name.replace('_', " "), width = width(name));
    }
    println!("{:>10}{:>12}", "seconds", "parameters");
    for row in &rows {
        let name = if row.baseline {
            format!("({})", row.name)
        } else {
            row.name.clone()
        };
        print!("{name:<18}");
        for name in &names {
            let shown = row.scores.find(name).map_or("–".into(), Score::shown);
            print!("{shown:>width$}", width = width(name));
        }
        let parameters = row.parameters.map_or(String::new(), |p| p.to_string());
        println!("{:>10.1}{parameters:>12}", row.seconds);
    }
    for model in &summary.failed {
        println!("{:<18}could not be trained, see above", model.name);
    }
    if let Some(error) = chain::vol_points(summary) {
        println!(
            "{}: mean absolute error {} vol points",
            summary.best,
            significant(error)
        );
    }
}

fn width(name: &str) -> usize {
    name.chars().count().max(12) + 2
}
