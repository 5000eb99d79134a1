//! `/login`: the first of the two sign-in pages.

use domain::challenge::Over;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use server_fn::ServerFn;
#[cfg(feature = "ssr")]
use {
    crate::cookies,
    crate::visit::{Call, redirect, redirected, refuse},
    authority::OpenedSession,
    authority::sign_in::{self, PasswordStep},
    domain::LocalPath,
};

use crate::components::{Block, Button, Field, Heading, Hidden, Hint, Kind, Link, Messages, Warning};
use crate::erase::Erase;
use crate::error::AppError;
use crate::form::Form;
use crate::page::page;
use crate::wire::wire;

/// The page that follows where none was asked for.
#[cfg(feature = "ssr")]
pub(crate) const AFTER_SIGN_IN: &str = "/account/security";

wire! {
    /// What the page shows.
    struct LogInView {
        /// The name of the reason for which the sign-in before this one ended, if it did.
        over: Option<String>,
    }
}

/// Loads the page; who is signed in goes on to the account.
#[server(prefix = "/api", endpoint = "load_log_in")]
pub(crate) async fn load_log_in() -> Result<String, AppError> {
    let call = Call::current()?;
    if let Some(page) = call.visit.inside() {
        return Err(redirected(page));
    }
    let over = call.find_challenge().await?.err();
    call.page(&LogInView { over: over.map(|over| over.name().to_owned()) })
}

/// Checks name and password: a session, or the token page.
#[server(prefix = "/api", endpoint = "log_in")]
pub(crate) async fn log_in(
    #[server(default)] name: String,
    #[server(default)] password: String,
    #[server(default)] next: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let next = LocalPath::parse(&next).ok();
    match sign_in::with_password(&call.authority, call.visitor(), &name, password, next).await.map_err(refuse)? {
        PasswordStep::SignedIn(opened) => go_in(&opened),
        PasswordStep::TokenNeeded(challenge) => {
            cookies::set_challenge(&challenge);
            redirect("/login/token");
        }
    }
    Ok(())
}

/// Sets the cookies of a new session and goes to the page first asked for.
#[cfg(feature = "ssr")]
pub(super) fn go_in(opened: &OpenedSession) {
    cookies::enter(opened);
    let next = if opened.has_codes {
        // An administrator turned two-factor authentication on; these are the first codes.
        super::recovery_codes::PATH
    } else {
        opened.next.as_ref().map_or(AFTER_SIGN_IN, LocalPath::as_str)
    };
    redirect(next);
}

/// `/login`.
pub(crate) fn log_in_page() -> AnyView {
    page(|| LoadLogIn {}, "Log in", view)
}

fn view(data: LogInView) -> AnyView {
    let next = use_query_map().with_untracked(|query| query.get("next")).unwrap_or_default();
    let over = data.over.as_deref().and_then(Over::from_name).and_then(over_text);
    view! {
        <Block class="narrow card stack">
            <Heading text="Log in"/>
            <Messages/>
            {over.map(|text| view! { <Warning>{text}</Warning> }.erase())}
            <Form action=LogIn::PATH class="stack">
                <Hidden name="next" value=next/>
                <Field label="Username or email" name="name" autocomplete="username" required=true/>
                <Field label="Password" name="password" kind=Kind::Password required=true/>
                <Button label="Log In"/>
            </Form>
            <Hint>"New here? "<Link href="/signup" label="Create your practice"/></Hint>
        </Block>
    }
    .erase()
}

/// Why the pending sign-in is over, where that was not the person's own doing.
const fn over_text(over: Over) -> Option<&'static str> {
    match over {
        Over::TooManyTokens => Some("Too many wrong tokens. Log in again."),
        Over::Expired => Some("That took too long. Log in again."),
        Over::Passed | Over::Cancelled => None,
    }
}
