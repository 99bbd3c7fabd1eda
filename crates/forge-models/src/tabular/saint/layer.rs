//! Attention over features and over rows.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::ops::AttentionMask;

use super::SaintBlock;
use super::neighbours::Neighbours;

/// Attention over the features of a row, then over the rows; either may be absent.
#[derive(Module, Debug)]
pub struct SaintLayer {
    pub(super) features: Option<SaintBlock>,
    pub(super) rows: Option<SaintBlock>,
}

impl SaintLayer {
    /// Tokens of a row attend to each other, then rows attend to each other, each as one vector of
    /// all its tokens. Maps, where they are wanted, are those of the rows after the fixed ones.
    ///
    /// # Shapes
    /// - x, output: `[N, T, D]`, of which the first `R` rows are fixed
    /// - maps: `[N - R, H, T, T]`, then `[1, H, N - R, N]`
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        neighbours: &Neighbours,
        mut maps: Option<&mut Vec<Tensor<4>>>,
    ) -> Tensor<3> {
        let shape = x.dims();
        let [rows, tokens, width] = shape;
        let (fixed, given) = (neighbours.fixed, rows - neighbours.fixed);
        let want = maps.is_some();
        let mut keep = |map: Option<Tensor<4>>, axis| {
            if let (Some(maps), Some(map)) = (&mut maps, map) {
                maps.push(map.narrow(axis, fixed, given));
            }
        };
        let x = match &self.features {
            Some(block) => {
                let (x, map) = block.forward(x, AttentionMask::none(), want);
                keep(map, 0);
                x
            }
            None => x,
        };
        match &self.rows {
            Some(block) => {
                let table = x.reshape([1, rows, tokens * width]);
                let (table, map) = block.forward(table, neighbours.mask.clone(), want);
                keep(map, 2);
                table.reshape(shape)
            }
            None => x,
        }
    }
}
