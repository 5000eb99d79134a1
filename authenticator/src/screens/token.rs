//! The token: one account large, its countdown, the others in the dock.

use std::rc::Rc;

use app::browser::ticker::every_second_of;
use app::browser::{copy as copy_text, run_bar};
use app::{Zone, milestone_text};
use domain::Timestamp;
use domain::countdown::{Countdown, ENDS_SOON_SECONDS};
use domain::{Token, Totp};
use leptos::ev;
use leptos::prelude::*;

use crate::flows::{backup, clock, keeper, sync};
use crate::model::{Model, News, Screen, Shown, Sync};
use crate::parts::{HEADING, button, focus_when_drawn, messages, note};
use crate::screens::install;

/// Seconds after a copy in which milestones are still said.
const SAID_AFTER_COPY: u64 = 30;

/// The id of the bar that runs down.
const BAR: &str = "countdown-bar";

/// What the face shows of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Face {
    token: String,
    next: String,
    seconds: u32,
}

/// The screen.
pub(crate) fn view(model: Model) -> AnyView {
    sync::ask(model);
    // Not the account's name: tabs and lists of what is open show it to everybody.
    model.call("Token");
    // Once only: who chooses another account in the dock stays there.
    focus_when_drawn(HEADING);
    let chosen = Memo::new(move |_| {
        let id = model.chosen.get();
        model.accounts.with(|accounts| accounts.iter().find(|shown| Some(shown.id) == id).cloned())
    });
    let face = move || chosen.get().map(|shown| face_of(model, &shown));
    view! {
        <div class="phone">
            <header>
                {button("Accounts", "btn quiet", move || model.go(Screen::Accounts))}
                <p class="hint sync">{move || standing(model)}</p>
                {button("Settings", "btn quiet", move || model.go(Screen::Settings))}
            </header>
            <main class="token-screen">
                <div class="notices">
                    {messages(model)}
                    {move || clock::remark(model.server_ahead.get()).map(|text| note("warn", text))}
                    {move || news(model)}
                    {move || at_risk(model)}
                    {recall(model)}
                    {install::hint(model)}
                </div>
                {face}
            </main>
            {dock(model)}
        </div>
    }
    .into_any()
}

/// What has happened elsewhere, until it is read.
fn news(model: Model) -> Option<AnyView> {
    let News { devices, deleted } = model.news.get();
    let added = (!devices.is_empty()).then(|| {
        let text = [
            "A device was added to your account: ",
            &devices,
            ". If it is not yours, revoke it in Account Settings at once.",
        ];
        view! { <p>{text.concat()}</p> }
    });
    let deleted = match deleted {
        0 => None,
        1 => Some("1 account was deleted on another device, so it is gone here too.".to_owned()),
        deleted => Some(format!("{deleted} accounts were deleted on another device, so they are gone here too.")),
    };
    let deleted = deleted.map(|text| view! { <p>{text}</p> });
    if added.is_none() && deleted.is_none() {
        return None;
    }
    let read = button("OK", "btn small", move || sync::news_read(model));
    Some(view! { <div class="note warn" role="alert">{added} {deleted} {read}</div> }.into_any())
}

/// A browser that promises nothing may clean the vault away.
fn at_risk(model: Model) -> Option<AnyView> {
    const TEXT: &str = "This browser may clean its data away. Turn on the backup in Settings, or put the authenticator on the home screen.";
    let is_at_risk = !model.is_persisted.get() && model.sync.get() == Sync::NotBackedUp;
    is_at_risk.then(|| note("warn", TEXT))
}

/// Now and then: whether the backup password is still known.
fn recall(model: Model) -> AnyView {
    // Anew with each look at the server, for the password may have been changed elsewhere.
    let is_due = Memo::new(move |_| {
        model.sync.track();
        backup::asks_for_password(model)
    });
    let is_put_off = RwSignal::new(false);
    let ask = move || {
        let check = button("Check", "btn small", move || model.go(Screen::Recall));
        let put_off = button("Not Now", "btn small", move || {
            is_put_off.set(true);
            backup::put_off(model);
        });
        view! {
            <div class="note info">
                <p>"Do you still know your backup password?"</p>
                <div class="row">{check} {put_off}</div>
            </div>
        }
    };
    view! { {move || (is_due.get() && !is_put_off.get()).then(ask)} }.into_any()
}

