//! Setting up another vendor's authenticator app.

use domain::diagnosis::{self, Diagnosis};
use domain::enrolment::{Enrolment, LIFE};
use domain::lockout::{MAX_IN_SHORT_WINDOW, SHORT_WINDOW};
use domain::otpauth::Otpauth;
use domain::person::{InvalidText, Name};
use domain::session::Assurance;
use domain::token::InvalidToken;
use domain::totp::{OTHER_VENDOR_SECRET_BYTES, Parameters, Secret, Step};
use domain::{FactorKind, Timestamp, Token, TokenLengths, Totp};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

use crate::audit::{self, Event};
use crate::notice::{self, Notice};
use crate::store::{FactorRow, NewFactor};
use crate::token_check::{self, Attempt, Surface};
use crate::{Authority, OpenedSession, SignedIn, Unavailable, Visitor, factors, methods, reset, sessions};

/// The name that an app gets if its owner gives none.
const DEFAULT_NAME: &str = "Authenticator app";
/// The longest name of an app.
const MAX_NAME: usize = 20;
/// Pixels of the QR code's side, the quiet zone included.
const QR_PIXELS: u32 = 240;

/// Why the set-up does not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The step-up is too long ago.
    #[error("a step-up is needed")]
    StepUpNeeded,
    /// Two-factor authentication is off: it is enabled with the cell phone first.
    #[error("two-factor authentication is off")]
    NotEnabled,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// Why the app is not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmError {
    /// It is no token; it was not looked at and does not count.
    #[error(transparent)]
    Malformed(InvalidToken),
    /// The app's name.
    #[error(transparent)]
    Name(InvalidText),
    /// Wrong or locked; with what the app did otherwise, if that can be told.
    #[error("not right")]
    NotRight(Option<Diagnosis>),
    /// The set-up has ended; start again.
    #[error("the set-up has ended")]
    Ended,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// Why an app is not removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoveError {
    /// The account has no such app.
    #[error("no such app")]
    NotFound,
    /// The step-up is too long ago.
    #[error("a step-up is needed")]
    StepUpNeeded,
    /// It is the last factor; two-factor authentication is disabled instead.
    #[error("the last factor")]
    LastFactor,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// An app that waits for its first token: all that is ever shown of its secret, and only while it waits.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingApp {
    /// The key to type: base32.
    pub setup_key: String,
    /// The key as an `otpauth://` link.
    pub uri: String,
    /// The link as a QR code: black on white, four modules of quiet zone.
    pub qr_svg: String,
    /// Digits, period and algorithm.
    pub parameters: Parameters,
    /// The name that the app will have.
    pub name: String,
    /// When the set-up ends by itself.
    pub expires_at: Timestamp,
    /// The server's time.
    pub now: Timestamp,
    /// Wrong tokens until the account's tokens are locked.
    pub tries_left: u32,
    /// Tokens are not checked until then.
    pub locked_until: Option<Timestamp>,
}

/// Starts the set-up with a fresh secret; one that was pending before is gone, and an active one stays as it is.
///
/// # Errors
/// [`StartError`].
pub async fn start(authority: &Authority, signed_in: &SignedIn, visitor: &Visitor) -> Result<(), StartError> {
    let account_id = signed_in.account_id();
    if !sessions::is_stepped_up(authority, signed_in) {
        return Err(StartError::StepUpNeeded);
    }
    let parameters = Parameters::OTHER_VENDOR;
    let secret = authority.entropy.array::<OTHER_VENDOR_SECRET_BYTES>();
    let id = authority.entropy.id();
    let sealed = authority.cipher.seal(factors::secret_place(&id), secret.as_slice(), &*authority.entropy);
    let now = authority.now();
    let mut write = authority.store.write().await?;
    write.lock_account(account_id).await?;
    if !factors::are_on(&write.factors(account_id).await?) {
        return Err(StartError::NotEnabled);
    }
    write
        .insert_pending_factor(&NewFactor {
            id: &id,
            account_id,
            kind: FactorKind::Totp.name(),
            name: DEFAULT_NAME,
            phone: None,
            secret: Some(&sealed.bytes),
            key_id: Some(&sealed.key_id),
            algorithm: Some(parameters.algorithm.name()),
            digits: Some(i64::from(parameters.digits)),
            period: Some(i64::from(parameters.period)),
            session_id: Some(signed_in.session_id()),
            device_id: None,
            created_at: now.millis(),
            expires_at: (now + LIFE).millis(),
        })
        .await?;
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::EnrolmentStarted, Some(FactorKind::Totp))
        .await?;
    Ok(write.commit().await?)
}

