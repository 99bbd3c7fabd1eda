//! Stages over series.

use burn::module::Module;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{BatchNorm, BatchNormConfig};
use forge_nn::ops::Axes;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::ModernTcnBlock;
use super::sizes::{BlockSizes, check_kernels};
use crate::limits;
use crate::reference::KeyMap;

/// Makes a [`ModernTcnSeries`].
///
/// The default is the authors' forecasting script for ETTh1 (7 variables): patches of 8 every 4
/// steps, one stage of one block, 64 wide, kernels of 51 and 5.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModernTcnSeriesConfig {
    /// Variables of the series, `M`, at least 1.
    pub n_variables: usize,
    /// Steps in a patch, at least `patch_stride`.
    pub patch_size: usize,
    /// Steps from one patch to the next, at least 1.
    pub patch_stride: usize,
    /// Width of each stage, as many as `n_blocks`.
    pub dims: Vec<usize>,
    /// Blocks of each stage, at least 1 each.
    pub n_blocks: Vec<usize>,
    /// Patches that the large kernels of each stage cover, odd.
    pub large_size: Vec<usize>,
    /// Patches that the small kernels of each stage cover, odd, at most `large_size`.
    pub small_size: Vec<usize>,
    /// Patches that become one between two stages, at least 1.
    pub downsample_ratio: usize,
    /// Hidden width of the feed-forward parts, as a multiple of their input; at least 1.
    pub ffn_ratio: usize,
    /// Dropout inside and behind the feed-forward parts, in `[0, 1)`.
    pub dropout: f64,
}

impl Default for ModernTcnSeriesConfig {
    fn default() -> Self {
        Self {
            n_variables: 7,
            patch_size: 8,
            patch_stride: 4,
            dims: vec![64],
            n_blocks: vec![1],
            large_size: vec![51],
            small_size: vec![5],
            downsample_ratio: 2,
            ffn_ratio: 1,
            dropout: 0.3,
        }
    }
}

/// The authors' encoder of a series: patches of each variable by itself, then stages of blocks, with
/// fewer and wider patches from stage to stage.
///
/// What a forecast is made of: it keeps the variables apart for a head on `[D, N]`.
///
/// ```
/// use forge_models::ModernTcnSeriesConfig;
/// use forge_nn::ModuleConfig;
/// use forge_nn::burn::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let encoder = ModernTcnSeriesConfig::default().try_init(&device)?;
/// let y = encoder.forward(Tensor::ones([2, 96, 7], &device));
/// assert_eq!(y.dims(), [2, 7, 64, 24]);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Module, Debug)]
pub struct ModernTcnSeries {
    stem: Conv1d,
    stem_norm: BatchNorm,
    stages: Vec<Stage>,
    n_variables: usize,
    patch_size: usize,
    patch_stride: usize,
}

#[derive(Module, Debug)]
struct Stage {
    /// Between two stages.
    downsample: Option<Downsample>,
    blocks: Vec<ModernTcnBlock>,
}

#[derive(Module, Debug)]
struct Downsample {
    norm: BatchNorm,
    conv: Conv1d,
    ratio: usize,
}

impl ModernTcnSeriesConfig {
    fn sizes(&self, stage: usize) -> BlockSizes {
        BlockSizes {
            n_variables: self.n_variables,
            d_model: self.dims[stage],
            large_size: self.large_size[stage],
            small_size: self.small_size[stage],
            ffn_ratio: self.ffn_ratio,
            dropout: self.dropout,
        }
    }

    /// Patches after the last stage, of a series of `time` steps.
    #[must_use]
    pub fn patches(&self, time: usize) -> usize {
        let first = time / self.patch_stride.max(1);
        (1..self.n_blocks.len()).fold(first, |patches, _| {
            patches.div_ceil(self.downsample_ratio.max(1))
        })
    }

    /// Number of trainable parameters.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        let stem = (self.patch_size + 3) * self.dims[0];
        let stages = (0..self.n_blocks.len()).map(|stage| {
            let width = self.dims[stage];
            let down = match stage {
                0 => 0,
                _ => {
                    let before = self.dims[stage - 1];
                    2 * before + (before * self.downsample_ratio + 1) * width
                }
            };
            down + self.n_blocks[stage] * self.sizes(stage).parameter_count()
        });
        stem + stages.sum::<usize>()
    }

    /// The authors' names, below `model.`, as far as their layers act; the others may be there.
    #[must_use]
    pub fn key_map(&self) -> KeyMap {
        let stem = "model.downsample_layers.0";
        let map = KeyMap::new()
            .norm("stem", &format!("{stem}.0"))
            .batch_norm("stem_norm", &format!("{stem}.1"));
        let unused = ["te_patch", "lat_layer", "smooth_layer", "up_sample_conv"];
        let map = unused.iter().fold(map, |map, layer| {
            map.ignore_below(&format!("model.{layer}."))
        });
        let stages = self.n_blocks.len();
        let map = (stages..4).fold(map, |map, i| {
            map.ignore_below(&format!("model.downsample_layers.{i}."))
        });
        (0..stages).fold(map, |map, stage| {
            let down = format!("model.downsample_layers.{stage}");
            let ours = format!("stages.{stage}");
            let map = match stage {
                0 => map,
                _ => map
                    .batch_norm(&format!("{ours}.downsample.norm"), &format!("{down}.0"))
                    .norm(&format!("{ours}.downsample.conv"), &format!("{down}.1")),
            };
            (0..self.n_blocks[stage]).fold(map, |map, i| {
                let theirs = format!("model.stages.{stage}.blocks.{i}");
                self.sizes(stage)
                    .key_map(map, &format!("{ours}.blocks.{i}"), &theirs)
            })
        })
    }
}

