//! `/account/security/authenticator`: another vendor's app becomes a factor.

use domain::totp::{Algorithm, Parameters, Secret, Step};
use domain::{Timestamp, Token, TokenLengths, Totp};
use leptos::prelude::*;
use server_fn::ServerFn;
#[cfg(feature = "ssr")]
use {
    super::step_up::Then,
    crate::cookies,
    crate::notice::Notice,
    crate::visit::{Call, redirect, redirected, refuse},
    authority::enrol_totp::{self, RemoveError, StartError},
};

use crate::components::countdown::OnTick;
use crate::components::methods::Standing;
use crate::components::{
    Block, Button, Copy, Countdown, Field, Heading, Hint, Kind, Messages, StandingNote, Step, TokenField,
};
use crate::erase::{Erase, Parts, live};
use crate::error::AppError;
use crate::form::Form;
use crate::page::page;
use crate::wire::wire;

/// The page's path.
#[cfg(feature = "ssr")]
pub(super) const PATH: &str = "/account/security/authenticator";

wire! {
    /// What the page shows. The key is shown while it is pending, and never again.
    struct AuthenticatorView {
        setup_key: String,
        uri: String,
        qr_svg: String,
        /// The name of the hash.
        algorithm: String,
        digits: u32,
        /// Seconds.
        period: u32,
        name: String,
        standing: Standing,
    }
}

/// Loads the page; without a pending enrolment it leads back.
#[server(prefix = "/api", endpoint = "load_authenticator")]
pub(crate) async fn load_authenticator() -> Result<String, AppError> {
    let call = Call::current()?;
    let pending = enrol_totp::pending(&call.authority, call.setting_up(PATH).await?).await.map_err(refuse)?;
    let Some(pending) = pending else { return Err(redirected("/account/security")) };
    call.page(&AuthenticatorView {
        setup_key: pending.setup_key,
        uri: pending.uri,
        qr_svg: pending.qr_svg,
        algorithm: pending.parameters.algorithm.name().to_owned(),
        digits: pending.parameters.digits.into(),
        period: pending.parameters.period,
        name: pending.name,
        standing: Standing {
            tries_left: pending.tries_left,
            failures: 0,
            locked_until: pending.locked_until,
            now: pending.now,
        },
    })
}

