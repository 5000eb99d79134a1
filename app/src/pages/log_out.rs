//! The way out, from the frame of every page.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    crate::cookies,
    crate::notice::Notice,
    crate::visit::{Call, redirect, refuse},
    authority::sessions,
};

use crate::error::AppError;

/// Ends the session and the pending sign-in of this browser.
#[server(prefix = "/api", endpoint = "log_out")]
pub(crate) async fn log_out() -> Result<(), AppError> {
    let call = Call::current()?;
    let (session, challenge) = (call.visit.session.as_ref(), call.visit.challenge.as_ref());
    sessions::log_out(&call.authority, call.visitor(), session, challenge).await.map_err(refuse)?;
    cookies::leave();
    redirect(&Notice::LoggedOut.at("/login"));
    Ok(())
}
