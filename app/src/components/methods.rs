//! The ways to get a token: what the person can do, what is left of the tries, and the buttons that send one.

#[cfg(feature = "ssr")]
use domain::FactorKind;
use domain::message::Channel;
use domain::{Timestamp, TokenLengths};
use leptos::prelude::*;

use super::Icon;
use crate::browser::ticker::every_second;
use crate::erase::{Erase, LiveAttribute, live, live_attribute};
use crate::form::Form;
use crate::page::{use_hydrated, use_zone};
use crate::time;
use crate::wire::wire;

wire! {
    /// What is known of an account's ways to get a token, and of the tries so far.
    pub(crate) struct Methods {
        /// How many digits a token has.
        pub(crate) lengths: TokenLengths,
        /// Names of apps and devices, the last one that worked first.
        pub(crate) apps: Vec<String>,
        /// The cell phone, if it is a factor.
        pub(crate) phone: Option<Phone>,
        pub(crate) recovery_codes_left: u32,
        pub(crate) standing: Standing,
    }
}

wire! {
    /// The cell phone that messages go to.
    pub(crate) struct Phone {
        /// Its last two digits.
        pub(crate) ending: String,
        pub(crate) next_send_at: Timestamp,
        /// The name of the channel on which the live token was sent, if one was.
        pub(crate) sent: Option<String>,
    }
}

wire! {
    /// How many tries are left.
    #[derive(Clone, Copy)]
    pub(crate) struct Standing {
        pub(crate) tries_left: u32,
        /// Failures in a row.
        pub(crate) failures: u32,
        pub(crate) locked_until: Option<Timestamp>,
        pub(crate) now: Timestamp,
    }
}

#[cfg(feature = "ssr")]
impl From<authority::Methods> for Methods {
    fn from(methods: authority::Methods) -> Self {
        let mut apps = methods.devices;
        apps.extend(methods.totp);
        if methods.last_used == Some(FactorKind::Totp) {
            apps.reverse();
        }
        let phone = methods.sms.map(|sms| Phone {
            ending: sms.ending,
            next_send_at: sms.next_send_at,
            sent: sms.sent.map(|sent| sent.channel.name().to_owned()),
        });
        let standing = Standing {
            tries_left: methods.tries_left,
            failures: methods.failures,
            locked_until: methods.locked_until,
            now: methods.now,
        };
        Self { lengths: methods.lengths, apps, phone, recovery_codes_left: methods.recovery_codes_left, standing }
    }
}

impl Methods {
    /// What to do, in one sentence.
    pub(crate) fn instruction(&self) -> String {
        if self.apps.is_empty() {
            return "Request a token for your cell phone, then type it here.".to_owned();
        }
        let other = if self.phone.is_some() { ", or request one" } else { "" };
        ["Open ", &self.apps.join(" or "), " and type the token it shows", other, "."].concat()
    }
}

impl Phone {
    /// That a token is on its way.
    pub(crate) fn sent_text(&self) -> Option<String> {
        let sent = match self.sent.as_deref().and_then(Channel::from_name)? {
            Channel::Voice => "Calling the number ending ",
            Channel::Sms | Channel::Email => "Token sent to the number ending ",
        };
        Some([sent, &self.ending, "."].concat())
    }
}

/// What is left of the tries, a lock, and a hint where a clock may be off. Silent while all is well.
#[component]
pub(crate) fn StandingNote(standing: Standing, has_app: bool) -> AnyView {
    let zone = use_zone();
    let text = move || {
        let Standing { tries_left, failures, locked_until, now } = standing;
        if let Some(until) = locked_until {
            let minutes = until.since(now).as_secs().div_ceil(60);
            return Some(format!(
                "For your security, this account is locked because a wrong token was entered too many times. Try again after \
                 {} (in {minutes} minutes). Until then no token and no recovery code is checked. If it is urgent, ask your \
                 practice's administrator.",
                time::clock(until, zone())
            ));
        }
        let left = match tries_left {
            1 => "You have 1 try left. ".to_owned(),
            2 | 3 => format!("You have {tries_left} tries left. "),
            _ => String::new(),
        };
        let clock = if has_app && failures >= 2 {
            format!(
                "Check that your device sets its clock automatically. Server time is {}.",
                time::clock_with_seconds(now, zone())
            )
        } else {
            String::new()
        };
        Some(left + &clock).filter(|text| !text.is_empty())
    };
    view! { <p class="message care">{live(text)}</p> }.erase()
}

/// The buttons that send a token: `action` is the server function, `first` the name of its button for text messages.
#[component]
pub(crate) fn SendButtons(
    action: &'static str,
    first: &'static str,
    next_send_at: Timestamp,
    now: Timestamp,
    /// What comes after, for the server function.
    #[prop(optional, into)]
    then: String,
) -> AnyView {
    let hydrated = use_hydrated();
    let wait = RwSignal::new(0_u32);
    let has_waited = RwSignal::new(false);
    Effect::new(move |_| {
        if next_send_at > now {
            every_second(now, move |now| {
                let left = next_send_at.since(now).as_millis().div_ceil(1000);
                let left = u32::try_from(left).unwrap_or(u32::MAX);
                wait.set(left);
                has_waited.set(left == 0);
            });
        }
    });
    let waits = move || hydrated.get() && wait.get() > 0;
    let line =
        move || (wait.get() > 0).then(|| ["You can request a new token in ", &wait.get().to_string(), " s"].concat());
    let over = move || has_waited.get().then(|| "You can request a new token now".to_owned());
    view! {
        <Form action=action class="methods">
            <input type="hidden" name="then" value=then/>
            <Send channel="sms" icon=Icon::Message label=first waits=live_attribute("true", waits)/>
            <Send channel="voice" icon=Icon::Call label="Call Me Instead" waits=live_attribute("true", waits)/>
            <p class="hint">{live(line)}</p>
            <p class="unseen" aria-live="polite">{live(over)}</p>
        </Form>
    }
    .erase()
}

#[component]
fn Send(channel: &'static str, icon: Icon, label: &'static str, waits: LiveAttribute) -> AnyView {
    view! {
        <button name="channel" value=channel class="method" aria-disabled=waits>
            {icon.view()}
            {label}
        </button>
    }
    .erase()
}
