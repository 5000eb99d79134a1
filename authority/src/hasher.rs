//! Password hashes: argon2id in a bounded number of slots.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::entropy::Entropy;

/// 19 MiB, two passes, one lane: the floor of the OWASP Password Storage cheat sheet.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const SALT_BYTES: usize = 16;
/// Who waits longer than this for a slot is asked to come back.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Every slot is taken, and has been for a while.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("too many passwords are being checked")]
pub(crate) struct Busy;

/// Hashes and verifies, each at the price of one argon2id, whatever the outcome.
#[derive(Clone)]
pub(crate) struct Hasher {
    slots: Arc<Semaphore>,
    /// What an unknown user's password is compared with.
    decoy: Arc<str>,
}

/// What a verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Another password.
    Wrong,
    /// The password, under the figures of today.
    Right,
    /// The password, under weaker figures: hash it again.
    RightButWeak,
}

impl Hasher {
    /// A hasher with `slots` hashes at a time, 19 MiB each.
    pub(crate) fn new(slots: usize, entropy: &dyn Entropy) -> Self {
        let decoy = hash(&entropy.secret_text(), entropy.array::<SALT_BYTES>().as_slice());
        Self { slots: Arc::new(Semaphore::new(slots.max(1))), decoy: decoy.into() }
    }

    /// Waits for a slot. What must not run in parallel more often than hashes do, happens while it is held.
    ///
    /// # Errors
    /// [`Busy`].
    pub(crate) async fn slot(&self) -> Result<Slot, Busy> {
        let permit = tokio::time::timeout(LONGEST_WAIT, Arc::clone(&self.slots).acquire_owned()).await;
        let permit = permit.map_err(|_| Busy)?.map_err(|_| Busy)?;
        Ok(Slot { permit: Arc::new(permit), decoy: Arc::clone(&self.decoy) })
    }
}

/// The right to hash, one at a time.
pub(crate) struct Slot {
    /// Shared with the thread that hashes: a caller who gives up does not free the slot while its memory is in use.
    permit: Arc<OwnedSemaphorePermit>,
    decoy: Arc<str>,
}

impl Slot {
    /// The PHC string of `password`.
    ///
    /// # Errors
    /// [`Busy`] if the runtime is shutting down.
    pub(crate) async fn hash(&mut self, password: &str, entropy: &dyn Entropy) -> Result<String, Busy> {
        let password = Zeroizing::new(password.to_owned());
        let salt = entropy.array::<SALT_BYTES>();
        self.run(move || hash(&password, salt.as_slice())).await
    }

    /// Whether `password` is the one of `stored`; with no hash stored it is compared with a decoy, at the same price.
    ///
    /// # Errors
    /// [`Busy`] if the runtime is shutting down.
    pub(crate) async fn verify(&mut self, password: &str, stored: Option<&str>) -> Result<Verdict, Busy> {
        let password = Zeroizing::new(password.to_owned());
        let is_known = stored.is_some();
        let stored = stored.unwrap_or(&self.decoy).to_owned();
        let verdict = self.run(move || verify(&password, &stored)).await?;
        Ok(if is_known { verdict } else { Verdict::Wrong })
    }

    async fn run<T: Send + 'static>(&mut self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let permit = Arc::clone(&self.permit);
        let task = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        task.await.map_err(|_| Busy)
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("constants in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// NFC first, so that a password typed on another keyboard layout or system is the same (SP 800-63B-4 §3.1.1.2).
fn normalised(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.nfc().collect())
}

fn hash(password: &str, salt: &[u8]) -> String {
    argon2()
        .hash_password_with_salt(normalised(password).as_bytes(), salt)
        .expect("a salt of 16 bytes and a password of at most 1 KiB")
        .to_string()
}

fn verify(password: &str, stored: &str) -> Verdict {
    let Ok(parsed) = PasswordHash::new(stored) else {
        return Verdict::Wrong;
    };
    if argon2().verify_password(normalised(password).as_bytes(), &parsed).is_err() {
        return Verdict::Wrong;
    }
    let today = [("m", MEMORY_KIB), ("t", PASSES), ("p", 1)];
    let is_weak = parsed.algorithm.as_str() != "argon2id"
        || today.iter().any(|(name, least)| parsed.params.get_decimal(*name).is_none_or(|value| value < *least));
    if is_weak { Verdict::RightButWeak } else { Verdict::Right }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    const ENTROPY: &dyn Entropy = &SystemEntropy;

    #[tokio::test]
    async fn hashes_are_argon2id_with_the_figures_of_today() {
        let mut slot = Hasher::new(1, ENTROPY).slot().await.unwrap();
        let stored = slot.hash("correct horse", ENTROPY).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_eq!(slot.verify("correct horse", Some(&stored)).await.unwrap(), Verdict::Right);
        assert_eq!(slot.verify("correct hors", Some(&stored)).await.unwrap(), Verdict::Wrong);
        assert_eq!(slot.verify("correct horse", None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn composed_and_decomposed_letters_are_one_password() {
        let mut slot = Hasher::new(1, ENTROPY).slot().await.unwrap();
        let stored = slot.hash("Zo\u{eb} 1", ENTROPY).await.unwrap();
        assert_eq!(slot.verify("Zoe\u{308} 1", Some(&stored)).await.unwrap(), Verdict::Right);
    }

    #[test]
    fn weaker_figures_are_noticed() {
        let params = Params::new(8, 1, 1, None).unwrap();
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_with_salt(b"password", b"0123456789abcdef")
            .unwrap()
            .to_string();
        assert_eq!(verify("password", &weak), Verdict::RightButWeak);
    }
}
