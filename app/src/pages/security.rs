//! `/account/security`: the second tab of Account Settings.

use domain::recovery_code::{FEW, SET_SIZE};
use domain::{FactorKind, Timestamp};
use leptos::prelude::*;
use server_fn::ServerFn;
#[cfg(feature = "ssr")]
use {
    super::step_up::Then,
    crate::browser_name::browser_name,
    crate::cookies,
    crate::notice::Notice,
    crate::visit::{Call, redirect, refuse},
    authority::devices::{self, EnrolError, RevokeError},
    authority::enrol_sms::{self, StartError},
    authority::remembered::{self, RememberedBrowser},
    authority::security,
    authority::security::Overview,
    authority::sessions::{self, EndError, SignedInBrowser},
    domain::session::Assurance,
};

use super::authenticator::{AddApp, RemoveApp};
use super::recovery_codes::ReplaceRecoveryCodes;
use crate::components::{
    AccountSettings, Block, Button, Field, Hidden, Hint, Icon, Info, Kind, Link, ReadOnly, Section, Tab, Warning,
};
use crate::erase::{Content, Erase, Parts, nothing};
use crate::error::AppError;
use crate::form::Form;
use crate::page::page;
use crate::time::Time;
use crate::wire::wire;

/// Down to this many codes the page asks for a new set.
#[expect(clippy::cast_possible_truncation, reason = "a handful")]
const FEW_CODES: u32 = FEW as u32;

wire! {
    /// What the page shows.
    struct SecurityView {
        enabled: bool,
        email: String,
        cell_phone: Option<String>,
        factors: Vec<FactorView>,
        idle_devices: Vec<IdleDeviceView>,
        recovery_codes_left: u32,
        codes_to_store: bool,
        pending_phone: bool,
        pending_app: bool,
        phone_to_confirm: bool,
        phone_elsewhere: bool,
        only_sms: bool,
        /// The practice offers it, so it may be turned on.
        offered: bool,
        /// What follows from the practice's policy, in sentences.
        remarks: Vec<String>,
        browsers: Vec<BrowserView>,
        remembered: Vec<BrowserView>,
    }
}

wire! {
    /// A way to get a token.
    struct FactorView {
        id: String,
        /// The name of its [`FactorKind`].
        kind: String,
        name: String,
        /// The last two digits of a phone's number.
        ending: Option<String>,
        confirmed_at: Timestamp,
        last_used_at: Option<Timestamp>,
        /// The id of the device with Twofold's own authenticator.
        device: Option<String>,
        is_disabled: bool,
    }
}

wire! {
    /// A device that makes no tokens for this account.
    struct IdleDeviceView {
        id: String,
        name: String,
        /// Until when its secret waits for it.
        waits_until: Option<Timestamp>,
    }
}

wire! {
    /// A browser that is signed in, or remembered.
    struct BrowserView {
        id: String,
        name: String,
        /// Its network address and, of one that is signed in, how it signed in.
        address: String,
        /// When it was last active, or used to sign in without a token.
        active_at: Timestamp,
        /// Since when it is signed in, or until when it is remembered.
        limit: Timestamp,
        is_this: bool,
    }
}

/// Loads the page.
#[server(prefix = "/api", endpoint = "load_security")]
pub(crate) async fn load_security() -> Result<String, AppError> {
    let call = Call::current()?;
    let signed_in = call.signed_in("/account/security").await?;
    let overview = security::overview(&call.authority, signed_in).await.map_err(refuse)?;
    let browsers = sessions::list(&call.authority, signed_in).await.map_err(refuse)?;
    let remembered = remembered::list(&call.authority, signed_in).await.map_err(refuse)?;
    call.page(&SecurityView::new(overview, browsers, remembered))
}

/// How a session was opened, in words.
#[cfg(feature = "ssr")]
fn signed_in_by(assurance: Assurance) -> &'static str {
    match assurance {
        Assurance::Password => "password only",
        Assurance::Remembered => "password, remembered browser",
        Assurance::TwoFactor => "password and token",
    }
}

