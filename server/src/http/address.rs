//! Whose request it is, as far as the network knows.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// How the address of a client is found out.
#[derive(Clone, Copy, Debug)]
pub struct TrustedProxies(u8);

impl TrustedProxies {
    /// This many proxies of ours in a row; with none, the other end of the socket is the client.
    #[must_use]
    pub const fn in_front(number: u8) -> Self {
        Self(number)
    }

    /// The address of the client.
    ///
    /// Each proxy appends the address that it was called from, so counted from the right the last entry that we believe is
    /// the one the outermost of our proxies added. What stands further left, and any other header, the client may have
    /// written itself. A header with fewer entries than proxies came past one of them: then the socket alone counts.
    pub(super) fn client_of(self, request: &Parts) -> IpAddr {
        let socket = request
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| address.ip());
        let named =
            usize::from(self.0).checked_sub(1).and_then(|skipped| nth_from_the_right(&request.headers, skipped));
        named.unwrap_or(socket).to_canonical()
    }
}

fn nth_from_the_right(headers: &HeaderMap, skipped: usize) -> Option<IpAddr> {
    let lines = headers.get_all(X_FORWARDED_FOR);
    let entries: Vec<_> = lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).collect();
    parse(entries.iter().rev().nth(skipped)?.trim())
}

/// An address, as proxies write it: bare, or with a port.
fn parse(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    bare.parse().ok().or_else(|| entry.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn client(proxies: u8, lines: &[&str]) -> String {
        let mut request = Request::builder().extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 9], 4000))));
        for line in lines {
            request = request.header("x-forwarded-for", *line);
        }
        let (parts, ()) = request.header("forwarded", "for=203.0.113.1").body(()).expect("a request").into_parts();
        TrustedProxies::in_front(proxies).client_of(&parts).to_string()
    }

    #[test]
    fn without_proxies_only_the_socket_counts() {
        assert_eq!(client(0, &[]), "192.0.2.9");
        assert_eq!(client(0, &["203.0.113.7"]), "192.0.2.9");
    }

    #[test]
    fn with_proxies_the_entry_of_the_outermost_one_counts() {
        assert_eq!(client(1, &["198.51.100.1, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(client(2, &["198.51.100.1, 203.0.113.7"]), "198.51.100.1");
        assert_eq!(client(2, &["10.0.0.1", "198.51.100.1", "203.0.113.7"]), "198.51.100.1");
        assert_eq!(client(1, &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(client(1, &["203.0.113.7:8080"]), "203.0.113.7");
    }

    #[test]
    fn a_header_that_does_not_fit_is_not_believed() {
        assert_eq!(client(2, &["203.0.113.7"]), "192.0.2.9");
        assert_eq!(client(1, &[]), "192.0.2.9");
        assert_eq!(client(1, &["203.0.113.7, unknown"]), "192.0.2.9");
    }

    #[test]
    fn the_same_client_has_one_address_in_both_families() {
        assert_eq!(client(1, &["::ffff:203.0.113.7"]), "203.0.113.7");
    }
}
