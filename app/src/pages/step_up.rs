//! `/account/step-up`: the password, and a token where a factor is active, once more before something grave.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use server_fn::ServerFn;
#[cfg(feature = "ssr")]
use {
    crate::cookies,
    crate::notice::Notice,
    crate::visit::{Call, redirect, refuse},
    authority::{Session, enrol_totp, recovery, sessions, step_up},
    domain::LocalPath,
    domain::message::Channel,
};

use crate::components::methods::Phone;
use crate::components::{
    Back, Block, Button, Field, Heading, Hidden, Hint, Kind, Messages, Methods, SendButtons, StandingNote, TokenField,
};
use crate::erase::Erase;
use crate::error::AppError;
use crate::form::Form;
use crate::page::page;
use crate::wire::wire;

/// What was to be done, and is done after the step-up.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    AddApp,
    ReplaceCodes,
    ShowCodes,
    Password,
    Profile,
    Security,
    Disable,
    CheckUp,
}

#[cfg(feature = "ssr")]
impl Then {
    const ALL: [Self; 8] = [
        Self::AddApp,
        Self::ReplaceCodes,
        Self::ShowCodes,
        Self::Password,
        Self::Profile,
        Self::Security,
        Self::Disable,
        Self::CheckUp,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AddApp => "add-app",
            Self::ReplaceCodes => "replace-codes",
            Self::ShowCodes => "show-codes",
            Self::Password => "password",
            Self::Profile => "profile",
            Self::Security => "security",
            Self::Disable => "disable",
            Self::CheckUp => "check-up",
        }
    }

    fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|then| then.name() == name).unwrap_or(Self::Security)
    }

    /// The step-up that leads back to a page of the practice's.
    pub(crate) fn practice(page: &str) -> String {
        let escaped = page.replace('?', "%3F").replace('=', "%3D").replace('&', "%26");
        format!("/account/step-up?then={escaped}")
    }

    /// The page that asks for the step-up.
    pub(crate) fn step_up(self) -> String {
        match self {
            // This page asks for the same proof by itself.
            Self::Disable => super::disable::PATH.to_owned(),
            // That one needs no step-up, only a message.
            Self::CheckUp => CHECK_UP.to_owned(),
            _ => format!("/account/step-up?then={}", self.name()),
        }
    }

    /// The page that follows.
    fn page(self) -> String {
        match self {
            Self::AddApp => super::authenticator::PATH.to_owned(),
            Self::ReplaceCodes | Self::ShowCodes => super::recovery_codes::PATH.to_owned(),
            Self::Password => Notice::Confirmed.at("/account/password"),
            Self::Profile => Notice::Confirmed.at("/account/profile"),
            Self::Security => Notice::Confirmed.at("/account/security"),
            Self::Disable => super::disable::PATH.to_owned(),
            Self::CheckUp => CHECK_UP.to_owned(),
        }
    }
}

/// The path of the check-up.
#[cfg(feature = "ssr")]
pub(crate) const CHECK_UP: &str = "/account/check-up";

wire! {
    /// What the page shows.
    struct StepUpView {
        /// Nothing where no factor is active: the password suffices.
        methods: Option<Methods>,
    }
}

/// Loads the page.
#[server(prefix = "/api", endpoint = "load_step_up")]
pub(crate) async fn load_step_up() -> Result<String, AppError> {
    let call = Call::current()?;
    let methods =
        step_up::methods(&call.authority, call.setting_up("/account/security").await?).await.map_err(refuse)?;
    call.page(&StepUpView { methods: methods.map(Methods::from) })
}

