//! How this browser becomes a device of a token account: the phone is proven, another device approves, secrets come.

use app::authenticator::{DeviceView, NewAccountView, StepView, api};
use app::browser::local_now;
use app::error::{AppError, DeviceError};
use domain::person::Line;
use domain::totp::{Parameters, Secret};
use domain::{Timestamp, Totp};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;
use vault::account::ServerId;
use vault::contents::{DeviceKey, NotAdded};
use vault::{Account, Contents, PendingDevice};

use super::keeper::{KeepError, Proven};
use super::{clock, keeper, sync};
use crate::browser;
use crate::model::{Model, Purpose, Registration, Screen};
use crate::parts::RECOVERY_CODE;

/// Milliseconds between two looks for the approval.
const LOOK_EVERY: u32 = 2_000;
/// What the server answered does not fit what this program knows.
const ANSWER_MISFITS: &str = "The server's answer could not be read. Update the authenticator, then try again.";

/// Phone and e-mail are typed; next is how the code shall come.
pub(crate) fn begin(model: Model, phone: String, email: String) {
    if phone.trim().is_empty() {
        return model.fail_in("phone", "Enter your cell phone number with its country code, as +1 202 555 0101");
    }
    if email.trim().is_empty() {
        return model.fail_in("email", "Enter the e-mail address of your practice account");
    }
    model.registration.set_value(Registration { phone, email, ..Registration::default() });
    model.go(Screen::Channel);
}

/// Has the code sent, for the first time or again.
pub(crate) fn send_code(model: Model, channel: &'static str) {
    model.run(async move {
        let Registration { phone, email, key, .. } = model.registration.get_value();
        let asked = local_now();
        let sent = if key.is_empty() {
            api::start_registration(&phone, &email, channel).await
        } else {
            api::resend_registration(&key, channel).await
        };
        match sent {
            Ok(view) => {
                clock::compare(model, asked, view.now);
                model.next_send_at.set(view.next_send_at);
                let ending = view.ending;
                model.registration.update_value(|registration| registration.key = view.registration);
                model.go(Screen::Code);
                model.say(format!(
                    "If a practice account uses this number, a code is on its way to the one ending {ending}."
                ));
            }
            Err(error) => model.refused(error),
        }
    });
}

/// Proves the phone by the code.
pub(crate) fn verify(model: Model, code: String) {
    model.run(async move {
        let key = model.registration.with_value(|registration| registration.key.clone());
        let asked = local_now();
        match api::verify_registration(&key, &code, &browser::device_name()).await {
            Ok(step) => go_on(model, asked, step),
            Err(error) => refuse(model, "code", error),
        }
    });
}

/// Goes on with a recovery code in place of the approval.
pub(crate) fn prove(model: Model, code: String) {
    model.run(async move {
        let key = model.registration.with_value(|registration| registration.key.clone());
        let asked = local_now();
        match api::prove_registration(&key, &code).await {
            Ok(step) => go_on(model, asked, step),
            Err(error) => refuse(model, RECOVERY_CODE, error),
        }
    });
}

/// A registration that has ended begins anew; one that the phone alone does not carry goes on with a recovery code. What
/// else is refused was typed into `field`.
fn refuse(model: Model, field: &'static str, error: AppError) {
    match error {
        AppError::Device(DeviceError::RegistrationOver) => {
            forget_key(model);
            model.go(Screen::Phone);
        }
        AppError::Device(DeviceError::RecoveryCodeNeeded) => model.go(Screen::Recovery),
        _ => return model.refused_in(field, error),
    }
    model.refused(error);
}

fn forget_key(model: Model) {
    model.registration.update_value(|registration| registration.key.clear());
}

/// Leaves the registration: nothing that it gave was kept.
pub(crate) fn give_up(model: Model) {
    model.registration.set_value(Registration::default());
    model.home();
}

fn go_on(model: Model, asked: Timestamp, step: StepView) {
    clock::compare(model, asked, step.now);
    match (step.state.as_str(), step.number) {
        ("ready", _) => {
            model.registration.update_value(|registration| registration.ready = Some(step));
            // A device that has a vault needs no other PIN, but somebody who knows it.
            let has_vault = model.vault.with_value(Option::is_some);
            model.go(if has_vault { Screen::Prove(Purpose::Register) } else { Screen::SetPin });
        }
        ("waiting", Some(number)) => {
            model.go(Screen::Waiting { number });
            look_for_approval(model);
        }
        _ => {
            forget_key(model);
            model.go(Screen::Phone);
            model.fail("Your other device said no, so nothing was added here.");
        }
    }
}

fn look_for_approval(model: Model) {
    spawn_local(async move {
        loop {
            TimeoutFuture::new(LOOK_EVERY).await;
            if !matches!(model.screen.get_untracked(), Screen::Waiting { .. } | Screen::Recovery) {
                return;
            }
            let key = model.registration.with_value(|registration| registration.key.clone());
            let asked = local_now();
            match api::registration_step(&key).await {
                Ok(step) if step.state == "waiting" => {}
                // Perhaps the network was away for a moment.
                Err(AppError::Unavailable) => {}
                Ok(step) => return go_on(model, asked, step),
                Err(error) => return refuse(model, RECOVERY_CODE, error),
            }
        }
    });
}

/// The first PIN: the vault is made with it, and the new secrets go in.
pub(crate) fn set_pin(model: Model, pin: String) {
    model.run(async move {
        match keeper::create(model, pin).await {
            Ok(proven) => activate(model, proven).await,
            Err(error) => {
                if error == KeepError::Present {
                    model.registration.set_value(Registration::default());
                    model.go(Screen::Unlock);
                }
                keeper::refuse(model, error);
            }
        }
    });
}

