//! What whoever places orders placed lately, compared with the twin's.

use stockade::base::{CustomerKey, MarketId};
use stockade::engine::command::IdentityHashes;

use super::Rig;

impl Rig {
    /// Of everybody who ever placed an order in a market, and of somebody who never did.
    pub(super) fn check_velocity(&self, market: MarketId) {
        let nobody = (CustomerKey(u128::MAX - 1), [8; 3]);
        for (customer, [account, address, instrument]) in self.twin.whoever_placed(market).into_iter().chain([nobody]) {
            let hashes = IdentityHashes { account, address, instrument };
            let told = self.engine.velocity(market, customer, hashes, self.now);
            let expected = self.twin.velocity(market, customer, hashes, self.now);
            assert_eq!(told, Ok(expected), "velocity of {customer:?}, {hashes:?}: engine (left), twin (right)");
        }
    }
}
