//! Work on one of the threads that compute.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Distribution, Tensor};
use forge_nn::regularisation::{Dropout, DropoutConfig, with_dropout_factor};
use forge_nn::{
    LinearConfig, Mode, ModuleConfig, on_worker, recomputed, set_mode, with_recomputation,
};

/// These tests look at who has the place, so one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this thread is one of those that compute.
fn computes() -> bool {
    let thread = std::thread::current();
    thread.name().is_some_and(|name| name.starts_with("forge-"))
}

/// Whether the parts of one caller's operations are shared among threads, which are there once.
fn several() -> bool {
    rayon::current_num_threads() > 1
}

#[test]
fn it_runs_on_a_thread_that_computes_and_gives_back_what_the_work_returns() {
    let _alone = alone();
    let device = Device::flex();
    let mut seen = Vec::new();
    let (there, deeper) = on_worker(&device, || {
        seen.push(7);
        (computes(), on_worker(&device, computes))
    });
    assert!(there && deeper);
    assert_eq!(seen, [7]);
    assert!(!computes());
}

#[test]
fn results_are_the_same_to_the_last_bit() {
    let _alone = alone();
    let device = Device::flex();
    let make = || {
        device.seed(3);
        let x = Tensor::<2>::random([300, 170], Distribution::Default, &device);
        x.clone().matmul(x.transpose()).exp().sum_dim(1).into_data()
    };
    assert_eq!(make(), on_worker(&device, make));
}

#[test]
fn whoever_comes_meanwhile_works_where_it_is_unless_each_has_a_thread_of_its_own() {
    let _alone = alone();
    let device = Device::flex();
    let (ask, asked) = channel();
    let (go, gone) = channel::<()>();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            on_worker(&Device::flex(), move || {
                ask.send(()).unwrap();
                gone.recv().unwrap();
                computes()
            })
        });
        asked.recv().unwrap();
        // If it waited for the place, the first would wait for ever for this thread.
        assert_eq!(on_worker(&device, computes), !several());
        go.send(()).unwrap();
        assert!(first.join().unwrap());
    });
    assert!(on_worker(&device, computes));
}

#[test]
fn a_panic_arrives_and_the_place_is_free_again() {
    let _alone = alone();
    let device = Device::flex();
    let panics = || on_worker(&device, || -> usize { panic!("as the work says") });
    let panic = std::panic::catch_unwind(panics).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"as the work says"));
    assert!(on_worker(&device, computes));
}

#[test]
fn the_rate_of_dropout_comes_along() {
    let _alone = alone();
    let device = Device::flex();
    let dropout: Dropout = set_mode(DropoutConfig::new(0.5).init(&device), Mode::Sample);
    let rate = || on_worker(&device, || dropout.rate());
    assert_eq!((with_dropout_factor(0.5, rate), rate()), (0.25, 0.5));
}

#[test]
fn blocks_go_on_drawing_from_the_place_that_was_reached() {
    let _alone = alone();
    let device = Device::flex().autodiff();
    let linear = LinearConfig::new(64, 64).init(&device);
    let noisy = || {
        let ones = Tensor::<2>::ones([8, 64], &device);
        let y = recomputed(&linear, ones, |linear, x| {
            let noise = Tensor::random(x.dims(), Distribution::Default, &x.device());
            linear.forward(x) + noise
        });
        y.into_data()
    };
    let here = with_recomputation(5, || [noisy(), noisy(), noisy()]);
    let there = with_recomputation(5, || [noisy(), on_worker(&device, noisy), noisy()]);
    assert_eq!(here, there);
    assert_ne!(here[0], here[1]);
}

#[test]
fn work_in_a_pool_of_the_callers_stays_there_and_ends() {
    let _alone = alone();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build();
    let ended = AtomicUsize::new(0);
    let train = || {
        let device = Device::flex().autodiff();
        let linear = LinearConfig::new(170, 130).init(&device);
        for _ in 0..20 {
            let x = Tensor::<2>::ones([300, 170], &device);
            // Waits for parts that other threads do, and may be given all of another's meanwhile.
            let _ = linear.forward(x).exp().mean().backward();
        }
        assert!(!computes());
        ended.fetch_add(1, Ordering::Relaxed);
    };
    pool.unwrap().scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|_| on_worker(&Device::flex(), train));
        }
    });
    assert_eq!(ended.into_inner(), 8);
}
