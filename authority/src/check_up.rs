//! The check-up: a token in the middle of a session, to see that the way to it is still at hand before it is needed.
//!
//! It protects from nothing but surprise: nobody has to do it, and what it proves opens nothing.

use domain::Token;

use crate::audit::{self, Event};
use crate::message_token::Binding;
use crate::sign_in::TokenRefused;
use crate::token_check::{self, Surface, Typed};
use crate::{Authority, SignedIn, Unavailable, Visitor, factors};

/// Checks a token of a factor, as everywhere else: counted, and used up. When it was accepted is when the person last proved
/// it. A recovery code is none: it is what is left when the factor is not at hand.
///
/// # Errors
/// [`TokenRefused`].
pub async fn confirm(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    raw: &str,
) -> Result<(), TokenRefused> {
    let rows = authority.store.factors(signed_in.account_id()).await?;
    let rows = factors::usable(rows, signed_in.rule().apps_only);
    let token = Token::parse(raw, factors::token_lengths(&rows)).map_err(TokenRefused::Malformed)?;
    let surface = Surface::Session(signed_in);
    let binding = Binding::session(signed_in.session_id());
    let proven = token_check::evaluate(authority, visitor, surface, &binding, &Typed::Token(token)).await?;
    let proven = proven.ok_or(TokenRefused::NotRight)?;
    let mut write = authority.store.write().await?;
    if !proven.claim(authority, &mut write, signed_in.account_id()).await? {
        drop(write);
        proven.reused(authority, visitor, surface).await?;
        return Err(TokenRefused::NotRight);
    }
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::CheckUpPassed, Some(proven.factor)).await?;
    Ok(write.commit().await?)
}

/// Asks again in a week.
///
/// # Errors
/// [`Unavailable`].
pub async fn put_off(authority: &Authority, signed_in: &SignedIn, visitor: &Visitor) -> Result<(), Unavailable> {
    let mut write = authority.store.write().await?;
    write.put_check_up_off(signed_in.account_id(), authority.now().millis()).await?;
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::CheckUpPutOff, None).await?;
    Ok(write.commit().await?)
}
