//! The program: everything it does is in the library's `cli`.

use std::process::ExitCode;

/// Allocations of many threads and one size; the shards make none in the steady state, the network does.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    stockade::cli::run()
}
