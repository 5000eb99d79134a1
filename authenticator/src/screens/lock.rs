//! The PIN.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::flows::keeper::{self, KeepError, Proven, WaysIn};
use crate::flows::{register, sync};
use crate::model::{Model, Purpose, Screen};
use crate::parts::{Typed, button, field, form, heading, note, screen, submit};

/// The first PIN.
pub(crate) fn set_pin(model: Model) -> AnyView {
    screen(
        model,
        vec![
            heading(model, "Protect this device", "The PIN encrypts the secrets that are kept in this browser."),
            new_pin_form(model, move |pin| register::set_pin(model, pin)),
        ],
    )
}

/// A new PIN, typed twice.
fn new_pin_form(model: Model, set: impl Fn(String) + 'static) -> AnyView {
    let (pin, again) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let fields = view! {
        {field(model, "pin", "PIN", "At least 6 digits; a longer one, or a password, is better", Typed::Pin, pin)}
        {field(model, "pin-again", "Confirm PIN", "", Typed::Pin, again)}
        {submit("Set PIN", model)}
    };
    form(fields.into_any(), move || {
        if pin.get_untracked() == again.get_untracked() {
            set(pin.get_untracked());
        } else {
            model.fail_in("pin-again", "The two PINs are not the same. Type them again.");
        }
    })
}

/// The PIN that opens the vault.
fn present_pin(model: Model, pin: RwSignal<String>) -> impl IntoView {
    let typed = if model.has_numeric_pin.get_untracked() { Typed::NumericPin } else { Typed::Pin };
    field(model, "pin", "PIN", "", typed, pin)
}

/// The PIN, each time.
pub(crate) fn unlock(model: Model) -> AnyView {
    let pin = RwSignal::new(String::new());
    let fields = view! {
        {present_pin(model, pin)}
        {submit("Unlock", model)}
    };
    screen(
        model,
        vec![
            heading(model, "Unlock", "Your tokens are encrypted until you unlock them."),
            form(fields.into_any(), move || unlock_by_pin(model, pin)),
            by_platform(model),
            button("Forgot the PIN?", "btn quiet", move || model.go(Screen::WithoutPin)),
        ],
    )
}

fn unlock_by_pin(model: Model, pin: RwSignal<String>) {
    model.run(async move {
        match keeper::open_by_pin(model, &pin.get_untracked()).await {
            Ok(()) => enter(model),
            Err(error) => refuse(model, pin, error),
        }
    });
}

/// Says why a PIN did not do, and gives the field back for the next one. After the last the device is closed.
fn refuse(model: Model, pin: RwSignal<String>, error: KeepError) {
    if error == KeepError::LockedOut {
        keeper::close(model);
        model.go(Screen::WithoutPin);
    } else {
        // The screen may be gone by now.
        let _ = pin.try_set(String::new());
    }
    keeper::refuse(model, error);
}

impl Purpose {
    const fn title(self) -> &'static str {
        match self {
            Self::ChangePin => "Change PIN",
            Self::AddPlatform => "Use this phone's lock",
            Self::TurnOnBackup => "Turn on backup",
            Self::ReplaceBackup => "I forgot the backup password",
            Self::Export => "Export",
            Self::Register => "Add your practice account",
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::ReplaceBackup => "You can set another one here. Show first that this device is yours.",
            _ => "Show first that this device is yours.",
        }
    }

    /// Goes on with what was asked for.
    async fn go_on(self, model: Model, proven: Proven) {
        match self {
            Self::ChangePin => model.go(Screen::ChangePin(proven)),
            Self::AddPlatform => {
                let added = keeper::add_platform(model, proven).await;
                model.go(Screen::Settings);
                match added {
                    Ok(()) => model.say("This phone's lock opens it now, beside the PIN."),
                    Err(error) => keeper::refuse(model, error),
                }
            }
            Self::TurnOnBackup => model.go(Screen::OfferBackup(proven)),
            Self::ReplaceBackup => model.go(Screen::ReplaceBackup(proven)),
            Self::Export => model.go(Screen::Export(proven)),
            Self::Register => register::activate(model, proven).await,
        }
    }

    /// Leaves it.
    fn give_up(self, model: Model) {
        if self == Self::Register {
            register::give_up(model);
        } else {
            model.go(Screen::Settings);
        }
    }
}

