//! `/login/token`: the second of the two sign-in pages.

use leptos::prelude::*;
use server_fn::ServerFn;
#[cfg(feature = "ssr")]
use {
    super::log_in::go_in,
    crate::cookies,
    crate::visit::{Call, redirect, refuse},
    authority::{sessions, sign_in},
    domain::message::Channel,
};

use crate::components::methods::Phone;
use crate::components::{
    Block, Button, Countdown, Heading, Icon, Messages, Methods, SendButtons, StandingNote, TokenField,
};
use crate::erase::Erase;
use crate::error::AppError;
use crate::form::Form;
use crate::page::page;
use crate::wire::wire;

/// Seconds that a token of an app lasts; what the countdown to the next one counts.
const PERIOD: u32 = 30;

wire! {
    /// What the page shows.
    struct TokenView {
        methods: Methods,
        /// Days for which this browser may be remembered; 0 where it may not.
        remember_days: u32,
    }
}

/// Loads the page.
#[server(prefix = "/api", endpoint = "load_token")]
pub(crate) async fn load_token() -> Result<String, AppError> {
    let call = Call::current()?;
    let challenge = call.challenge().await?;
    let methods = sign_in::methods(&call.authority, &challenge).await.map_err(refuse)?.into();
    call.page(&TokenView { methods, remember_days: challenge.remember_days() })
}

/// Checks the token; a right one opens the session.
#[server(prefix = "/api", endpoint = "check_token")]
pub(crate) async fn check_token(
    #[server(default)] token: String,
    #[server(default)] remember: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let challenge = call.challenge().await?;
    let remember = !remember.is_empty();
    go_in(&sign_in::with_token(&call.authority, call.visitor(), &challenge, &token, remember).await.map_err(refuse)?);
    Ok(())
}

/// Sends a token to the cell phone; the page then says so.
#[server(prefix = "/api", endpoint = "request_token")]
pub(crate) async fn request_token(#[server(default)] channel: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let challenge = call.challenge().await?;
    let channel = Channel::from_name(&channel).unwrap_or(Channel::Sms);
    sign_in::request_token(&call.authority, call.visitor(), &challenge, channel).await.map_err(refuse)?;
    redirect("/login/token");
    Ok(())
}

/// Ends the pending sign-in.
#[server(prefix = "/api", endpoint = "cancel_log_in")]
pub(crate) async fn cancel_log_in() -> Result<(), AppError> {
    let call = Call::current()?;
    let challenge = call.visit.challenge.as_ref();
    sessions::log_out(&call.authority, call.visitor(), None, challenge).await.map_err(refuse)?;
    cookies::clear(cookies::CHALLENGE);
    redirect("/login");
    Ok(())
}

/// `/login/token`.
pub(crate) fn token_page() -> AnyView {
    page(|| LoadToken {}, "Two-factor authentication", view)
}

fn view(data: TokenView) -> AnyView {
    let TokenView { methods, remember_days } = data;
    let standing = methods.standing;
    let has_app = !methods.apps.is_empty();
    let instruction = methods.instruction();
    let status = methods.phone.as_ref().and_then(Phone::sent_text);
    let countdown =
        has_app.then(|| view! { <Countdown label="A new token in" now=standing.now period=PERIOD/> }.erase());
    let send = methods.phone.map(|phone| {
        view! {
            <SendButtons
                action=RequestToken::PATH
                first="Request Token via SMS"
                next_send_at=phone.next_send_at
                now=standing.now
            />
        }
        .erase()
    });
    let code = (methods.recovery_codes_left > 0).then(recovery_link);
    view! {
        <Block class="narrow card stack">
            <Heading text="Two-factor authentication" hint=instruction/>
            <Messages status=status/>
            <StandingNote standing=standing has_app=has_app/>
            <Form action=CheckToken::PATH class="stack">
                <TokenField label="Authorization token" lengths=methods.lengths autofocus=true/>
                {countdown}
                {(remember_days > 0).then(|| remember_box(remember_days))}
                <Button label="Log In"/>
            </Form>
            <Block class="other-ways">{send}{code}{lost_phone_link()}</Block>
            <Form action=CancelLogIn::PATH>
                <Button label="Cancel" class="btn quiet"/>
            </Form>
        </Block>
    }
    .erase()
}

/// Never checked by itself: exam rooms share computers.
fn remember_box(days: u32) -> AnyView {
    let text = format!("Remember this browser for {days} days");
    view! {
        <label class="check">
            <input type="checkbox" name="remember" value="on" aria-describedby="remember-hint"/>
            <span>{text}</span>
        </label>
        <p class="hint" id="remember-hint">"It then asks for no token. Do not use this on a shared or exam-room computer."</p>
    }
    .erase()
}

fn recovery_link() -> AnyView {
    view! {
        <a class="method" href="/login/recovery">
            {Icon::Key.view()}
            "Use a recovery code"
        </a>
    }
    .erase()
}

/// For whom nothing of all that is at hand.
pub(super) fn lost_phone_link() -> AnyView {
    view! {
        <a class="method" href="/login/reset">
            {Icon::Phone.view()}
            "I lost my phone"
        </a>
    }
    .erase()
}
