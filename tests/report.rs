//! The page of a report.

use volatilityforge::report::{
    Bar, Bars, ConfusionTable, Figure, LeaderboardRow, Plot, Report, Section,
};
use volatilityforge::train::metric::Scores;

fn page(plot: Plot) -> String {
    let report = Report {
        title: "t".into(),
        sections: vec![Section {
            title: "s".into(),
            figures: vec![Figure::Plot(plot)],
            ..Section::default()
        }],
        ..Report::default()
    };
    report.to_html().unwrap()
}

fn points(n: usize) -> Vec<(f64, f64)> {
    (0..n).map(|i| (i as f64, (i as f64 * 0.1).sin())).collect()
}

#[test]
fn plots_with_over_a_hundred_points_can_be_hovered_over() {
    let still = page(Plot::new("p", "x", "y").points("s", points(100)));
    assert!(!still.contains("<script"));
    let html = page(Plot::new("p", "x", "y").points("s", points(101)));
    assert!(html.contains("pointermove") && html.contains("application/json"));
    // Without scripts it is there as well.
    assert_eq!(
        html.matches("h0").count(),
        101 + html.matches("+ \"h0\"").count()
    );
    // The data the script draws from are JSON.
    let start = html.find("application/json\">").unwrap() + "application/json\">".len();
    let end = html[start..].find("</script>").unwrap();
    let data: serde_json::Value = serde_json::from_str(&html[start..start + end]).unwrap();
    assert_eq!(data["series"][0]["points"].as_array().unwrap().len(), 101);
}

#[test]
fn a_page_loads_nothing() {
    let html = page(Plot::new("p", "x", "y").points("s", points(500)));
    for what in ["src=", "href=", "@import", "fetch(", "XMLHttp", "import("] {
        assert!(!html.contains(what), "{what}");
    }
    // Names of namespaces, which nobody loads.
    let foreign = html.matches("http").count() - html.matches("http://www.w3.org/2000/svg").count();
    assert_eq!(foreign, 0);
}

#[test]
fn a_hundred_thousand_points_are_thinned_and_a_note_says_so() {
    let html = page(Plot::new("p", "x", "y").points("s", points(100_000)));
    assert!(html.contains("s: 5000 of 100000 points are shown"));
    assert!(html.len() < 400_000, "{} bytes", html.len());
}

#[test]
fn what_comes_from_files_is_text_wherever_it_stands() {
    let bad = "</script><script>alert(1)</script><!--\"'&";
    let plot = Plot::new(bad, bad, bad)
        .points(bad, points(150))
        .line(bad, points(3))
        .note(bad);
    let report = Report {
        title: bad.into(),
        notes: vec![bad.into()],
        leaderboard: vec![LeaderboardRow {
            name: bad.into(),
            baseline: false,
            scores: Scores::new().minimize(bad, 1.0),
            seconds: 0.0,
            parameters: None,
        }],
        sections: vec![Section {
            title: bad.into(),
            notes: vec![bad.into()],
            figures: vec![
                Figure::Plot(plot),
                Figure::ConfusionTable(ConfusionTable {
                    classes: vec![bad.into(), "b".into()],
                    counts: vec![1.0, 2.0, 3.0, 4.0],
                }),
                Figure::Bars(Bars {
                    title: bad.into(),
                    unit: bad.into(),
                    bars: vec![bar(bad, 1.0)],
                    notes: vec![bad.into()],
                }),
            ],
        }],
    };
    let html = report.to_html().unwrap();
    assert!(!html.contains("<script>alert") && !html.contains("<!--"));
    // The page's own: the data of one plot, and the script.
    assert_eq!(html.matches("<script").count(), 2);
    assert_eq!(html.matches("</script").count(), 2);
}

fn bar(name: &str, value: f64) -> Bar {
    Bar {
        name: name.into(),
        value,
        spread: Some(0.25),
    }
}

#[test]
fn bars_are_as_long_as_they_are_large() {
    let mut bars = vec![
        bar("most", 2.0),
        bar("half", 1.0),
        bar("less than none", -1.0),
    ];
    bars.extend((0..50).map(|i| bar(&format!("column {i}"), 0.0)));
    let report = Report {
        sections: vec![Section {
            figures: vec![Figure::Bars(Bars {
                bars,
                ..Bars::default()
            })],
            ..Section::default()
        }],
        ..Report::default()
    };
    let html = report.to_html().unwrap();
    for (name, width) in [
        ("most", "14.00rem"),
        ("half", "7.00rem"),
        ("less than none", "0.00rem"),
    ] {
        let row = &html[html.find(&format!("<td>{name}</td>")).unwrap()..];
        assert!(
            row[..row.find("</tr>").unwrap()].contains(&format!("width:{width}")),
            "{row}"
        );
    }
    assert!(html.contains("± 0.25") && html.contains("13 more are not shown"));
}

#[test]
fn numbers_that_are_none_do_not_reach_the_page() {
    let odd = vec![(f64::NAN, 1.0), (1.0, f64::INFINITY), (2.0, 2.0)];
    for points in [
        odd,
        vec![],
        vec![(1e300, -1e300); 120],
        vec![(7.0, 7.0); 120],
    ] {
        let html = page(Plot::new("p", "x", "y").with_diagonal().points("s", points));
        let svg = &html[html.find("<svg").unwrap()..html.find("</svg>").unwrap()];
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
