//! Commands that an outcome or an error suggests, complete: they work when they are copied into a shell.
//!
//! # Always true
//! - A suggested command goes to the same server and the same market as the one that suggests it.

use super::settings::{ClientSettings, DATA_DEFAULT, MARKET_DEFAULT};
use crate::client::ClientOptions;

/// What every command that a command suggests has in common.
#[derive(Debug, Clone)]
pub(super) struct Suggestion {
    server: String,
    market: String,
}

impl Suggestion {
    pub(super) fn new(settings: &ClientSettings) -> Self {
        let mut server = String::new();
        let mut flag = |name: &str, value: &str| server += &format!(" {name} {}", quoted(value));
        if settings.address != ClientOptions::ADDRESS_DEFAULT || settings.server_name.is_some() {
            let address = settings.address;
            let named = settings.server_name.as_ref().map(|host| format!("{host}:{}", address.port()));
            flag("--connect", &named.unwrap_or_else(|| address.to_string()));
        }
        if settings.data.as_os_str() != DATA_DEFAULT {
            flag("--data", &settings.data.to_string_lossy());
        }
        for (name, file) in [("--ca", &settings.ca), ("--client-cert", &settings.cert), ("--client-key", &settings.key)]
        {
            file.iter().for_each(|file| flag(name, &file.to_string_lossy()));
        }
        let market = match settings.market.as_str() {
            MARKET_DEFAULT => String::new(),
            name => format!(" --market {}", quoted(name)),
        };
        Self { server, market }
    }

    /// A command on the market: what to do, and words of the user's.
    pub(super) fn command(&self, verb: &str, words: &[&str]) -> String {
        format!("{}{}", self.server_command(verb, words), self.market)
    }

    /// A command on no market.
    pub(super) fn server_command(&self, verb: &str, words: &[&str]) -> String {
        let words: String = words.iter().map(|word| format!(" {}", quoted(word))).collect();
        format!("stockade {verb}{words}{}", self.server)
    }
}

/// As a shell takes it for one word.
pub(super) fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-+=:@%,".contains(char);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::Given;
    use super::*;

    fn suggestion(flags: &[(&'static str, &str)]) -> Suggestion {
        let flags = flags.iter().map(|(key, value)| (*key, (*value).to_owned()));
        let given = Given::read(None, std::iter::empty(), flags).expect("known keys");
        Suggestion::new(&ClientSettings::from_given(&given).expect("sound"))
    }

    #[test]
    fn on_the_defaults_no_flag_is_needed_and_words_are_quoted() {
        let command = suggestion(&[]).command("sku create", &["NIX", "blue mug", "it's"]);
        assert_eq!(command, r"stockade sku create NIX 'blue mug' 'it'\''s'");
    }

    #[test]
    fn what_was_given_is_given_again() {
        let given = [("client.connect", "127.0.0.1:9"), ("client.ca", "ca.pem"), ("client.market", "new york")];
        let told = suggestion(&[("data", "d"), given[0], given[1], given[2]]);
        let server = "--connect 127.0.0.1:9 --data d --ca ca.pem";
        assert_eq!(
            told.command("order confirm", &["5"]),
            format!("stockade order confirm 5 {server} --market 'new york'")
        );
        assert_eq!(told.server_command("market create", &["x"]), format!("stockade market create x {server}"));
    }
}
