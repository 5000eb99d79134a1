//! `/login/recovery`: a recovery code in place of a token.

use leptos::prelude::*;
use server_fn::ServerFn;
#[cfg(feature = "ssr")]
use {
    super::log_in::go_in,
    crate::visit::{Call, refuse},
    authority::sign_in,
};

use super::token::{CancelLogIn, lost_phone_link};
use crate::components::{Back, Block, Button, Field, Heading, Messages, Methods, StandingNote};
use crate::erase::Erase;
use crate::error::AppError;
use crate::form::Form;
use crate::page::page;

/// Loads the page.
#[server(prefix = "/api", endpoint = "load_recovery")]
pub(crate) async fn load_recovery() -> Result<String, AppError> {
    let call = Call::current()?;
    let challenge = call.challenge().await?;
    call.page(&Methods::from(sign_in::methods(&call.authority, &challenge).await.map_err(refuse)?))
}

/// Checks the code; a right one opens the session and is used up.
#[server(prefix = "/api", endpoint = "check_recovery_code")]
pub(crate) async fn check_recovery_code(#[server(default)] recovery_code: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let challenge = call.challenge().await?;
    let opened = sign_in::with_recovery_code(&call.authority, call.visitor(), &challenge, &recovery_code).await;
    go_in(&opened.map_err(refuse)?);
    Ok(())
}

/// `/login/recovery`.
pub(crate) fn recovery_page() -> AnyView {
    page(|| LoadRecovery {}, "Use a recovery code", view)
}

fn view(methods: Methods) -> AnyView {
    let left = format!("Each code works once. {} left.", methods.recovery_codes_left);
    view! {
        <Block class="narrow card stack">
            <Back href="/login/token" label="Back to the token"/>
            <Heading text="Use a recovery code" hint="Type one of the codes that you stored when you turned two-factor authentication on."/>
            <Messages/>
            <StandingNote standing=methods.standing has_app=false/>
            <Form action=CheckRecoveryCode::PATH class="stack">
                <Field label="Recovery code" name="recovery_code" hint=left required=true/>
                <Button label="Log In"/>
            </Form>
            <Block class="other-ways">{lost_phone_link()}</Block>
            <Form action=CancelLogIn::PATH>
                <Button label="Cancel" class="btn quiet"/>
            </Form>
        </Block>
    }
    .erase()
}
