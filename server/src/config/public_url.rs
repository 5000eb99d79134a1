//! The address that browsers know the server by.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use axum::http::Uri;

/// The server's address as browsers see it: scheme, host and port, which together are its origin.
///
/// Links in messages, the line that binds a text message to this site, and the check of `Origin` all use it. None of them
/// ever uses the `Host` header, which the sender of a request chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    is_https: bool,
    host: String,
    /// `None` is the scheme's own.
    port: Option<u16>,
}

/// The text is no such address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected https://HOST or https://HOST:PORT, with nothing behind it")]
pub struct InvalidPublicUrl;

impl PublicUrl {
    /// Parses an address. It may end with one slash; a path, a query or a user has no place in it.
    ///
    /// # Errors
    /// [`InvalidPublicUrl`].
    pub fn parse(raw: &str) -> Result<Self, InvalidPublicUrl> {
        let uri: Uri = raw.trim().parse().map_err(|_| InvalidPublicUrl)?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(InvalidPublicUrl),
        };
        let authority = uri.authority().ok_or(InvalidPublicUrl)?;
        let has_port_text = authority.as_str().len() > authority.host().len();
        if !matches!(uri.path(), "" | "/")
            || uri.query().is_some()
            || raw.contains(['#', '@'])
            || authority.host().is_empty()
            || (has_port_text && authority.port_u16().is_none())
        {
            return Err(InvalidPublicUrl);
        }
        let default_port = if is_https { 443 } else { 80 };
        Ok(Self {
            is_https,
            host: authority.host().to_ascii_lowercase(),
            port: authority.port_u16().filter(|&port| port != default_port),
        })
    }

    /// The address of a development server: where it listens, or this machine where it listens everywhere.
    #[must_use]
    pub fn of_listener(address: SocketAddr) -> Self {
        let host = match address.ip() {
            ip if ip.is_unspecified() => "127.0.0.1".to_owned(),
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        Self { is_https: false, host, port: Some(address.port()).filter(|&port| port != 80) }
    }

    /// The same server by another name.
    #[must_use]
    pub fn with_host(&self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self.clone() }
    }

    /// Whether it is encrypted on the way.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.is_https
    }

    /// The host without the port, as the last line of a text message wants it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for PublicUrl {
    /// The origin, as browsers write it in the header of that name.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(formatter, "{scheme}://{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(formatter, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_browsers_write_an_origin() {
        for (raw, origin) in [
            ("https://Twofold.Example", "https://twofold.example"),
            ("https://twofold.example/", "https://twofold.example"),
            ("https://twofold.example:443", "https://twofold.example"),
            ("http://127.0.0.1:4000", "http://127.0.0.1:4000"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(PublicUrl::parse(raw).expect(raw).to_string(), origin);
        }
    }

    #[test]
    fn anything_more_than_an_origin_is_refused() {
        for raw in [
            "",
            "twofold.example",
            "//twofold.example",
            "ftp://twofold.example",
            "https://",
            "https://twofold.example/login",
            "https://twofold.example/?a",
            "https://twofold.example#a",
            "https://user@twofold.example",
            "https://twofold.example:port",
            "https://twofold.example:99999",
            "javascript:alert(1)",
        ] {
            assert_eq!(PublicUrl::parse(raw), Err(InvalidPublicUrl), "{raw}");
        }
    }

    #[test]
    fn a_listener_has_one_too() {
        let url = |address: &str| PublicUrl::of_listener(address.parse().expect("an address")).to_string();
        assert_eq!(url("127.0.0.1:3000"), "http://127.0.0.1:3000");
        assert_eq!(url("[::1]:3000"), "http://[::1]:3000");
        assert_eq!(url("0.0.0.0:3000"), "http://127.0.0.1:3000");
    }

    #[test]
    fn the_host_has_no_port() {
        assert_eq!(PublicUrl::parse("https://twofold.example:8443").expect("a URL").host(), "twofold.example");
    }
}