#[cfg(feature = "ssr")]
impl SecurityView {
    fn new(overview: Overview, browsers: Vec<SignedInBrowser>, remembered: Vec<RememberedBrowser>) -> Self {
        let remarks = remarks(&overview);
        let factors = overview.factors.into_iter().map(|factor| FactorView {
            id: factor.id,
            kind: factor.kind.name().to_owned(),
            name: factor.name,
            ending: factor.ending,
            confirmed_at: factor.confirmed_at,
            last_used_at: factor.last_used_at,
            device: factor.device,
            is_disabled: factor.is_disabled,
        });
        let idle_devices = overview.idle_devices.into_iter().map(|device| IdleDeviceView {
            id: device.id,
            name: device.name,
            waits_until: device.waits_until,
        });
        let browsers = browsers.into_iter().map(|browser| BrowserView {
            id: browser.id,
            name: browser_name(&browser.user_agent),
            address: format!("{} · {}", browser.address, signed_in_by(browser.assurance)),
            active_at: browser.active_at,
            limit: browser.opened_at,
            is_this: browser.is_this,
        });
        let remembered = remembered.into_iter().map(|browser| BrowserView {
            id: browser.id,
            name: browser_name(&browser.user_agent),
            address: browser.address,
            active_at: browser.used_at,
            limit: browser.until,
            is_this: false,
        });
        Self {
            offered: overview.is_offered,
            remarks,
            enabled: overview.enabled,
            email: overview.email,
            cell_phone: overview.cell_phone,
            factors: factors.collect(),
            idle_devices: idle_devices.collect(),
            recovery_codes_left: overview.recovery_codes_left,
            codes_to_store: overview.codes_to_store,
            pending_phone: overview.pending_phone,
            pending_app: overview.pending_app,
            phone_to_confirm: overview.phone_to_confirm,
            phone_elsewhere: overview.phone_elsewhere,
            only_sms: overview.only_sms,
            browsers: browsers.collect(),
            remembered: remembered.collect(),
        }
    }
}

/// What follows from the practice's policy for whoever asks. Written by the server, so that the browser's program does not
/// carry the sentences.
#[cfg(feature = "ssr")]
fn remarks(overview: &Overview) -> Vec<String> {
    let off = (!overview.is_offered && !overview.enabled)
        .then(|| "Your practice has switched two-factor authentication off for your role.".to_owned());
    let until_used = (overview.sms_until_used && (overview.is_offered || overview.enabled)).then(|| {
        "Less secure: your practice lets a token in a text message live until it is used. Whoever reads it on your phone days \
         later can still log in with it and your password."
            .to_owned()
    });
    let no_pin = overview.locks_with_pin.map(|minutes| {
        format!(
            "Your practice locks the screen after {minutes} minutes, but not yours: enter an App unlock PIN on the Profile tab."
        )
    });
    [off, until_used, no_pin].into_iter().flatten().collect()
}