/// Keeps the new secrets beside what counts now, has the server confirm them, and lets this browser be that device: so no
/// secret is lost with a page that is closed or a network that goes.
///
/// The backup of their token account would have what is in the vault, and its password would open that. So nobody brings
/// a token account of their own into an open vault of somebody else.
pub(crate) async fn activate(model: Model, proven: Proven) {
    let Some(step) = model.registration.with_value(|registration| registration.ready.clone()) else {
        // A vault for accounts elsewhere only.
        return model.go(Screen::Add);
    };
    let Some(pending) = read(&step) else { return model.fail(ANSWER_MISFITS) };
    let kept = keeper::change(model, |contents| contents.prepare(pending.clone())).await;
    if let Err(error) = kept.and_then(|kept| kept.map_err(|_| KeepError::Full)) {
        return model.fail(error.to_string());
    }
    match api::activate_device(&pending.device_key.expose(), &first_tokens(&step.accounts, model.now())).await {
        Ok(device) => {
            if become_device(model, pending, device).await {
                model.registration.set_value(Registration::default());
                model.go(if step.has_backup { Screen::Restore } else { Screen::OfferBackup(proven) });
            }
        }
        Err(error @ AppError::Device(DeviceError::RegistrationOver)) => {
            model.registration.set_value(Registration::default());
            // So it is too where it was confirmed and the answer was lost.
            let is_confirmed = settle(model).await;
            model.home();
            if !is_confirmed {
                model.refused(error);
            }
        }
        Err(error) => {
            // Once more, from where whoever has the PIN goes on.
            model.go(Screen::Prove(Purpose::Register));
            model.refused(error);
        }
    }
}

/// Whether the server has confirmed what this browser was about to become when the answer was lost or the page was closed.
/// If so, it is that now.
pub(crate) async fn settle(model: Model) -> bool {
    let Some(pending) = keeper::with(model, |contents| contents.pending.clone()).flatten() else { return false };
    match api::sync_device(&pending.device_key.expose()).await {
        Ok(device) => become_device(model, pending, device).await,
        Err(AppError::Device(DeviceError::Revoked)) => {
            if let Err(error) = keeper::change(model, |contents| contents.pending = None).await {
                model.fail(error.to_string());
            }
            false
        }
        // The next look asks again.
        Err(_) => false,
    }
}

/// Lets this browser be what the server has confirmed. Whether it is; what went wrong was said.
async fn become_device(model: Model, pending: PendingDevice, device: DeviceView) -> bool {
    let before = sync::device_key(model);
    let became = keeper::change(model, |contents| {
        // Another page of this browser may have given it up.
        contents.pending = Some(pending);
        contents.become_pending();
    });
    if let Err(error) = became.await {
        model.fail(error.to_string());
        return false;
    }
    if let Some(before) = before {
        // What this browser was until now. Where it is the only way to log in, it stays for its owner to revoke.
        let _ = api::leave_device(&before).await;
    }
    sync::take_in(model, device).await;
    true
}

/// Keeps the secrets of practice accounts for which the Security tab wants this device too, and confirms them.
pub(crate) async fn enrol(model: Model, device_key: &str, new: &[NewAccountView]) {
    if new.is_empty() {
        return;
    }
    let Some(accounts) = new.iter().map(practice_account).collect::<Option<Vec<_>>>() else {
        return model.fail(ANSWER_MISFITS);
    };
    let now = model.now();
    let kept =
        keeper::change(model, |contents| accounts.into_iter().try_for_each(|account| keep(contents, account, now)));
    if let Err(error) = kept.await.and_then(|kept| Ok(kept?)) {
        return model.fail(error.to_string());
    }
    match api::activate_device(device_key, &first_tokens(new, model.now())).await {
        Ok(device) => {
            sync::take_in(model, device).await;
            let names: Vec<_> = new.iter().map(|account| account.practice.as_str()).collect();
            model.say([&names.join(", "), " was added here."].concat());
        }
        // Another look was quicker, or it was cancelled: the next look tells what is there.
        Err(AppError::Device(DeviceError::RegistrationOver)) => {}
        Err(error) => model.refused(error),
    }
}

/// A secret that is here already was kept by a look whose answer was lost.
fn keep(contents: &mut Contents, account: Account, now: Timestamp) -> Result<(), NotAdded> {
    match contents.add(account, now) {
        Ok(_) | Err(NotAdded::Known(_)) => Ok(()),
        Err(full) => Err(full),
    }
}

fn read(step: &StepView) -> Option<PendingDevice> {
    Some(PendingDevice {
        token_account: ServerId::parse(step.token_account.as_deref()?).ok()?,
        device_key: DeviceKey::parse(step.device_key.as_deref()?).ok()?,
        device_name: Line::parse(&browser::device_name()).ok()?,
        accounts: step.accounts.iter().map(practice_account).collect::<Option<_>>()?,
    })
}

fn practice_account(new: &NewAccountView) -> Option<Account> {
    let factor = ServerId::parse(&new.factor).ok()?;
    let key = Secret::from_base32(&new.key)?;
    Account::practice(factor, &new.practice, &new.username, key, &mut browser::fill_random).ok()
}

/// `FACTOR TOKEN,FACTOR TOKEN`: the proof that the secrets arrived.
fn first_tokens(accounts: &[NewAccountView], now: Timestamp) -> String {
    let token = |new: &NewAccountView| {
        let totp = Totp::new(&Secret::from_base32(&new.key)?, Parameters::OWN).ok()?;
        Some([new.factor.as_str(), " ", totp.token_at(now).expose_digits()].concat())
    };
    accounts.iter().filter_map(token).collect::<Vec<_>>().join(",")
}