impl ModuleConfig for ModernTcnSeriesConfig {
    type Module = ModernTcnSeries;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("n_variables", self.n_variables, limits::WIDTH)?;
        check::in_range("patch_stride", self.patch_stride, limits::WIDTH)?;
        let sizes = self.patch_stride..=*limits::WIDTH.end();
        check::in_range("patch_size", self.patch_size, sizes)?;
        check::in_range("downsample_ratio", self.downsample_ratio, limits::WIDTH)?;
        check::in_range(
            "the length of n_blocks",
            self.n_blocks.len(),
            limits::BLOCKS,
        )?;
        let lists = [
            ("dims", &self.dims),
            ("large_size", &self.large_size),
            ("small_size", &self.small_size),
        ];
        for (field, list) in lists {
            if list.len() != self.n_blocks.len() {
                let allowed = format!("{}, that of n_blocks", self.n_blocks.len());
                let field = format!("the length of {field}");
                return Err(ForgeError::config(&field, list.len(), allowed));
            }
        }
        limits::check_blocks("n_blocks", &self.n_blocks)?;
        for stage in 0..self.n_blocks.len() {
            let at = format!("[{stage}]");
            check::in_range(&format!("dims{at}"), self.dims[stage], limits::WIDTH)?;
            check_kernels(&at, self.large_size[stage], self.small_size[stage])?;
        }
        check::in_range("ffn_ratio", self.ffn_ratio, limits::WIDTH)?;
        check::probability("dropout", self.dropout)
    }

    fn build(&self, device: &Device) -> ModernTcnSeries {
        let stage = |stage: usize| Stage {
            downsample: (stage > 0).then(|| Downsample {
                norm: BatchNormConfig::new(self.dims[stage - 1]).build(device),
                conv: strided(
                    [self.dims[stage - 1], self.dims[stage]],
                    self.downsample_ratio,
                    self.downsample_ratio,
                    device,
                ),
                ratio: self.downsample_ratio,
            }),
            blocks: (0..self.n_blocks[stage])
                .map(|_| ModernTcnBlock::new(&self.sizes(stage), device))
                .collect(),
        };
        ModernTcnSeries {
            stem: strided(
                [1, self.dims[0]],
                self.patch_size,
                self.patch_stride,
                device,
            ),
            stem_norm: BatchNormConfig::new(self.dims[0]).build(device),
            stages: (0..self.n_blocks.len()).map(stage).collect(),
            n_variables: self.n_variables,
            patch_size: self.patch_size,
            patch_stride: self.patch_stride,
        }
    }
}

fn strided([from, to]: [usize; 2], size: usize, stride: usize, device: &Device) -> Conv1d {
    Conv1dConfig::new(from, to, size)
        .with_stride(stride)
        .init(device)
}

impl ModernTcnSeries {
    /// # Shapes
    /// - x: `[B, T, M]`, T at least `patch_stride`
    /// - output: `[B, M, D, N]`, D the last of `dims`, N the number of patches after the last stage
    ///   (T / `patch_stride` before the first)
    ///
    /// # Panics
    /// If the variables are not `n_variables` or the series is shorter than `patch_stride`.
    #[must_use]
    pub fn forward(&self, x: Tensor<3>) -> Tensor<4> {
        let [batch, time, variables] = x.dims();
        assert!(
            variables == self.n_variables && time >= self.patch_stride,
            "a series [B, T, M] = {:?}, expected M = {} and T at least {}",
            x.dims(),
            self.n_variables,
            self.patch_stride
        );
        let x = x.swapped(1, 2).reshape([batch * variables, 1, time]);
        let beyond = self.patch_size - self.patch_stride;
        let last = x.clone().narrow(2, time - 1, 1);
        let x = Tensor::cat(vec![x, last.repeat_dim(2, beyond)], 2);
        let x = self.stem_norm.forward(self.stem.forward(x));
        let x = self.stages.iter().fold(x, |x, stage| {
            let x = match &stage.downsample {
                Some(downsample) => downsample.forward(x),
                None => x,
            };
            let [_, width, time] = x.dims();
            let x = x.reshape([batch, variables, width, time]);
            let blocks = stage.blocks.iter();
            blocks.fold(x, |x, block| block.forward(x, None)).reshape([
                batch * variables,
                width,
                time,
            ])
        });
        let [_, width, time] = x.dims();
        x.reshape([batch, variables, width, time])
    }

    /// The encoder with the large and the small kernel of each block made one, for evaluation, as
    /// [`ModernTcnBackbone::merged`](super::ModernTcnBackbone::merged).
    #[must_use]
    pub fn merged(self) -> Self {
        let stages = self.stages.into_iter().map(|stage| Stage {
            blocks: stage
                .blocks
                .into_iter()
                .map(ModernTcnBlock::merged)
                .collect(),
            ..stage
        });
        Self {
            stages: stages.collect(),
            ..self
        }
    }
}

impl Downsample {
    /// # Shapes
    /// - x: `[B, D, N]`
    /// - output: `[B, D', ⌈N / ratio⌉]`
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let time = x.dims()[2];
        let missing = time.next_multiple_of(self.ratio) - time;
        let x = if missing == 0 {
            x
        } else {
            // The last ones again, in their order; where there are fewer than are missing, in turn.
            let start = time - missing.min(time);
            let again = x.clone().narrow(2, start, time - start);
            let again = again.repeat_dim(2, missing.div_ceil(time - start));
            Tensor::cat(vec![x, again.narrow(2, 0, missing)], 2)
        };
        // What stands there twice is twice in the statistics, as in the authors' code.
        self.conv.forward(self.norm.forward(x))
    }
}
