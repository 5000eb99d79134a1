//! Randomness: the only place that asks for it.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use zeroize::Zeroizing;

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random ones.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    /// # Panics
    /// If the operating system has no randomness, for then nothing here is safe.
    #[expect(clippy::disallowed_methods, reason = "the one real generator")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has no randomness");
    }
}

impl dyn Entropy + '_ {
    /// An array of random bytes.
    #[must_use]
    pub fn array<const N: usize>(&self) -> Zeroizing<[u8; N]> {
        let mut bytes = Zeroizing::new([0; N]);
        self.fill(bytes.as_mut_slice());
        bytes
    }

    /// A new id of 128 bits, as 32 hex digits. Ids are names, not secrets.
    #[must_use]
    pub fn id(&self) -> String {
        HEXLOWER.encode(self.array::<16>().as_slice())
    }

    /// A secret of 256 bits as base64url, for a cookie.
    #[must_use]
    pub fn secret_text(&self) -> String {
        BASE64URL_NOPAD.encode(self.array::<32>().as_slice())
    }

    /// A uniform number below `bound`.
    #[must_use]
    pub fn below(&self, bound: u32) -> u32 {
        // Values from the last, partial stretch of the range would make small numbers likelier; draw again.
        let fair = u32::MAX - u32::MAX % bound;
        loop {
            let drawn = u32::from_le_bytes(*self.array::<4>());
            if drawn < fair {
                return drawn % bound;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_uniform() {
        let entropy: &dyn Entropy = &SystemEntropy;
        let mut buckets = [0_u32; 100];
        for _ in 0..100_000 {
            buckets[(entropy.below(1_000_000) / 10_000) as usize] += 1;
        }
        let chi_square: f64 = buckets.iter().map(|count| (f64::from(*count) - 1000.0).powi(2) / 1000.0).sum();
        // 99 degrees of freedom: 148.2 is the 0.999 quantile, 180 is passed by chance once in about ten million runs.
        assert!(chi_square < 180.0, "{chi_square}");
    }

    #[test]
    fn ids_and_secrets_differ() {
        let entropy: &dyn Entropy = &SystemEntropy;
        assert_ne!(entropy.id(), entropy.id());
        assert_eq!(entropy.id().len(), 32);
        assert_eq!(entropy.secret_text().len(), 43);
    }
}
