//! The key of the trail: keyed hashes of rows, of the ends of chains, of heads, and of marks.
//!
//! It is made once, in the transaction that begins the chains of all practices there are, and has a sealed key of its own:
//! a trail that somebody begins anew gets another key, which no row written before fits.

use std::time::Duration;

use data_encoding::HEXLOWER;
use domain::Timestamp;
use subtle::ConstantTimeEq as _;
use trail::{Hash, Head, Header, Row};
use zeroize::Zeroizing;

use crate::cipher::{Cipher, Digester};
use crate::entropy::Entropy;
use crate::store::{ChainRow, HeadRow, MarkRow, Store};
use crate::{OpenError, moment, own_key};

/// The name of the key.
const NAME: &str = "audit";
const KEY_BYTES: usize = 32;
/// Programs of the release before write rows without a keyed hash. They have to be replaced within this time.
const REPLACED_WITHIN: Duration = Duration::from_hours(24);

/// Signs what belongs to the trail, and knows its own signatures.
#[derive(Clone)]
pub(crate) struct Signer {
    digester: Digester,
    unsigned_until: Timestamp,
}

impl Signer {
    /// The key of this database. Where there is none yet, it is made, and the chains begin: of every practice that is
    /// there, with all rows that are there waiting for the sealer.
    pub(crate) async fn open(
        store: &Store,
        cipher: &Cipher,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        if store.find_sealed_key(NAME).await?.is_none() {
            let mut write = store.write().await?;
            let is_new = write.count_all_audit().await? == 0;
            let until = if is_new { now } else { now + REPLACED_WITHIN };
            // The moment is sealed with the key, so that nobody can put it off.
            let mut plain = Zeroizing::new(entropy.array::<KEY_BYTES>().to_vec());
            plain.extend_from_slice(&until.millis().to_be_bytes());
            let signer = Self::from_plain(&plain).ok_or(OpenError::MasterKeyMismatch)?;
            let fresh = cipher.seal(own_key::place(NAME), &plain, entropy);
            // Another process that was first has begun the chains, and this one reads its key.
            if write.insert_sealed_key(NAME, &fresh.key_id, &fresh.bytes, now.millis()).await? {
                for practice_id in write.practice_ids().await? {
                    write.insert_chain(&signer.beginning(&practice_id)).await?;
                }
                write.queue_unlinked_audit().await?;
            }
            write.commit().await?;
        }
        let plain = own_key::open(store, cipher, NAME).await?;
        Self::from_plain(&plain).ok_or(OpenError::MasterKeyMismatch)
    }

    fn from_plain(plain: &[u8]) -> Option<Self> {
        let (key, until) = plain.split_first_chunk::<KEY_BYTES>()?;
        let unsigned_until = moment(i64::from_be_bytes(until.try_into().ok()?));
        Some(Self { digester: Digester::new(Zeroizing::new(*key)), unsigned_until })
    }

    /// The keyed hash of a row.
    pub(crate) fn row(&self, row: &Row) -> String {
        self.digest("audit row", &row.id, &row.content())
    }

    /// Whether the server wrote this row; `at` is when it was sealed, or will be.
    pub(crate) fn has_written(&self, row: &Row, at: Timestamp) -> bool {
        match &row.mac {
            Some(mac) => is_same(&self.row(row), mac),
            None => at < self.unsigned_until,
        }
    }

    /// Until when rows without a keyed hash are taken.
    pub(crate) fn takes_unsigned(&self, at: Timestamp) -> bool {
        at < self.unsigned_until
    }

    /// The chain of a practice without rows.
    pub(crate) fn beginning(&self, practice_id: &str) -> ChainRow {
        self.chain(practice_id, 0, &Hash::beginning(practice_id), None)
    }

    /// The end of a chain, as it is stored.
    pub(crate) fn chain(&self, practice_id: &str, seq: i64, hash: &Hash, head_at: Option<i64>) -> ChainRow {
        let value = format!("{seq} {hash} {head_at:?}");
        let mac = self.digest("audit chain", practice_id, value.as_bytes());
        ChainRow { practice_id: practice_id.to_owned(), seq, hash: hash.to_string(), head_at, mac }
    }

    /// The state that a stored end stands for; `None` if the server did not write it.
    pub(crate) fn open_chain(&self, chain: &ChainRow) -> Option<Hash> {
        let hash = chain.hash.parse().ok()?;
        let ours = self.chain(&chain.practice_id, chain.seq, &hash, chain.head_at);
        is_same(&ours.mac, &chain.mac).then_some(hash)
    }

    /// A head, signed.
    pub(crate) fn head(&self, practice_id: &str, seq: i64, hash: &Hash, at: i64) -> HeadRow {
        // Another purpose than the chain's: a head, of which the past ones stay, cannot be put in the place of the end.
        let signature = self.digest("audit head", practice_id, format!("{seq} {hash} {at}").as_bytes());
        HeadRow { practice_id: practice_id.to_owned(), seq, hash: hash.to_string(), at, signature }
    }

    /// The state that a stored head stands for; `None` if the server did not sign it.
    pub(crate) fn open_head(&self, head: &HeadRow) -> Option<Hash> {
        let hash = head.hash.parse().ok()?;
        let ours = self.head(&head.practice_id, head.seq, &hash, head.at);
        is_same(&ours.signature, &head.signature).then_some(hash)
    }

    /// Whether the server signed the beginning and the end of an export.
    pub(crate) fn has_signed(&self, header: &Header, head: &Head) -> bool {
        let practice_id = header.practice_id.as_str();
        let is_begun = header.mark.as_ref().is_none_or(|mark| {
            let ours = self.mark(practice_id, header.from_seq - 1, &header.previous, mark.at);
            is_same(&ours.signature, &mark.signature)
        });
        is_begun && is_same(&self.head(practice_id, head.seq, &head.hash, head.at).signature, &head.signature)
    }

    /// A mark, signed.
    pub(crate) fn mark(&self, practice_id: &str, seq: i64, hash: &Hash, at: i64) -> MarkRow {
        // Another purpose than a head's: no end of the past can be made a beginning.
        let signature = self.digest("audit mark", practice_id, format!("{seq} {hash} {at}").as_bytes());
        MarkRow { practice_id: practice_id.to_owned(), seq, hash: hash.to_string(), at, signature }
    }

    /// The place behind which a practice's chain begins, and its state there; `None` if the server did not sign it.
    pub(crate) fn open_mark(&self, practice_id: &str, mark: Option<&MarkRow>) -> Option<(i64, Hash)> {
        let Some(mark) = mark else { return Some((0, Hash::beginning(practice_id))) };
        let hash = mark.hash.parse().ok()?;
        let ours = self.mark(practice_id, mark.seq, &hash, mark.at);
        is_same(&ours.signature, &mark.signature).then_some((mark.seq, hash))
    }

    fn digest(&self, purpose: &'static str, scope: &str, value: &[u8]) -> String {
        HEXLOWER.encode(&self.digester.digest(purpose, scope, value))
    }
}

fn is_same(ours: &str, theirs: &str) -> bool {
    ours.as_bytes().ct_eq(theirs.as_bytes()).into()
}
