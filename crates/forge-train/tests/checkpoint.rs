use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use forge_nn::burn::tensor::{Device, TensorData};
use forge_train::checkpoint::CheckpointFolder;
use forge_train::{Flow, Start, Trainer};
use serde_json::{Value, json};

use crate::net::{Net, Task, bits, config};

/// A run stopped half-way by its epochs: two checkpoints are left.
fn half_a_run(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut task = Task::new(25);
    let trainer = Trainer::new(config(2))
        .unwrap()
        .with_checkpoints(folder, Start::Fresh);
    trainer
        .fit(&mut task, Net::new(&Device::flex(), 1))
        .unwrap();
    let folder = CheckpointFolder::open(folder, 2).unwrap();
    folder.list().unwrap().into_iter().map(|(_, p)| p).collect()
}

fn resume(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, forge_nn::ForgeError> {
    let mut task = Task::new(25);
    let trainer = Trainer::new(config(2))
        .unwrap()
        .with_checkpoints(folder, Start::Resume);
    let outcome = trainer.fit(&mut task, Net::new(&Device::flex(), 9))?;
    Ok(bits(&outcome.module))
}

#[test]
fn the_newest_few_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let files = half_a_run(folder.path());
    let names: Vec<_> = files
        .iter()
        .map(|p| p.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(
        names,
        [
            "checkpoint-00000001.safetensors",
            "checkpoint-00000002.safetensors"
        ]
    );
}

#[test]
fn whether_there_are_any_is_known_without_owning_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("run");
    assert!(!CheckpointFolder::has_any(&runs) && !runs.exists());
    let owner = CheckpointFolder::open(&runs, 2).unwrap();
    assert!(!CheckpointFolder::has_any(&runs));
    drop(owner);
    half_a_run(&runs);
    let _owner = CheckpointFolder::open(&runs, 2).unwrap();
    assert!(CheckpointFolder::has_any(&runs));
}

#[test]
fn a_damaged_newest_falls_back_to_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let files = half_a_run(folder.path());
    let expected = resume(folder.path()).unwrap();
    let mut bytes = fs::read(&files[1]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&files[1], &bytes).unwrap();
    // A scratch file of a killed writer is swept away.
    let scratch = folder
        .path()
        .join("checkpoint-00000003.safetensors.77-0.tmp");
    fs::write(&scratch, b"half").unwrap();
    assert_eq!(resume(folder.path()).unwrap(), expected);
    assert!(!scratch.exists());
    // The damaged file no longer counts, and is not lost.
    assert!(files[1].with_extension("safetensors.damaged").exists());
    assert_eq!(resume(folder.path()).unwrap(), expected);
}

#[test]
fn damage_everywhere_is_an_error_and_nothing_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let files = half_a_run(folder.path());
    for file in &files {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
    }
    let error = resume(folder.path()).unwrap_err();
    assert!(error.is_artifact(), "{error}");
    assert!(error.to_string().contains("checkpoint-00000002"), "{error}");
    assert!(files.iter().all(|f| f.exists()));
}

/// What cannot be read is not therefore damaged: taking an older checkpoint would lose work that
/// is there.
#[test]
fn trouble_that_is_no_damage_is_an_error_and_nothing_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let files = half_a_run(folder.path());
    let good = fs::read(&files[1]).unwrap();
    let whole = || {
        let aside = files[1].with_extension("safetensors.damaged");
        assert!(files[0].exists() && files[1].exists() && !aside.exists());
    };
    // Of a library that is newer than this one.
    let format = |version| forge_nn::FileFormat {
        name: "volatilityforge.checkpoint",
        version,
    };
    type File = forge_nn::TensorFile<Value>;
    let file = File::from_bytes(&files[1], good, format(1)).unwrap();
    let tensors = file.tensors("").unwrap();
    File::write(&files[1], format(2), &file.manifest, &tensors).unwrap();
    let error = resume(folder.path()).unwrap_err();
    assert!(error.to_string().contains("version 2"), "{error}");
    whole();
    // Something that is no file.
    fs::remove_file(&files[1]).unwrap();
    fs::create_dir(&files[1]).unwrap();
    let error = resume(folder.path()).unwrap_err();
    assert!(error.is_io(), "{error}");
    whole();
}

