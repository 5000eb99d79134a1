//! `/account/security/disable`: back to the password alone.

use leptos::prelude::*;
use server_fn::ServerFn;
#[cfg(feature = "ssr")]
use {
    crate::cookies,
    crate::notice::Notice,
    crate::visit::{Call, redirect, redirected, refuse},
    authority::{disable, step_up},
};

use super::step_up::SendToken;
use crate::components::methods::Phone;
use crate::components::{
    Back, Block, Button, Field, Heading, Kind, Messages, Methods, SendButtons, StandingNote, TokenField, Warning,
};
use crate::erase::Erase;
use crate::error::AppError;
use crate::form::Form;
use crate::page::page;

/// The page's path.
#[cfg(feature = "ssr")]
pub(super) const PATH: &str = "/account/security/disable";

/// Loads the page; where nothing is on, nothing can be turned off.
#[server(prefix = "/api", endpoint = "load_disable")]
pub(crate) async fn load_disable() -> Result<String, AppError> {
    let call = Call::current()?;
    let methods = step_up::methods(&call.authority, call.signed_in(PATH).await?).await.map_err(refuse)?;
    let Some(methods) = methods else { return Err(redirected("/account/security")) };
    call.page(&Methods::from(methods))
}

/// Turns two-factor authentication off, with the password and a token or recovery code.
#[server(prefix = "/api", endpoint = "disable_two_factor")]
pub(crate) async fn disable_two_factor(
    #[server(default)] current_password: String,
    #[server(default)] token: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let opened =
        disable::disable(&call.authority, call.signed_in(PATH).await?, call.visitor(), current_password, &token).await;
    cookies::enter(&opened.map_err(refuse)?);
    redirect(&Notice::Disabled.at("/account/security"));
    Ok(())
}

/// `/account/security/disable`.
pub(crate) fn disable_page() -> AnyView {
    page(|| LoadDisable {}, "Disable two-factor authentication", view)
}

fn view(methods: Methods) -> AnyView {
    let standing = methods.standing;
    let has_app = !methods.apps.is_empty();
    let status = methods.phone.as_ref().and_then(Phone::sent_text);
    let send = methods.phone.map(|phone| {
        view! {
            <SendButtons
                action=SendToken::PATH
                first="Request Token via SMS"
                next_send_at=phone.next_send_at
                now=standing.now
                then="disable"
            />
        }
        .erase()
    });
    view! {
        <Block class="narrow card stack">
            <Back href="/account/security" label="Back to Security"/>
            <Heading text="Disable two-factor authentication"/>
            <Warning>
                "Your account will be protected by the password alone. All apps and recovery codes stop working, and your other \
                 browsers are logged out. The authenticator's backup on the server is deleted too, unless another practice \
                 account of yours uses it; accounts of other sites stay on devices that still have them."
            </Warning>
            <Messages status=status/>
            <StandingNote standing=standing has_app=has_app/>
            <Form action=DisableTwoFactor::PATH class="stack">
                <Field label="Current password" name="current_password" kind=Kind::Password required=true/>
                <TokenField label="Authorization token" lengths=methods.lengths hint="Or a recovery code." or_code=true/>
                <Button label="Disable Two-Factor Authentication" class="btn danger full"/>
            </Form>
            <Block class="other-ways">{send}</Block>
        </Block>
    }
    .erase()
}