/// The session's pending app, if it has not run out.
async fn find_pending(authority: &Authority, signed_in: &SignedIn) -> Result<Option<FactorRow>, Unavailable> {
    let factors = authority.store.factors(signed_in.account_id()).await?;
    Ok(factors.into_iter().find(|factor| {
        factor.kind() == Some(FactorKind::Totp)
            && factor.session_id.as_deref() == Some(signed_in.session_id())
            && matches!(factor.enrolment().at(authority.now()), Enrolment::Pending { .. })
    }))
}

/// What the set-up page shows; `None` if nothing waits in this session.
///
/// # Errors
/// [`Unavailable`].
pub async fn pending(authority: &Authority, signed_in: &SignedIn) -> Result<Option<PendingApp>, Unavailable> {
    let Some(row) = find_pending(authority, signed_in).await? else {
        return Ok(None);
    };
    let (Some(parameters), Enrolment::Pending { expires_at }) = (row.parameters(), row.enrolment()) else {
        return Ok(None);
    };
    let secret = factors::open_secret(authority, &row)?;
    let setup_key = secret.expose_base32();
    let uri = Otpauth {
        // A colon separates issuer and account in the label; inside a name some apps read it as that.
        issuer: format!("Twofold {}", signed_in.practice_name().replace(':', " ")),
        account: signed_in.username().to_owned(),
        secret,
        parameters,
    }
    .to_uri();
    let now = authority.now();
    let most = i64::try_from(MAX_IN_SHORT_WINDOW).unwrap_or(i64::MAX);
    let failures = authority.store.latest_failures(signed_in.account_id(), most).await?;
    let recent = failures.iter().filter(|at| now.since(**at) < SHORT_WINDOW).count();
    Ok(Some(PendingApp {
        setup_key,
        qr_svg: qr_svg(&uri)?,
        uri,
        parameters,
        name: row.name,
        expires_at,
        now,
        tries_left: u32::try_from(MAX_IN_SHORT_WINDOW.saturating_sub(recent)).unwrap_or(0),
        locked_until: methods::locked_until(authority, signed_in.account_id()).await?,
    }))
}

fn qr_svg(uri: &str) -> Result<String, Unavailable> {
    let code = QrCode::with_error_correction_level(uri, EcLevel::M).map_err(|_| Unavailable)?;
    let svg = code
        .render()
        .min_dimensions(QR_PIXELS, QR_PIXELS)
        .quiet_zone(true)
        .dark_color(svg::Color("#000000"))
        .light_color(svg::Color("#ffffff"))
        .build();
    // Inside HTML the XML declaration would be a parse error.
    let start = svg.find("<svg").ok_or(Unavailable)?;
    Ok(svg[start..].to_owned())
}

/// Confirms the app with its first token. That token is spent: it cannot be the first sign-in.
///
/// A wrong one is counted; at most every ten seconds it is compared with what common deviations would have made.
///
/// # Errors
/// [`ConfirmError`].
pub async fn confirm(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    raw: &str,
    name: &str,
) -> Result<OpenedSession, ConfirmError> {
    let row = find_pending(authority, signed_in).await?.ok_or(ConfirmError::Ended)?;
    let name = factors::parse_name(name, DEFAULT_NAME, MAX_NAME).map_err(ConfirmError::Name)?;
    let totp = factors::open_totp(authority, &row)?;
    let token = parse_token(raw, totp.parameters().digits)?;
    let surface = Surface::Enrolment(signed_in);
    let attempt = token_check::count(authority, visitor, surface, "").await?;
    match (attempt, totp.find_step(&token, authority.now())) {
        (Some(attempt), Some(step)) => activate(authority, signed_in, visitor, &row, &name, &attempt, step).await,
        (attempt, _) => {
            token_check::fail(authority, visitor, surface, attempt.as_ref()).await?;
            let diagnosis = match attempt {
                Some(_) => diagnose(authority, &row, &totp, &token).await?,
                None => None,
            };
            Err(ConfirmError::NotRight(diagnosis))
        }
    }
}

