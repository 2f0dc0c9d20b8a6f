//! Whether what is configured fits the memory there is, asked before anything is started.
//!
//! # Why so
//! A server that is killed for its memory in the worst minute of the year has lost to its own configuration. Everything
//! that grows has a limit, so the worst case is a sum.

use std::fs;

use super::{Config, NodeFault};
use crate::base::limits::{
    CHANNEL_CAP_MEMORY_BYTES, CHANNEL_CAPS_MAX, CUSTOMER_MEMORY_BYTES, HISTORY_PLACE_MEMORY_BYTES, HISTORY_PLACES_MAX,
    HOLD_MEMORY_BYTES, KEY_MEMORY_BYTES, KIT_MEMORY_BYTES, LINE_MEMORY_BYTES, NODE_MEMORY_BYTES, ON_HAND_CHANGES_MAX,
    ON_HAND_MEMORY_BYTES, ORDER_MEMORY_BYTES, PAYMENT_MEMORY_BYTES, PLACE_MEMORY_BYTES, POLICY_MEMORY_BYTES,
    REQUEST_MEMORY_BYTES, REQUESTS_REMEMBERED_MAX, RETURN_MEMORY_BYTES, SHARD_MEMORY_BYTES,
    SIMULATED_ORDER_MEMORY_BYTES, SIMULATED_ORDERS_MAX, SKU_MEMORY_BYTES, TASK_MEMORY_BYTES, VELOCITY_MEMORY_BYTES,
    WAITING_MEMORY_BYTES, WEBHOOK_MEMORY_BYTES, WEBHOOK_MESSAGE_MEMORY_BYTES,
};

const MIB: u64 = 1 << 20;

/// Looks whether the worst case fits. A system that does not say how much memory it has is believed to have enough.
///
/// # Errors
/// [`NodeFault::Memory`] with both numbers; [`NodeFault::OrdersMax`] when positions of orders would not fit 32 bits.
pub(super) fn check(config: &Config, shards: u16, door_bytes: u64) -> Result<(), NodeFault> {
    let capacity = config.capacity(shards);
    // Positions are 32 bits wide, and draws and what late payments replaced of them outnumber lines.
    let max = u64::from(u32::MAX) / 8;
    if let Some(given) = [capacity.orders_max, capacity.lines_max].into_iter().find(|given| *given > max) {
        return Err(NodeFault::OrdersMax { given, max });
    }
    let needed = needed(config, shards, door_bytes);
    match available() {
        Some(available) if needed > available => {
            Err(NodeFault::Memory { needed: needed / MIB, available: available / MIB, orders_max: config.orders_max })
        }
        _ => Ok(()),
    }
}

impl Config {
    /// The most memory a node of so many shards may take: the sum that is compared at start with what there is.
    #[must_use]
    pub fn memory_bytes_max(&self, shards: u16) -> u64 {
        needed(self, shards, self.door().memory_bytes_max())
    }
}

/// The most memory the limits allow. An order counts with one line; its further lines count as lines.
fn needed(config: &Config, shards: u16, door_bytes: u64) -> u64 {
    let further_lines = config.lines_max.saturating_sub(config.orders_max);
    let state = [
        config.orders_max.saturating_mul(ORDER_MEMORY_BYTES + TASK_MEMORY_BYTES),
        further_lines.saturating_mul(LINE_MEMORY_BYTES),
        config.details_bytes_max,
        config.keys_max.saturating_mul(KEY_MEMORY_BYTES),
        config.skus_max.saturating_mul(SKU_MEMORY_BYTES),
        config.kits_max.saturating_mul(KIT_MEMORY_BYTES),
        config.places_max.saturating_mul(PLACE_MEMORY_BYTES),
        config.policies_max.saturating_mul(POLICY_MEMORY_BYTES),
        config.customers_max.saturating_mul(CUSTOMER_MEMORY_BYTES),
        config.waiting_max.saturating_mul(WAITING_MEMORY_BYTES),
        config.holds_max.saturating_mul(HOLD_MEMORY_BYTES),
        config.payments_max.saturating_mul(PAYMENT_MEMORY_BYTES),
        config.returns_max.saturating_mul(RETURN_MEMORY_BYTES),
        config.velocity_max.saturating_mul(VELOCITY_MEMORY_BYTES),
        u64::from(shards) * CHANNEL_CAPS_MAX * CHANNEL_CAP_MEMORY_BYTES,
        u64::from(shards) * REQUESTS_REMEMBERED_MAX as u64 * REQUEST_MEMORY_BYTES,
        u64::from(shards) * HISTORY_PLACES_MAX as u64 * HISTORY_PLACE_MEMORY_BYTES,
        u64::from(shards) * ON_HAND_CHANGES_MAX as u64 * ON_HAND_MEMORY_BYTES,
    ];
    let state = state.into_iter().fold(0, u64::saturating_add);
    // A snapshot folds one shard at a time beside the living ones.
    let folded = if config.snapshots().is_some() { state / u64::from(shards) } else { 0 };
    let simulated = [&config.simulated_payment, &config.simulated_warehouse, &config.simulated_check];
    let simulated = simulated.into_iter().flatten().count() as u64;
    let simulated = simulated * SIMULATED_ORDERS_MAX as u64 * SIMULATED_ORDER_MEMORY_BYTES;
    let webhooks = config.webhook.iter().count() as u64;
    let webhooks = webhooks * (WEBHOOK_MEMORY_BYTES + u64::from(shards) * WEBHOOK_MESSAGE_MEMORY_BYTES);
    let threads = NODE_MEMORY_BYTES + u64::from(shards) * SHARD_MEMORY_BYTES;
    [state, folded, simulated, webhooks, door_bytes, threads].into_iter().fold(0, u64::saturating_add)
}

/// Bytes this process may still take: of the machine, or of its control group where that is less.
fn available() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().as_deref().and_then(mem_available);
    let group = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    machine.into_iter().chain(group).min()
}

fn mem_available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Resident memory of this process in bytes; zero where the system does not say.
pub(super) fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::ServerOptions;

    #[test]
    fn limits_that_cannot_fit_are_refused_with_both_numbers() {
        let config = Config { orders_max: 500_000_000, ..Config::default() };
        let text = check(&config, 1, 0).expect_err("a terabyte").to_string();
        assert!(text.contains("(500000000)"), "{text}");
    }

    #[test]
    fn the_defaults_fit_a_small_machine() {
        let door_bytes = ServerOptions::new(Config::default().address, "data").memory_bytes_max();
        let needed = needed(&Config::default(), 1, door_bytes);
        assert!(needed <= 3_328 * MIB, "{} MiB do not fit a machine of 4 GiB with a system on it", needed / MIB);
    }

    #[test]
    fn more_orders_than_a_shard_can_number_are_refused() {
        let config = Config { orders_max: 1 << 33, ..Config::default() };
        assert!(matches!(check(&config, 1, 0), Err(NodeFault::OrdersMax { .. })));
    }

    #[test]
    fn the_kernel_tells_available_memory_in_kibibytes() {
        assert_eq!(mem_available("MemTotal: 9 kB\nMemAvailable:      7 kB\n"), Some(7 * 1024));
        assert_eq!(mem_available(""), None);
    }
}
