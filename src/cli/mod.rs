//! The command line: arguments in, one outcome out, an exit code.
//!
//! ```text
//! args ─► config ─► settings ─┬─► local ──► node        serve, audit
//!                             ├─► log ────► wal         log dump, log salvage
//!                             └─► connection ─► client  everything else
//! ```
//!
//! # Always true
//! - The outcome goes to standard output and nothing else does; remarks, logs and errors go to standard error.
//! - An error says what was wrong and what is allowed, and the exit code says of which kind it is (`fault`).
//! # Not here
//! - Anything that a program could not do through `client`: commands are thin.

mod args;
mod backup;
mod books;
mod config;
mod fault;
mod hold;
mod holders;
mod kit;
mod serve_args;
mod settings;
mod snapshot;

mod output;
mod price;
mod reservations;
mod retention;
mod return_args;
mod returning;
mod table;
mod units;
mod velocity;

mod connection;
mod local;
mod next_steps;
mod suggestion;

mod catalog;
mod channels;
mod check;
mod edit;
mod effects;
mod erase;
mod order;
mod order_args;
mod order_history;
mod order_line;
mod order_report;
mod payment;
mod payment_args;
mod payment_report;
mod policy;
mod sku_args;
mod status;
mod stock;
mod stock_count;
mod stock_move;
mod tasks;
mod wanted;

mod import;
mod import_file;
mod import_receipt;
mod import_time;

mod fact_text;
mod log;

use std::fmt::Display;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use args::{Cli, ClientArgs, Command, LogCommand, MarketCommand, SiteCommand, StockCommand};
use backup::KeysFrom;
use check::Decision;
use config::Given;
use fault::CliFault;
use kit::KitCommand;
use order_args::OrderCommand;
use output::{Form, remark, show};
use settings::{ClientSettings, LogSettings, ServeSettings};
use sku_args::{PolicyArgs, SkuCommand};
use velocity::VelocityArgs;
use wanted::WantedCommand;

/// Reads the arguments of this process, does what they say, and tells how it went.
#[must_use]
pub fn run() -> ExitCode {
    match execute(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            remark(&format!("error: {fault}"));
            ExitCode::from(fault.exit_code())
        }
    }
}

