//! The formula of the server's memory, as far as a run holds it against what it sees: three sums, told by the server
//! this run started when it starts.
//!
//! The whole formula has room for a million orders and every connection there may be, so much that an attack by a few
//! hundred connections could break it unseen. What the door may take for the connections that are really open is the
//! sharper bound, and what is seen must be below both.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Bytes the server may take at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Formula {
    /// The whole process, everything full.
    pub(crate) memory_bytes_max: u64,
    /// What connections share, and handshakes under way.
    pub(crate) door_bytes_max: u64,
    /// What every connection may take beside it.
    pub(crate) connection_bytes_max: u64,
}

impl Formula {
    /// What the door may take while so many connections are open.
    pub(crate) const fn door(&self, connections: u64) -> u64 {
        self.door_bytes_max + self.connection_bytes_max * connections
    }
}

/// One line, for [`Formula::from_str`].
impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.memory_bytes_max, self.door_bytes_max, self.connection_bytes_max)
    }
}

impl FromStr for Formula {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let numbers: Vec<u64> = line.split_whitespace().map_while(|number| number.parse().ok()).collect();
        let [memory_bytes_max, door_bytes_max, connection_bytes_max] = numbers[..] else { return Err(()) };
        Ok(Self { memory_bytes_max, door_bytes_max, connection_bytes_max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_travels_as_a_line_and_grows_with_connections() {
        let formula = Formula { memory_bytes_max: 900, door_bytes_max: 70, connection_bytes_max: 3 };
        assert_eq!(formula.to_string().parse(), Ok(formula));
        assert_eq!(formula.door(10), 100);
        assert_eq!("1 2".parse::<Formula>(), Err(()));
    }
}
