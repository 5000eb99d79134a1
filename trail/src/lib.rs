//! The audit trail as a chain of hashes, one chain for each practice.
//!
//! Everything here is a function of its arguments: the server seals and verifies with it, the command line and the browser
//! verify exported files with it, and all three come to one verdict. Keys and signatures are the authority's; what can be
//! told without a key is told here.
//!
//! - [`row`]: a row, and its canonical encoding.
//! - [`hash`]: what links a row to the one before.
//! - [`export`]: the file, line by line.
//! - [`verify`]: the first row that is not as it was sealed.
//!
//! Why the chain is as it is, and what it does not show, is in `docs/adr/0010-audit-chain.md`.

pub mod export;
pub mod hash;
pub mod row;
pub mod verify;

pub use export::{Head, Header, Line, Mark, Sealed, Stream};
pub use hash::Hash;
pub use row::Row;
pub use verify::{Fault, Finding, Verdict, Verifier};
