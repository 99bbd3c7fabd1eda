//! Models that are ensembles in themselves.

use forge_nn::Forward;
use forge_nn::burn::tensor::{DType, Device, Tensor, TensorData};
use forge_testkit::Noise;
use forge_train::objective::{Objective, Predictions};

use crate::case::read;
use crate::objective::{all, scales, target};

const MEMBERS: usize = 3;

fn members(rows: usize, d_out: usize) -> Tensor<3> {
    let data = Noise::new(4).tensor(&[rows, MEMBERS, d_out]);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

fn member(members: &Tensor<3>, at: usize) -> Tensor<2> {
    members.clone().narrow(1, at, 1).squeeze_dim(1)
}

#[test]
fn a_row_costs_the_mean_of_its_members_losses() {
    for (objective, targets) in all() {
        let members = members(targets.rows(), objective.d_out());
        let weights = |on: bool| {
            let values: Vec<f64> = (0..targets.rows()).map(|row| 0.5 + row as f64).collect();
            let data = TensorData::new(values, [targets.rows()]);
            on.then(|| Tensor::<1>::from_data(data, (&Device::flex(), DType::F64)))
        };
        for weighted in [false, true] {
            let loss = |forward: Forward| {
                read(&objective.loss(&forward, target(&targets), weights(weighted)))[0]
            };
            let each = (0..MEMBERS).map(|k| loss(member(&members, k).into()));
            let expected = each.sum::<f64>() / MEMBERS as f64;
            let found = loss(Forward::of_members(members.clone()));
            assert!(
                (found - expected).abs() < 1e-12 * expected.abs().max(1.0),
                "{objective}: {found} {expected}"
            );
            let of_the_mean = loss(Forward::of_members(members.clone()).y.into());
            assert!(
                (found - of_the_mean).abs() > 1e-3,
                "{objective}: {found} {of_the_mean}"
            );
        }
    }
}

/// More rows than are decoded at a time.
#[test]
fn members_are_averaged_after_decoding() {
    const ROWS: usize = 1_031;
    for (objective, _) in all() {
        let (scales, members) = (scales(&objective), members(ROWS, objective.d_out()));
        let each: Vec<Predictions> = (0..MEMBERS)
            .map(|k| {
                objective
                    .decode(&read(&member(&members, k)), &scales)
                    .unwrap()
            })
            .collect();
        let found = objective
            .decode_members(&read(&members), MEMBERS, &scales)
            .unwrap();
        assert_eq!(found, Predictions::average(&each).unwrap(), "{objective}");
        found.validate().unwrap();
    }
}

#[test]
fn one_member_is_no_ensemble() {
    for (objective, targets) in all() {
        let members = members(targets.rows(), objective.d_out());
        let (one, scales) = (read(&member(&members, 0)), scales(&objective));
        assert_eq!(
            objective.decode_members(&one, 1, &scales).unwrap(),
            objective.decode(&one, &scales).unwrap()
        );
    }
}

#[test]
fn what_is_wrong_is_named_by_its_row() {
    for (objective, _) in all() {
        let (scales, d_out) = (scales(&objective), objective.d_out());
        let mut outputs = vec![0.25; 1_100 * MEMBERS * d_out];
        outputs[1_050 * MEMBERS * d_out] = f64::NAN;
        let error = objective.decode_members(&outputs, MEMBERS, &scales);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("row 1050"), "{error}");
        let error = objective.decode_members(&outputs, 0, &scales).unwrap_err();
        assert!(error.is_config(), "{error}");
        let error = objective.decode_members(&outputs[1..], MEMBERS, &scales);
        assert!(error.unwrap_err().is_shape());
    }
}
