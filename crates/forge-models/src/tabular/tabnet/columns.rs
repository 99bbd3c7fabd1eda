//! Columns of a table as one row of numbers.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::TabNetConfig;
use crate::TabularRows;
use crate::tabular::beside::beside;

/// Numeric columns as they are, categorical ones by an embedding each; and the way between the
/// columns, which attention scores, and the numbers that they become.
///
/// Columns stand in the reference's order: position `cat_idxs[k]` is the `k`-th categorical one,
/// the numeric ones fill the rest.
#[derive(Module, Debug)]
pub struct TabNetColumns {
    /// A table `[C_k, W_k]` per categorical column.
    embeddings: Vec<Param<Tensor<2>>>,
    n_num: usize,
    #[module(skip)]
    cardinalities: Vec<usize>,
    /// Where the embedded columns are other than numeric first.
    #[module(skip)]
    orders: Option<Orders>,
    /// Where a categorical column becomes other than one number.
    #[module(skip)]
    spread: Option<Spread>,
}

/// Between "numeric first" and the reference's order of columns.
#[derive(Debug, Clone)]
struct Orders {
    /// For each embedded number in the reference's order, its place with numeric ones first.
    numbers: Vec<i64>,
    /// For each column with numeric ones first, its place in the reference's order.
    numeric_first: Vec<i64>,
    /// The other way round.
    in_order: Vec<i64>,
}

/// From a weight per column to a weight per embedded number.
#[derive(Debug, Clone)]
struct Spread {
    /// The column of each number.
    column: Vec<i64>,
    /// One over the number of numbers of that column.
    share: Vec<f64>,
}

impl TabNetColumns {
    pub(super) fn new(config: &TabNetConfig, device: &Device) -> Self {
        let sizes = config.cat_dims.iter().zip(&config.cat_emb_dim);
        // As PyTorch's `nn.Embedding`.
        let init = Initializer::Normal {
            mean: 0.0,
            std: 1.0,
        };
        let table = |(&codes, &width)| init.init([codes, width], device);
        Self {
            embeddings: sizes.map(table).collect(),
            n_num: config.n_num_features(),
            cardinalities: config.cat_dims.clone(),
            orders: Orders::of(config),
            spread: Spread::of(config),
        }
    }

    /// Number of numeric columns.
    pub(super) fn n_num_features(&self) -> usize {
        self.n_num
    }

    /// Number of codes of each categorical column.
    pub(super) fn cardinalities(&self) -> &[usize] {
        &self.cardinalities
    }

    /// Number of columns.
    pub(super) fn len(&self) -> usize {
        self.n_num + self.cardinalities.len()
    }

    /// The numbers of `rows`, which must fit.
    ///
    /// # Shapes
    /// - output: `[B, E]`, in the reference's order of columns
    pub(super) fn embed(&self, rows: TabularRows) -> Tensor<2> {
        let mut parts: Vec<Tensor<2>> = rows.x_num.into_iter().collect();
        if let Some(codes) = rows.x_cat {
            let tables = self.embeddings.iter().enumerate();
            parts.extend(tables.map(|(k, table)| {
                let codes: Tensor<1, Int> = codes.clone().narrow(1, k, 1).squeeze_dim(1);
                table.val().select(0, codes)
            }));
        }
        let x = beside(parts);
        match &self.orders {
            Some(orders) => pick(x, &orders.numbers),
            None => x,
        }
    }

    /// A weight per column as a weight per number: a column of `W` numbers gives each `1 / W` of
    /// its weight.
    ///
    /// # Shapes
    /// - mask: `[B, F]`
    /// - output: `[B, E]`
    pub(super) fn spread(&self, mask: Tensor<2>) -> Tensor<2> {
        let Some(spread) = &self.spread else {
            return mask;
        };
        let share = TensorData::new(spread.share.clone(), [1, spread.share.len()]);
        let share = Tensor::from_data(share, (&mask.device(), mask.dtype()));
        pick(mask, &spread.column) * share
    }

    /// For each number, whether its column is marked.
    ///
    /// # Shapes
    /// - marks: `[B, F]`, 0 or 1
    /// - output: `[B, E]`, 0 or 1
    pub(super) fn cover(&self, marks: Tensor<2>) -> Tensor<2> {
        match &self.spread {
            Some(spread) => pick(marks, &spread.column),
            None => marks,
        }
    }

    /// A map over the columns with the numeric ones first, as [`Maps`](forge_nn::Maps) have it.
    ///
    /// # Shapes
    /// - map, output: `[B, F]`
    pub(super) fn numeric_first(&self, map: Tensor<2>) -> Tensor<2> {
        match &self.orders {
            Some(orders) => pick(map, &orders.numeric_first),
            None => map,
        }
    }

    /// The way back: a map with the numeric columns first in the reference's order.
    ///
    /// # Shapes
    /// - map, output: `[B, F]`
    pub(super) fn in_order(&self, map: Tensor<2>) -> Tensor<2> {
        match &self.orders {
            Some(orders) => pick(map, &orders.in_order),
            None => map,
        }
    }
}

/// The columns `places` of `x`.
fn pick(x: Tensor<2>, places: &[i64]) -> Tensor<2> {
    let places = TensorData::new(places.to_vec(), [places.len()]);
    let places = Tensor::<1, Int>::from_data(places, &x.device());
    x.select(1, places)
}

impl Orders {
    /// None if the categorical columns are the last.
    fn of(config: &TabNetConfig) -> Option<Self> {
        let n_num = config.n_num_features();
        if config.cat_idxs.first().is_none_or(|first| *first == n_num) {
            return None;
        }
        let mut widths = vec![1; n_num];
        widths.extend(&config.cat_emb_dim);
        let starts: Vec<usize> = widths
            .iter()
            .scan(0, |next, width| {
                let start = *next;
                *next += width;
                Some(start)
            })
            .collect();
        // With numeric ones first: the place of the column at each position.
        let (mut numeric, mut categorical) = (0..n_num, n_num..config.input_dim);
        let kinds = config.kinds();
        let places: Vec<usize> = kinds
            .filter_map(|kind| match kind {
                Some(_) => categorical.next(),
                None => numeric.next(),
            })
            .collect();
        let numbers = places
            .iter()
            .flat_map(|&place| starts[place]..starts[place] + widths[place])
            .map(|number| number as i64)
            .collect();
        let mut numeric_first = vec![0; places.len()];
        for (position, &place) in places.iter().enumerate() {
            numeric_first[place] = position as i64;
        }
        Some(Self {
            numbers,
            numeric_first,
            in_order: places.into_iter().map(|place| place as i64).collect(),
        })
    }
}

impl Spread {
    /// None if every column becomes one number.
    fn of(config: &TabNetConfig) -> Option<Self> {
        if config.cat_emb_dim.iter().all(|width| *width == 1) {
            return None;
        }
        let widths = config
            .kinds()
            .map(|kind| kind.map_or(1, |k| config.cat_emb_dim[k]));
        let numbers = widths
            .enumerate()
            .flat_map(|(column, width)| std::iter::repeat_n((column as i64, width), width));
        let (column, share) = numbers
            .map(|(column, width)| (column, 1.0 / width as f64))
            .unzip();
        Some(Self { column, share })
    }
}
