//! Where a request comes from.

use std::net::IpAddr;

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
