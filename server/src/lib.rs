//! The thin server: it reads the settings, opens the authority, and puts the HTTP layers in front of the app.
//!
//! Composition only: nothing here decides whether a token is right, and nothing depends on this crate. It is a library so
//! that the route tests can build the very router that [`commands`] serves; the program's `main` is one line.
//!
//! - [`config`]: flags, environment and file become one checked [`config::Config`].
//! - [`commands`]: `serve`, `migrate`, `check`, `audit`.
//! - [`http`]: the router, one file per layer.
//! - [`jobs`]: what runs beside the requests.
//! - [`dev`]: the outbox and the clock of `--dev`.
//! - [`assets`]: the site's files, from memory.

pub mod assets;
pub mod commands;
pub mod config;
pub mod dev;
pub mod http;
pub mod jobs;
