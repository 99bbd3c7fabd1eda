//! Burn's low-rank adapters: what stands under them stays, the adapters learn, and a run with them
//! resumes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use forge_nn::StateDict;
use forge_nn::burn::module::{Lora, Module};
use forge_nn::burn::tensor::{Device, TensorData};
use forge_train::{Start, TrainOutcome, Trainer};

use crate::net::{Net, Task, config};
use crate::resume::StopAt;

fn adapted() -> Net {
    let device = Device::flex();
    Net::new(&device, 1).apply_lora(Lora::new(2, 4.0))
}

fn tensors(net: &Net) -> BTreeMap<String, TensorData> {
    StateDict::from_module(&net.valid()).unwrap().tensors
}

fn run(folder: &Path, start: Start, stop_at: Option<u64>) -> TrainOutcome<Net> {
    let flag = Arc::new(AtomicBool::new(false));
    let mut trainer = Trainer::new(config(4))
        .unwrap()
        .with_checkpoints(folder, start)
        .with_stop_flag(flag.clone());
    if let Some(step) = stop_at {
        trainer = trainer.with_observer(StopAt(step, flag));
    }
    trainer.fit(&mut Task::new(25), adapted()).unwrap()
}

#[test]
fn only_adapters_learn_and_the_run_resumes_bit_equal() {
    let folder = tempfile::tempdir().unwrap();
    let before = tensors(&adapted());
    let whole = run(folder.path(), Start::Fresh, None);
    let after = tensors(&whole.module);
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    let learned = |name: &str| name.contains("lora");
    assert!(before.keys().filter(|name| learned(name)).count() >= 4);
    for (name, value) in &after {
        let statistics = name.contains("running");
        assert_eq!(
            before[name] != *value,
            learned(name) || statistics,
            "{name}"
        );
    }

    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), Start::Fresh, Some(6));
    let resumed = run(folder.path(), Start::Resume, None);
    assert_eq!(tensors(&resumed.module), after);
}