/// The PIN, or the phone's own lock, once more: for what an open device in another's hand must not do.
pub(crate) fn prove(model: Model, purpose: Purpose) -> AnyView {
    let pin = RwSignal::new(String::new());
    let fields = view! {
        {present_pin(model, pin)}
        {submit("Continue", model)}
    };
    let by_pin = move || {
        model.run(async move {
            match keeper::prove_by_pin(model, &pin.get_untracked()).await {
                Ok(proven) => purpose.go_on(model, proven).await,
                Err(error) => refuse(model, pin, error),
            }
        });
    };
    let by_platform = move || {
        model.run(async move {
            match keeper::prove_by_platform(model).await {
                Ok(proven) => purpose.go_on(model, proven).await,
                Err(error) => model.fail(error.to_string()),
            }
        });
    };
    let platform =
        keeper::has_platform(model).then(|| button("Continue with this phone's lock", "btn full", by_platform));
    screen(
        model,
        vec![
            heading(model, purpose.title(), purpose.hint()),
            form(fields.into_any(), by_pin),
            view! { {platform} }.into_any(),
            button("Back", "btn quiet", move || purpose.give_up(model)),
        ],
    )
}

/// The phone's own lock, where it was set up.
fn by_platform(model: Model) -> AnyView {
    let is_set_up = RwSignal::new(false);
    spawn_local(async move {
        let may_ask = keeper::may_ask_platform().await;
        // The screen may be gone by now.
        let _ = is_set_up.try_set(may_ask);
    });
    let unlock = move || {
        model.run(async move {
            match keeper::open_by_platform(model).await {
                Ok(()) => enter(model),
                Err(error) => model.fail(error.to_string()),
            }
        });
    };
    view! { {move || is_set_up.get().then(|| button("Unlock with this phone's lock", "btn full", unlock))} }.into_any()
}

fn enter(model: Model) {
    model.home();
    sync::ask(model);
}

/// The backup password in place of the PIN; or the way to begin anew.
pub(crate) fn without_pin(model: Model) -> AnyView {
    let password = RwSignal::new(String::new());
    let is_sure = RwSignal::new(false);
    let ways = RwSignal::new(WaysIn::default());
    spawn_local(async move {
        let found = keeper::ways_in().await;
        // The screen may be gone by now.
        let _ = ways.try_set(found);
    });
    let unlock = move || {
        model.run(async move {
            match keeper::open_by_backup_password(model, &password.get_untracked()).await {
                Ok(proven) => {
                    model.go(Screen::ChangePin(proven));
                    sync::ask(model);
                }
                Err(error) => keeper::refuse(model, error),
            }
        });
    };
    let by_password = move || {
        ways.get().backup_password.then(|| {
            let fields = view! {
                {field(model, "backup-password", "Backup password", "", Typed::Secret, password)}
                {submit("Unlock with the backup password", model)}
            };
            form(fields.into_any(), unlock)
        })
    };
    let anew = move || {
        if is_sure.get() {
            view! {
                {note("warn", "Everything in this browser is erased. Accounts that are in no backup are lost.")}
                {button("Erase and begin anew", "btn danger full", move || keeper::erase(model))}
            }
            .into_any()
        } else {
            button("Erase this device", "btn quiet", move || is_sure.set(true))
        }
    };
    let back = move || ways.get().pin.then(|| button("Back", "btn quiet", move || model.go(Screen::Unlock)));
    screen(
        model,
        vec![
            heading(
                model,
                "Without the PIN",
                "The backup password opens this device. Without a backup, erase it, add your account again by phone, and \
                 prove it is you with a recovery code.",
            ),
            view! { {by_password} }.into_any(),
            by_platform(model),
            view! { <div class="other-ways">{anew} {back}</div> }.into_any(),
        ],
    )
}

/// Another PIN.
pub(crate) fn change_pin(model: Model, proven: Proven) -> AnyView {
    let save = move |pin: String| {
        model.run(async move {
            match keeper::change_pin(model, proven, pin).await {
                Ok(()) => {
                    model.home();
                    model.say("The PIN is changed.");
                }
                Err(error) => keeper::refuse(model, error),
            }
        });
    };
    screen(
        model,
        vec![
            heading(model, "Change PIN", ""),
            new_pin_form(model, save),
            button("Back", "btn quiet", move || model.home()),
        ],
    )
}