/// Makes a key, which counts once a token made with it is accepted.
#[server(prefix = "/api", endpoint = "add_app")]
pub(crate) async fn add_app() -> Result<(), AppError> {
    let call = Call::current()?;
    match enrol_totp::start(&call.authority, call.setting_up("/account/security").await?, call.visitor()).await {
        Ok(()) => redirect(PATH),
        Err(StartError::StepUpNeeded) => redirect(&Then::AddApp.step_up()),
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}

/// Checks the first token of the app; a right one makes the app a factor.
#[server(prefix = "/api", endpoint = "confirm_app")]
pub(crate) async fn confirm_app(
    #[server(default)] token: String,
    #[server(default)] app_name: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let opened =
        enrol_totp::confirm(&call.authority, call.setting_up(PATH).await?, call.visitor(), &token, &app_name).await;
    cookies::enter(&opened.map_err(refuse)?);
    redirect(&Notice::AppAdded.at("/account/security"));
    Ok(())
}

/// Leaves everything as it was.
#[server(prefix = "/api", endpoint = "cancel_app")]
pub(crate) async fn cancel_app() -> Result<(), AppError> {
    let call = Call::current()?;
    enrol_totp::cancel(&call.authority, call.setting_up(PATH).await?, call.visitor()).await.map_err(refuse)?;
    redirect("/account/security");
    Ok(())
}

/// Removes an app that is a factor; never the last factor.
#[server(prefix = "/api", endpoint = "remove_app")]
pub(crate) async fn remove_app(#[server(default)] factor: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let signed_in = call.signed_in("/account/security").await?;
    match enrol_totp::remove(&call.authority, signed_in, call.visitor(), &factor).await {
        Ok(opened) => {
            cookies::enter(&opened);
            redirect(&Notice::FactorRemoved.at("/account/security"));
        }
        Err(RemoveError::StepUpNeeded) => redirect(&Then::Security.step_up()),
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}

/// `/account/security/authenticator`.
pub(crate) fn authenticator_page() -> AnyView {
    page(|| LoadAuthenticator {}, "Add an authenticator app", view)
}

fn view(data: AuthenticatorView) -> AnyView {
    let digits = u8::try_from(data.digits).unwrap_or(6);
    let by_hand = format!("Type: time-based · {} digits · {} seconds · {}", data.digits, data.period, data.algorithm);
    let preview = preview(&data, digits);
    let groups = groups(&data.setup_key);
    view! {
        <Block class="medium card stack">
            <Heading
                text="Add an authenticator app"
                hint="Nothing changes before the last step. Your present ways to get a token stay."
            />
            <Messages/>
            <StandingNote standing=data.standing has_app=true/>
            <Form action=ConfirmApp::PATH class="stack">
                <ol class="steps">
                    <Step title="Open your app">
                        <Hint>
                            "Any app for time-based tokens will do: Google Authenticator, Microsoft Authenticator, 2FAS, Aegis, \
                             or your password manager."
                        </Hint>
                    </Step>
                    <Step title="Scan the QR code, or type the setup key">
                        <Block class="setup">
                            <div class="qr" role="img" aria-label="QR code for the setup key" inner_html=data.qr_svg></div>
                            <Block class="stack">
                                <div role="group" aria-label="Setup key">
                                    <code class="setup-key" dir="ltr">{groups}</code>
                                </div>
                                <Block class="row">
                                    <Copy text=data.setup_key/>
                                    <a class="btn" href=data.uri>"Open in authenticator app"</a>
                                </Block>
                                <Hint>{by_hand}</Hint>
                            </Block>
                        </Block>
                    </Step>
                    <Step title="Type the token that the app shows">
                        <Block class="setup">
                            <Block class="stack">
                                <TokenField label="Token from the app" lengths=TokenLengths::only(digits)/>
                                <Field
                                    label="Name of the app"
                                    name="app_name"
                                    kind=Kind::Words
                                    value=data.name
                                    hint="Optional, to tell your apps apart. At most 20 characters."
                                />
                            </Block>
                            {preview}
                        </Block>
                    </Step>
                </ol>
                <Button label="Activate" class="btn primary"/>
            </Form>
            <Form action=CancelApp::PATH>
                <Button label="Cancel" class="btn quiet"/>
            </Form>
        </Block>
    }
    .erase()
}

/// The key in groups of four. The gaps are drawn by the style sheet, so that a copy has no blanks in it.
fn groups(key: &str) -> AnyView {
    let groups = key.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned());
    let groups: Vec<_> = groups.map(|group| view! { <span>{group}</span> }.erase()).collect();
    groups.join()
}

/// What the app should show right now, made in the browser from the key on this page.
fn preview(data: &AuthenticatorView, digits: u8) -> AnyView {
    let shown = RwSignal::new(None);
    let parameters = Parameters {
        algorithm: Algorithm::from_name(&data.algorithm).unwrap_or(Algorithm::Sha1),
        digits,
        period: data.period,
    };
    let key = data.setup_key.clone();
    let on_tick = move |now: Timestamp| {
        let step = Step::at(now, parameters.period);
        if shown.with_untracked(|shown: &Option<Shown>| shown.as_ref().is_none_or(|shown| shown.step != step)) {
            shown.set(Shown::at(&key, parameters, step));
        }
    };
    let half = move |second: bool, next: bool| {
        shown.with(|shown| {
            let shown = shown.as_ref()?;
            let digits = if next { &shown.next } else { &shown.token }.expose_digits();
            let (left, right) = digits.split_at(digits.len() / 2);
            Some(if second { right } else { left }.to_owned())
        })
    };
    // Digits apart, so that they are read one by one.
    let spoken = move || {
        let digits = shown.with(|shown| Some(shown.as_ref()?.token.expose_digits().to_owned()))?;
        Some(digits.chars().flat_map(|digit| [digit, ' ']).collect())
    };
    let on_tick: OnTick = Box::new(on_tick);
    let (now, period) = (data.standing.now, data.period);
    view! {
        <Block class="preview js">
            <h2>"Your app should now show"</h2>
            <p class="digits" dir="ltr" aria-hidden="true">
                <span>{live(move || half(false, false))}</span>
                <span>{live(move || half(true, false))}</span>
            </p>
            <p class="unseen">{live(spoken)}</p>
            <Countdown
                label="Your token expires in"
                now=now
                period=period
                on_tick=Some(on_tick)
            />
            <p class="hint next" aria-hidden="true">
                "Next "
                <span>{live(move || half(false, true))}</span>
                <span>{live(move || half(true, true))}</span>
            </p>
            <Hint>"If it shows another token, its clock is off, or the key was typed wrong."</Hint>
        </Block>
    }
    .erase()
}

/// The tokens of one step and of the next.
struct Shown {
    step: Step,
    token: Token,
    next: Token,
}

impl Shown {
    fn at(key: &str, parameters: Parameters, step: Step) -> Option<Self> {
        let totp = Totp::new(&Secret::from_base32(key)?, parameters).ok()?;
        // The next one is made ahead, so that the change has no pause.
        let next = totp.token_of(Step::new(step.number() + 1));
        Some(Self { step, token: totp.token_of(step), next })
    }
}
