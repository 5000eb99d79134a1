//! What people see: the pages, and the server functions that call the authority.
//!
//! - `pages`: one file per page, with its server functions. Each page has one `load_*` function that returns what it
//!   shows, and one function per form.
//! - `page`: what all pages share: their data, what went wrong on them, and the frame around them.
//! - `sheet`: pages that the server describes; `practice`, with feature `ssr` only, describes them.
//! - `router`: which page is at which path.
//! - `form`: the one form component. Without JavaScript it is a plain `<form>`; hydrated, it posts by itself.
//! - `components`: fields, the countdown, and other small parts.
//! - [`error`] and `notice`: all that can go wrong, and what went well, with their words.
//! - `wire`: how a page's data travel. `erase`: views without their types.
//! - [`authenticator`]: what the authenticator, a program of its own, asks of the server.
//! - `browser`: the few things asked of the browser, all of them in event handlers and effects.
//! - [`visit`], [`cookies`], `shell`: the server's side, with feature `ssr` only.
//!
//! The WASM is small because little of it is there twice: views are erased, forms and page data go through one path each,
//! all routes are of one type, and the guide stays on the server.
#![expect(
    clippy::must_use_candidate,
    reason = "a component that nobody places in a view is dead code, which rustc finds"
)]
#![expect(unreachable_pub, reason = "the component macro writes a plain `pub`")]
#![expect(clippy::needless_pass_by_value, reason = "components own their properties")]
#![cfg_attr(
    feature = "ssr",
    expect(clippy::unused_async, reason = "server functions are asynchronous, also those that wait for nothing")
)]

#[cfg(feature = "authenticator")]
pub mod authenticator;
pub mod browser;
mod browser_name;
mod components;
#[cfg(feature = "ssr")]
pub mod cookies;
mod erase;
pub mod error;
mod form;
mod notice;
mod page;
mod pages;
#[cfg(feature = "ssr")]
mod practice;
mod router;
mod sheet;
#[cfg(feature = "ssr")]
mod shell;
mod time;
#[cfg(feature = "ssr")]
pub mod visit;
mod wire;

pub use browser_name::browser_name;
pub use components::countdown::milestone_text;
pub use error::AppError;
#[cfg(feature = "ssr")]
pub use pages::{paths, sheets};
#[cfg(feature = "ssr")]
pub use practice::Searched;
pub use router::App;
#[cfg(feature = "ssr")]
pub use shell::{AssetPaths, AuthenticatorDocument, audit_verify_document, authenticator_document, shell};
pub use time::{Zone, date_and_clock};
#[cfg(feature = "ssr")]
pub use visit::Visit;