/// Opening it would wait for a writer for ever.
#[cfg(unix)]
#[test]
fn a_named_pipe_as_checkpoint_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("checkpoint-00000007.safetensors");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(resume(folder.path()).unwrap_err().to_string()));
    let error = wait.recv_timeout(std::time::Duration::from_secs(20));
    assert!(error.unwrap().contains("named pipe"));
}

/// Two runs in one folder would write checkpoints of one number, and one would sweep away what the
/// other is writing.
#[test]
fn a_folder_has_one_run_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    half_a_run(folder.path());
    let owner = CheckpointFolder::open(folder.path(), 2).unwrap();
    let scratch = folder.path().join("checkpoint-00000003.safetensors.x.tmp");
    fs::write(&scratch, b"in the making").unwrap();
    let error = resume(folder.path()).unwrap_err();
    let process = format!("process {}", std::process::id());
    assert!(
        error.is_io() && error.to_string().contains(&process),
        "{error}"
    );
    assert!(scratch.exists());
    let clone = owner.clone();
    drop(owner);
    assert!(resume(folder.path()).is_err());
    drop(clone);
    resume(folder.path()).unwrap();
    assert!(!scratch.exists());
}

#[test]
fn mutated_files_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let files = half_a_run(folder.path());
    fs::remove_file(&files[0]).unwrap();
    let good = fs::read(&files[1]).unwrap();
    let expected = resume(folder.path()).unwrap();
    // A finished run writes nothing when it is resumed, so the file is ours to change.
    let mut state = 12345_u64;
    let mut random = move |n: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % n
    };
    for k in 0..200 {
        let mut bytes = good.clone();
        match k % 4 {
            0 => bytes.truncate(random(good.len())),
            1 => {
                // Half of the flips in the header.
                let n = if k % 8 == 1 { 4000 } else { good.len() };
                bytes[random(n)] ^= 1 << random(8);
            }
            2 => bytes.extend(vec![0; 1 + random(100)]),
            _ => {
                let at = random(8);
                bytes[at] = random(256) as u8;
            }
        }
        if bytes == good {
            continue;
        }
        fs::write(&files[1], &bytes).unwrap();
        let started = std::time::Instant::now();
        let error = resume(folder.path()).unwrap_err();
        assert!(started.elapsed().as_secs_f64() < 1.0);
        assert!(error.is_damaged(), "{k}: {error}");
    }
    fs::write(&files[1], &good).unwrap();
    assert_eq!(resume(folder.path()).unwrap(), expected);
}

type Tensors = BTreeMap<String, TensorData>;

/// Writes a changed state under a right checksum, as an attacker would.
fn forged(change: impl FnOnce(&mut Value, &mut Tensors)) -> forge_nn::ForgeError {
    let folder = tempfile::tempdir().unwrap();
    half_a_run(folder.path());
    let checkpoints = CheckpointFolder::open(folder.path(), 1).unwrap();
    let latest = checkpoints.latest::<Value>().unwrap().unwrap();
    let mut manifest = latest.file.manifest.clone();
    let mut tensors = latest.file.tensors("").unwrap();
    change(&mut manifest, &mut tensors);
    checkpoints.write(&manifest, &tensors).unwrap();
    drop(checkpoints);
    resume(folder.path()).unwrap_err()
}

#[test]
fn an_absurd_step_count_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = Task::new(25);
    let mut fit = |start, config| {
        Trainer::new(config)
            .unwrap()
            .with_checkpoints(folder.path(), start)
            .fit(&mut task, Net::new(&Device::flex(), 1))
    };
    let longer = |epochs| {
        let mut config = config(epochs);
        config.schedule = serde_json::from_str(r#"{"name": "constant", "lr": 0.01}"#).unwrap();
        config
    };
    fit(Start::Fresh, longer(1)).unwrap();
    let checkpoints = CheckpointFolder::open(folder.path(), 2).unwrap();
    let latest = checkpoints.latest::<Value>().unwrap().unwrap();
    let mut manifest = latest.file.manifest.clone();
    for (_, step) in manifest["parts"]["optimizer"].as_object_mut().unwrap() {
        *step = json!(u64::MAX);
    }
    let tensors = latest.file.tensors("").unwrap();
    checkpoints.write(&manifest, &tensors).unwrap();
    drop(checkpoints);
    assert_eq!(fit(Start::Resume, longer(2)).unwrap().steps, 8);
}

