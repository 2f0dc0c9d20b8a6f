//! The flags of `serve`: every setting of a server has one.
//!
//! # Not here
//! - What the values mean and may be: `settings`.

use clap::Args;

/// Flags of `serve`; each is a setting of the same name.
#[derive(Debug, Args, Default)]
pub(super) struct ServeArgs {
    /// Directory of the log; made when it does not exist. [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// Where to listen (UDP). Anything but loopback needs the three --tls flags. [default: 127.0.0.1:7733]
    #[arg(long, value_name = "ADDR")]
    address: Option<String>,
    /// Number of shards, fixed at first start.
    #[arg(long)]
    shards: Option<String>,
    /// Orders kept; beyond it placements are refused.
    #[arg(long, value_name = "COUNT")]
    orders_max: Option<String>,
    /// Lines of all orders kept.
    #[arg(long, value_name = "COUNT")]
    lines_max: Option<String>,
    /// Bytes of customer details kept, such as 256MiB.
    #[arg(long, value_name = "BYTES")]
    details_bytes_max: Option<String>,
    /// Keys under which details are sealed: one for each customer with details kept, and one for each such order of a
    /// guest.
    #[arg(long, value_name = "COUNT")]
    keys_max: Option<String>,
    /// SKUs of all markets kept.
    #[arg(long, value_name = "COUNT")]
    skus_max: Option<String>,
    /// Kits of all markets kept.
    #[arg(long, value_name = "COUNT")]
    kits_max: Option<String>,
    /// SKUs of all markets kept, each counted at every site where anything was said of it.
    #[arg(long, value_name = "COUNT")]
    places_max: Option<String>,
    /// Policies of SKUs of all markets kept.
    #[arg(long, value_name = "COUNT")]
    policies_max: Option<String>,
    /// Counts of customers that policies of SKUs limit: one for each SKU and way of recognising a customer.
    #[arg(long, value_name = "COUNT")]
    customers_max: Option<String>,
    /// Pairs of an order and a SKU of which it is owed units.
    #[arg(long, value_name = "COUNT")]
    waiting_max: Option<String>,
    /// Holds of all orders kept.
    #[arg(long, value_name = "COUNT")]
    holds_max: Option<String>,
    /// Attempts to pay of all orders kept.
    #[arg(long, value_name = "COUNT")]
    payments_max: Option<String>,
    /// Returns of all orders kept, and their lines, each once more for each site at which it came in.
    #[arg(long, value_name = "COUNT")]
    returns_max: Option<String>,
    /// Keys of customers of whom markets count what they placed lately (see market velocity).
    #[arg(long, value_name = "COUNT")]
    velocity_max: Option<String>,
    /// Connections served at once; the next one is refused.
    #[arg(long, value_name = "COUNT")]
    connections_max: Option<String>,
    /// Placements admitted in a second, all connections together, such as 50000; or none.
    #[arg(long, value_name = "COUNT")]
    orders_per_second_max: Option<String>,
    /// Orders whose memory is taken before the server listens: a slower start and a faster first sale.
    #[arg(long, value_name = "COUNT")]
    reserve_orders: Option<String>,
    /// When an answer is given: sync (it is on the disk), interval:TIME (a power cut loses at most that much), memory.
    #[arg(long, value_name = "WHEN")]
    durability: Option<String>,
    /// Size of one segment of the log, such as 256MiB.
    #[arg(long, value_name = "BYTES")]
    segment_bytes: Option<String>,
    /// Free disk space below which new orders are refused, such as 512MiB.
    #[arg(long, value_name = "BYTES")]
    low_water_bytes: Option<String>,
    /// Where metrics and health are told over HTTP, such as 127.0.0.1:7734, or none.
    #[arg(long, value_name = "ADDRESS")]
    http_address: Option<String>,
    /// A snapshot is made after so much of the log, such as 1GiB; 0 for none.
    #[arg(long, value_name = "BYTES")]
    snapshot_log_bytes: Option<String>,
    /// What making one reads and writes in a second at most, such as 64MiB.
    #[arg(long, value_name = "BYTES")]
    snapshot_bytes_per_second: Option<String>,
    /// How the log gets to the disk: fdatasync, direct-dsync, or measure (both, and take the cheaper).
    #[arg(long, value_name = "HOW")]
    sync_method: Option<String>,
    /// Who works off the wanted list of payments: simulated (a provider that is not there), or none.
    #[arg(long, value_name = "WHO")]
    payment: Option<String>,
    /// Who works off the wanted list of releases: simulated, or none.
    #[arg(long, value_name = "WHO")]
    warehouse: Option<String>,
    /// Who says whether orders are to be trusted: simulated, or none.
    #[arg(long, value_name = "WHO")]
    check: Option<String>,
    /// Who is told every fact over HTTP: https://HOST/PATH, or http:// for this machine. See docs/WEBHOOKS.md.
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// A file with the secrets that sign what it is told, whsec_… a line.
    #[arg(long, value_name = "FILE")]
    webhook_secret_file: Option<String>,
    /// The certificate authority to trust for it (PEM), instead of those that the system trusts.
    #[arg(long, value_name = "FILE")]
    webhook_ca: Option<String>,
    /// Names its place in the log; another name begins anew.
    #[arg(long, value_name = "NAME")]
    webhook_name: Option<String>,
    /// What is kept of the log for a webhook that does not take it, such as 4GiB.
    #[arg(long, value_name = "BYTES")]
    feed_behind_bytes: Option<String>,
    /// How long the simulated ones take to answer, such as 50ms; at most 5s.
    #[arg(long, value_name = "SPAN")]
    simulated_delay: Option<String>,
    /// How many of a thousand orders the simulated provider declines.
    #[arg(long, value_name = "SHARE")]
    simulated_declined: Option<String>,
    /// How many of a thousand orders the simulated checker rejects.
    #[arg(long, value_name = "SHARE")]
    simulated_rejected: Option<String>,
    /// How many of a thousand others it leaves to a person.
    #[arg(long, value_name = "SHARE")]
    simulated_doubted: Option<String>,
    /// It leaves an order to a person when somebody placed more than so many within the market's window; 0 for never.
    #[arg(long, value_name = "COUNT")]
    simulated_doubted_above: Option<String>,
    /// How many of a thousand questions or answers get lost.
    #[arg(long, value_name = "SHARE")]
    simulated_lost: Option<String>,
    /// How many of a thousand answers come once more.
    #[arg(long, value_name = "SHARE")]
    simulated_repeated: Option<String>,
    /// Of their chances.
    #[arg(long, value_name = "NUMBER")]
    simulated_seed: Option<String>,
    /// The server's certificate (PEM).
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<String>,
    /// Its private key (PEM).
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// Whose clients may connect (PEM). Any certificate it signed may do everything.
    #[arg(long, value_name = "FILE")]
    tls_client_ca: Option<String>,
}

