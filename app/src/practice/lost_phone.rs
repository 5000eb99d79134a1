//! `/login/reset`: who has lost the phone and the recovery codes, and has no administrator at hand.

use authority::reset::own;
use authority::{ResetCancelKey, ResetLinkKey};
use leptos::prelude::*;
use server_fn::ServerFn;

use super::Page;
use super::address::Address;
use crate::error::AppError;
use crate::notice::Notice;
use crate::sheet::Part;
use crate::sheet::part::{back, block, button, field, form, heading, hidden, hint, info, list, messages, warning};
use crate::visit::{Call, redirect, refuse};

const PATH: &str = "/login/reset";
const TITLE: &str = "I lost my phone";
/// What goes with the reset, and what does not.
const BACKUP: &str = "The authenticator's backup on the server is deleted then, unless another practice account of yours uses it; \
                      accounts of other sites stay on devices that still have them.";

/// The page: to begin, to go on from the e-mail, or to stop it from a notice.
pub(super) async fn show(call: &Call, address: &Address) -> Result<Page, AppError> {
    let (link, cancel) = (address.value("link"), address.value("cancel"));
    let mut parts = vec![back("/login", "Back to Log in")];
    if let Some(key) = ResetLinkKey::from_link(&link) {
        let is_open = own::is_link_open(&call.authority, &key).await.map_err(refuse)?;
        parts.extend(start_parts(is_open, link));
    } else if let Some(key) = ResetCancelKey::from_link(&cancel) {
        let waits = own::is_waiting(&call.authority, &key).await.map_err(refuse)?;
        parts.extend(cancel_parts(waits, cancel));
    } else {
        parts.extend(begin_parts());
    }
    Ok((TITLE.to_owned(), vec![block("narrow card stack", parts)]))
}

fn begin_parts() -> Vec<Part> {
    vec![
        heading(TITLE, "A recovery code is quicker, and so is your administrator. Without either:"),
        messages(),
        list(vec![
            "We send a link to the e-mail address of your account.".into(),
            "After you open it, 24 hours pass in which every address and phone of yours is told.".into(),
            "Then your password leads you to set two-factor authentication up anew.".into(),
            BACKUP.into(),
        ]),
        form(
            ResetLink::PATH,
            vec![
                field("Username or email", "name").required(),
                field("Password", "password").class("password").required(),
                button("Send Reset Link").acting("send").class("btn primary full"),
                button("Cancel Reset").acting("cancel").class("btn full"),
            ],
        ),
        hint("Cancel Reset stops one that was begun. Signing in with a token stops it too."),
    ]
}

fn start_parts(is_open: bool, link: String) -> Vec<Part> {
    if !is_open {
        return vec![
            heading(TITLE, ""),
            messages(),
            warning(vec!["This link has run out or was used. Begin again if you still need it.".into()]),
            back(PATH, "Begin again"),
        ];
    }
    vec![
        heading(TITLE, "Nothing has happened yet."),
        messages(),
        info(vec!["When you press the button 24 hours begin. Until they are over everything stays as it is.".into()]),
        hint(BACKUP),
        form(StartReset::PATH, vec![hidden("link", link), button("Start the 24 Hours").class("btn primary full")]),
    ]
}

fn cancel_parts(waits: bool, cancel: String) -> Vec<Part> {
    if !waits {
        return vec![heading(TITLE, ""), messages(), info(vec!["No reset waits for this account any more.".into()])];
    }
    vec![
        heading(TITLE, "A reset of two-factor authentication waits for its 24 hours to end."),
        messages(),
        form(CancelReset::PATH, vec![hidden("cancel", cancel), button("Cancel Reset").class("btn danger full")]),
        hint("If you did not ask for it, somebody knows your password and reads your mail. Change both."),
    ]
}

/// Sends the link, or stops what waits: the same answer whether name and password were right.
#[server(prefix = "/api", endpoint = "reset_link")]
pub(crate) async fn reset_link(
    #[server(default)] name: String,
    #[server(default)] password: String,
    #[server(default)] act: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    if act == "cancel" {
        own::cancel_with_password(&call.authority, call.visitor(), &name, password).await.map_err(refuse)?;
        redirect(&Notice::ResetStopped.at(PATH));
    } else {
        own::send_link(&call.authority, call.visitor(), &name, password).await.map_err(refuse)?;
        redirect(&Notice::ResetLinkSent.at(PATH));
    }
    Ok(())
}

/// Starts the wait.
#[server(prefix = "/api", endpoint = "start_reset")]
pub(crate) async fn start_reset(#[server(default)] link: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let key = ResetLinkKey::from_link(&link).ok_or_else(|| refuse(AppError::Ended))?;
    own::start(&call.authority, call.visitor(), &key).await.map_err(refuse)?;
    redirect(&Notice::ResetStarted.at(PATH));
    Ok(())
}

/// Stops the wait, from a notice.
#[server(prefix = "/api", endpoint = "cancel_reset")]
pub(crate) async fn cancel_reset(#[server(default)] cancel: String) -> Result<(), AppError> {
    let call = Call::current()?;
    if let Some(key) = ResetCancelKey::from_link(&cancel) {
        own::cancel(&call.authority, call.visitor(), &key).await.map_err(refuse)?;
    }
    redirect(&Notice::ResetStopped.at(PATH));
    Ok(())
}
