//! One way to look at a table.

use crate::tabular::in_context::SplitMix;

/// An order of the features, names of the classes, and which preparations it sees.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Which preparation of the features.
    pub(super) preparation: usize,
    /// Which feature stands at each place.
    pub(super) order: Vec<usize>,
    /// What each class is called; nothing for numbers.
    pub(super) names: Option<Vec<usize>>,
    /// Targets are seen through a power transform.
    pub(super) power: bool,
}

impl Member {
    /// As the package draws them: every combination of preparations as often, the rest at random;
    /// orders and names at random. `widths` are the numbers of features of the preparations.
    pub(super) fn draw(
        widths: &[usize],
        classes: Option<usize>,
        count: usize,
        seed: u64,
    ) -> Vec<Self> {
        let mut random = SplitMix(seed);
        let powers: &[bool] = match classes {
            Some(_) => &[false],
            None => &[false, true],
        };
        let combinations: Vec<(usize, bool)> = (0..widths.len())
            .flat_map(|preparation| powers.iter().map(move |power| (preparation, *power)))
            .collect();
        let each = count / combinations.len();
        let even = combinations.iter().flat_map(|pair| vec![*pair; each]);
        let mut drawn: Vec<(usize, bool)> = even.collect();
        while drawn.len() < count {
            drawn.push(combinations[random.below(combinations.len())]);
        }
        let member = |(preparation, power): (usize, bool)| Self {
            preparation,
            order: random.order(widths[preparation]),
            names: classes.map(|classes| random.order(classes)),
            power,
        };
        drawn.into_iter().map(member).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_come_as_often_as_each_other() {
        let count = |members: &[Member], preparation, power| {
            let of = |m: &&Member| (m.preparation, m.power) == (preparation, power);
            members.iter().filter(of).count()
        };
        let classes = Member::draw(&[5, 3], Some(4), 5, 1);
        assert!(count(&classes, 0, false) >= 2 && count(&classes, 1, false) >= 2);
        assert!(
            classes
                .iter()
                .all(|m| !m.power && m.names.as_ref().is_some_and(|n| n.len() == 4))
        );
        assert_eq!(classes[0].order.len(), 5);
        let numbers = Member::draw(&[5, 3], None, 8, 1);
        for preparation in [0, 1] {
            for power in [false, true] {
                assert_eq!(count(&numbers, preparation, power), 2);
            }
        }
    }
}