/// Begins to turn two-factor authentication on: a code goes to the cell phone.
#[server(prefix = "/api", endpoint = "enable_two_factor")]
pub(crate) async fn enable_two_factor(#[server(default)] current_password: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let signed_in = call.setting_up("/account/security").await?;
    match enrol_sms::start(&call.authority, signed_in, call.visitor(), current_password).await {
        Ok(()) => redirect(super::phone::PATH),
        Err(StartError::StepUpNeeded) => redirect(&Then::Security.step_up()),
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}

/// Revokes a device with Twofold's own authenticator; never the last factor.
#[server(prefix = "/api", endpoint = "revoke_device")]
pub(crate) async fn revoke_device(#[server(default)] device: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let signed_in = call.signed_in("/account/security").await?;
    match devices::revoke(&call.authority, signed_in, call.visitor(), &device).await {
        Ok(opened) => {
            cookies::enter(&opened);
            redirect(&Notice::FactorRemoved.at("/account/security"));
        }
        Err(RevokeError::StepUpNeeded) => redirect(&Then::Security.step_up()),
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}

/// Has a device that is there already make tokens for this account too.
#[server(prefix = "/api", endpoint = "enrol_device")]
pub(crate) async fn enrol_device(#[server(default)] device: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let signed_in = call.signed_in("/account/security").await?;
    match devices::enrol(&call.authority, signed_in, call.visitor(), &device).await {
        Ok(()) => redirect(&Notice::DeviceWaits.at("/account/security")),
        Err(EnrolError::StepUpNeeded) => redirect(&Then::Security.step_up()),
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}

/// Takes that back, while the device has not fetched its secret.
#[server(prefix = "/api", endpoint = "cancel_device")]
pub(crate) async fn cancel_device() -> Result<(), AppError> {
    let call = Call::current()?;
    let signed_in = call.signed_in("/account/security").await?;
    devices::cancel(&call.authority, signed_in, call.visitor()).await.map_err(refuse)?;
    redirect(&Notice::EnrolmentCancelled.at("/account/security"));
    Ok(())
}

/// Signs another browser out.
#[server(prefix = "/api", endpoint = "end_session")]
pub(crate) async fn end_session(#[server(default)] session: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let signed_in = call.signed_in("/account/security").await?;
    ended(sessions::end(&call.authority, signed_in, call.visitor(), &session).await, Notice::BrowserEnded)
}

/// Forgets a remembered browser: its next log-in takes a token.
#[server(prefix = "/api", endpoint = "forget_browser")]
pub(crate) async fn forget_browser(#[server(default)] browser: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let signed_in = call.signed_in("/account/security").await?;
    ended(remembered::forget(&call.authority, signed_in, call.visitor(), &browser).await, Notice::FactorRemoved)
}

/// Says what was done, or asks for a step-up first.
#[cfg(feature = "ssr")]
fn ended(result: Result<(), EndError>, done: Notice) -> Result<(), AppError> {
    match result {
        Ok(()) => redirect(&done.at("/account/security")),
        Err(EndError::StepUpNeeded) => redirect(&Then::Security.step_up()),
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}

/// `/account/security`.
pub(crate) fn security_page() -> AnyView {
    page(|| LoadSecurity {}, "Security", view)
}

fn view(data: SecurityView) -> AnyView {
    let side = [
        factors_section(data.factors, data.idle_devices, data.enabled.then_some(data.phone_elsewhere)),
        recovery_codes_section(data.enabled, data.recovery_codes_left),
        browsers_section(data.browsers, data.remembered),
    ];
    let waiting: Vec<_> = [
        (
            data.codes_to_store,
            "Your recovery codes are not stored yet. ",
            "/account/security/recovery-codes",
            "Store them now",
        ),
        (data.pending_phone, "Your cell phone waits to be confirmed. ", "/account/security/phone", "Type the code"),
        (data.pending_app, "An app waits for its first token. ", "/account/security/authenticator", "Go on"),
    ]
    .into_iter()
    .filter(|(waits, ..)| *waits)
    .map(|(_, text, href, label)| view! { <Warning>{text}<Link href=href label=label/></Warning> }.erase())
    .collect();
    let remarks: Vec<_> =
        data.remarks.into_iter().map(|remark| view! { <Warning>{remark}</Warning> }.erase()).collect();
    let action = match (data.enabled, data.phone_to_confirm) {
        (false, _) if !data.offered => nothing(),
        (false, _) => enable_form("Enable Two-Factor Authentication"),
        (true, true) => view! {
            <Warning>
                "Your profile has a new cell phone. Tokens still go to the old one until you confirm the new number."
            </Warning>
            {enable_form("Confirm the New Number")}
            {enabled_actions()}
        }
        .erase(),
        (true, false) => enabled_actions(),
    };
    // Said where a number is asked for, too (requirements.md SM-1).
    let is_set_up = if data.enabled { !data.phone_to_confirm } else { !data.offered };
    let account = token_account(data.email, data.cell_phone);
    view! {
        <AccountSettings tab=Tab::Security>
            <Block class="columns">
                <Section id="two-factor" title="Two Factor Authentication">
                    {status(data.enabled)}
                    <p>
                        "Besides your password, logging in takes a token from your phone. "
                        <a href="/help/two-factor" rel="external">"How it works"</a>
                    </p>
                    {remarks.join()}
                    {waiting.join()}
                    {advice(is_set_up, data.only_sms)}
                    {account}
                    {action}
                </Section>
                <Block class="stack">{Vec::from(side).join()}</Block>
            </Block>
        </AccountSettings>
    }
    .erase()
}

fn status(enabled: bool) -> AnyView {
    let (class, text) = if enabled { ("tag ok", "Status: Enabled") } else { ("tag off", "Status: Disabled") };
    view! { <p class=class>{text}</p> }.erase()
}

/// How safe the ways to get a token are: said before a number is set up, and again while there is no better one.
fn advice(is_set_up: bool, only_sms: bool) -> AnyView {
    let (head, text) = match (is_set_up, only_sms) {
        (false, _) => (
            "Text messages are the weaker way.",
            " They can be intercepted, or your number taken over. They get you started; an authenticator app, which you can \
             add right after, is the better one.",
        ),
        (true, true) => (
            "You have only one way to log in. Add a second.",
            " Text messages can be intercepted; an authenticator app is safer, and works without a signal.",
        ),
        (true, false) => return nothing(),
    };
    view! { <Warning><strong>{head}</strong>{text}</Warning> }.erase()
}

/// The e-mail and the cell phone, as they are on the profile.
fn token_account(email: String, cell_phone: Option<String>) -> AnyView {
    let missing = cell_phone.is_none().then(|| {
        view! {
            <Info>
                "A cell phone is needed first. "
                <Link href="/account/profile" label="Enter it on your profile"/>
                ", then come back."
            </Info>
        }
        .erase()
    });
    view! {
        <Block class="stack">
            <Block class="fields">
                <ReadOnly label="Email to use" id="email-to-use" value=email/>
                <ReadOnly
                    label="Cell phone to use"
                    id="cell-phone-to-use"
                    value=cell_phone.unwrap_or_else(|| "None on file".to_owned())
                />
            </Block>
            <Hint>
                "These make your token account: only one per e-mail and per cell phone. Change them on the "
                <Link href="/account/profile" label="Profile tab"/>
                "."
            </Hint>
            {missing}
        </Block>
    }
    .erase()
}

fn enable_form(label: &'static str) -> AnyView {
    view! {
        <Form action=EnableTwoFactor::PATH class="stack">
            <Field label="Current password" name="current_password" kind=Kind::Password required=true/>
            <Button label=label class="btn primary"/>
        </Form>
    }
    .erase()
}

fn enabled_actions() -> AnyView {
    view! {
        <Block class="row">
            <Form action=AddApp::PATH>
                <Button label="Add an authenticator app" class="btn primary"/>
            </Form>
            <Link href="/account/security/disable" label="Disable Two-Factor Authentication" class="btn danger"/>
        </Block>
    }
    .erase()
}

/// `phone_elsewhere` is none while two-factor authentication is off.
fn factors_section(
    factors: Vec<FactorView>,
    idle_devices: Vec<IdleDeviceView>,
    phone_elsewhere: Option<bool>,
) -> AnyView {
    let mut devices = Vec::new();
    let mut others = Vec::new();
    for factor in factors {
        match FactorKind::from_name(&factor.kind) {
            Some(FactorKind::Authenticator) => devices.push(factor_row(factor, Icon::Phone, "Twofold Authenticator")),
            Some(FactorKind::Totp) => others.push(factor_row(factor, Icon::Shield, "Authenticator app")),
            _ => others.push(factor_row(factor, Icon::Message, "Text message or call")),
        }
    }
    devices.extend(idle_devices.into_iter().map(idle_device_row));
    let none = |text: &'static str| vec![view! { <Hint>{text}</Hint> }.erase()];
    if others.is_empty() {
        others = none("No way to get a token yet.");
    }
    if devices.is_empty() {
        devices = none("No device runs Twofold's own authenticator for this account.");
    }
    view! {
        <Section id="factors" title="Factors">{others.join()}</Section>
        <Section id="devices" title="Devices">{devices.join()}{phone_elsewhere.map(authenticator_hint)}</Section>
    }
    .erase()
}

/// How a device is added: on that device, by a program of its own. Where the cell phone is another token account's, why not.
fn authenticator_hint(phone_elsewhere: bool) -> AnyView {
    if phone_elsewhere {
        return view! {
            <Warning>
                "Your cell phone or e-mail belongs to another token account, so no device can be added by it here. Text \
                 messages, calls and other authenticator apps work all the same."
            </Warning>
        }
        .erase();
    }
    view! {
        <Hint>
            "To get tokens on a phone, open "
            <a href="/authenticator" rel="external">
                "the authenticator"
            </a>
            " there and add your account by its cell phone. If a device is lost, revoke it here: its tokens are void at once."
        </Hint>
    }
    .erase()
}

fn factor_row(factor: FactorView, icon: Icon, kind: &'static str) -> AnyView {
    let is_app = factor.kind == FactorKind::Totp.name();
    let title = match &factor.ending {
        Some(ending) => [kind, ", ending ", ending].concat(),
        None if factor.name.is_empty() => kind.to_owned(),
        None => factor.name,
    };
    let end = if is_app {
        let spoken = ["Remove ", &title].concat();
        small_form(RemoveApp::PATH, "factor", factor.id, "Remove", spoken)
    } else if let Some(device) = factor.device {
        let spoken = ["Revoke ", &title].concat();
        small_form(RevokeDevice::PATH, "device", device, "Revoke", spoken)
    } else if factor.ending.is_some() {
        view! { <span class="tag warn">"Less secure"</span> }.erase()
    } else {
        nothing()
    };
    let used = factor.last_used_at.map(|at| view! { <span>" · last used "<Time at=at/></span> }.erase());
    let disabled = factor.is_disabled.then_some(" · disabled after too many wrong tokens");
    view! { <Fact icon=icon title=title end=end>"Added "<Time at=factor.confirmed_at/>{used}{disabled}</Fact> }.erase()
}

/// A device of the token account, for the offer to use it here too.
fn idle_device_row(device: IdleDeviceView) -> AnyView {
    let name = device.name;
    let Some(until) = device.waits_until else {
        let spoken = ["Use ", &name, " for this account"].concat();
        let end = small_form(EnrolDevice::PATH, "device", device.id, "Use for this account", spoken);
        return view! { <Fact icon=Icon::Phone title=name end=end>"Makes no tokens for this account"</Fact> }.erase();
    };
    let spoken = ["Cancel: ", &name].concat();
    let end = small_form(CancelDevice::PATH, "device", device.id, "Cancel", spoken);
    view! {
        <Fact icon=Icon::Phone title=name end=end>
            "Open the authenticator on it: it adds this account by itself, until "<Time at=until/>". "
            <a href="/account/security" rel="external">"Look again"</a>
        </Fact>
    }
    .erase()
}

fn recovery_codes_section(enabled: bool, left: u32) -> AnyView {
    if !enabled {
        return view! {
            <Section id="recovery-codes" title="Recovery codes">
                <Hint>"You get them when you turn two-factor authentication on."</Hint>
            </Section>
        }
        .erase();
    }
    let few = (left <= FEW_CODES).then(|| view! { <Warning>"Few codes are left. Make a new set."</Warning> }.erase());
    let text = format!("{left} of {SET_SIZE} left. Each works once, when you have no phone at hand.");
    view! {
        <Section id="recovery-codes" title="Recovery codes">
            <Hint>{text}</Hint>
            {few}
            <Form action=ReplaceRecoveryCodes::PATH>
                <Button label="Replace recovery codes" class="btn"/>
            </Form>
            <Hint>"A new set makes every older code void."</Hint>
        </Section>
    }
    .erase()
}

fn browsers_section(browsers: Vec<BrowserView>, remembered: Vec<BrowserView>) -> AnyView {
    let rows: Vec<_> = browsers.into_iter().map(browser_row).collect();
    let remembered = (!remembered.is_empty()).then(|| {
        let rows: Vec<_> = remembered.into_iter().map(remembered_row).collect();
        view! {
            <Section id="remembered" title="Remembered browsers">
                {rows.join()}
                <Hint>"They need the password and no token. Forget one that you do not know, or do not use any more."</Hint>
            </Section>
        }
        .erase()
    });
    view! {
        <Section id="browsers" title="Signed-in browsers">
            {rows.join()}
            <Hint><Link href="/account/security/activity" label="Recent activity"/></Hint>
        </Section>
        {remembered}
    }
    .erase()
}

fn remembered_row(browser: BrowserView) -> AnyView {
    let spoken = ["Forget ", &browser.name].concat();
    let end = small_form(ForgetBrowser::PATH, "browser", browser.id, "Forget", spoken);
    view! {
        <Fact icon=Icon::Screen title=browser.name end=end>
            {browser.address}" · used "<Time at=browser.active_at/>" · until "<Time at=browser.limit/>
        </Fact>
    }
    .erase()
}

fn browser_row(browser: BrowserView) -> AnyView {
    let end = if browser.is_this {
        view! { <span class="tag ok">"This browser"</span> }.erase()
    } else {
        let spoken = ["End session: ", &browser.name].concat();
        small_form(EndSession::PATH, "session", browser.id, "End session", spoken)
    };
    view! {
        <Fact icon=Icon::Screen title=browser.name end=end>
            {browser.address}" · active "<Time at=browser.active_at/>" · since "<Time at=browser.limit/>
        </Fact>
    }
    .erase()
}

/// A button at the end of a row, for what the row is about.
fn small_form(action: &'static str, name: &'static str, value: String, label: &'static str, spoken: String) -> AnyView {
    view! {
        <Form action=action>
            <Hidden name=name value=value/>
            <Button label=label class="btn small" spoken=Some(spoken)/>
        </Form>
    }
    .erase()
}

/// A row of a list: what it is, something about it, and what can be done with it.
#[component]
fn Fact(icon: Icon, title: String, end: AnyView, children: Content) -> AnyView {
    view! {
        <div class="fact">
            {icon.view()}
            <strong>{title}</strong>
            <span class="hint">{children.view()}</span>
            <span class="end">{end}</span>
        </div>
    }
    .erase()
}
