//! The server functions, as the authenticator's page calls them.

use web_sys::UrlSearchParams;

use super::{BackupView, DeviceView, RegistrationView, StepView};
use crate::browser::fetch::{self, Reply};
use crate::error::AppError;
use crate::wire::{self, Wire};

/// Posts fields to a server function and returns what it answered.
async fn post(path: &str, fields: &[(&str, &str)]) -> Result<String, AppError> {
    let body = UrlSearchParams::new().map_err(|_| AppError::Unavailable)?;
    for (name, value) in fields {
        body.append(name, value);
    }
    match fetch::post(path, Some(body)).await {
        Reply::Done(text) => Ok(text),
        Reply::Refused(error) => Err(error),
        Reply::Elsewhere(_) | Reply::Unreachable => Err(AppError::Unavailable),
    }
}

/// The same for a function whose answer is the JSON of a struct, as text.
async fn ask<T: Wire>(path: &str, fields: &[(&str, &str)]) -> Result<T, AppError> {
    let text = post(path, fields).await?;
    wire::parse::<String>(&text).and_then(|json| wire::parse(&json)).ok_or(AppError::Unavailable)
}

/// Begins to register this browser as a device: a code goes to the phone. `channel` is `sms` or `voice`.
///
/// # Errors
/// [`AppError`].
pub async fn start_registration(phone: &str, email: &str, channel: &str) -> Result<RegistrationView, AppError> {
    ask("/api/start_registration", &[("phone", phone), ("email", email), ("channel", channel)]).await
}

/// Sends another code; the one before is dead.
///
/// # Errors
/// [`AppError`].
pub async fn resend_registration(registration: &str, channel: &str) -> Result<RegistrationView, AppError> {
    ask("/api/resend_registration", &[("registration", registration), ("channel", channel)]).await
}

/// Proves the phone by the code that went there; `device` is the name that the device will have.
///
/// # Errors
/// [`AppError`].
pub async fn verify_registration(registration: &str, code: &str, device: &str) -> Result<StepView, AppError> {
    ask("/api/verify_registration", &[("registration", registration), ("code", code), ("device", device)]).await
}

/// Asks how far the registration is. When it is ready, each asking makes the secrets afresh.
///
/// # Errors
/// [`AppError`].
pub async fn registration_step(registration: &str) -> Result<StepView, AppError> {
    ask("/api/registration_step", &[("registration", registration)]).await
}

/// Goes on with a recovery code in place of another device's approval.
///
/// # Errors
/// [`AppError`].
pub async fn prove_registration(registration: &str, code: &str) -> Result<StepView, AppError> {
    ask("/api/prove_registration", &[("registration", registration), ("code", code)]).await
}

/// Makes the device count. `tokens` is `FACTOR TOKEN,FACTOR TOKEN`: one token of each new secret.
///
/// # Errors
/// [`AppError`].
pub async fn activate_device(device_key: &str, tokens: &str) -> Result<DeviceView, AppError> {
    ask("/api/activate_device", &[("device_key", device_key), ("tokens", tokens)]).await
}

/// Loads what the server knows of the device and of its token account.
///
/// # Errors
/// [`AppError`].
pub async fn sync_device(device_key: &str) -> Result<DeviceView, AppError> {
    ask("/api/sync_device", &[("device_key", device_key)]).await
}

/// Answers a new device: with the number that it shows, or with nothing to deny it. A wrong number denies it too.
///
/// # Errors
/// [`AppError`].
pub async fn answer_registration(device_key: &str, request: &str, number: &str) -> Result<DeviceView, AppError> {
    ask("/api/answer_registration", &[("device_key", device_key), ("request", request), ("number", number)]).await
}

/// Saves a backup. `version` is one more than that of the stored one, `previous` is the digest of that, empty for the
/// first; `blob` is base64url without padding.
///
/// # Errors
/// [`AppError`].
pub async fn save_backup(device_key: &str, version: u32, previous: &str, blob: &str) -> Result<DeviceView, AppError> {
    let version = version.to_string();
    let fields = [("device_key", device_key), ("version", &version), ("previous", previous), ("blob", blob)];
    ask("/api/save_backup", &fields).await
}

/// Loads the backup.
///
/// # Errors
/// [`AppError`].
pub async fn load_backup(device_key: &str) -> Result<BackupView, AppError> {
    ask("/api/load_backup", &[("device_key", device_key)]).await
}

/// Proves the person by a recovery code, so that this device may load the backup.
///
/// # Errors
/// [`AppError`].
pub async fn prove_device(device_key: &str, code: &str) -> Result<DeviceView, AppError> {
    ask("/api/prove_device", &[("device_key", device_key), ("code", code)]).await
}

/// Gives this device up: its secrets are dead with the answer.
///
/// # Errors
/// [`AppError`].
pub async fn leave_device(device_key: &str) -> Result<(), AppError> {
    post("/api/leave_device", &[("device_key", device_key)]).await.map(|_| ())
}