/// How things stand with backup and network, in words.
fn standing(model: Model) -> String {
    match model.sync.get() {
        Sync::Unknown => String::new(),
        Sync::UnderWay => "Backing up…".to_owned(),
        Sync::Offline => "Offline: tokens still work".to_owned(),
        Sync::Refused(error) => error.text(Zone::Viewer),
        Sync::Unsaved => "Not backed up yet".to_owned(),
        Sync::NotBackedUp => "Not backed up".to_owned(),
        Sync::OldBackup => "The server has an old backup. Tell your administrator.".to_owned(),
        Sync::BackedUp(at) => format!("Backed up {}", clock::ago(at, model.now())),
    }
}

/// Whether the page is seen. A picture of one in the background is there for everybody who picks a task on this phone.
fn foreground() -> RwSignal<bool> {
    let is_seen = RwSignal::new(!document().hidden());
    let watch = window_event_listener(ev::visibilitychange, move |_| is_seen.set(!document().hidden()));
    on_cleanup(move || watch.remove());
    is_seen
}

fn face_of(model: Model, shown: &Shown) -> AnyView {
    let id = shown.id;
    let Some(totp) = keeper::with(model, |contents| contents.find(id).map(vault::Account::totp)).flatten() else {
        return ().into_any();
    };
    let face = RwSignal::new(Face::default());
    let said = RwSignal::new("");
    let copied_at = StoredValue::new(None::<Timestamp>);
    let is_shown = RwSignal::new(!model.hides_token.get_untracked());
    let is_seen = foreground();
    let is_legible = move || is_shown.get() && is_seen.get();
    let totp = Rc::new(totp);
    Effect::new(move |_| {
        let totp = Rc::clone(&totp);
        every_second_of(
            move || model.now(),
            move |now| {
                let state = Countdown::at(now, totp.parameters().period);
                // An effect may still begin when its face is gone already.
                let Some(before) = face.try_get_untracked() else { return false };
                let after = look(&totp, now, state);
                if before.seconds != after.seconds + 1 {
                    // The first number, a new period, or some numbers were left out: the bar starts where the number is.
                    run_bar(BAR, state);
                }
                face.set(after);
                let was_copied = copied_at.get_value().is_some_and(|at| now.since(at).as_secs() < SAID_AFTER_COPY);
                let has_focus =
                    document().active_element().is_some_and(|active| active.class_list().contains("digits"));
                if let Some(milestone) = state.milestone()
                    && (was_copied || has_focus)
                {
                    said.set(milestone_text(milestone));
                }
                true
            },
        );
    });
    let copy = move || {
        is_shown.set(true);
        let Face { token, seconds, .. } = face.get_untracked();
        copy_text(&token, move || {
            copied_at.set_value(Some(model.now()));
            model.say(format!("Copied, {seconds} s left"));
        });
    };
    let title = shown.title.clone();
    let name = StoredValue::new(shown.title.clone());
    let label = move || {
        let token = is_legible().then(|| face.with(|face| face.token.clone()));
        name.with_value(|name| spoken(name, token.as_deref()))
    };
    let parts = move || {
        if is_legible() {
            face.with(|face| group(&face.token))
        } else {
            ["•••".to_owned(), "••••".to_owned()]
        }
    };
    let ends_soon = move || face.with(|face| (1..=ENDS_SOON_SECONDS).contains(&face.seconds));
    let next = move || {
        let next = face.with(|face| group(&face.next).join(" "));
        (ends_soon() && is_legible()).then(|| format!("Next {next}"))
    };
    view! {
        <div class="token-face">
            <span class="initial" aria-hidden="true">{shown.initial()}</span>
            <div>
                <h1 tabindex="-1" id=HEADING>{title}</h1>
                <p class="hint">{shown.second_name()}</p>
            </div>
            <p class="hint">"token is"</p>
            // No button: the name of one has to be the text that is seen (WCAG 2.5.3), and this one is spelled.
            <div
                class="digits"
                class:hidden=move || !is_legible()
                role="group"
                tabindex="0"
                dir="ltr"
                aria-label=label
                on:click=move |_| copy()
                on:keydown=move |event| {
                    if matches!(event.key().as_str(), "Enter" | " ") {
                        // Or the blank would scroll the page.
                        event.prevent_default();
                        copy();
                    }
                }
            >
                {move || parts().map(|part| view! { <span aria-hidden="true">{part}</span> }).collect_view()}
            </div>
            <p class="next-token" aria-hidden="true" dir="ltr">{next}</p>
            <div class="countdown" role="timer" aria-live="off" data-soon=move || ends_soon().then_some("")>
                <span class="bar" aria-hidden="true"><i id=BAR></i></span>
                <span>
                    "Your token expires in "
                    <strong>{move || face.with(|face| face.seconds.to_string())}" s"</strong>
                    {move || ends_soon().then_some(" · Ends soon")}
                </span>
            </div>
            {button("Copy", "btn primary", copy)}
            <p class="unseen" aria-live="polite">{said}</p>
        </div>
    }
    .into_any()
}

