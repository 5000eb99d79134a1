//! `/locked`: the screen lock. The session is there, and opens with the App unlock PIN.

use authority::lock::{self, UnlockError};
use domain::LocalPath;
use leptos::prelude::*;
use server_fn::ServerFn;

use super::Page;
use super::address::Address;
use crate::cookies;
use crate::error::AppError;
use crate::pages::{AFTER_SIGN_IN, LogOut};
use crate::sheet::part::{block, button, field, form, heading, hidden, messages};
use crate::visit::{Call, redirect, redirected, refuse};

/// The page. Where nothing is locked there is nothing to see.
pub(super) async fn show(call: &Call, address: &Address) -> Result<Page, AppError> {
    const TITLE: &str = "Screen locked";
    let next = address.value("next");
    if call.visit.locked.is_none() {
        let page = call.signed_in(AFTER_SIGN_IN).await.map(|_| AFTER_SIGN_IN)?;
        return Err(redirected(LocalPath::parse(&next).as_ref().map_or(page, LocalPath::as_str)));
    }
    let parts = vec![
        heading(TITLE, "Nobody clicked for a while. What you were doing is still there."),
        messages(),
        form(
            Unlock::PATH,
            vec![
                hidden("next", next),
                field("App unlock PIN", "pin").class("pin").required(),
                button("Unlock").class("btn primary full"),
            ],
        ),
        form(LogOut::PATH, vec![button("Log Out").class("btn full")]),
    ];
    Ok((TITLE.to_owned(), vec![block("narrow card stack", parts)]))
}

/// Opens the session again.
#[server(prefix = "/api", endpoint = "unlock")]
pub(crate) async fn unlock(#[server(default)] pin: String, #[server(default)] next: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let next = LocalPath::parse(&next).ok();
    let next = next.as_ref().map_or(AFTER_SIGN_IN, LocalPath::as_str);
    let Some(locked) = &call.visit.locked else {
        call.signed_in(AFTER_SIGN_IN).await?;
        redirect(next);
        return Ok(());
    };
    match lock::unlock(&call.authority, locked, call.visitor(), &pin).await {
        Ok(()) => redirect(next),
        Err(UnlockError::Ended) => {
            cookies::leave();
            redirect("/login");
        }
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}
