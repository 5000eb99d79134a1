//! Notices by e-mail: what people are told of their own account, out of band.

use domain::message::Channel;
use domain::{Date, FactorKind, Timestamp};

use crate::store::Write;
use crate::{Authority, Unavailable, outbox};

/// What the account's owner is told. No text holds a token, a code, a full number, or a health word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice<'a> {
    TwoFactorEnabled,
    TwoFactorDisabled,
    FactorAdded(FactorKind),
    FactorRemoved(FactorKind),
    FactorDisabled,
    DeviceAdded { name: &'a str },
    DeviceRemoved { name: &'a str },
    DeviceDenied { name: &'a str },
    PhoneChanged { ending: &'a str },
    PasswordChanged,
    RecoveryCodeUsed { left: i64 },
    RecoveryCodeProved { left: i64 },
    RecoveryCodesReplaced,
    WrongToken,
    TokenReused,
    TokensLocked,
    EnabledByAdministrator,
    EnrolBy { by: Timestamp },
}

impl Notice<'_> {
    fn text(self) -> (&'static str, String) {
        let plain = |subject, text: &str| (subject, text.to_owned());
        match self {
            Self::TwoFactorEnabled => plain(
                "Two-factor authentication is on",
                "Signing in to your account now needs an authorization token. Keep your recovery codes where you find them without your phone.",
            ),
            Self::TwoFactorDisabled => plain(
                "Two-factor authentication is off",
                "Signing in to your account needs the password alone from now on.",
            ),
            Self::FactorAdded(kind) => {
                ("A way to sign in was added", format!("{} can be used to sign in to your account.", described(kind)))
            }
            Self::FactorRemoved(kind) => (
                "A way to sign in was removed",
                format!("{} can no longer be used to sign in to your account.", described(kind)),
            ),
            Self::FactorDisabled => plain(
                "A way to sign in was switched off",
                "Too many wrong tokens were entered in a row. What was tried stays off until you set it up again.",
            ),
            Self::DeviceAdded { name } => (
                "A device was added",
                format!("A device was added: {name}. Its tokens can be used to sign in to your account."),
            ),
            Self::DeviceRemoved { name } => (
                "A device was removed",
                format!("A device was removed: {name}. Its tokens can no longer be used to sign in to your account."),
            ),
            Self::DeviceDenied { name } => (
                "A new device was refused",
                format!(
                    "Somebody who gets your text messages asked to add the device {name}, and one of your devices refused it. Nothing was added."
                ),
            ),
            Self::PhoneChanged { ending } => (
                "Your cell phone was changed",
                format!("Tokens are sent to another number from now on. The number ending {ending} gets none."),
            ),
            Self::PasswordChanged => plain("Your password was changed", "All other browsers were signed out."),
            Self::RecoveryCodeUsed { left } => (
                "A recovery code was used",
                format!(
                    "Somebody signed in to your account with a recovery code. Codes left: {left}. Make a new set when few are left."
                ),
            ),
            Self::RecoveryCodeProved { left } => (
                "A recovery code was used",
                format!(
                    "Somebody used a recovery code on a device with Twofold's authenticator. Codes left: {left}. Make a new set when few are left."
                ),
            ),
            Self::RecoveryCodesReplaced => {
                plain("Your recovery codes were replaced", "The old set does not work any more.")
            }
            Self::WrongToken => plain(
                "Your password was used with a wrong token",
                "Somebody entered your right password and then a wrong token. Nobody was let in. If it was not you, change your password.",
            ),
            Self::TokenReused => plain(
                "A token of yours was used twice",
                "A right token was entered a second time and refused. If you did not do that, somebody may have seen it: change your password.",
            ),
            Self::TokensLocked => plain(
                "Tokens of your account are locked for a while",
                "A wrong token was entered too many times. Tokens are checked again later. If it was not you, change your password.",
            ),
            Self::EnabledByAdministrator => plain(
                "Two-factor authentication was turned on for you",
                "Your practice's administrator has turned it on. The next time you log in, press \"Request Token via SMS\" and type the token that comes to the cell phone on your profile.",
            ),
            Self::EnrolBy { by } => (
                "Set up two-factor authentication",
                format!(
                    "Your practice asks you to set up two-factor authentication by {}, 00:00 UTC. After that you can only set it up when you log in. It takes two minutes: Account Settings, Security.",
                    Date::of(by).long()
                ),
            ),
        }
    }
}

fn described(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Sms => "A text message or call",
        FactorKind::Authenticator => "Twofold's authenticator",
        FactorKind::Totp => "An authenticator app",
        FactorKind::RecoveryCode => "A recovery code",
    }
}

/// Queues a notice in the transaction of what it tells.
pub(crate) async fn queue(
    authority: &Authority,
    write: &mut Write,
    email: &str,
    notice: Notice<'_>,
) -> Result<(), Unavailable> {
    let (subject, text) = notice.text();
    let body = format!(
        "{subject}\n\n{text}\n\nIf this was not you, sign in at {} and look at Account Settings, Security, or ask your practice's administrator.",
        authority.public_url
    );
    outbox::queue(authority, write, Channel::Email, email, &body).await
}
