//! The command line of goods that reach the customer and of goods that come back: `order delivered`, `order return`.

use clap::{Args, Subcommand};

use super::args::ClientArgs;
use crate::engine::{DeclineReason, Disposition, ReturnKind, ReturnReason, ReturnReport, ReturnStage};

/// Units that reached the customer.
#[derive(Debug, Args)]
pub(super) struct DeliveredArgs {
    /// Its number, or its identifier (32 hexadecimal digits).
    #[arg(value_name = "ID|NUMBER")]
    pub(super) order: String,
    /// So many units more of this line; lines count from 0. May be repeated.
    #[arg(long = "line", required = true, value_name = "LINE=QTY")]
    pub(super) lines: Vec<String>,
    /// Name of this delivery (a number); a repeat of it changes nothing. Drawn unless given.
    #[arg(long)]
    pub(super) change: Option<u64>,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

/// Goods that come back: in one step, or step by step.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct ReturnArgs {
    #[command(subcommand)]
    pub(super) step: Option<ReturnStep>,
    /// Its number, or its identifier (32 hexadecimal digits).
    #[arg(value_name = "ID|NUMBER", required = true)]
    pub(super) order: Option<String>,
    /// So many units of this line; lines count from 0. May be repeated.
    #[arg(long = "line", required = true, value_name = "LINE=QTY")]
    pub(super) lines: Vec<String>,
    /// Where they lie now.
    #[arg(long, default_value = "main")]
    pub(super) site: String,
    /// Name of this return (a number); a repeat of it changes nothing. Drawn unless given.
    #[arg(long)]
    pub(super) change: Option<u64>,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

/// One step of a return.
#[derive(Debug, Subcommand)]
pub(super) enum ReturnStep {
    /// Say that goods are to come back, or are on their way. See docs/RETURNS.md.
    Request {
        #[command(flatten)]
        order: NamedOrder,
        /// How that came: customer_return, wrong_item, refused, not_collected or carrier_return. The last three are of
        /// goods that did not reach the customer, and begin approved.
        #[arg(long, default_value = "customer_return", value_parser = kind, value_name = "KIND")]
        kind: ReturnKind,
        /// Why: unspecified, changed_mind, does_not_fit, defective, damaged_in_transit, not_as_described,
        /// wrong_item_sent, arrived_late, ordered_twice or other.
        #[arg(long, default_value = "unspecified", value_parser = reason, value_name = "REASON")]
        reason: ReturnReason,
        /// So many units of this line; lines count from 0. May be repeated.
        #[arg(long = "line", required = true, value_name = "LINE=QTY")]
        lines: Vec<String>,
        /// Number of the return, another one for each of an order; the same again changes nothing. Drawn unless given.
        #[arg(long = "return", value_name = "RETURN")]
        id: Option<u64>,
    },
    /// Agree to a return.
    Approve {
        #[command(flatten)]
        which: Which,
    },
    /// Do not agree to a return.
    Decline {
        #[command(flatten)]
        which: Which,
        /// Why: unspecified, too_late, not_returnable, used, incomplete, not_ours or other.
        #[arg(long, default_value = "unspecified", value_parser = declined, value_name = "REASON")]
        reason: DeclineReason,
    },
    /// Tell how far a return has come.
    Report {
        #[command(flatten)]
        which: Which,
        /// To where: label_sent, in_transit, lost, cancelled, expired or closed.
        #[arg(value_parser = told, value_name = "STAGE")]
        stage: ReturnReport,
    },
    /// Say what came in with a return. It lies set aside until somebody inspects it.
    Receive {
        #[command(flatten)]
        which: Which,
        /// So many units of this line at this site, in all; lines count from 0. May be repeated.
        #[arg(long = "line", required = true, value_name = "LINE=TOTAL")]
        lines: Vec<String>,
        /// Where it lies.
        #[arg(long, default_value = "main")]
        site: String,
    },
    /// Say what becomes of units that came in with a return.
    Inspect {
        #[command(flatten)]
        which: Which,
        /// What: restock, quality_hold, damaged, dispose, back_to_customer or back_to_supplier.
        #[arg(value_parser = disposition, value_name = "DISPOSITION")]
        disposition: Disposition,
        /// Of so many units of this line at this site, in all; lines count from 0. May be repeated.
        #[arg(long = "line", required = true, value_name = "LINE=TOTAL")]
        lines: Vec<String>,
        /// Where they lie.
        #[arg(long, default_value = "main")]
        site: String,
    },
}

/// An order, and where to ask.
#[derive(Debug, Args)]
pub(super) struct NamedOrder {
    /// Its number, or its identifier (32 hexadecimal digits).
    #[arg(value_name = "ID|NUMBER")]
    pub(super) order: String,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

/// A return of an order.
#[derive(Debug, Args)]
pub(super) struct Which {
    #[command(flatten)]
    pub(super) order: NamedOrder,
    /// Number of the return.
    #[arg(value_name = "RETURN")]
    pub(super) id: u64,
}

impl ReturnStep {
    /// Where to ask.
    pub(super) const fn client_mut(&mut self) -> &mut ClientArgs {
        match self {
            Self::Request { order, .. } => &mut order.client,
            Self::Approve { which }
            | Self::Decline { which, .. }
            | Self::Report { which, .. }
            | Self::Receive { which, .. }
            | Self::Inspect { which, .. } => &mut which.order.client,
        }
    }
}

/// The one of these that is called so; a dash is as good as a line below.
fn word<T: Copy>(text: &str, all: &[T], name: impl Fn(T) -> &'static str) -> Result<T, String> {
    let text = text.replace('-', "_");
    let known = all.iter().copied().find(|one| name(*one) == text);
    known.ok_or_else(|| format!("must be one of {}", all.iter().map(|one| name(*one)).collect::<Vec<_>>().join(", ")))
}

fn kind(text: &str) -> Result<ReturnKind, String> {
    word(text, ReturnKind::ALL, ReturnKind::name)
}

fn reason(text: &str) -> Result<ReturnReason, String> {
    word(text, ReturnReason::ALL, ReturnReason::name)
}

fn declined(text: &str) -> Result<DeclineReason, String> {
    word(text, DeclineReason::ALL, DeclineReason::name)
}

fn disposition(text: &str) -> Result<Disposition, String> {
    word(text, Disposition::ALL, Disposition::name)
}

/// The stages that somebody may tell of and for which there is no command of their own.
const TOLD: [ReturnStage; 6] = [
    ReturnStage::LabelSent,
    ReturnStage::InTransit,
    ReturnStage::Lost,
    ReturnStage::Cancelled,
    ReturnStage::Expired,
    ReturnStage::Closed,
];

fn told(text: &str) -> Result<ReturnReport, String> {
    let stage = word(text, &TOLD, ReturnStage::name)?;
    ReturnReport::of(stage, None).ok_or_else(|| format!("nobody tells of {}", stage.name()))
}
