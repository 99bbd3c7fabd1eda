//! One block.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::ops::Axes;

use super::TimeMixerConfig;
use super::mixing::ScaleMixing;
use super::two_layers::TwoLayers;
use crate::forecast::dlinear::moving_average;

/// Season and trend of each scale, mixed with those of the others: the season from fine to coarse, the
/// trend from coarse to fine.
///
/// Wang et al., ICLR 2024, equations (3) to (5). With independent channels the block is
/// `x + FFN(season + trend)`; otherwise season and trend pass the FFN before they are mixed and
/// the block is their sum, without a residual, as in the authors' code.
#[derive(Module, Debug)]
pub struct PastDecomposableMixing {
    season: ScaleMixing,
    trend: ScaleMixing,
    ffn: TwoLayers,
    independent: bool,
    kernel: usize,
}

impl PastDecomposableMixing {
    pub(super) fn new(config: &TimeMixerConfig, device: &Device) -> Self {
        let lengths = config.steps();
        let coarse_first: Vec<usize> = lengths.iter().rev().copied().collect();
        Self {
            season: ScaleMixing::new(&lengths, device),
            trend: ScaleMixing::new(&coarse_first, device),
            ffn: TwoLayers::new(config.ffn(), device),
            independent: config.channel_independence,
            kernel: config.moving_avg,
        }
    }

    pub(super) fn parameter_count(config: &TimeMixerConfig) -> usize {
        let lengths = config.steps();
        let coarse_first: Vec<usize> = lengths.iter().rev().copied().collect();
        ScaleMixing::parameter_count(&lengths)
            + ScaleMixing::parameter_count(&coarse_first)
            + TwoLayers::parameter_count(config.ffn())
    }

    /// # Shapes
    /// - scales, output: `[B, L', D]` each, the finest first
    pub(super) fn forward(&self, scales: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        let (mut seasons, mut trends) = (vec![], vec![]);
        for x in &scales {
            // Over time, which is the last axis here.
            let x = x.clone().swapped(1, 2);
            let trend = moving_average(x.clone(), self.kernel);
            seasons.push(self.crossed(x - trend.clone()));
            trends.push(self.crossed(trend));
        }
        let seasons = self.season.forward(seasons);
        trends.reverse();
        let mut trends = self.trend.forward(trends);
        trends.reverse();
        let parts = seasons.into_iter().zip(trends).zip(scales);
        let mixed = parts.map(|((season, trend), x)| {
            let sum = (season + trend).swapped(1, 2);
            match self.independent {
                true => x + self.ffn.forward(sum),
                false => sum,
            }
        });
        mixed.collect()
    }

    /// A part `[B, D, L']` before it is mixed.
    fn crossed(&self, part: Tensor<3>) -> Tensor<3> {
        match self.independent {
            true => part,
            false => self.ffn.forward(part.swapped(1, 2)).swapped(1, 2),
        }
    }
}
