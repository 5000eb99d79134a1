//! `otpauth://totp/…` links: the setup key as other vendors' apps read it.

use crate::totp::{Algorithm, InvalidParameters, Parameters, Secret, Totp};

/// A setup key with the names that an app shows for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otpauth {
    /// Who issued it: Twofold and the practice, or another site.
    pub issuer: String,
    /// Whose it is, for example a user name.
    pub account: String,
    /// The shared key.
    pub secret: Secret,
    /// Digits, period and algorithm.
    pub parameters: Parameters,
}

/// Why a link is not a TOTP setup key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOtpauth {
    /// Another scheme, or `otpauth://hotp/`.
    #[error("not an otpauth://totp/ link")]
    NotTotp,
    /// A `%` that is not followed by two hex digits, or bytes that are no UTF-8.
    #[error("the link is damaged")]
    Encoding,
    /// No `secret`, or one that is not base32.
    #[error("the link has no readable key")]
    SecretMissing,
    /// A figure that is not a number, or an algorithm of another name.
    #[error("the link asks for parameters that nobody knows")]
    UnknownParameter,
    /// Figures out of range.
    #[error(transparent)]
    Parameters(#[from] InvalidParameters),
}

impl Otpauth {
    /// The link. Names are percent-encoded; digits, period and algorithm are always said, for some apps guess.
    ///
    /// An issuer with a colon stands in its parameter alone: apps decode the label before they look for the colon in it.
    #[must_use]
    pub fn to_uri(&self) -> String {
        let label_issuer = if self.issuer.contains(':') { "" } else { &self.issuer };
        format!(
            "otpauth://totp/{label_issuer}:{account}?secret={secret}&issuer={issuer}&algorithm={algorithm}&digits={digits}&period={period}",
            label_issuer = encode(label_issuer),
            issuer = encode(&self.issuer),
            account = encode(&self.account),
            secret = self.secret.expose_base32(),
            algorithm = self.parameters.algorithm.name(),
            digits = self.parameters.digits,
            period = self.parameters.period,
        )
    }

