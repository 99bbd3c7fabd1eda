//! The copy task of Graves, Wayne & Danihelka 2014, section 4.1.

use volatilityforge::burn::tensor::{Device, Distribution, Tensor};

/// Bits of a vector.
pub(crate) const BITS: usize = 8;
/// Bits, and a channel for each of the marks before and behind the vectors.
pub(crate) const CHANNELS: usize = BITS + 2;

/// What a machine is shown, and what it should say after it.
#[derive(Debug)]
pub(crate) struct Sequence {
    /// A mark, the vectors, another mark, and zeros for the answer: `[B, 2 T + 2, CHANNELS]`.
    pub(crate) tokens: Tensor<3>,
    /// The vectors, `[B, T, BITS]`, zeros and ones.
    pub(crate) vectors: Tensor<3>,
}

impl Sequence {
    /// `batch` sequences of `length` vectors of random bits.
    pub(crate) fn draw(batch: usize, length: usize, device: &Device) -> Self {
        let vectors = Tensor::<3>::random([batch, length, BITS], Distribution::Default, device);
        let vectors = vectors.greater_elem(0.5).float();
        let zeros = |time, width| Tensor::zeros([batch, time, width], device);
        let mark = |channel| {
            let after = CHANNELS - channel - 1;
            let one = Tensor::ones([batch, 1, 1], device);
            Tensor::cat(vec![zeros(1, channel), one, zeros(1, after)], 2)
        };
        let shown = Tensor::cat(vec![vectors.clone(), zeros(length, CHANNELS - BITS)], 2);
        let parts = vec![mark(BITS), shown, mark(BITS + 1), zeros(length, CHANNELS)];
        Self {
            tokens: Tensor::cat(parts, 1),
            vectors,
        }
    }

    /// Logits of the answer's bits, `[B, T, BITS]`, of a machine's outputs for all tokens.
    pub(crate) fn answer(&self, outputs: Tensor<3>) -> Tensor<3> {
        let length = self.vectors.dims()[1];
        outputs.narrow(1, length + 2, length).narrow(2, 0, BITS)
    }

    /// Share of the bits that these logits have wrong.
    pub(crate) fn bit_error(&self, logits: Tensor<3>) -> f64 {
        let said = logits.greater_elem(0.0).float();
        f64::from(
            (said - self.vectors.clone())
                .abs()
                .mean()
                .into_scalar::<f32>(),
        )
    }
}