#[test]
fn forged_states_are_refused() {
    let key = "module/first.weight";
    let other = TensorData::new(vec![0.0_f32; 4], [2, 2]);
    for (error, part) in [
        (
            forged(|m, _| m["progress"]["batch"] = json!(1000)),
            "batch 1000 of an epoch of 4",
        ),
        (
            forged(|m, _| m["parts"]["engine"]["step"] = json!(u64::MAX)),
            "step 18446744073709551615",
        ),
        (
            forged(|m, _| m["parts"]["engine"]["epoch"] = json!(7)),
            "epoch 7",
        ),
        (
            forged(|m, _| m["progress"]["history"] = json!([])),
            "0 epochs of history",
        ),
        (forged(|m, _| m["parts"]["ema"] = json!(null)), "part ema: "),
        (
            forged(|m, t| {
                m["parts"].as_object_mut().unwrap().remove("ema");
                t.retain(|name, _| !name.starts_with("ema/"));
            }),
            "the section of part ema is missing",
        ),
        (
            forged(|m, _| m["parts"]["stranger"] = json!(1)),
            "section stranger belongs to no part of this run",
        ),
        (
            forged(|m, _| m["parts"]["early_stopping"] = json!({"waited": -1})),
            "part early_stopping: ",
        ),
        (forged(|m, _| m["parts"]["task"] = json!(1)), "part task: "),
        (
            forged(|m, _| m["parts"]["clip_norm"] = json!({"a": 1})),
            "part clip_norm: ",
        ),
        (
            forged(|m, _| m["parts"]["best"] = json!(null)),
            "is not expected",
        ),
        (
            forged(|m, _| m["progress"]["more"] = json!(1)),
            "unknown field `more`",
        ),
        (
            forged(|_, t| {
                t.remove(key);
            }),
            "first.weight is missing",
        ),
        (
            forged(|_, t| {
                t.insert(key.into(), other.clone());
            }),
            "first.weight",
        ),
        (
            forged(|_, t| {
                t.insert(key.into(), TensorData::new(vec![1_i32; 66], [6, 11]));
            }),
            "first.weight",
        ),
        (
            forged(|_, t| {
                t.insert("module/strange".into(), other.clone());
            }),
            "strange is not part of the module",
        ),
        (
            forged(|_, t| {
                t.insert("elsewhere/strange".into(), other.clone());
            }),
            "elsewhere/strange",
        ),
        (
            forged(|_, t| t.retain(|name, _| !name.starts_with("best/"))),
            "is missing",
        ),
        (
            forged(|_, t| {
                t.insert("optimizer/first.weight.exp_avg".into(), other.clone());
            }),
            "first.weight.exp_avg has shape [2, 2]",
        ),
    ] {
        assert!(error.is_artifact(), "{error}");
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

#[test]
fn disk_trouble_is_an_io_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let mut task = Task::new(25);
    let mut fit = |folder: &Path| {
        Trainer::new(config(3))
            .unwrap()
            .with_checkpoints(folder, Start::Fresh)
            .fit(&mut task, Net::new(&Device::flex(), 1))
    };
    // A folder that cannot be made.
    let error = fit(&file.join("below")).unwrap_err();
    assert!(error.is_io(), "{error}");
    assert!(error.to_string().contains("below"), "{error}");

    // A folder that goes away while training.
    struct Remove(std::path::PathBuf);
    impl forge_train::Observer for Remove {
        fn on_batch(&mut self, event: &forge_train::BatchEvent) -> Flow {
            if event.step == 5 {
                fs::remove_dir_all(&self.0).unwrap();
            }
            Flow::Continue
        }
    }
    let gone = folder.path().join("gone");
    let error = Trainer::new(config(3))
        .unwrap()
        .with_checkpoints(&gone, Start::Fresh)
        .with_observer(Remove(gone.clone()))
        .fit(&mut task, Net::new(&Device::flex(), 1))
        .unwrap_err();
    assert!(error.is_io(), "{error}");

    // A write that fails leaves what was there: the next name is taken by a folder.
    let taken = folder.path().join("taken");
    fs::create_dir_all(taken.join("checkpoint-00000001.safetensors")).unwrap();
    let checkpoints = CheckpointFolder::open(&taken, 2).unwrap();
    let number = checkpoints.list().unwrap().last().unwrap().0;
    assert_eq!(number, 1);
}
