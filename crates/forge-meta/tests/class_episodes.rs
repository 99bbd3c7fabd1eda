//! Episodes of labelled rows.

use burn::tensor::{Device, Tensor};
use forge_meta::adaptation::{ClassEpisodes, ClassEpisodesConfig, TaskDistribution};

/// Class `c` has `c + 3` rows, whose first column is the class and whose second is the row.
fn labelled() -> (Vec<f64>, Vec<usize>) {
    let classes: Vec<usize> = (0..6).flat_map(|class| vec![class; class + 3]).collect();
    let rows = classes.iter().enumerate();
    let rows = rows.flat_map(|(row, class)| [*class as f64, row as f64]);
    (rows.collect(), classes.clone())
}

fn config(ways: usize, shots: usize, queries: usize) -> ClassEpisodesConfig {
    ClassEpisodesConfig {
        ways,
        shots,
        queries,
    }
}

fn values(x: Tensor<3>) -> Vec<f64> {
    x.into_data().iter::<f64>().collect()
}

#[test]
fn an_episode_has_its_classes_and_no_row_twice() {
    let (rows, classes) = labelled();
    let device = Device::flex();
    let episodes = ClassEpisodes::new(config(3, 2, 3), &rows, &classes).unwrap();
    // Classes 0 and 1 have fewer than five rows.
    assert_eq!(episodes.n_classes(), 4);
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let task = episodes.task(seed, &device).unwrap();
        assert_eq!(
            (task.support.dims(), task.query.dims()),
            ([3, 2, 2], [3, 3, 2])
        );
        let (support, query) = (values(task.support), values(task.query));
        let mut drawn = std::collections::BTreeSet::new();
        let mut own = std::collections::BTreeSet::new();
        for way in 0..3 {
            let of_class = support[way * 4..][..4]
                .chunks(2)
                .chain(query[way * 6..][..6].chunks(2));
            let of_class: Vec<&[f64]> = of_class.collect();
            let class = of_class[0][0];
            assert!(class >= 2.0 && own.insert(class as usize), "{class}");
            for row in of_class {
                assert_eq!((row[0], classes[row[1] as usize] as f64), (class, class));
                assert!(drawn.insert(row[1] as usize), "row {} twice", row[1]);
            }
            seen.insert((way, class as usize));
        }
        let again = episodes.task(seed, &device).unwrap();
        assert_eq!(values(again.support), support);
    }
    // Every class comes at every place.
    assert_eq!(seen.len(), 12);
    let expected: Vec<i64> = vec![0, 0, 0, 1, 1, 1, 2, 2, 2];
    let found: Vec<i64> = episodes.query_classes(&device).into_data().iter().collect();
    assert_eq!(found, expected);
}

#[test]
fn what_does_not_fit_is_refused() {
    let (rows, classes) = labelled();
    let said = |config, rows: &[f64], classes: &[usize]| {
        let made = ClassEpisodes::new(config, rows, classes);
        made.err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let found = said(config(5, 2, 3), &rows, &classes);
    assert!(
        found.contains("ways = 5") && found.contains("at most 4"),
        "{found}"
    );
    assert!(said(config(1, 2, 3), &rows, &classes).contains("ways = 1"));
    assert!(said(config(2, 0, 3), &rows, &classes).contains("shots = 0"));
    assert!(said(config(2, 1, 0), &rows, &classes).contains("queries = 0"));
    let found = said(config(2, 1, 1), &rows[1..], &classes);
    assert!(found.contains("65 features"), "{found}");
    let mut holes = rows.clone();
    holes[7] = f64::NAN;
    let found = said(config(2, 1, 1), &holes, &classes);
    assert!(found.contains("feature 1 of row 3"), "{found}");
}
