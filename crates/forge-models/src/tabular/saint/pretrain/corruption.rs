//! The other view of a row.

use burn::tensor::{Bool, Device, Distribution, Int, Tensor};

use crate::TabularRows;

/// How a batch is corrupted: CutMix on the cells, then mixup on their tokens (section 4 of the
/// paper, equation 4).
#[derive(Debug, Clone)]
pub struct SaintCorruption {
    /// The row that replaces a row's cells, `[B]`.
    pub cut_from: Tensor<1, Int>,
    /// Which numbers are replaced, `[B, F_num]`.
    pub num_cut: Option<Tensor<2, Bool>>,
    /// Which categories are replaced, `[B, F_cat]`.
    pub cat_cut: Option<Tensor<2, Bool>>,
    /// The row whose tokens are mixed in, `[B]`.
    pub mix_with: Tensor<1, Int>,
}

impl SaintCorruption {
    /// Draws one for `rows`, where a cell is replaced with probability `cutmix`. A row may be drawn
    /// as its own partner.
    #[must_use]
    pub fn draw(rows: &TabularRows, cutmix: f64, device: &Device) -> Self {
        let n = rows.len();
        let uniform = Distribution::Uniform(0.0, 1.0);
        let order = || Tensor::<1>::random([n], uniform, device).argsort(0);
        let cut =
            |shape: [usize; 2]| Tensor::<2>::random(shape, uniform, device).lower_elem(cutmix);
        Self {
            cut_from: order(),
            num_cut: rows.x_num.as_ref().map(|x| cut(x.dims())),
            cat_cut: rows.x_cat.as_ref().map(|x| cut(x.dims())),
            mix_with: order(),
        }
    }

    /// CutMix: cells of other rows, with what is known of their presence.
    #[must_use]
    pub fn cut(&self, rows: &TabularRows) -> TabularRows {
        let other = |_: &()| self.cut_from.clone();
        let masks = |present: &Option<Tensor<2, Bool>>, cut: &Option<Tensor<2, Bool>>| {
            let (present, cut) = (present.as_ref()?, cut.as_ref()?);
            let moved = present.clone().select(0, other(&()));
            Some(present.clone().mask_where(cut.clone(), moved))
        };
        let numbers = rows.x_num.as_ref().zip(self.num_cut.as_ref());
        let codes = rows.x_cat.as_ref().zip(self.cat_cut.as_ref());
        TabularRows {
            x_num: numbers.map(|(x, cut)| {
                let moved = x.clone().select(0, other(&()));
                x.clone().mask_where(cut.clone(), moved)
            }),
            x_cat: codes.map(|(x, cut)| {
                let moved = x.clone().select(0, other(&()));
                x.clone().mask_where(cut.clone(), moved)
            }),
            num_present: masks(&rows.num_present, &self.num_cut),
            cat_present: masks(&rows.cat_present, &self.cat_cut),
        }
    }

    /// Mixup: `weight` of a row's own tokens, the rest of another row's.
    ///
    /// # Shapes
    /// - tokens, output: `[B, T, D]`
    #[must_use]
    pub fn mix(&self, tokens: Tensor<3>, weight: f64) -> Tensor<3> {
        let other = tokens.clone().select(0, self.mix_with.clone());
        tokens * weight + other * (1.0 - weight)
    }
}
