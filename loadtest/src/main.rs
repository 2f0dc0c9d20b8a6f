//! The load generator of Stockade: drives orders through the client library, checks every answer, audits the books.
//!
//! ```text
//! arguments ─► session (host: a server) ─► flash, overload, mixed, soak, hostile, … ─► audit ─► report ─► exit
//!                                            │
//!                      exchange (in order) ──┴── drive (the flood)
//! ```
//!
//! # Always true
//! - A run ends with exit code 0 only when every answer was right and the books agree.

mod arguments;
mod child;
mod failure;
mod formula;

mod chance;
mod errors;
mod html;
mod latency;
mod progress;
mod report;
mod series;

mod books;
mod exchange;
mod host;
mod session;

mod audit;
mod drive;
mod shelves;

mod attack;

mod crash;
mod flash;
mod hostile;
mod mixed;
mod overload;
mod readings;
mod replay;
mod soak;
mod uniform;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use tokio::task::LocalSet;

use arguments::{Arguments, Output, Scenario, Target};
use failure::Failure;
use replay::Shop;
use report::Report;
use session::Session;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Something is wrong, or went wrong.
const EXIT_WRONG: u8 = 1;
/// The arguments make no sense together.
const EXIT_USAGE: u8 = 2;
/// The generator was too slow for the asked rate.
const EXIT_GENERATOR_LIMIT: u8 = 13;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.scenario {
        Scenario::ChildServe(options) => return child::serve(&options),
        Scenario::ChildAttack(options) => return attack::run(&options),
        Scenario::ChildAudit { data } => return child::audit(&data),
        Scenario::Flash(_)
        | Scenario::Uniform(_)
        | Scenario::Overload(_)
        | Scenario::Mixed(_)
        | Scenario::Soak(_)
        | Scenario::Hostile(_)
        | Scenario::Readings(_)
        | Scenario::Replay(_)
        | Scenario::Crash(_) => run(&arguments.scenario, &arguments.target, &arguments.output),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("loadtest: {failure}");
            let code = if let Failure::Usage(_) | Failure::File(_) = failure { EXIT_USAGE } else { EXIT_WRONG };
            ExitCode::from(code)
        }
    }
}

/// Runs a scenario on one thread; the server it starts has the other cores.
fn run(scenario: &Scenario, target: &Target, output: &Output) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::io("starting a runtime in", "this process"))?;
    LocalSet::new().block_on(&runtime, run_scenario(scenario, target, output))
}

async fn run_scenario(scenario: &Scenario, target: &Target, output: &Output) -> Result<u8, Failure> {
    let mut session;
    let report = match scenario {
        Scenario::Flash(flash) => {
            session = Session::start(target, flash, flash::room(flash))?;
            flash::run(flash, &mut session).await?
        }
        Scenario::Uniform(uniform) => {
            session = Session::start(target, uniform, uniform::room(uniform))?;
            uniform::run(uniform, &mut session).await?
        }
        Scenario::Overload(overload) => {
            session = Session::start(target, overload, overload::room(overload))?;
            overload::run(overload, &mut session).await?
        }
        Scenario::Mixed(mixed) => {
            session = Session::start(target, mixed, mixed::room(mixed))?;
            mixed::run(mixed, &mut session).await?
        }
        Scenario::Soak(soak) => {
            session = Session::start(target, soak, soak::room(soak))?;
            soak::run(soak, &mut session).await?
        }
        Scenario::Hostile(hostile) => {
            session = Session::start(target, hostile, hostile::room(hostile))?;
            hostile::run(hostile, &mut session).await?
        }
        Scenario::Readings(readings) => {
            session = Session::start(target, readings, readings::room(readings))?;
            readings::run(readings, &mut session).await?
        }
        Scenario::Replay(replay) => {
            let shop = Shop::open(&replay.file)?;
            session = Session::start(target, replay, replay::room(&shop))?;
            replay::run(replay, &shop, &mut session).await?
        }
        Scenario::Crash(crash) => {
            session = Session::start(target, crash, crash::room(crash))?;
            crash::run(crash, &mut session).await?
        }
        Scenario::ChildServe(_) | Scenario::ChildAttack(_) | Scenario::ChildAudit { .. } => {
            unreachable!("law: children never come here")
        }
    };
    session.progress.end();
    publish(&report, &session, output)?;
    Ok(exit_code(&report))
}

fn exit_code(report: &Report) -> u8 {
    if !report.is_good() {
        EXIT_WRONG
    } else if report.open_loop.is_some_and(|open| open.generator_was_the_limit) {
        EXIT_GENERATOR_LIMIT
    } else {
        0
    }
}

/// The table, and the files that were asked for.
fn publish(report: &Report, session: &Session, output: &Output) -> Result<(), Failure> {
    print!("{}", report.table());
    if let Some(path) = &output.json {
        write(path, |out| {
            serde_json::to_writer_pretty(&mut *out, report)?;
            writeln!(out)
        })?;
    }
    if let Some(path) = &output.html {
        let page = html::page(report, &session.progress.series, session.latencies.as_ref());
        write(path, |out| out.write_all(page.as_bytes()))?;
    }
    if let (Some(path), Some(latencies)) = (&output.hgrm, &session.latencies) {
        write(path, |out| latency::write_hgrm(latencies, out))?;
    }
    Ok(())
}

fn write(path: &Path, content: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> Result<(), Failure> {
    let written = File::create(path).map(BufWriter::new).and_then(|mut out| {
        content(&mut out)?;
        out.flush()
    });
    written.map_err(Failure::io("writing", path))
}
