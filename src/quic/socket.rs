//! UDP sockets with buffers large enough for a burst.
//!
//! # Why so
//! quinn leaves the kernel's default buffers, which hold fewer than 100 full packets. Linux grants what
//! `net.core.rmem_max` allows and says nothing, so the grant is read back and a small one is reported once.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Once;

use socket2::{Domain, Protocol, Socket, Type};

use crate::base::limits::SOCKET_BUFFER_BYTES;

static SMALL_BUFFERS: Once = Once::new();

/// A socket bound to `address` with the largest buffers the kernel grants, up to [`SOCKET_BUFFER_BYTES`] each way.
///
/// # Errors
/// Whatever `bind` says; small buffers are a warning.
pub fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
    // Linux reports twice what it grants, for its own bookkeeping.
    let granted = socket.recv_buffer_size()?.min(socket.send_buffer_size()?) / 2;
    if granted < SOCKET_BUFFER_BYTES {
        SMALL_BUFFERS.call_once(|| {
            tracing::warn!(
                granted_bytes = granted,
                wanted_bytes = SOCKET_BUFFER_BYTES,
                "the kernel grants small UDP buffers; bursts will lose packets. Raise net.core.rmem_max and \
                 net.core.wmem_max (sysctl)"
            );
        });
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}
