//! `/signup`: a new practice, with its first account.

use leptos::prelude::*;
use server_fn::ServerFn;
#[cfg(feature = "ssr")]
use {
    crate::cookies,
    crate::notice::Notice,
    crate::visit::{Call, redirect, redirected, refuse},
    authority::practice::{self, NewPractice},
};

use crate::components::{Block, Button, Field, Heading, Hint, Kind, Link, Messages};
use crate::erase::Erase;
use crate::error::AppError;
use crate::form::Form;
use crate::page::page;
use crate::wire::wire;

wire! {
    /// Nothing but the form.
    struct SignUpView {}
}

/// Loads the page; who is signed in has an account.
#[server(prefix = "/api", endpoint = "load_sign_up")]
pub(crate) async fn load_sign_up() -> Result<String, AppError> {
    let call = Call::current()?;
    if let Some(page) = call.visit.inside() {
        return Err(redirected(page));
    }
    call.page(&SignUpView {})
}

/// Creates the practice and signs its first account in.
#[server(prefix = "/api", endpoint = "sign_up")]
pub(crate) async fn sign_up(
    #[server(default)] practice_name: String,
    #[server(default)] first_name: String,
    #[server(default)] last_name: String,
    #[server(default)] email: String,
    #[server(default)] username: String,
    #[server(default)] new_password: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let new = NewPractice { practice_name, first_name, last_name, email, username, password: new_password };
    let opened = practice::create(&call.authority, call.visitor(), new).await.map_err(refuse)?;
    cookies::enter(&opened);
    redirect(&Notice::PracticeCreated.at("/account/profile"));
    Ok(())
}

/// `/signup`.
pub(crate) fn sign_up_page() -> AnyView {
    page(|| LoadSignUp {}, "Create your practice", view)
}

fn view(_: SignUpView) -> AnyView {
    view! {
        <Block class="narrow card stack">
            <Heading text="Create your practice" hint="You become its first provider and administrator."/>
            <Messages/>
            <Form action=SignUp::PATH class="stack">
                <Field label="Practice name" name="practice_name" kind=Kind::Words autocomplete="organization" required=true/>
                <Block class="pair">
                    <Field label="First name" name="first_name" kind=Kind::Words autocomplete="given-name" required=true/>
                    <Field label="Last name" name="last_name" kind=Kind::Words autocomplete="family-name" required=true/>
                </Block>
                <Field label="Email" name="email" kind=Kind::Email required=true/>
                <Field label="Username" name="username" autocomplete="username" required=true/>
                <Field
                    label="Password"
                    name="new_password"
                    kind=Kind::NewPassword
                    hint="At least 15 characters. Several unrelated words are best."
                    required=true
                />
                <Button label="Create Practice"/>
            </Form>
            <Hint>"Already here? "<Link href="/login" label="Log in"/></Hint>
        </Block>
    }
    .erase()
}
