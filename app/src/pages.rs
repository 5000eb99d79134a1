//! The pages, one file each, with the server functions that they call.

mod authenticator;
mod disable;
mod help;
mod home;
mod log_in;
mod log_out;
mod not_found;
mod password;
mod phone;
mod profile;
mod recovery;
mod recovery_codes;
mod security;
mod sheet;
mod sign_up;
mod stay;
mod step_up;
mod token;

use leptos::prelude::AnyView;

pub(crate) use log_out::LogOut;
pub(crate) use not_found::not_found_page;
pub(crate) use stay::Stay;
#[cfg(feature = "ssr")]
pub(crate) use {
    authenticator::AddApp, log_in::AFTER_SIGN_IN, phone::PATH as CONFIRM_PHONE, step_up::CHECK_UP, step_up::SendToken,
    step_up::Then,
};

#[cfg(all(test, feature = "ssr"))]
pub(crate) use step_up::page_of_practice;

/// A path and its page.
type Page = (&'static str, fn() -> AnyView);

/// Every path with its page.
pub(crate) const PAGES: [Page; 14 + SHEETS] = [
    ("/", home::home_page),
    ("/signup", sign_up::sign_up_page),
    ("/login", log_in::log_in_page),
    ("/login/token", token::token_page),
    ("/login/recovery", recovery::recovery_page),
    ("/account/profile", profile::profile_page),
    ("/account/password", password::password_page),
    ("/account/security", security::security_page),
    ("/account/security/phone", phone::phone_page),
    ("/account/security/recovery-codes", recovery_codes::recovery_codes_page),
    ("/account/security/authenticator", authenticator::authenticator_page),
    ("/account/security/disable", disable::disable_page),
    ("/account/step-up", step_up::step_up_page),
    ("/help/two-factor", help::help_page),
    // What the server describes; `crate::practice` has them.
    ("/practice/staff", sheet::sheet_page),
    ("/practice/staff/new", sheet::sheet_page),
    ("/practice/staff/:id", sheet::sheet_page),
    ("/practice/staff/:id/details", sheet::sheet_page),
    ("/practice/staff/:id/two-factor", sheet::sheet_page),
    ("/practice/staff/:id/reset", sheet::sheet_page),
    ("/practice/policy", sheet::sheet_page),
    ("/practice/coverage", sheet::sheet_page),
    ("/practice/approvals", sheet::sheet_page),
    ("/practice/audit", sheet::sheet_page),
    ("/account/security/activity", sheet::sheet_page),
    ("/account/check-up", sheet::sheet_page),
    ("/login/enrol", sheet::sheet_page),
    ("/login/reset", sheet::sheet_page),
    ("/locked", sheet::sheet_page),
];

/// Every path that has a page; a segment that begins with `:` stands for any.
#[cfg(feature = "ssr")]
pub fn paths() -> impl Iterator<Item = &'static str> {
    PAGES.into_iter().map(|(path, _)| path)
}

/// Those of them that one server function loads, by its argument.
#[cfg(feature = "ssr")]
pub fn sheets() -> impl Iterator<Item = &'static str> {
    paths().skip(PAGES.len() - SHEETS)
}

/// How many of them the server describes.
const SHEETS: usize = 15;
