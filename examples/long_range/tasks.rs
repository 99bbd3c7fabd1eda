//! Selective copying and induction heads: Gu & Dao 2023 (arXiv 2312.00752), section 4.1.

use clap::ValueEnum;
use rand::seq::index::sample;
use rand::{Rng, RngExt};
use volatilityforge::burn::tensor::{Device, Int, Tensor, TensorData};

/// Codes of tokens. The first two are no data: noise, or the special token; and the sign to answer.
pub(crate) const CODES: usize = 16;
const NOISE: usize = 0;
const ASK: usize = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Task {
    /// Codes stand anywhere among noise and are asked for at the end, in their order.
    SelectiveCopying,
    /// A special token stands among random codes with one behind it; at the end it comes again, and
    /// that code is asked for.
    InductionHeads,
}

/// Codes `[B, T]` and what the last `A` outputs should be, `[B, A]`.
#[derive(Debug)]
pub(crate) struct Questions {
    pub(crate) codes: Tensor<2, Int>,
    pub(crate) answers: Tensor<2, Int>,
}

impl Task {
    /// `batch` sequences of `time` tokens, of which selective copying has `kept` to be kept.
    pub(crate) fn draw(
        self,
        (batch, time, kept): (usize, usize, usize),
        random: &mut impl Rng,
        device: &Device,
    ) -> Questions {
        let (mut codes, mut answers) = (vec![], vec![]);
        for _ in 0..batch {
            let (row, answer) = match self {
                Self::SelectiveCopying => selective_copying(time, kept, random),
                Self::InductionHeads => induction_heads(time, random),
            };
            codes.extend(row);
            answers.extend(answer);
        }
        let asked = answers.len() / batch;
        let tensor = |codes: Vec<usize>, width| {
            let codes: Vec<i64> = codes.into_iter().map(|code| code as i64).collect();
            Tensor::from_data(TensorData::new(codes, [batch, width]), device)
        };
        Questions {
            codes: tensor(codes, time),
            answers: tensor(answers, asked),
        }
    }
}

fn selective_copying(time: usize, kept: usize, random: &mut impl Rng) -> (Vec<usize>, Vec<usize>) {
    let shown = time - kept;
    let mut row = vec![NOISE; shown];
    row.resize(time, ASK);
    let mut places = sample(random, shown, kept).into_vec();
    places.sort_unstable();
    let answer: Vec<usize> = (0..kept).map(|_| random.random_range(2..CODES)).collect();
    for (place, code) in places.into_iter().zip(&answer) {
        row[place] = *code;
    }
    (row, answer)
}

fn induction_heads(time: usize, random: &mut impl Rng) -> (Vec<usize>, Vec<usize>) {
    let mut row: Vec<usize> = (0..time).map(|_| random.random_range(2..CODES)).collect();
    let place = random.random_range(0..time - 2);
    row[place] = ASK;
    row[time - 1] = ASK;
    let answer = row[place + 1];
    (row, vec![answer])
}
