//! The routes, through the real router in this process: one file per group of URLs, and per layer.
//!
//! `cargo xtask test` starts the PostgreSQL that half of them need.

mod access;
mod activity;
mod check_up;
mod csrf;
mod dev;
mod devices;
mod enrolment;
mod headers;
mod health;
mod limits;
mod listen;
mod lock;
mod names;
mod nonsense;
mod program;
mod recovery;
mod rendering;
mod sign_in;
mod support;
mod timing;