impl ServeArgs {
    pub(super) fn settings(self) -> Vec<(&'static str, String)> {
        given([
            ("data", self.data),
            ("address", self.address),
            ("shards", self.shards),
            ("orders_max", self.orders_max),
            ("lines_max", self.lines_max),
            ("details_bytes_max", self.details_bytes_max),
            ("keys_max", self.keys_max),
            ("skus_max", self.skus_max),
            ("kits_max", self.kits_max),
            ("places_max", self.places_max),
            ("policies_max", self.policies_max),
            ("customers_max", self.customers_max),
            ("waiting_max", self.waiting_max),
            ("holds_max", self.holds_max),
            ("payments_max", self.payments_max),
            ("returns_max", self.returns_max),
            ("velocity_max", self.velocity_max),
            ("connections_max", self.connections_max),
            ("orders_per_second_max", self.orders_per_second_max),
            ("reserve_orders", self.reserve_orders),
            ("durability", self.durability),
            ("segment_bytes", self.segment_bytes),
            ("low_water_bytes", self.low_water_bytes),
            ("http_address", self.http_address),
            ("snapshot_log_bytes", self.snapshot_log_bytes),
            ("snapshot_bytes_per_second", self.snapshot_bytes_per_second),
            ("sync_method", self.sync_method),
            ("tls.cert", self.tls_cert),
            ("tls.key", self.tls_key),
            ("payment", self.payment),
            ("warehouse", self.warehouse),
            ("check", self.check),
            ("webhook.url", self.webhook_url),
            ("webhook.secret_file", self.webhook_secret_file),
            ("webhook.ca", self.webhook_ca),
            ("webhook.name", self.webhook_name),
            ("feed_behind_bytes", self.feed_behind_bytes),
            ("simulated.delay", self.simulated_delay),
            ("simulated.declined", self.simulated_declined),
            ("simulated.rejected", self.simulated_rejected),
            ("simulated.doubted", self.simulated_doubted),
            ("simulated.doubted_above", self.simulated_doubted_above),
            ("simulated.lost", self.simulated_lost),
            ("simulated.repeated", self.simulated_repeated),
            ("simulated.seed", self.simulated_seed),
            ("tls.client_ca", self.tls_client_ca),
        ])
    }
}

/// The flags that were given, by the names of their settings.
pub(super) fn given<const N: usize>(flags: [(&'static str, Option<String>); N]) -> Vec<(&'static str, String)> {
    flags.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}
