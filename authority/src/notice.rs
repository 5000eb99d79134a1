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
    RememberedCopied,
    EnabledByAdministrator,
    EnrolBy { by: Timestamp },
    EnrolNow,
    ResetLink { link: &'a str },
    ResetStarted { link: &'a str },
    ResetAsked,
    ResetToApprove,
    ResetCancelled,
    TwoFactorReset,
    AccountCreated,
    AccountUnlocked,
    AdministratorAdded,
}

impl Notice<'_> {
    #[expect(clippy::too_many_lines, reason = "one sentence or two for each notice")]
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
            Self::RememberedCopied => plain(
                "A remembered browser was forgotten",
                "Your right password came with an old copy of what that browser proves itself by. Nobody was let in without a token. If you did not move or restore a browser, somebody may have copied it: change your password.",
            ),
            Self::TokensLocked => plain(
                "Tokens of your account are locked for a while",
                "A wrong token was entered too many times. Tokens are checked again later. If it was not you, change your password.",
            ),
            Self::EnabledByAdministrator => plain(
                "Two-factor authentication was turned on for you",
                "Your practice's administrator has turned it on. The next time you log in, press \"Request Token via SMS\" and type the token that comes to the cell phone on your profile.",
            ),
            Self::ResetLink { link } => (
                "Reset two-factor authentication",
                format!(
                    "Somebody who knows your password says that your phone is lost. Open this link within 30 minutes to begin; nothing happens before you do:\n\n{link}"
                ),
            ),
            Self::ResetStarted { link } => (
                "Two-factor authentication will be reset in 24 hours",
                format!(
                    "After that your password leads you to set it up anew. Until then everything stays as it is. If you did not ask for this, stop it here and change your password:\n\n{link}"
                ),
            ),
            Self::ResetAsked => plain(
                "An administrator asked to reset your two-factor authentication",
                "Another administrator has to approve it. If you did not ask for help, tell your practice at once.",
            ),
            Self::ResetToApprove => plain(
                "A reset waits for your approval",
                "An administrator of your practice asked to reset somebody's two-factor authentication. Make sure that it is what the person wants, then approve or reject it under Practice, Approvals.",
            ),
            Self::ResetCancelled => plain(
                "The reset was cancelled",
                "The reset of two-factor authentication that was asked for your account does not happen.",
            ),
            Self::TwoFactorReset => plain(
                "Two-factor authentication was reset",
                "Your old phone, your apps and your recovery codes do not work any more, and you are signed out everywhere. The next time you log in you set it up anew.",
            ),
            Self::AccountCreated => plain(
                "An account was made for you",
                "Whoever runs your practice's server has made it. Log in with the user name and the password that they give you, and change the password under Account Settings, Profile.",
            ),
            Self::AccountUnlocked => plain(
                "Your account was unlocked",
                "Whoever runs your server has lifted a lock that wrong passwords or tokens led to.",
            ),
            Self::AdministratorAdded => plain(
                "Somebody new manages accounts",
                "Whoever runs your server has made an account that manages the accounts of your practice. It is listed under Practice, Staff. If you do not know of it, ask them at once.",
            ),
            Self::EnrolBy { by } => (
                "Set up two-factor authentication",
                format!(
                    "Your practice asks you to set up two-factor authentication by {}, 00:00 UTC. After that you can only set it up when you log in. It takes two minutes: Account Settings, Security.",
                    Date::of(by).long()
                ),
            ),
            Self::EnrolNow => plain(
                "Set up two-factor authentication now",
                "Your practice requires two-factor authentication that you have not set up yet. Until you do, you can only set it up: your next click or log-in leads you there. It takes two minutes.",
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
