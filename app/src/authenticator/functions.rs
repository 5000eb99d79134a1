//! The server functions.

use authority::devices::{self, NewSecret, Ready, Started, Step};
use authority::{Device, backup};
use domain::message::Channel;
use leptos::prelude::server;
use server_fn::ServerFn;

use super::{
    AccountView, BackupState, BackupView, DeviceRow, DeviceView, NewAccountView, RegistrationView, RequestView,
    StepView,
};
use crate::error::{AppError, DeviceError};
use crate::visit::{Call, answer, refuse};

/// The paths of all of them: what is asked there is asked by a device, not by somebody's session.
pub const PATHS: [&str; 12] = [
    StartRegistration::PATH,
    ResendRegistration::PATH,
    VerifyRegistration::PATH,
    RegistrationStep::PATH,
    ProveRegistration::PATH,
    ActivateDevice::PATH,
    SyncDevice::PATH,
    AnswerRegistration::PATH,
    SaveBackup::PATH,
    LoadBackup::PATH,
    ProveDevice::PATH,
    LeaveDevice::PATH,
];

impl From<Started> for RegistrationView {
    fn from(started: Started) -> Self {
        Self {
            registration: started.key.expose().to_owned(),
            ending: started.ending,
            next_send_at: started.next_send_at,
            now: started.now,
        }
    }
}

impl StepView {
    fn new(step: Step, call: &Call) -> Self {
        let nothing = |state: &str, number| Self {
            state: state.to_owned(),
            number,
            device_key: None,
            token_account: None,
            accounts: Vec::new(),
            has_backup: false,
            may_restore: false,
            now: call.authority.now(),
        };
        match step {
            Step::Waiting { number } => nothing("waiting", Some(number)),
            Step::Denied => nothing("denied", None),
            Step::Ready(ready) => ready.into(),
        }
    }
}

impl From<NewSecret> for NewAccountView {
    fn from(secret: NewSecret) -> Self {
        Self {
            factor: secret.factor,
            practice: secret.practice,
            username: secret.username,
            key: secret.key.expose_base32(),
        }
    }
}

impl From<Ready> for StepView {
    fn from(ready: Ready) -> Self {
        Self {
            state: "ready".to_owned(),
            number: None,
            device_key: Some(ready.device_key.expose().to_owned()),
            token_account: Some(ready.token_account),
            accounts: ready.secrets.into_iter().map(NewAccountView::from).collect(),
            has_backup: ready.has_backup,
            may_restore: ready.may_restore,
            now: ready.now,
        }
    }
}

impl From<devices::DeviceView> for DeviceView {
    fn from(view: devices::DeviceView) -> Self {
        let accounts = view.accounts.into_iter().map(|account| AccountView {
            factor: account.factor,
            practice: account.practice,
            username: account.username,
        });
        let requests = view.requests.into_iter().map(|request| RequestView {
            request: request.id,
            device: request.device,
            numbers: request.numbers,
            at: request.at,
        });
        let devices = view.devices.into_iter().map(|device| DeviceRow {
            device: device.id,
            name: device.name,
            added_at: device.added_at,
            last_used_at: device.last_used_at,
            is_this: device.is_this,
        });
        Self {
            token_account: view.token_account,
            accounts: accounts.collect(),
            new_accounts: view.secrets.into_iter().map(NewAccountView::from).collect(),
            requests: requests.collect(),
            devices: devices.collect(),
            backup: view.backup.map(|backup| BackupState {
                version: backup.version,
                digest: backup.digest,
                saved_at: backup.saved_at,
            }),
            may_restore: view.may_restore,
            now: view.now,
        }
    }
}

/// The device that calls.
async fn device(call: &Call, key: &str) -> Result<Device, AppError> {
    let found = devices::find(&call.authority, key).await.map_err(refuse)?;
    found.ok_or_else(|| refuse(AppError::Device(DeviceError::Revoked)))
}

/// What the device is told, as text.
async fn view(call: &Call, device: &Device) -> Result<String, AppError> {
    let view = devices::sync(&call.authority, device, call.visitor()).await.map_err(refuse)?;
    answer(&DeviceView::from(view))
}

fn channel(name: &str) -> Channel {
    Channel::from_name(name).filter(|channel| *channel != Channel::Email).unwrap_or(Channel::Sms)
}

/// Begins to register a device: a code goes to the phone, if a token account has it.
#[server(prefix = "/api", endpoint = "start_registration")]
pub(crate) async fn start_registration(
    #[server(default)] phone: String,
    #[server(default)] email: String,
    #[server(default)] channel: String,
) -> Result<String, AppError> {
    let call = Call::current()?;
    let channel = self::channel(&channel);
    let started = devices::start(&call.authority, call.visitor(), &phone, &email, channel).await.map_err(refuse)?;
    answer(&RegistrationView::from(started))
}

