//! The contract suite: rules and races of the authority, each on SQLite and on PostgreSQL.
//!
//! PostgreSQL comes from `TWOFOLD_TEST_POSTGRES_URL`, the address of a database whose user may create others; `cargo
//! xtask test` sets it by way of `pg_virtualenv`. Without it these tests fail: they are never skipped.

mod support;

mod audit;
mod backup;
mod check_up;
mod coverage;
mod devices;
mod disable;
mod enrol_sms;
mod enrol_totp;
mod health;
mod lock;
mod lockout;
mod operator;
mod outbox;
mod password;
mod policy;
mod profile;
mod races;
mod recovery;
mod remembered;
mod reset;
mod sealing;
mod sessions;
mod sign_in;
mod staff;
mod step_up;
