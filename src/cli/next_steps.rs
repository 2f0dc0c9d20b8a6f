//! What a server says when it is ready: where it listens, and commands to try next that work when they are copied.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

use super::suggestion::quoted;
use crate::client::ClientOptions;
use crate::wal::Durability;

/// The text. Its first line is for programs too: `stockade is ready on ADDRESS (UDP), data in DIR`.
pub(super) fn text(address: SocketAddr, data: &Path, asks_for_certificate: bool, durability: Durability) -> String {
    let mut text = format!("stockade is ready on {address} (UDP), data in {}\n", data.display());
    if !address.ip().is_loopback() || asks_for_certificate {
        text += "\nClients need the certificate that vouches for this server, and one of their own:\n";
        text += &format!("  stockade status --connect {address} --ca FILE --client-cert FILE --client-key FILE\n");
        return text;
    }
    let (program, server) = (quoted(&program()), server_flags(address, data));
    text += "\nTry next, in another terminal:\n";
    for command in [
        "sku create MUG-BLUE",
        "stock receive MUG-BLUE 100",
        "order place --line MUG-BLUE=2@12.50",
        "order list",
        "order confirm 1",
        "status",
    ] {
        // Writing to a string does not fail.
        let _written = writeln!(text, "  {program} {command}{server}");
    }
    text += &format!("\nCtrl-C stops it; {}.\n", kept(durability));
    text
}

/// What a stop leaves.
pub(super) const fn kept(durability: Durability) -> &'static str {
    match durability {
        Durability::Sync | Durability::Interval { .. } => "what was answered is kept",
        Durability::Memory => "nothing is kept, because durability is memory",
    }
}

/// As the reader started it, so that it is found the same way again.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "stockade".to_owned())
}

/// Flags that a client needs besides the defaults.
fn server_flags(address: SocketAddr, data: &Path) -> String {
    let mut flags = String::new();
    if address != ClientOptions::ADDRESS_DEFAULT {
        flags += &format!(" --connect {address}");
    }
    if data != Path::new("data") {
        flags += &format!(" --data {}", quoted(&data.to_string_lossy()));
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_its_defaults_needs_no_flags_and_any_other_is_told_with_them() {
        assert_eq!(server_flags(ClientOptions::ADDRESS_DEFAULT, Path::new("data")), "");
        let other = server_flags("127.0.0.1:9000".parse().expect("an address"), Path::new("my data"));
        assert_eq!(other, " --connect 127.0.0.1:9000 --data 'my data'");
    }

    #[test]
    fn the_first_line_tells_the_address() {
        let text = text("127.0.0.1:9000".parse().expect("an address"), Path::new("d"), false, Durability::Sync);
        assert_eq!(text.lines().next(), Some("stockade is ready on 127.0.0.1:9000 (UDP), data in d"));
        assert!(text.contains("order place --line MUG-BLUE=2@12.50 --connect 127.0.0.1:9000 --data d"), "{text}");
        assert!(text.ends_with("Ctrl-C stops it; what was answered is kept.\n"), "{text}");
    }
}
