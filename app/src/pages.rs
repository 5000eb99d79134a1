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
mod sign_up;
mod step_up;
mod token;

use leptos::prelude::AnyView;

pub(crate) use log_out::LogOut;
pub(crate) use not_found::not_found_page;

/// A path and its page.
type Page = (&'static str, fn() -> AnyView);

/// Every path with its page.
pub(crate) const PAGES: [Page; 14] = [
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
];
