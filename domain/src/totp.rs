//! TOTP (RFC 6238) around `totp-rs`: explicit parameters, a window of three steps, the matched step returned.

use core::fmt;

use serde::{Deserialize, Serialize};
use subtle::{Choice, ConditionallySelectable as _};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::time::Timestamp;
use crate::token::Token;

/// Steps accepted on either side of the server's own: t-1, t, t+1 and never more (RFC 6238 §5.2).
pub const SKEW: u64 = 1;

/// The hash under the HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// HMAC-SHA-1: what most other vendors' apps know, and nothing else does.
    Sha1,
    /// HMAC-SHA-256: Twofold's own authenticator.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Algorithm {
    /// All of them, weakest first.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The name in `otpauth://` links and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// The algorithm of that name, in either case and with or without a hyphen.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let plain: String = name.chars().filter(|c| *c != '-').collect();
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(&plain))
    }

    const fn of_library(self) -> totp_rs::Algorithm {
        match self {
            Self::Sha1 => totp_rs::Algorithm::SHA1,
            Self::Sha256 => totp_rs::Algorithm::SHA256,
            Self::Sha512 => totp_rs::Algorithm::SHA512,
        }
    }
}

/// Digits, period and algorithm: all that is public of a TOTP key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// The hash under the HMAC.
    pub algorithm: Algorithm,
    /// Digits of a token, 6 to 8.
    pub digits: u8,
    /// Seconds that a step lasts, 15 to 120.
    pub period: u32,
}

impl Parameters {
    /// Another vendor's app: 6 digits, SHA-1, 30 s, for many know no other form. Secret: [`OTHER_VENDOR_SECRET_BYTES`].
    pub const OTHER_VENDOR: Self = Self { algorithm: Algorithm::Sha1, digits: 6, period: 30 };
    /// Twofold's own authenticator: 7 digits, SHA-256, 30 s. Secret: [`OWN_SECRET_BYTES`].
    pub const OWN: Self = Self { algorithm: Algorithm::Sha256, digits: 7, period: 30 };
}

/// Length of a secret for another vendor's app: the output of SHA-1 (RFC 4226 R6).
pub const OTHER_VENDOR_SECRET_BYTES: usize = 20;
/// Length of a device's secret: the output of SHA-256 (RFC 6238 §5.1).
pub const OWN_SECRET_BYTES: usize = 32;

/// The shared key. No `Display`, a redacted `Debug`, wiped on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The key with these bytes; [`Totp::new`] judges their number.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Reads base32 (RFC 4648), in either case, with spaces, hyphens and padding ignored.
    #[must_use]
    pub fn from_base32(text: &str) -> Option<Self> {
        let plain: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '='))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        if plain.is_empty() {
            return None;
        }
        totp_rs::Secret::try_from_base32(&plain).ok().map(|secret| Self(secret.as_bytes().to_vec()))
    }

    /// The setup key that a person types: base32 without padding.
    #[must_use]
    pub fn expose_base32(&self) -> String {
        totp_rs::Secret::new(self.0.clone().into_boxed_slice()).to_base32()
    }

    /// The bytes themselves, for encryption at rest.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A numbered period: `unix seconds / period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Step(u64);

impl Step {
    /// The step with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The step in which `now` lies.
    #[must_use]
    pub const fn at(now: Timestamp, period: u32) -> Self {
        Self(now.unix_seconds() / period as u64)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// Why parameters make no TOTP key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum InvalidParameters {
    /// Not 6, 7 or 8.
    #[error("a token has 6 to 8 digits")]
    Digits,
    /// Not 15 to 120 seconds.
    #[error("a period lasts 15 to 120 seconds")]
    Period,
    /// Fewer than 128 bits (RFC 4226 R6).
    #[error("a key has at least 16 bytes")]
    SecretTooShort,
}

/// A TOTP key that makes and finds tokens.
pub struct Totp {
    inner: totp_rs::Totp,
    parameters: Parameters,
}

impl fmt::Debug for Totp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Totp").field("parameters", &self.parameters).finish_non_exhaustive()
    }
}

impl Totp {
    /// The key of `secret` with `parameters`.
    ///
    /// # Errors
    /// [`InvalidParameters`] names the first figure out of range.
    pub fn new(secret: &Secret, parameters: Parameters) -> Result<Self, InvalidParameters> {
        if !(6..=8).contains(&parameters.digits) {
            return Err(InvalidParameters::Digits);
        }
        if !(15..=120).contains(&parameters.period) {
            return Err(InvalidParameters::Period);
        }
        let inner = totp_rs::Builder::new()
            .with_algorithm(parameters.algorithm.of_library())
            .with_digits(parameters.digits)
            .with_step_duration(u64::from(parameters.period))
            .with_secret(secret.0.clone())
            .build()
            // Digits and period are in range, so the length of the secret is all that is left to refuse.
            .map_err(|_| InvalidParameters::SecretTooShort)?;
        Ok(Self { inner, parameters })
    }

    /// Its public parameters.
    #[must_use]
    pub const fn parameters(&self) -> Parameters {
        self.parameters
    }

    /// The token of one step.
    #[must_use]
    pub fn token_of(&self, step: Step) -> Token {
        let digits = self.inner.generate(step.0.saturating_mul(u64::from(self.parameters.period))).to_string();
        // totp-rs writes exactly `digits` ASCII digits; parsing them back would only add a way to fail.
        Token::from_number(digits.parse().unwrap_or_default(), self.parameters.digits)
    }

    /// The token that is right at `now`.
    #[must_use]
    pub fn token_at(&self, now: Timestamp) -> Token {
        self.token_of(Step::at(now, self.parameters.period))
    }