/// Sends another code; the one before is dead.
#[server(prefix = "/api", endpoint = "resend_registration")]
pub(crate) async fn resend_registration(
    #[server(default)] registration: String,
    #[server(default)] channel: String,
) -> Result<String, AppError> {
    let call = Call::current()?;
    let channel = self::channel(&channel);
    let started = devices::resend(&call.authority, call.visitor(), &registration, channel).await.map_err(refuse)?;
    answer(&RegistrationView::from(started))
}

/// Proves the phone by the code that went there.
#[server(prefix = "/api", endpoint = "verify_registration")]
pub(crate) async fn verify_registration(
    #[server(default)] registration: String,
    #[server(default)] code: String,
    #[server(default)] device: String,
) -> Result<String, AppError> {
    let call = Call::current()?;
    let step = devices::verify(&call.authority, call.visitor(), &registration, &code, &device).await.map_err(refuse)?;
    answer(&StepView::new(step, &call))
}

/// Tells how far a registration is.
#[server(prefix = "/api", endpoint = "registration_step")]
pub(crate) async fn registration_step(#[server(default)] registration: String) -> Result<String, AppError> {
    let call = Call::current()?;
    let step = devices::step(&call.authority, call.visitor(), &registration).await.map_err(refuse)?;
    answer(&StepView::new(step, &call))
}

/// Goes on with a recovery code.
#[server(prefix = "/api", endpoint = "prove_registration")]
pub(crate) async fn prove_registration(
    #[server(default)] registration: String,
    #[server(default)] code: String,
) -> Result<String, AppError> {
    let call = Call::current()?;
    let step = devices::recover(&call.authority, call.visitor(), &registration, &code).await.map_err(refuse)?;
    answer(&StepView::new(step, &call))
}

/// Makes the secrets that wait for a device count, by one token of each, and with the first ones the device.
#[server(prefix = "/api", endpoint = "activate_device")]
pub(crate) async fn activate_device(
    #[server(default)] device_key: String,
    #[server(default)] tokens: String,
) -> Result<String, AppError> {
    let call = Call::current()?;
    let device = devices::activate(&call.authority, call.visitor(), &device_key, &tokens).await.map_err(refuse)?;
    view(&call, &device).await
}

/// Tells a device what the server knows of it.
#[server(prefix = "/api", endpoint = "sync_device")]
pub(crate) async fn sync_device(#[server(default)] device_key: String) -> Result<String, AppError> {
    let call = Call::current()?;
    let device = device(&call, &device_key).await?;
    view(&call, &device).await
}

/// Answers a new device: with the number that it shows, or with nothing to deny it.
#[server(prefix = "/api", endpoint = "answer_registration")]
pub(crate) async fn answer_registration(
    #[server(default)] device_key: String,
    #[server(default)] request: String,
    #[server(default)] number: String,
) -> Result<String, AppError> {
    let call = Call::current()?;
    let device = device(&call, &device_key).await?;
    devices::answer(&call.authority, &device, call.visitor(), &request, &number).await.map_err(refuse)?;
    view(&call, &device).await
}

/// Saves a version of the backup.
#[server(prefix = "/api", endpoint = "save_backup")]
pub(crate) async fn save_backup(
    #[server(default)] device_key: String,
    #[server(default)] version: String,
    #[server(default)] previous: String,
    #[server(default)] blob: String,
) -> Result<String, AppError> {
    let call = Call::current()?;
    let device = device(&call, &device_key).await?;
    backup::save(&call.authority, &device, call.visitor(), &version, &previous, &blob).await.map_err(refuse)?;
    view(&call, &device).await
}

/// Loads the backup.
#[server(prefix = "/api", endpoint = "load_backup")]
pub(crate) async fn load_backup(#[server(default)] device_key: String) -> Result<String, AppError> {
    let call = Call::current()?;
    let device = device(&call, &device_key).await?;
    let loaded = backup::load(&call.authority, &device, call.visitor()).await.map_err(refuse)?;
    answer(&BackupView { version: loaded.version, digest: loaded.digest, blob: loaded.blob })
}

/// Proves the person by a recovery code, so that the device may load the backup.
#[server(prefix = "/api", endpoint = "prove_device")]
pub(crate) async fn prove_device(
    #[server(default)] device_key: String,
    #[server(default)] code: String,
) -> Result<String, AppError> {
    let call = Call::current()?;
    let device = device(&call, &device_key).await?;
    let device = devices::prove(&call.authority, &device, call.visitor(), &code).await.map_err(refuse)?;
    view(&call, &device).await
}

/// Gives a device up, by itself.
#[server(prefix = "/api", endpoint = "leave_device")]
pub(crate) async fn leave_device(#[server(default)] device_key: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let device = device(&call, &device_key).await?;
    devices::leave(&call.authority, &device, call.visitor()).await.map_err(refuse)
}

#[cfg(test)]
mod tests {
    use super::PATHS;

    #[test]
    fn every_function_of_this_file_is_listed() {
        let declared: Vec<String> = include_str!("functions.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("#[server(prefix = \"/api\", endpoint = \"")?.strip_suffix("\")]"))
            .map(|endpoint| format!("/api/{endpoint}"))
            .collect();
        assert_eq!(declared, PATHS);
    }
}
