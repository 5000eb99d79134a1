//! Step-up: proving the password, and a token where a factor is active, again.

use domain::Timestamp;
use domain::message::Channel;
use domain::session::Assurance;
use domain::token::InvalidToken;

use crate::audit::{self, Event};
use crate::message_token::{self, Binding};
use crate::methods::{self, Methods};
use crate::password::{self, PasswordRefused, ProvenPassword};
use crate::store::Write;
use crate::token_check::{self, Proven, Surface, Typed};
use crate::{Authority, OpenedSession, SendRefused, SignedIn, Unavailable, Visitor, factors, sessions};

/// Tokens that are shown as left in a session: the account's own limits are what counts there.
const TRIES: u32 = 5;

/// Why a proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofRefused {
    /// The token is no token; nothing was looked at.
    #[error(transparent)]
    Malformed(InvalidToken),
    /// The password or the token is not right; never which.
    #[error("not right")]
    NotRight,
    /// Wrong passwords slow further ones down.
    #[error("too many tries")]
    TooManyTries {
        /// When the next one is looked at.
        until: Timestamp,
    },
    /// Too many passwords are being checked.
    #[error("busy")]
    Busy,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

impl From<PasswordRefused> for ProofRefused {
    fn from(refused: PasswordRefused) -> Self {
        match refused {
            PasswordRefused::Wrong => Self::NotRight,
            PasswordRefused::TooManyTries { until } => Self::TooManyTries { until },
            PasswordRefused::Busy => Self::Busy,
            PasswordRefused::Unavailable => Self::Unavailable,
        }
    }
}

/// A right password and, where a factor is active, a right token that still has to be claimed.
pub(crate) struct Proof {
    password: ProvenPassword,
    token: Option<Proven>,
}

impl Proof {
    /// Uses it up in the transaction of what it allows, and gives the transaction back.
    pub(crate) async fn claim(
        self,
        authority: &Authority,
        signed_in: &SignedIn,
        visitor: &Visitor,
        mut write: Write,
    ) -> Result<Write, ProofRefused> {
        let has_token = self.token.is_some();
        if let Some(token) = self.token
            && !token.claim(authority, &mut write, signed_in.account_id()).await?
        {
            drop(write);
            token.reused(authority, visitor, Surface::Session(signed_in)).await?;
            return Err(ProofRefused::NotRight);
        }
        self.password.settle(&mut write, signed_in.account_id()).await?;
        if !has_token && factors::are_on(&write.factors(signed_in.account_id()).await?) {
            // A factor was confirmed while the password was compared.
            return Err(ProofRefused::NotRight);
        }
        Ok(write)
    }
}

/// What the step-up page shows; `None` if the password suffices, for no factor is active.
///
/// # Errors
/// [`Unavailable`].
pub async fn methods(authority: &Authority, signed_in: &SignedIn) -> Result<Option<Methods>, Unavailable> {
    let factors = authority.store.factors(signed_in.account_id()).await?;
    if !factors::are_on(&factors) {
        return Ok(None);
    }
    methods::of(authority, signed_in.account_id(), signed_in.rule().apps_only, &binding(signed_in), (TRIES, 0))
        .await
        .map(Some)
}

/// Sends a token by text message or call, for a step-up or for switching off in this session.
///
/// # Errors
/// [`SendRefused`].
pub async fn request_token(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    channel: Channel,
) -> Result<(), SendRefused> {
    let factors = authority.store.factors(signed_in.account_id()).await?;
    let factors = factors::usable(factors, signed_in.rule().apps_only);
    let recipient = factors::message_recipient(&factors).ok_or(SendRefused::NoPhone)?;
    message_token::send_alone(authority, visitor, signed_in.into(), &recipient, channel, &binding(signed_in)).await
}

/// Proves the person again, with a token or a recovery code. The session gets a new key, and counts as stepped up for
/// five minutes.
///
/// # Errors
/// [`ProofRefused`].
pub async fn confirm(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    password: String,
    raw_token: &str,
) -> Result<OpenedSession, ProofRefused> {
    let proof = prove_anew(authority, signed_in, visitor, password, raw_token).await?;
    // A session of a remembered browser is one like any other from now on.
    let assurance = if proof.token.is_some() { Assurance::TwoFactor } else { signed_in.assurance() };
    let now = authority.now();
    let write = authority.store.write().await?;
    let mut write = proof.claim(authority, signed_in, visitor, write).await?;
    let opened = sessions::renew(authority, &mut write, visitor, signed_in, assurance, Some(now)).await?;
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::SteppedUp, None).await?;
    write.commit().await?;
    Ok(opened)
}

/// Fresh proof of the person: the password and, where a factor is active, a token or a recovery code.
pub(crate) async fn prove_anew(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    password: String,
    raw_token: &str,
) -> Result<Proof, ProofRefused> {
    let factors = authority.store.factors(signed_in.account_id()).await?;
    let typed = if factors::are_on(&factors) {
        Some(Typed::parse(raw_token, factors::token_lengths(&factors)).map_err(ProofRefused::Malformed)?)
    } else {
        None
    };
    prove(authority, signed_in, visitor, password, typed).await
}

/// Compares the password first, and the token only if it was right: a right token beside a wrong password is not used
/// up (requirements.md TK-6).
pub(crate) async fn prove(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    password: String,
    typed: Option<Typed>,
) -> Result<Proof, ProofRefused> {
    let password = password::prove_signed_in(authority, visitor, signed_in, password).await?;
    let token = match typed {
        None => None,
        Some(typed) => {
            let surface = Surface::Session(signed_in);
            let proven = token_check::evaluate(authority, visitor, surface, &binding(signed_in), &typed).await?;
            Some(proven.ok_or(ProofRefused::NotRight)?)
        }
    };
    Ok(Proof { password, token })
}

fn binding(signed_in: &SignedIn) -> Binding {
    Binding::session(signed_in.session_id())
}
