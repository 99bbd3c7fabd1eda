//! A run is on one of the threads that compute.

use std::thread;

use forge_train::{BatchEvent, Flow, Observer};
use serde_json::json;

use crate::divergence::fit_watched;

#[derive(Default)]
struct Where(Vec<Option<String>>);

impl Observer for Where {
    fn on_batch(&mut self, _: &BatchEvent) -> Flow {
        self.0.push(thread::current().name().map(String::from));
        Flow::Stop("seen".into())
    }
}

#[test]
fn the_trainer_runs_where_operations_keep_a_part_for_themselves() {
    // Somebody else's run may have the place for a moment.
    let computes = (0..100).any(|_| {
        let mut seen = Where::default();
        fit_watched(json!("stop"), None, &mut seen).unwrap();
        let name = seen.0[0].as_deref();
        name.is_some_and(|name| name.starts_with("forge-"))
    });
    assert!(computes);
}
