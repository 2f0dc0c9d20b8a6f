//! What a shard does for the engine: seals what a client gives, opens what a client reads, destroys keys that died.

use stockade::base::limits::{DETAILS_BYTES_MAX, SEAL_BYTES};
use stockade::engine::query::OrderView;
use stockade::engine::{Command, Engine, Place};
use stockade::shard::{FakeKeys, Sealer};

use super::Rig;

/// The command as a shard would have the engine decide it. `buffer` is for sealed details.
pub(super) fn sealed<'c>(
    engine: &Engine,
    keys: &mut FakeKeys,
    command: &Command<'c>,
    buffer: &'c mut Vec<u8>,
) -> Command<'c> {
    match *command {
        Command::Place(place) if !place.details.is_empty() && place.details.len() <= DETAILS_BYTES_MAX => {
            let key = engine.key_for(&place);
            match key {
                Some(key) => assert!(keys.seal(key, place.order, place.details, buffer), "key {key} is there"),
                // As many bytes that say nothing.
                None => buffer.resize(place.details.len(), 0),
            }
            assert_eq!(buffer.len() - place.details.len(), if key.is_some() { SEAL_BYTES } else { 0 });
            Command::Place(Place { details: buffer, key, ..place })
        }
        other => other,
    }
}

impl Rig {
    /// Destroys the keys that died.
    pub(super) fn destroy_keys(&mut self) {
        let keys = &mut self.keys;
        self.engine.take_dead_keys(|key| keys.destroy(key));
    }

    /// The view as a client sees it.
    pub(crate) fn opened(&self, mut view: OrderView) -> OrderView {
        if let Some(key) = view.key.take() {
            let mut details = Vec::new();
            view.erased = !self.keys.clone().open(key, view.order, &view.details, &mut details);
            view.details = details;
        }
        view
    }
}