/// What every command shares: where its settings come from.
struct Sources {
    config: Option<PathBuf>,
    log: Vec<(&'static str, String)>,
}

impl Sources {
    /// All settings, with the flags of the command on top; logging is on from here.
    fn read(self, flags: Vec<(&'static str, String)>, log_default: &str) -> Result<Given, CliFault> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
        let given = Given::read(self.config.as_deref(), environment, flags.into_iter().chain(self.log))?;
        start_logging(&LogSettings::from_given(&given)?, log_default);
        Ok(given)
    }

    fn serve(self, flags: Vec<(&'static str, String)>) -> Result<ServeSettings, CliFault> {
        Ok(ServeSettings::from_given(&self.read(flags, "info")?)?)
    }

    fn client(self, args: ClientArgs) -> Result<(ClientSettings, Form), CliFault> {
        let form = form(args.json);
        Ok((ClientSettings::from_given(&self.read(args.settings(), "error")?)?, form))
    }
}

const fn form(json: bool) -> Form {
    if json { Form::Json } else { Form::Text }
}

fn start_logging(settings: &LogSettings, default: &str) {
    let filter = EnvFilter::new(settings.filter.as_deref().unwrap_or(default));
    let logging = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal());
    match settings.json {
        true => logging.json().init(),
        false => logging.with_target(false).init(),
    }
}

fn execute(cli: Cli) -> Result<(), CliFault> {
    let log = [("log.filter", cli.log_filter), ("log.format", cli.log_format)];
    let log = log.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    let sources = Sources { config: cli.config, log };
    match cli.command {
        Command::Serve(args) => local::serve(sources.serve(args.settings())?),
        Command::Audit { data, json } => {
            sources.read(Vec::new(), "error")?;
            local::audit(&data, form(json))
        }
        Command::Snapshot { data, json } => {
            sources.read(Vec::new(), "error")?;
            snapshot::snapshot(&data, form(json))
        }
        Command::Backup { data, into, bytes_per_second, with_keys, json } => {
            sources.read(Vec::new(), "error")?;
            backup::backup(&data, &into, (&bytes_per_second, with_keys), form(json))
        }
        Command::Restore { backup, data, keys, without_keys, json } => {
            sources.read(Vec::new(), "error")?;
            let keys = match keys {
                Some(dir) => KeysFrom::Directory(dir),
                None if without_keys => KeysFrom::Nowhere,
                None => KeysFrom::Backup,
            };
            backup::restore(&backup, &data, &keys, form(json))
        }
        Command::Log(command) => {
            sources.read(Vec::new(), "error")?;
            match command {
                LogCommand::Dump { data } => log::dump(&data),
                LogCommand::Salvage { data, new, accept_loss } => log::salvage(&data, &new, accept_loss),
            }
        }
        Command::Market(command) => market(sources, command),
        Command::Site(command) => site(sources, command),
        Command::Sku(command) => sku(sources, command),
        Command::Kit(command) => kit(sources, command),
        Command::Stock(command) => stock(sources, command),
        Command::Order(command) => order(sources, command),
        Command::Wanted(command) => wanted(sources, command),
        Command::Tasks(mut args) => {
            let client = sources.client(std::mem::take(&mut args.client))?;
            ask(client, async |settings| tasks::tasks(settings, &args).await)
        }
        Command::Erase(mut args) => {
            let client = sources.client(std::mem::take(&mut args.client))?;
            ask(client, async |settings| erase::erase(settings, &args).await)
        }
        Command::Status(client) => ask(sources.client(client)?, async |settings| status::status(settings).await),
    }
}

/// Does one thing with a server and shows what came of it.
fn ask<T: Display + Serialize>(
    (settings, form): (ClientSettings, Form),
    what: impl AsyncFnOnce(&ClientSettings) -> Result<T, CliFault>,
) -> Result<(), CliFault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| CliFault::System { attempt: "start a runtime", source })?;
    let outcome = runtime.block_on(what(&settings));
    runtime.block_on(async { tokio::time::sleep(FAREWELL).await });
    show(form, &outcome?);
    Ok(())
}

/// Time for the connection's last packet, which says that it is over: a server that is told to stop would otherwise
/// wait for a client that has gone.
const FAREWELL: Duration = Duration::from_millis(2);

fn market(sources: Sources, command: MarketCommand) -> Result<(), CliFault> {
    match command {
        MarketCommand::Create { name, client } => {
            ask(sources.client(client)?, async |settings| catalog::create_market(settings, &name).await)
        }
        MarketCommand::Books { client } => ask(sources.client(client)?, async |settings| books::books(settings).await),
        MarketCommand::Effects { payment, release, check, client } => {
            ask(sources.client(client)?, async |settings| effects::effects(settings, payment, release, check).await)
        }
        MarketCommand::Reservations { activity_max, payment_max, unpaid, client } => {
            ask(sources.client(client)?, async |settings| {
                let (activity, payment) = (activity_max.as_deref(), payment_max.as_deref());
                reservations::reservations(settings, activity, payment, &unpaid).await
            })
        }
        MarketCommand::Velocity(VelocityArgs { asked, client }) => {
            ask(sources.client(client)?, async |settings| velocity::velocity(settings, &asked).await)
        }
        MarketCommand::Retention { return_window, ids_kept, client } => {
            ask(sources.client(client)?, async |settings| {
                retention::retention(settings, return_window.as_deref(), ids_kept.as_deref()).await
            })
        }
    }
}

