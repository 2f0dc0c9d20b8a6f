//! quinn's own limits, every one of them set: its defaults are meant for one peer one trusts.

use std::sync::Arc;
use std::time::Duration;

use quinn::congestion::CubicConfig;
use quinn::{IdleTimeout, ServerConfig, TransportConfig, VarInt};

use super::{ServerFault, ServerOptions, tls};
use crate::base::limits::{
    FIRST_FLIGHT_BYTES, FIRST_ROUND_TRIP_MS, INCOMING_BYTES_MAX, INCOMING_BYTES_TOTAL_MAX, INCOMING_MAX,
    SEND_WINDOW_FIRST_BYTES, STREAM_WINDOW_BYTES, STREAMS_MAX, WINDOW_FIRST_BYTES,
};

pub(super) fn config(options: &ServerOptions) -> Result<ServerConfig, ServerFault> {
    let handshake = tls::handshake(&options.identity()?)?;
    let mut config = ServerConfig::with_crypto(Arc::new(handshake));
    config
        .transport_config(Arc::new(transport(options.waits.idle)))
        .migration(false)
        .max_incoming(INCOMING_MAX)
        .incoming_buffer_size(INCOMING_BYTES_MAX as u64)
        .incoming_buffer_size_total(INCOMING_BYTES_TOTAL_MAX as u64);
    Ok(config)
}

/// A connection begins with little; `budget` widens its windows after its first sound frame.
fn transport(idle: Duration) -> TransportConfig {
    let mut congestion = CubicConfig::default();
    congestion.initial_window(FIRST_FLIGHT_BYTES);
    let idle = IdleTimeout::try_from(idle).expect("an idle limit is far below 2^62 ms");
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS_MAX))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(window(STREAM_WINDOW_BYTES))
        .receive_window(window(WINDOW_FIRST_BYTES))
        .send_window(SEND_WINDOW_FIRST_BYTES as u64)
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(Some(idle))
        .initial_rtt(Duration::from_millis(FIRST_ROUND_TRIP_MS))
        .congestion_controller_factory(Arc::new(congestion));
    transport
}

/// Bytes as quinn counts them.
pub(super) fn window(bytes: usize) -> VarInt {
    VarInt::try_from(bytes as u64).unwrap_or(VarInt::MAX)
}
