//! `/account/password`: a new password.

use leptos::prelude::*;
use server_fn::ServerFn;
#[cfg(feature = "ssr")]
use {
    super::step_up::Then,
    crate::cookies,
    crate::notice::Notice,
    crate::visit::{Call, redirect, refuse},
    authority::password::{self, ChangeError},
    authority::security,
    domain::password::{MIN_ALONE, MIN_WITH_TOKEN},
};

use crate::components::{Back, Block, Button, Field, Heading, Kind, Messages};
use crate::erase::Erase;
use crate::error::AppError;
use crate::form::Form;
use crate::page::page;
use crate::wire::wire;

wire! {
    /// What the page shows.
    struct PasswordView {
        /// Characters that the new password has at least.
        minimum: u32,
    }
}

/// Loads the page.
#[server(prefix = "/api", endpoint = "load_password")]
pub(crate) async fn load_password() -> Result<String, AppError> {
    let call = Call::current()?;
    let overview =
        security::overview(&call.authority, call.signed_in("/account/password").await?).await.map_err(refuse)?;
    let minimum = if overview.enabled { MIN_WITH_TOKEN } else { MIN_ALONE };
    call.page(&PasswordView { minimum: u32::try_from(minimum).unwrap_or_default() })
}

/// Changes the password; other browsers are signed out.
#[server(prefix = "/api", endpoint = "change_password")]
pub(crate) async fn change_password(
    #[server(default)] current_password: String,
    #[server(default)] new_password: String,
    #[server(default)] confirmation: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let signed_in = call.signed_in("/account/password").await?;
    let changed =
        password::change(&call.authority, signed_in, call.visitor(), current_password, new_password, confirmation);
    match changed.await {
        Ok(opened) => {
            cookies::enter(&opened);
            redirect(&Notice::PasswordChanged.at("/account/profile"));
        }
        Err(ChangeError::StepUpNeeded) => redirect(&Then::Password.step_up()),
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}

/// `/account/password`.
pub(crate) fn password_page() -> AnyView {
    page(|| LoadPassword {}, "Change password", view)
}

fn view(data: PasswordView) -> AnyView {
    let hint = format!("At least {} characters. Several unrelated words are best.", data.minimum);
    view! {
        <Block class="narrow card stack">
            <Back href="/account/profile" label="Back to the profile"/>
            <Heading text="Change password" hint="Your other browsers will be logged out."/>
            <Messages/>
            <Form action=ChangePassword::PATH class="stack">
                <Field label="Current password" name="current_password" kind=Kind::Password required=true/>
                <Field
                    label="New password"
                    name="new_password"
                    kind=Kind::NewPassword
                    hint=hint
                    minimum=Some(data.minimum)
                    required=true
                />
                <Field label="Confirm new password" name="confirmation" kind=Kind::NewPassword required=true/>
                <Button label="Change Password"/>
            </Form>
        </Block>
    }
    .erase()
}