fn wanted(sources: Sources, command: WantedCommand) -> Result<(), CliFault> {
    match command {
        WantedCommand::List { effect, aside, after, limit, client } => ask(sources.client(client)?, async |settings| {
            wanted::list(settings, (effect.into(), aside), after, limit).await
        }),
        WantedCommand::Retry { effect, order, client } => ask(sources.client(client)?, async |settings| {
            wanted::retry(settings, effect.into(), order.as_deref()).await
        }),
        WantedCommand::Done { effect, order, attempt, client } => {
            ask(sources.client(client)?, async |settings| wanted::done(settings, effect.into(), &order, attempt).await)
        }
    }
}

fn site(sources: Sources, command: SiteCommand) -> Result<(), CliFault> {
    let SiteCommand::Create { code, rank, client } = command;
    ask(sources.client(client)?, async |settings| catalog::create_site(settings, &code, rank).await)
}

fn sku(sources: Sources, command: SkuCommand) -> Result<(), CliFault> {
    match command {
        SkuCommand::Create { codes, client } => {
            ask(sources.client(client)?, async |settings| catalog::create_skus(settings, &codes).await)
        }
        SkuCommand::Policy { sku, policy, client } => {
            let PolicyArgs { safety_stock, order_min, order_max, customer_max, customer_day_max, .. } = policy;
            let wanted = policy::Wanted {
                safety_stock,
                order_min,
                order_max,
                customer_max,
                customer_day_max,
                by_hashes: policy.by_hashes,
                day_begins_min: policy.day_begins,
                oversell_max: policy.oversell_max,
                low_stock: policy.low_stock,
                returns_give_back: policy.returns_give_back,
            };
            ask(sources.client(client)?, async |settings| policy::policy(settings, &sku, &wanted).await)
        }
        SkuCommand::Channels { sku, after, limit, client } => {
            ask(sources.client(client)?, async |settings| channels::channels(settings, &sku, after, limit).await)
        }
        SkuCommand::ChannelCap { sku, channel, units_max, client } => {
            ask(sources.client(client)?, async |settings| channels::set(settings, &sku, channel, &units_max).await)
        }
    }
}

fn kit(sources: Sources, command: KitCommand) -> Result<(), CliFault> {
    match command {
        KitCommand::Define { kit, components, client } => {
            ask(sources.client(client)?, async |settings| kit::define(settings, &kit, &components).await)
        }
        KitCommand::Show { kit, client } => {
            ask(sources.client(client)?, async |settings| kit::show(settings, &kit).await)
        }
    }
}

fn stock(sources: Sources, command: StockCommand) -> Result<(), CliFault> {
    match command {
        StockCommand::Import(mut args) => {
            let client = sources.client(std::mem::take(&mut args.client))?;
            let mut complete = true;
            ask(client, async |settings| {
                let report = import::import(settings, &args).await?;
                complete = report.is_complete();
                Ok(report)
            })?;
            if complete { Ok(()) } else { Err(CliFault::Partly("some lines were refused; see the list above".into())) }
        }
        StockCommand::Receive { sku, quantity, site, request, client } => {
            ask(sources.client(client)?, async |settings| {
                stock::change(settings, (&sku, &site), stock::Change::Receive(quantity), request.as_deref()).await
            })
        }
        StockCommand::Adjust { sku, delta, reason, site, request, client } => {
            let change = stock::Change::Adjust(delta, reason);
            ask(sources.client(client)?, async |settings| {
                stock::change(settings, (&sku, &site), change, request.as_deref()).await
            })
        }
        StockCommand::Move { sku, quantity, from, to, request, client } => {
            ask(sources.client(client)?, async |settings| {
                let places = [from.as_str(), to.as_str()];
                stock_move::move_units(settings, &sku, (places, quantity), request.as_deref()).await
            })
        }
        StockCommand::Count { sku, counted, expected, as_of, site, request, client } => {
            ask(sources.client(client)?, async |settings| {
                let known = as_of.map_or(stock_count::Known::OnHand(expected), stock_count::Known::Event);
                stock_count::count(settings, (&sku, &site), (known, counted), request.as_deref()).await
            })
        }
        StockCommand::Holders { sku, after, limit, client } => {
            ask(sources.client(client)?, async |settings| holders::holders(settings, &sku, after, limit).await)
        }
        StockCommand::Get { skus, client } => {
            ask(sources.client(client)?, async |settings| stock::get(settings, &skus).await)
        }
    }
}

