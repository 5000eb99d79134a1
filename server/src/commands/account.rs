//! `twofold account …`: what the operator does for people who are locked out of everything else.

use authority::operator::{self, OperatorError};
use authority::staff::NewMember;
use authority::{Authority, Migrate};
use clap::{Args, Subcommand};

use super::open::{self, OpenError};
use crate::config::{Arguments, Config};

/// What to do about an account.
#[derive(Subcommand)]
pub(super) enum AccountCommand {
    /// Create an account; its password is the first line of standard input.
    Create(Create),
    /// Reset two-factor authentication of an account: its next sign-in leads into set-up.
    ResetTwoFactor(Named),
    /// Lift what wrong passwords and tokens have led to.
    Unlock(Named),
}

impl AccountCommand {
    /// The settings that it was called with.
    pub(super) fn arguments(&self) -> &Arguments {
        match self {
            Self::Create(create) => &create.arguments,
            Self::ResetTwoFactor(named) | Self::Unlock(named) => &named.arguments,
        }
    }
}

/// An account that is there.
#[derive(Args)]
pub(super) struct Named {
    /// Username or e-mail address.
    name: String,
    #[command(flatten)]
    arguments: Arguments,
}

/// An account that is not there yet.
#[derive(Args)]
pub(super) struct Create {
    /// Name or id of the practice; one that is new is created, and the account owns it.
    #[arg(long)]
    practice: String,
    /// Username.
    #[arg(long)]
    username: String,
    /// E-mail address.
    #[arg(long)]
    email: String,
    /// First name.
    #[arg(long)]
    first_name: String,
    /// Last name.
    #[arg(long)]
    last_name: String,
    /// Cell phone, with country code.
    #[arg(long, default_value = "")]
    cell_phone: String,
    /// provider, office-manager, nurse, billing or staff.
    #[arg(long, default_value = "staff")]
    role: String,
    /// Whether it manages the practice's accounts.
    #[arg(long)]
    manages_accounts: bool,
    #[command(flatten)]
    arguments: Arguments,
}

/// Why nothing was done about an account.
#[derive(Debug, thiserror::Error)]
pub(super) enum AccountError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("no password can be read from standard input: {0}")]
    Password(#[source] std::io::Error),
    #[error(transparent)]
    Refused(#[from] OperatorError),
}

pub(super) async fn account(config: &Config, command: &AccountCommand) -> Result<(), AccountError> {
    let authority = open::authority(config, Migrate::No).await?;
    match command {
        AccountCommand::Create(create) => self::create(&authority, create).await?,
        AccountCommand::ResetTwoFactor(named) => {
            operator::reset_two_factor(&authority, &named.name).await?;
            println!("Two-factor authentication of {} is reset; the next sign-in leads into set-up.", named.name);
        }
        AccountCommand::Unlock(named) => {
            operator::unlock(&authority, &named.name).await?;
            println!("{} is unlocked.", named.name);
        }
    }
    Ok(())
}

async fn create(authority: &Authority, create: &Create) -> Result<(), AccountError> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(AccountError::Password)?;
    let new = NewMember {
        first_name: create.first_name.clone(),
        last_name: create.last_name.clone(),
        email: create.email.clone(),
        username: create.username.clone(),
        password: line.trim_end_matches(['\r', '\n']).to_owned(),
        cell_phone: create.cell_phone.clone(),
        role: create.role.clone(),
        manages_accounts: create.manages_accounts,
    };
    operator::create_account(authority, &create.practice, new).await?;
    println!("The account {} is there.", create.username);
    Ok(())
}
