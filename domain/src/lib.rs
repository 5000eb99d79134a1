//! The rules of Twofold, and nothing else.
//!
//! Values parse or do not exist ([`Token`], [`Phone`], [`Email`], …); states are enums whose transitions take the time
//! as an argument ([`challenge`], [`enrolment`], [`registration`], [`lockout`], [`backoff`]). There is no I/O here, no
//! clock and no randomness, so the same code validates while somebody types in the browser and decides on the server.

pub mod backoff;
pub mod challenge;
pub mod check_up;
pub mod countdown;
pub mod countries;
pub mod date;
pub mod diagnosis;
pub mod email;
pub mod enrolment;
pub mod factor;
pub mod lockout;
pub mod matching;
pub mod message;
pub mod otpauth;
pub mod password;
pub mod path;
pub mod person;
pub mod phone;
pub mod policy;
pub mod recovery_code;
pub mod registration;
pub mod role;
pub mod session;
pub mod time;
pub mod token;
pub mod totp;
pub mod username;

pub use countries::Countries;
pub use date::Date;
pub use email::Email;
pub use factor::{FactorKind, Kind};
pub use password::Password;
pub use path::LocalPath;
pub use phone::Phone;
pub use policy::Policy;
pub use recovery_code::RecoveryCode;
pub use role::Role;
pub use time::Timestamp;
pub use token::{Token, TokenLengths};
pub use totp::Totp;
pub use username::Username;