/// A token of another length than the key's is a wrong token here, for an app may have ignored the digits.
fn parse_token(raw: &str, digits: u8) -> Result<Token, ConfirmError> {
    Token::parse(raw, TokenLengths::only(digits)).or_else(|invalid| match invalid {
        InvalidToken::TooShort(_) | InvalidToken::TooLong(_) => {
            Token::parse(raw, TokenLengths::only(6).or(8)).map_err(|_| ConfirmError::Malformed(invalid))
        }
        InvalidToken::Empty(_) | InvalidToken::NotDigits(_) => Err(ConfirmError::Malformed(invalid)),
    })
}

async fn diagnose(
    authority: &Authority,
    row: &FactorRow,
    totp: &Totp,
    token: &Token,
) -> Result<Option<Diagnosis>, Unavailable> {
    let now = authority.now();
    let mut write = authority.store.write().await?;
    let claimed = write.claim_diagnosis(&row.id, now.millis(), (now - diagnosis::MIN_INTERVAL).millis()).await?;
    write.commit().await?;
    if !claimed {
        return Ok(None);
    }
    let secret: Secret = factors::open_secret(authority, row)?;
    Ok(diagnosis::diagnose(&secret, totp.parameters(), token, now))
}

async fn activate(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    row: &FactorRow,
    name: &Name,
    attempt: &Attempt,
    step: Step,
) -> Result<OpenedSession, ConfirmError> {
    let account_id = signed_in.account_id();
    let step = i64::try_from(step.number()).map_err(|_| ConfirmError::Unavailable)?;
    let mut write = authority.store.write().await?;
    write.lock_account(account_id).await?;
    let confirmed = write.confirm_factor(&row.id, name.as_str(), Some(step), authority.now().millis()).await?;
    if !confirmed || !attempt.pass(&mut write, account_id).await? {
        return Err(ConfirmError::Ended);
    }
    reset::take_back(authority, &mut write, visitor, signed_in.into(), signed_in.email().as_str()).await?;
    write.cancel_challenges(account_id).await?;
    write.delete_other_sessions(account_id, signed_in.session_id()).await?;
    let stepped_up_at = signed_in.stepped_up_at();
    let opened =
        sessions::renew(authority, &mut write, visitor, signed_in, Assurance::TwoFactor, stepped_up_at).await?;
    let kind = FactorKind::Totp;
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::EnrolmentConfirmed, Some(kind)).await?;
    notice::queue(authority, &mut write, signed_in.email().as_str(), Notice::FactorAdded(kind)).await?;
    write.commit().await?;
    Ok(opened)
}

/// Leaves the set-up; nothing has changed.
///
/// # Errors
/// [`Unavailable`].
pub async fn cancel(authority: &Authority, signed_in: &SignedIn, visitor: &Visitor) -> Result<(), Unavailable> {
    let kind = FactorKind::Totp;
    let mut write = authority.store.write().await?;
    if write.delete_pending_factor(signed_in.account_id(), kind.name()).await? {
        audit::record(authority, &mut write, visitor, signed_in.into(), Event::EnrolmentCancelled, Some(kind)).await?;
    }
    Ok(write.commit().await?)
}

/// Removes an app; its tokens are refused from this commit on.
///
/// # Errors
/// [`RemoveError`].
pub async fn remove(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    factor_id: &str,
) -> Result<OpenedSession, RemoveError> {
    let account_id = signed_in.account_id();
    if !sessions::is_stepped_up(authority, signed_in) {
        return Err(RemoveError::StepUpNeeded);
    }
    let mut write = authority.store.write().await?;
    write.lock_account(account_id).await?;
    let all = write.factors(account_id).await?;
    let is_app =
        |factor: &&FactorRow| factor.id == factor_id && factor.kind() == Some(FactorKind::Totp) && factor.counts();
    let app = all.iter().find(is_app).ok_or(RemoveError::NotFound)?;
    if factors::would_be_none(&all, |factor| factor.id == app.id) {
        return Err(RemoveError::LastFactor);
    }
    write.delete_factor(account_id, &app.id).await?;
    write.delete_other_sessions(account_id, signed_in.session_id()).await?;
    let (assurance, stepped_up_at) = (signed_in.assurance(), signed_in.stepped_up_at());
    let opened = sessions::renew(authority, &mut write, visitor, signed_in, assurance, stepped_up_at).await?;
    let kind = FactorKind::Totp;
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::FactorRemoved, Some(kind)).await?;
    notice::queue(authority, &mut write, signed_in.email().as_str(), Notice::FactorRemoved(kind)).await?;
    write.commit().await?;
    Ok(opened)
}
