//! What the documents say about the engine's behaviour, sentence by sentence.
//!
//! ```text
//!            ┌─► engine ──fact──► fold ─┬─► same answer, same stock, same orders, same books as the twin
//! command ───┤                          ├─► invariants hold
//!            └─► twin                   └─► a second engine that only folds the facts has the same digest
//! ```
//!
//! `rig` does that for every single command, `script` lets a test be written as text, `walk` makes up commands at
//! random. The other modules are the sentences.

mod dice;
mod rig;
mod script;
mod tasking;
mod twin;
mod unpaid;
mod walk;
mod wanting;

mod attempting;
mod bounds;
mod cancelling;
mod capping;
mod catalogue;
mod checking;
mod checking_bounds;
mod counting;
mod editing;
mod editing_bounds;
mod editing_money;
mod ending;
mod erasing;
mod exactly_once;
mod extending;
mod finding;
mod following;
mod happening;
mod holding;
mod hostile;
mod kits;
mod limiting;
mod looking;
mod overselling;
mod paying;
mod paying_again;
mod paying_bounds;
mod paying_late;
mod placing;
mod receiving;
mod refunding;
mod refunding_laws;
mod replaying;
mod retaining;
mod return_stages;
mod returning;
mod returning_bounds;
mod sending_back;
mod shipping;
mod stages;
mod states;
mod stock;
mod stock_levels;
mod velocity;
mod waiting;
