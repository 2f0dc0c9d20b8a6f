//! What a walk counts, and as of when.

use stockade::base::{RequestId, Sequence};
use stockade::engine::Command;
use stockade::engine::ledger::on_hand;

use super::Walk;

impl Walk {
    /// Tells what lay somewhere some time ago: most often what lies there now, or a little less.
    pub(super) fn report_count(&mut self) {
        let request = RequestId::new(self.rig.now, self.market(), self.dice.below(1_000));
        let (sku, site, entry) = (self.sku(), self.site(), self.rig.position.0);
        let rows = self.rig.engine.stock(request.market(), &[sku]).unwrap_or_default();
        let row = rows.iter().find(|row| row.site == site);
        let on_hand = row.map_or(0, |row| on_hand(&row.balances));
        let ago = self.dice.pick(&[0, 1, 2, 2, 2, 2, 3, 3, 4, 6, 10, 30, 1_000]);
        let counted = if self.dice.once_in(5) { on_hand + 1 } else { on_hand.saturating_sub(self.dice.below(5)) };
        self.submit(&Command::ReportCount {
            request,
            sku,
            site,
            as_of: Sequence((entry + 2).saturating_sub(ago)),
            counted,
        });
    }
}
