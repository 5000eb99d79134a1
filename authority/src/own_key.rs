//! The server's own random keys: made by itself, and kept sealed under the master key.

use zeroize::Zeroizing;

use crate::OpenError;
use crate::cipher::{Cipher, Place};
use crate::store::Store;

/// Where a key of that name is sealed.
pub(crate) fn place(name: &str) -> Place<'_> {
    Place { table: "sealed_key", row: name, column: "sealed" }
}

/// The key of that name.
pub(crate) async fn open(store: &Store, cipher: &Cipher, name: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (key_id, sealed) = store.find_sealed_key(name).await?.ok_or(OpenError::MasterKeyMismatch)?;
    cipher.open(place(name), &key_id, &sealed).map_err(|_| OpenError::MasterKeyMismatch)
}
