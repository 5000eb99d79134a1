//! Where a request comes from.

use std::net::{IpAddr, Ipv6Addr};

use crate::keys::BrowserKey;
use crate::remembered::RememberCookie;

/// Where a request comes from: for limits, for the audit trail, and for the list of signed-in browsers.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The network address, from the socket or from a trusted proxy.
    pub address: IpAddr,
    /// What the browser says of itself; shown to the account's owner, trusted for nothing.
    pub user_agent: String,
    /// The id under which the request is logged.
    pub request_id: String,
    /// The long-lived cookie of a browser that has been here before.
    pub browser: Option<BrowserKey>,
    /// The cookie of a remembered browser, good or not.
    pub remembered: Option<RememberCookie>,
}

impl Visitor {
    /// What limits count by.
    pub(crate) fn network(&self) -> IpAddr {
        network(self.address)
    }
}

/// What limits on an address count by: the address itself, or the network of 2^64 IPv6 addresses that one client has to
/// itself.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}
