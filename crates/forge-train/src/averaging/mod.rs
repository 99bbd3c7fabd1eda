//! Averages of the weights along the run.

mod applied;
mod averaging_part;
mod batch_statistics;
mod ema;
mod greedy_soup;
mod members;
mod polyak;
mod running_mean;
mod snapshots;
mod soup;
mod swa;

pub use applied::Applied;
pub use averaging_part::Averaging;
pub use batch_statistics::recompute_statistics;
pub use ema::{Ema, EmaConfig, PlainEma, WarmupEma};
pub use greedy_soup::{GreedySoup, greedy_soup};
pub use members::{Members, Together};
pub use polyak::{Polyak, PolyakConfig};
pub use running_mean::average_weights;
pub use snapshots::{SnapshotConfig, Snapshots};
pub use soup::{Soup, SoupConfig};
pub use swa::{Swa, SwaConfig, SwaUnit};
