//! Password hashes: argon2id in a bounded number of slots.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::entropy::Entropy;

/// 19 MiB, two passes, one lane: the floor of the OWASP Password Storage cheat sheet.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;
/// Blocks of 1 KiB, just more than 32 MiB. glibc gives so large a piece of memory back to the system when it is freed;
/// a smaller one it comes to keep, for each thread that ever hashed. Only the blocks in use cost memory.
const ALWAYS_RETURNED: usize = 33 * 1024;
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

/// NFC first, so that a password typed on another keyboard layout or system is the same (SP 800-63B-4 §3.1.1.2).
fn normalised(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.nfc().collect())
}

fn hash(password: &str, salt: &[u8]) -> String {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(OUTPUT_BYTES)).expect("constants in range");
    let algorithm = Algorithm::Argon2id;
    let stored = PasswordHash {
        algorithm: algorithm.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).expect("figures have names"),
        salt: Some(Salt::new(salt).expect("a salt of 16 bytes")),
        hash: argon2(algorithm, Version::V0x13, params, password, salt),
    };
    stored.to_string()
}

/// Argon2, in memory that is given back. `None` for a salt or an output that it does not take.
fn argon2(algorithm: Algorithm, version: Version, params: Params, password: &str, salt: &[u8]) -> Option<Output> {
    let blocks = params.block_count();
    let mut output = vec![0; params.output_len().unwrap_or(OUTPUT_BYTES)];
    let mut memory = Vec::with_capacity(blocks.max(ALWAYS_RETURNED));
    memory.resize(blocks, Block::default());
    Argon2::new(algorithm, version, params)
        .hash_password_into_with_memory(normalised(password).as_bytes(), salt, &mut output, memory)
        .ok()?;
    Output::new(&output).ok()
}

fn verify(password: &str, stored: &str) -> Verdict {
    let Ok(stored) = PasswordHash::new(stored) else {
        return Verdict::Wrong;
    };
    let is_right = recompute(password, &stored)
        .zip(stored.hash)
        .is_some_and(|(computed, expected)| computed.as_bytes().ct_eq(expected.as_bytes()).into());
    if !is_right {
        return Verdict::Wrong;
    }
    let today = [("m", MEMORY_KIB), ("t", PASSES), ("p", 1)];
    let is_weak = stored.algorithm.as_str() != "argon2id"
        || today.iter().any(|(name, least)| stored.params.get_decimal(*name).is_none_or(|value| value < *least));
    if is_weak { Verdict::RightButWeak } else { Verdict::Right }
}

/// What `password` gives under the figures of `stored`.
fn recompute(password: &str, stored: &PasswordHash) -> Option<Output> {
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
    let version = stored.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
    let params = Params::try_from(stored).ok()?;
    argon2(algorithm, version, params, password, stored.salt.as_ref()?)
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
        use argon2::password_hash::PasswordHasher as _;
        let params = Params::new(8, 1, 1, None).unwrap();
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_with_salt(b"password", b"0123456789abcdef")
            .unwrap()
            .to_string();
        assert_eq!(verify("password", &weak), Verdict::RightButWeak);
    }
}
