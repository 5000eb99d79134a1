//! `/account/security/phone`: the cell phone proves that messages reach it.

use domain::{Timestamp, TokenLengths};
use leptos::prelude::*;
use server_fn::ServerFn;
#[cfg(feature = "ssr")]
use {
    crate::cookies,
    crate::visit::{Call, redirect, redirected, refuse},
    authority::enrol_sms,
    domain::message::Channel,
};

use crate::components::methods::Standing;
use crate::components::{Block, Button, Heading, Hint, Messages, SendButtons, StandingNote, TokenField};
use crate::erase::Erase;
use crate::error::AppError;
use crate::form::Form;
use crate::page::page;
use crate::wire::wire;

/// The page's path.
#[cfg(feature = "ssr")]
pub(crate) const PATH: &str = "/account/security/phone";

wire! {
    /// What the page shows.
    struct PhoneView {
        /// The last two digits of the number.
        ending: String,
        next_send_at: Timestamp,
        standing: Standing,
    }
}

/// Loads the page; without a pending enrolment it leads back.
#[server(prefix = "/api", endpoint = "load_phone")]
pub(crate) async fn load_phone() -> Result<String, AppError> {
    let call = Call::current()?;
    let pending = enrol_sms::pending(&call.authority, call.setting_up(PATH).await?).await.map_err(refuse)?;
    let Some(pending) = pending else { return Err(redirected("/account/security")) };
    let standing =
        Standing { tries_left: pending.tries_left, failures: 0, locked_until: pending.locked_until, now: pending.now };
    call.page(&PhoneView { ending: pending.ending, next_send_at: pending.next_send_at, standing })
}

/// Checks the code; a right one turns two-factor authentication on and makes the recovery codes.
#[server(prefix = "/api", endpoint = "confirm_phone")]
pub(crate) async fn confirm_phone(#[server(default)] token: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let opened = enrol_sms::confirm(&call.authority, call.setting_up(PATH).await?, call.visitor(), &token).await;
    cookies::enter(&opened.map_err(refuse)?);
    redirect("/account/security/recovery-codes");
    Ok(())
}

/// Sends another code, which makes the one before void.
#[server(prefix = "/api", endpoint = "resend_code")]
pub(crate) async fn resend_code(#[server(default)] channel: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let channel = Channel::from_name(&channel).unwrap_or(Channel::Sms);
    enrol_sms::resend(&call.authority, call.setting_up(PATH).await?, call.visitor(), channel).await.map_err(refuse)?;
    redirect(PATH);
    Ok(())
}

/// Leaves everything as it was.
#[server(prefix = "/api", endpoint = "cancel_phone")]
pub(crate) async fn cancel_phone() -> Result<(), AppError> {
    let call = Call::current()?;
    enrol_sms::cancel(&call.authority, call.setting_up(PATH).await?, call.visitor()).await.map_err(refuse)?;
    redirect("/account/security");
    Ok(())
}

/// `/account/security/phone`.
pub(crate) fn phone_page() -> AnyView {
    page(|| LoadPhone {}, "Confirm your cell phone", view)
}

fn view(data: PhoneView) -> AnyView {
    let status = ["Code sent to the number ending ", &data.ending, "."].concat();
    view! {
        <Block class="narrow card stack">
            <Heading text="Confirm your cell phone" hint="Type the code to prove that tokens reach you. Nothing changes before you do."/>
            <Messages status=Some(status)/>
            <StandingNote standing=data.standing has_app=false/>
            <Form action=ConfirmPhone::PATH class="stack">
                <TokenField label="Code from the message" lengths=TokenLengths::SIX autofocus=true/>
                <Button label="Confirm"/>
            </Form>
            <Block class="other-ways">
                <Hint>"No message?"</Hint>
                <SendButtons
                    action=ResendCode::PATH
                    first="Send Again"
                    next_send_at=data.next_send_at
                    now=data.standing.now
                />
            </Block>
            <Form action=CancelPhone::PATH>
                <Button label="Cancel" class="btn quiet"/>
            </Form>
        </Block>
    }
    .erase()
}