    /// Reads a link of any issuer. What it does not say is 6 digits, SHA-1, 30 s; unknown names are ignored.
    ///
    /// # Errors
    /// [`InvalidOtpauth`]; in particular for digits outside 6 to 8, periods outside 15 to 120 s and keys under 128 bits.
    pub fn parse(uri: &str) -> Result<Self, InvalidOtpauth> {
        const SCHEME: &str = "otpauth://totp/";
        let (scheme, rest) = uri.trim().split_at_checked(SCHEME.len()).ok_or(InvalidOtpauth::NotTotp)?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(InvalidOtpauth::NotTotp);
        }
        let (label, query) = rest.split_once('?').ok_or(InvalidOtpauth::SecretMissing)?;
        let label = decode(label)?;
        let (label_issuer, account) = match label.split_once(':') {
            Some((issuer, account)) => (issuer.trim(), account.trim()),
            None => ("", label.trim()),
        };
        let mut issuer = label_issuer.to_owned();
        let mut secret = None;
        let mut parameters = Parameters::OTHER_VENDOR;
        for pair in query.split('#').next().unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(value)?;
            match name.to_ascii_lowercase().as_str() {
                "secret" => secret = Secret::from_base32(&value),
                "issuer" => value.trim().clone_into(&mut issuer),
                "algorithm" => {
                    parameters.algorithm = Algorithm::from_name(&value).ok_or(InvalidOtpauth::UnknownParameter)?;
                }
                "digits" => parameters.digits = value.parse().map_err(|_| InvalidOtpauth::UnknownParameter)?,
                "period" => parameters.period = value.parse().map_err(|_| InvalidOtpauth::UnknownParameter)?,
                _ => {}
            }
        }
        let secret = secret.ok_or(InvalidOtpauth::SecretMissing)?;
        Totp::new(&secret, parameters)?;
        Ok(Self { issuer, account: account.to_owned(), secret, parameters })
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986 §2.3.
fn encode(text: &str) -> String {
    use core::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn decode(text: &str) -> Result<String, InvalidOtpauth> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16)).ok_or(InvalidOtpauth::Encoding);
            let value = digit()? * 16 + digit()?;
            bytes.push(u8::try_from(value).map_err(|_| InvalidOtpauth::Encoding)?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| InvalidOtpauth::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::Index;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

    fn key(issuer: &str, account: &str, parameters: Parameters) -> Otpauth {
        Otpauth {
            issuer: issuer.into(),
            account: account.into(),
            secret: Secret::new(b"12345678901234567890".to_vec()),
            parameters,
        }
    }

    #[test]
    fn every_parameter_is_said_and_names_are_encoded() {
        assert_eq!(
            key("Twofold – Elm & Oak", "ada", Parameters::OTHER_VENDOR).to_uri(),
            "otpauth://totp/Twofold%20%E2%80%93%20Elm%20%26%20Oak:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Twofold%20%E2%80%93%20Elm%20%26%20Oak&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn links_of_others_are_read() {
        let read = Otpauth::parse("otpauth://totp/ada%40elm.test?secret=gezd gnbv-gy3tqojqgezdgnbvgy3tqojq").unwrap();
        assert_eq!((read.issuer.as_str(), read.account.as_str()), ("", "ada@elm.test"));
        assert_eq!(read.parameters, Parameters::OTHER_VENDOR);
    }

    #[test]
    fn malformed_links_are_refused_with_a_reason() {
        let secret = "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (link, reason) in [
            ("https://totp/a?secret=A".to_owned(), InvalidOtpauth::NotTotp),
            (format!("otpauth://hotp/a?{secret}"), InvalidOtpauth::NotTotp),
            ("otpauth://totp/a".to_owned(), InvalidOtpauth::SecretMissing),
            ("otpauth://totp/a?secret=!".to_owned(), InvalidOtpauth::SecretMissing),
            (format!("otpauth://totp/a%2?{secret}"), InvalidOtpauth::Encoding),
            (format!("otpauth://totp/a%FF?{secret}"), InvalidOtpauth::Encoding),
            (format!("otpauth://totp/a?{secret}&algorithm=none"), InvalidOtpauth::UnknownParameter),
            (format!("otpauth://totp/a?{secret}&digits=6e0"), InvalidOtpauth::UnknownParameter),
            (format!("otpauth://totp/a?{secret}&digits=1"), InvalidParameters::Digits.into()),
            (format!("otpauth://totp/a?{secret}&period=0"), InvalidParameters::Period.into()),
            ("otpauth://totp/a?secret=GEZDGNBV".to_owned(), InvalidParameters::SecretTooShort.into()),
        ] {
            assert_eq!(Otpauth::parse(&link), Err(reason), "{link}");
        }
    }

    #[test]
    fn a_colon_in_a_name_stays_there() {
        let both = key("Bank: north", "ada:1", Parameters::OTHER_VENDOR);
        assert!(both.to_uri().starts_with("otpauth://totp/:ada%3A1?"), "{}", both.to_uri());
        for key in [both, key("Bank", "ada:1", Parameters::OTHER_VENDOR), key("", ":", Parameters::OTHER_VENDOR)] {
            assert_eq!(Otpauth::parse(&key.to_uri()), Ok(key));
        }
    }

    /// Whatever is read is written as something that is read alike.
    fn check(link: &str) -> Result<(), TestCaseError> {
        if let Ok(key) = Otpauth::parse(link) {
            prop_assert_eq!(Otpauth::parse(&key.to_uri()), Ok(key));
        }
        Ok(())
    }

    /// Many links that are bent, and the same ones in each run.
    #[test]
    fn a_bent_link_is_refused_or_written_as_it_was_read() {
        const PIECES: [&str; 22] = [
            ":",
            "%3A",
            "%3a",
            "%",
            "%2",
            "%00",
            "%FF",
            "%C3%A9",
            "é",
            "😀",
            "\u{0}",
            " ",
            "+",
            "?",
            "&",
            "=",
            "#",
            "/",
            "&issuer=",
            "&digits=8",
            "&period=4294967296",
            "&algorithm=SHA512",
        ];
        let links = [
            key("Bank: north", "ada:1", Parameters::OTHER_VENDOR).to_uri(),
            key("Zoë & co.", "50 %", Parameters::OWN).to_uri(),
            "OTPAUTH://TOTP/Bank%3Aada?SECRET=gezdgnbv-gy3t qojqGEZDGNBVGY3TQOJQ====&image=x#y".to_owned(),
        ];
        let at = any::<Index>;
        let mutation = (at(), at(), proptest::option::of(proptest::sample::select(&PIECES[..])), at());
        let bent = (at(), proptest::collection::vec(mutation, 1..6)).prop_map(|(which, mutations)| {
            let mut link: Vec<char> = which.get(&links).chars().collect();
            for (from, to, piece, other) in mutations {
                let (from, to) = (from.index(link.len() + 1), to.index(link.len() + 1));
                let put: Vec<char> = match piece {
                    Some(piece) => piece.chars().collect(),
                    None => link[other.index(link.len() + 1)..].to_vec(),
                };
                // A piece goes in, or takes the place of something short; without one the link goes on elsewhere.
                let to = if to.saturating_sub(from) < 8 { to.max(from) } else { from };
                link.splice(from..to, put);
                link.truncate(4096);
            }
            link.into_iter().collect::<String>()
        });
        let config = Config { cases: 10_000, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        if let Err(found) = runner.run(&bent, |link| check(&link)) {
            panic!("{found}");
        }
    }

    proptest! {
        #[test]
        fn a_link_reads_back(issuer in ".{0,30}", account in ".{0,30}", digits in 6_u8..=8, period in 15_u32..=120) {
            let (issuer, account) = (issuer.trim(), account.trim());
            let key = key(issuer, account, Parameters { algorithm: Algorithm::Sha256, digits, period });
            prop_assert_eq!(Otpauth::parse(&key.to_uri()), Ok(key));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,60}", query in "\\PC{0,60}") {
            let _ = Otpauth::parse(&text);
            let _ = Otpauth::parse(&format!("otpauth://totp/{text}?{query}"));
        }
    }
}