fn order(sources: Sources, command: OrderCommand) -> Result<(), CliFault> {
    match command {
        OrderCommand::Place(mut args) => {
            let client = sources.client(std::mem::take(&mut args.client))?;
            ask(client, async |settings| order::place(settings, &args).await)
        }
        OrderCommand::Get { order, client } => {
            ask(sources.client(client)?, async |settings| order::get(settings, &order).await)
        }
        OrderCommand::List { customer: Some(customer), before, limit, client, .. } => {
            let client = sources.client(client)?;
            ask(client, async |settings| order::list_of(settings, &customer, before, limit).await)
        }
        OrderCommand::List { after, limit, client, .. } => {
            ask(sources.client(client)?, async |settings| order::list(settings, after, limit).await)
        }
        OrderCommand::History { order, after, limit, client } => {
            ask(sources.client(client)?, async |settings| order_history::show(settings, &order, after, limit).await)
        }
        OrderCommand::Confirm { order, attempt, client } => {
            ask(sources.client(client)?, async |settings| order::confirm(settings, &order, attempt).await)
        }
        OrderCommand::Pay(mut args) => {
            let client = sources.client(std::mem::take(&mut args.client))?;
            ask(client, async |settings| payment::begin(settings, &args).await)
        }
        OrderCommand::Payment(mut args) => {
            let client = sources.client(std::mem::take(&mut args.client))?;
            ask(client, async |settings| payment::tell(settings, &args).await)
        }
        OrderCommand::Refund(mut args) => {
            let client = sources.client(std::mem::take(&mut args.client))?;
            ask(client, async |settings| payment::refund(settings, &args).await)
        }
        OrderCommand::Extend { order, time, reason, client } => {
            ask(sources.client(client)?, async |settings| order::extend(settings, &order, &time, reason.into()).await)
        }
        OrderCommand::Hold { order, owner, reason, note, client } => {
            ask(sources.client(client)?, async |settings| hold::hold(settings, &order, (&owner, reason), &note).await)
        }
        OrderCommand::Lift { order, owner, reason, client } => {
            ask(sources.client(client)?, async |settings| hold::lift(settings, &order, (&owner, reason)).await)
        }
        OrderCommand::Held { after, limit, client } => {
            ask(sources.client(client)?, async |settings| hold::held(settings, after, limit).await)
        }
        OrderCommand::Accept { order, client } => {
            ask(sources.client(client)?, async |settings| check::decide(settings, &order, Decision::Accept).await)
        }
        OrderCommand::Reject { order, client } => {
            ask(sources.client(client)?, async |settings| check::decide(settings, &order, Decision::Reject).await)
        }
        OrderCommand::HandOver { order, lines, change, client } => ask(sources.client(client)?, async |settings| {
            order::goods(settings, &order, order::Goods::HandedOver, (&lines, change)).await
        }),
        OrderCommand::Delivered(mut args) => {
            let client = sources.client(std::mem::take(&mut args.client))?;
            ask(client, async |settings| returning::delivered(settings, &args).await)
        }
        OrderCommand::Return(mut args) => match args.step.take() {
            Some(mut step) => {
                let client = sources.client(std::mem::take(step.client_mut()))?;
                ask(client, async |settings| returning::step(settings, &step).await)
            }
            None => {
                let client = sources.client(std::mem::take(&mut args.client))?;
                ask(client, async |settings| returning::at_once(settings, &args).await)
            }
        },
        OrderCommand::Edit(mut args) => {
            let client = sources.client(std::mem::take(&mut args.client))?;
            ask(client, async |settings| edit::edit(settings, &args).await)
        }
        OrderCommand::Cancel { order, block, lines, change, client } => {
            ask(sources.client(client)?, async |settings| {
                order::cancel(settings, &order, block, (&lines, change)).await
            })
        }
    }
}