fn look(totp: &Totp, now: Timestamp, state: Countdown) -> Face {
    let period = totp.parameters().period;
    let next_at = Timestamp::from_millis(now.millis().saturating_add(i64::from(period) * 1000));
    let text = |token: Token| token.expose_digits().to_owned();
    Face { token: text(totp.token_at(now)), next: text(totp.token_at(next_at)), seconds: state.seconds() }
}

/// The two halves of a token as they are read: 3 + 4, 3 + 3 or 4 + 4.
fn group(token: &str) -> [String; 2] {
    let (first, second) = token.split_at_checked(token.len() / 2).unwrap_or((token, ""));
    [first.to_owned(), second.to_owned()]
}

/// What a screen reader says; a hidden token has no digits in it.
fn spoken(name: &str, token: Option<&str>) -> String {
    let rest = token.map_or_else(|| ", hidden".to_owned(), |token| [": ", &spell(token)].concat());
    ["Token for ", name, &rest].concat()
}

/// Digit by digit, for a screen reader.
fn spell(token: &str) -> String {
    let spaced = |part: &String| part.chars().map(String::from).collect::<Vec<_>>().join(" ");
    group(token).iter().map(spaced).collect::<Vec<_>>().join(", ")
}

fn dock(model: Model) -> AnyView {
    let item = move |shown: Shown| {
        let id = shown.id;
        view! {
            <button
                type="button"
                aria-current=move || (model.chosen.get() == Some(id)).then_some("true")
                on:click=move |_| {
                    model.quiet();
                    model.chosen.set(Some(id));
                }
            >
                <span class="initial" aria-hidden="true">{shown.initial()}</span>
                {shown.title.clone()}
            </button>
        }
    };
    view! {
        <nav class="dock" aria-label="Accounts">
            {move || model.accounts.get().into_iter().map(item).collect_view()}
            <button type="button" on:click=move |_| model.go(Screen::Add)>
                <span class="initial" aria-hidden="true">"+"</span>
                "Add Account"
            </button>
        </nav>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_in_two_groups() {
        assert_eq!(group("7509192"), ["750", "9192"]);
        assert_eq!(group("123456"), ["123", "456"]);
        assert_eq!(spell("7509192"), "7 5 0, 9 1 9 2");
        assert_eq!(spoken("Mail", Some("123456")), "Token for Mail: 1 2 3, 4 5 6");
        assert_eq!(spoken("Mail", None), "Token for Mail, hidden");
    }
}