    /// The step among t-1, t, t+1 whose token `typed` is, if any.
    ///
    /// All steps are always computed and compared in constant time, so the answer's time does not tell which one
    /// matched. If two steps happen to share a token, the later one is returned, for claiming it spends both.
    /// The caller claims the step, once, in the same transaction as what it opens (RFC 6238 §5.2).
    #[must_use]
    pub fn find_step(&self, typed: &Token, now: Timestamp) -> Option<Step> {
        let current = Step::at(now, self.parameters.period).0;
        let mut found = Choice::from(0);
        let mut matched = 0_u64;
        for step in current.saturating_sub(SKEW)..=current.saturating_add(SKEW) {
            let right = self.token_of(Step(step)).ct_eq(typed);
            matched.conditional_assign(&step, right);
            found |= right;
        }
        bool::from(found).then_some(Step(matched))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::TokenLengths;
    use proptest::prelude::*;

    fn seed(length: usize) -> Secret {
        Secret::new(b"1234567890".iter().copied().cycle().take(length).collect())
    }

    fn totp(algorithm: Algorithm, digits: u8) -> Totp {
        let length = match algorithm {
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        };
        Totp::new(&seed(length), Parameters { algorithm, digits, period: 30 }).unwrap()
    }

    /// RFC 6238 appendix B; with seven and six digits the last ones of the eight (requirements.md 1.12).
    const VECTORS: [(i64, &str, &str, &str); 6] = [
        (59, "94287082", "46119246", "90693936"),
        (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"),
        (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"),
        (20_000_000_000, "65353130", "77737706", "47863826"),
    ];

    #[test]
    fn the_vectors_of_rfc_6238_hold_for_8_7_and_6_digits() {
        for (seconds, sha1, sha256, sha512) in VECTORS {
            for (algorithm, eight) in
                [(Algorithm::Sha1, sha1), (Algorithm::Sha256, sha256), (Algorithm::Sha512, sha512)]
            {
                for digits in [8_u8, 7, 6] {
                    let token = totp(algorithm, digits).token_at(Timestamp::from_seconds(seconds));
                    assert_eq!(token.expose_digits(), &eight[8 - usize::from(digits)..], "{seconds} {algorithm:?}");
                }
            }
        }
    }

    #[test]
    fn the_vectors_of_rfc_4226_hold() {
        let expected =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        let totp = totp(Algorithm::Sha1, 6);
        for (counter, code) in (0_u64..).zip(expected) {
            assert_eq!(totp.token_of(Step(counter)).expose_digits(), code);
        }
    }

    #[test]
    fn three_steps_are_accepted_and_no_other() {
        let totp = totp(Algorithm::Sha1, 8);
        let now = Timestamp::from_seconds(1_234_567_890);
        let current = Step::at(now, 30).number();
        for step in current - 5..=current + 5 {
            let found = totp.find_step(&totp.token_of(Step(step)), now);
            let expected = (current - 1..=current + 1).contains(&step).then_some(Step(step));
            assert_eq!(found, expected, "{step}");
        }
    }

    #[test]
    fn a_token_of_another_length_is_never_right() {
        let now = Timestamp::from_seconds(59);
        let typed = Token::parse("287082", TokenLengths::SIX).unwrap();
        assert_eq!(totp(Algorithm::Sha1, 6).find_step(&typed, now), Some(Step(1)));
        assert_eq!(totp(Algorithm::Sha1, 7).find_step(&typed, now), None);
    }

    #[test]
    fn the_first_moments_of_1970_and_the_end_of_time_do_not_overflow() {
        let totp = totp(Algorithm::Sha1, 6);
        for now in [Timestamp::from_millis(-1), Timestamp::from_millis(0), Timestamp::from_millis(i64::MAX)] {
            let token = totp.token_at(now);
            assert!(totp.find_step(&token, now).is_some());
        }
    }

    #[test]
    fn figures_out_of_range_are_refused() {
        let other = Parameters::OTHER_VENDOR;
        let refused = |secret: &Secret, parameters| Totp::new(secret, parameters).unwrap_err();
        assert_eq!(refused(&seed(20), Parameters { digits: 5, ..other }), InvalidParameters::Digits);
        assert_eq!(refused(&seed(20), Parameters { digits: 9, ..other }), InvalidParameters::Digits);
        assert_eq!(refused(&seed(20), Parameters { period: 0, ..other }), InvalidParameters::Period);
        assert_eq!(refused(&seed(15), other), InvalidParameters::SecretTooShort);
    }

    #[test]
    fn a_setup_key_survives_being_typed() {
        let key = seed(20).expose_base32();
        let typed = format!(" {} {}-{}== ", &key[..4].to_lowercase(), &key[4..8], &key[8..]);
        assert_eq!(Secret::from_base32(&typed), Some(seed(20)));
        assert_eq!(Secret::from_base32("not base32!"), None);
        assert_eq!(Secret::from_base32(" - "), None);
        assert_eq!(format!("{:?}", seed(20)), "Secret(…)");
    }

    proptest! {
        #[test]
        fn the_found_step_is_one_of_the_window_and_makes_the_token(seconds in 0_i64..100_000_000_000, offset in -90_i64..90) {
            let totp = totp(Algorithm::Sha256, 7);
            let token = totp.token_at(Timestamp::from_seconds((seconds + offset).max(0)));
            let now = Timestamp::from_seconds(seconds);
            if let Some(step) = totp.find_step(&token, now) {
                prop_assert!(step.number().abs_diff(Step::at(now, 30).number()) <= SKEW);
                prop_assert!(totp.token_of(step).equals(&token));
            } else {
                prop_assert!(offset.abs() > 30);
            }
        }
    }
}
