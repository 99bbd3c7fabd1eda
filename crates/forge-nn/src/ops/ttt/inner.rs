//! Where the parts of the inner model lie.

use core::ops::Range;

/// Inside the root of the inner norm.
pub(super) const EPSILON: f64 = 1e-6;

/// The sizes of an inner model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inner {
    pub(super) width: usize,
    pub(super) hidden: Option<usize>,
}

/// A layer: its widths, and where its parts lie in the parameters of the layers.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) weight: Range<usize>,
    pub(super) bias: Range<usize>,
}

impl Inner {
    /// Input and output width of each layer.
    fn sizes(self) -> Vec<[usize; 2]> {
        match self.hidden {
            None => vec![[self.width; 2]],
            Some(hidden) => vec![[self.width, hidden], [hidden, self.width]],
        }
    }

    /// Numbers that the norm has, before those of the layers.
    pub(super) fn of_norm(self) -> usize {
        2 * self.width
    }

    /// Numbers of a head, unless they are more than can be counted.
    pub(super) fn parameters(self) -> Option<usize> {
        let mut count = self.width.checked_mul(2)?;
        for [input, output] in self.sizes() {
            let layer = input.checked_add(1)?.checked_mul(output)?;
            count = count.checked_add(layer)?;
        }
        Some(count)
    }

    pub(super) fn layers(self) -> Vec<Layer> {
        let mut start = 0;
        let sizes = self.sizes().into_iter();
        sizes
            .map(|[input, output]| {
                let weight = start..start + input * output;
                let bias = weight.end..weight.end + output;
                start = bias.end;
                Layer {
                    input,
                    output,
                    weight,
                    bias,
                }
            })
            .collect()
    }
}