/// Checks password and token, and then does what was to be done.
#[server(prefix = "/api", endpoint = "confirm_identity")]
pub(crate) async fn confirm_identity(
    #[server(default)] current_password: String,
    #[server(default)] token: String,
    #[server(default)] then: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let signed_in = call.setting_up("/account/security").await?;
    let opened = step_up::confirm(&call.authority, signed_in, call.visitor(), current_password, &token).await;
    let opened = opened.map_err(refuse)?;
    cookies::enter(&opened);
    if let Some(page) = page_of_practice(&then) {
        redirect(&Notice::Confirmed.at(&page));
        return Ok(());
    }
    let then = Then::from_name(&then);
    // The proof is a new session, so it is the new one that may do more.
    match sessions::recognise(&call.authority, &opened.session).await.map_err(refuse)? {
        Some(Session::Open(signed_in) | Session::MustEnrol(signed_in)) if then == Then::AddApp => {
            enrol_totp::start(&call.authority, &signed_in, call.visitor()).await.map_err(refuse)?;
        }
        Some(Session::Open(signed_in)) if then == Then::ReplaceCodes => {
            recovery::replace(&call.authority, &signed_in, call.visitor()).await.map_err(refuse)?;
        }
        _ => {}
    }
    redirect(&then.page());
    Ok(())
}

/// Sends a token to the cell phone, for this page and for the one that turns everything off.
#[server(prefix = "/api", endpoint = "send_token")]
pub(crate) async fn send_token(
    #[server(default)] channel: String,
    #[server(default)] then: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let channel = Channel::from_name(&channel).unwrap_or(Channel::Sms);
    let signed_in = call.setting_up("/account/security").await?;
    step_up::request_token(&call.authority, signed_in, call.visitor(), channel).await.map_err(refuse)?;
    redirect(&page_of_practice(&then).map_or_else(|| Then::from_name(&then).step_up(), |page| Then::practice(&page)));
    Ok(())
}

/// The page of the practice's to which the step-up leads back, if it is one.
#[cfg(feature = "ssr")]
pub(crate) fn page_of_practice(then: &str) -> Option<String> {
    let path = LocalPath::parse(then).ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_?=&,".contains(&byte);
    let path = path.as_str();
    (path.starts_with("/practice/") && path.bytes().all(is_plain)).then(|| path.to_owned())
}

/// `/account/step-up`.
pub(crate) fn step_up_page() -> AnyView {
    page(|| LoadStepUp {}, "Confirm it is you", view)
}

fn view(data: StepUpView) -> AnyView {
    let then = use_query_map().with_untracked(|query| query.get("then")).unwrap_or_default();
    let status = data.methods.as_ref().and_then(|methods| methods.phone.as_ref()).and_then(Phone::sent_text);
    let (token, others) = data.methods.map(|methods| token_parts(methods, &then)).unzip();
    view! {
        <Block class="narrow card stack">
            <Back href="/account/security" label="Back to Security"/>
            <Heading text="Confirm it is you" hint="What you are about to change protects your account. This counts for 5 minutes."/>
            <Messages status=status/>
            <Form action=ConfirmIdentity::PATH class="stack">
                <Hidden name="then" value=then/>
                <Field label="Current password" name="current_password" kind=Kind::Password required=true/>
                {token}
                <Button label="Confirm"/>
            </Form>
            {others}
        </Block>
    }
    .erase()
}

/// The token field, and the ways to get a token.
fn token_parts(methods: Methods, then: &str) -> (AnyView, AnyView) {
    let standing = methods.standing;
    let has_app = !methods.apps.is_empty();
    let instruction = methods.instruction();
    let then = then.to_owned();
    let field = view! {
        <Block class="stack">
            <Hint>{instruction}</Hint>
            <StandingNote standing=standing has_app=has_app/>
            <TokenField label="Authorization token" lengths=methods.lengths/>
        </Block>
    };
    let send = methods.phone.map(|phone| {
        view! {
            <SendButtons
                action=SendToken::PATH
                first="Request Token via SMS"
                next_send_at=phone.next_send_at
                now=standing.now
                then=then
            />
        }
        .erase()
    });
    (field.erase(), view! { <Block class="other-ways">{send}</Block> }.erase())
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_step_up_leads_back_to_pages_of_the_practice_alone() {
        for page in ["/practice/staff/0a1b", "/practice/policy?idle=15&countries=US,CA&nurse_from=2026-12-01"] {
            assert_eq!(page_of_practice(page).as_deref(), Some(page));
        }
        for elsewhere in ["/account/security", "//evil.test/practice/", "/practice/policy?next=https://evil.test", "x"]
        {
            assert_eq!(page_of_practice(elsewhere), None, "{elsewhere}");
        }
    }
}
