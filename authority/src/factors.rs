//! Factors as the database holds them, read back into the domain's terms.

use domain::enrolment::Enrolment;
use domain::person::{InvalidText, Name};
use domain::totp::{Algorithm, Parameters, Secret};
use domain::{FactorKind, Phone, TokenLengths, Totp};

use crate::cipher::Place;
use crate::message_token::{Recipient, TOKEN_LENGTH};
use crate::store::{AccountRow, DeviceFactorRow, FactorRow, Write};
use crate::{Authority, Unavailable, moment};

/// The state of a factor that a hundred failures in a row switched off.
pub(crate) const DISABLED: &str = "disabled";
const CONFIRMED: &str = "confirmed";
const PENDING: &str = "pending";
/// The state of a cell phone that an administrator turned two-factor authentication on with, until its first right token.
const ASSIGNED: &str = "assigned";

impl FactorRow {
    pub(crate) fn kind(&self) -> Option<FactorKind> {
        FactorKind::from_name(&self.kind)
    }

    /// Whether tokens of it are accepted.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.state == CONFIRMED || self.state == ASSIGNED
    }

    /// Whether two-factor authentication is on because of it: confirmed, or switched off by failures. A factor that is
    /// switched off still keeps the password alone from sufficing.
    pub(crate) fn counts(&self) -> bool {
        self.is_confirmed() || self.state == DISABLED
    }

    /// The set-up state in the domain's terms.
    pub(crate) fn enrolment(&self) -> Enrolment {
        match (self.confirmed_at, self.expires_at) {
            (Some(at), _) => Enrolment::Confirmed { confirmed_at: moment(at) },
            (None, Some(at)) => Enrolment::Pending { expires_at: moment(at) },
            (None, None) => Enrolment::Abandoned,
        }
    }

    /// The number of a factor for messages.
    pub(crate) fn phone(&self) -> Option<Phone> {
        self.phone.as_deref().and_then(|phone| Phone::parse(phone).ok())
    }

    /// Digits of its tokens.
    pub(crate) fn token_digits(&self) -> u8 {
        self.digits.and_then(|digits| u8::try_from(digits).ok()).unwrap_or(TOKEN_LENGTH)
    }

    /// The public parameters of a TOTP factor.
    pub(crate) fn parameters(&self) -> Option<Parameters> {
        Some(Parameters {
            algorithm: Algorithm::from_name(self.algorithm.as_deref()?)?,
            digits: u8::try_from(self.digits?).ok()?,
            period: u32::try_from(self.period?).ok()?,
        })
    }
}

impl DeviceFactorRow {
    /// Whether tokens of it are accepted.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.state == CONFIRMED
    }

    /// Whether it waits for its first token.
    pub(crate) fn is_pending(&self) -> bool {
        self.state == PENDING
    }
}

/// The name that its owner gives a factor, of at most `most` characters; `default` if none is given.
pub(crate) fn parse_name(raw: &str, default: &str, most: usize) -> Result<Name, InvalidText> {
    let name = Name::parse(if raw.trim().is_empty() { default } else { raw })?;
    if name.as_str().chars().count() > most { Err(InvalidText::TooLong) } else { Ok(name) }
}

/// The factors that are asked: where the role takes tokens of authenticators only, messages are left out, unless there is
/// nothing else yet to sign in with.
pub(crate) fn usable(mut factors: Vec<FactorRow>, apps_only: bool) -> Vec<FactorRow> {
    let is_app = |factor: &FactorRow| factor.is_confirmed() && factor.kind() != Some(FactorKind::Sms);
    if apps_only && factors.iter().any(is_app) {
        factors.retain(|factor| factor.kind() != Some(FactorKind::Sms));
    }
    factors
}

/// Takes everything away that signs an account in besides its password: factors, recovery codes, tokens under way, and the
/// link to its token account.
pub(crate) async fn remove_all(write: &mut Write, account: &AccountRow, now: i64) -> Result<(), Unavailable> {
    write.delete_factors(&account.id).await?;
    write.delete_recovery_set(&account.id).await?;
    write.end_message_tokens(&account.id, now).await?;
    if let Some(token_account_id) = &account.token_account_id {
        write.unlink_token_account(&account.id).await?;
        write.delete_unlinked_token_account(token_account_id).await?;
    }
    Ok(())
}

/// Whether two-factor authentication is on.
pub(crate) fn are_on(factors: &[FactorRow]) -> bool {
    factors.iter().any(FactorRow::counts)
}

/// Whether nothing would be left to get a token by, once what `goes` names is gone.
pub(crate) fn would_be_none(factors: &[FactorRow], goes: impl Fn(&FactorRow) -> bool) -> bool {
    !factors.iter().any(|factor| factor.is_confirmed() && !goes(factor))
}

/// The number that messages go to.
pub(crate) fn message_recipient(factors: &[FactorRow]) -> Option<Recipient> {
    let factor = factors.iter().find(|factor| factor.is_confirmed() && factor.kind() == Some(FactorKind::Sms))?;
    let phone = factor.phone()?;
    // An assigned number is one that an administrator has typed.
    Some(if factor.state == ASSIGNED { Recipient::of_enrolment(phone) } else { Recipient::owner(phone) })
}

/// Where a factor's secret is sealed.
pub(crate) fn secret_place(id: &str) -> Place<'_> {
    Place { table: "factor", row: id, column: "secret" }
}

/// The secret of a TOTP factor.
///
/// # Errors
/// [`Unavailable`] if it does not open; this is logged here, and the caller refuses the token as if it were wrong.
pub(crate) fn open_secret(authority: &Authority, row: &FactorRow) -> Result<Secret, Unavailable> {
    let (Some(key_id), Some(sealed)) = (&row.key_id, &row.secret) else {
        return Err(Unavailable);
    };
    match authority.cipher.open(secret_place(&row.id), key_id, sealed) {
        Ok(bytes) => Ok(Secret::new(bytes.to_vec())),
        Err(error) => {
            tracing::error!(%error, event = "crypt_decrypt_fail", table = "factor", id = row.id, "a factor's secret does not open");
            Err(Unavailable)
        }
    }
}

/// The TOTP key of a factor.
pub(crate) fn open_totp(authority: &Authority, row: &FactorRow) -> Result<Totp, Unavailable> {
    let parameters = row.parameters().ok_or(Unavailable)?;
    Totp::new(&open_secret(authority, row)?, parameters).map_err(|_| Unavailable)
}

/// Lengths of tokens that the account's confirmed factors make.
pub(crate) fn token_lengths(factors: &[FactorRow]) -> TokenLengths {
    factors
        .iter()
        .filter(|factor| factor.is_confirmed())
        .map(FactorRow::token_digits)
        .fold(None, |lengths: Option<TokenLengths>, digits| {
            Some(lengths.map_or(TokenLengths::only(digits), |lengths| lengths.or(digits)))
        })
        .unwrap_or(TokenLengths::SIX)
}
