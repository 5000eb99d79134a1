//! What a device is about to become: a registration gave it a key and secrets, and the server has not confirmed them yet.
//!
//! Both sides of that moment have to be on the disk. A page that is closed must not lose secrets that count by now; and what
//! the device was before has to go on working if they never do.

use domain::person::Line;

use crate::account::{Account, ServerId};
use crate::bytes::{Malformed, Reader, Writer};
use crate::contents::{Contents, DeviceKey, Full, MAX_ACCOUNTS};

/// A device that waits to be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingDevice {
    /// The token account that it will belong to.
    pub token_account: ServerId,
    /// How it will answer for itself.
    pub device_key: DeviceKey,
    /// What it will be called.
    pub device_name: Line,
    /// Its practice accounts.
    pub accounts: Vec<Account>,
}

impl PendingDevice {
    /// Token account, device key, device name, count (u16), accounts.
    pub(crate) fn write(&self, writer: &mut Writer) {
        self.token_account.write(writer);
        self.device_key.write(writer);
        writer.string(self.device_name.as_str().as_bytes());
        crate::contents::write_accounts(writer, &self.accounts);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            token_account: ServerId::read(reader)?,
            device_key: DeviceKey::read(reader)?,
            device_name: crate::account::read_line(reader)?,
            accounts: crate::contents::read_accounts(reader)?,
        })
    }
}

impl Contents {
    /// Keeps what a registration gave beside what counts now, in the place of an earlier one that came to nothing.
    ///
    /// # Errors
    /// [`Full`] if there would be no room for it later.
    pub fn prepare(&mut self, pending: PendingDevice) -> Result<(), Full> {
        let others = self.accounts().iter().filter(|account| !account.is_practice()).count();
        if others + pending.accounts.len() > MAX_ACCOUNTS {
            return Err(Full);
        }
        self.pending = Some(pending);
        Ok(())
    }

    /// The server has confirmed it: the device is that now, and nothing of what it was at practices before.
    pub fn become_pending(&mut self) {
        let Some(pending) = self.pending.take() else { return };
        self.register(pending.token_account, pending.device_key, pending.device_name);
        self.keep_factors(&[]);
        for account in pending.accounts {
            // There was room, and a key of 256 random bits is here once.
            let _ = self.insert(self.accounts().len(), account);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::totp::Secret;

    use super::*;
    use crate::sample::{self, NOW};

    fn pending(factor: &str, random: &mut crate::Random<'_>) -> PendingDevice {
        let key = Secret::new(crate::random_array::<32>(random).to_vec());
        let factor = ServerId::parse(factor).unwrap();
        PendingDevice {
            token_account: ServerId::parse("ta2").unwrap(),
            device_key: DeviceKey::parse(&"AB".repeat(22)[..43]).unwrap(),
            device_name: Line::parse("Ada's new phone").unwrap(),
            accounts: vec![Account::practice(factor, "Elm & Oak", "ada", key, random).unwrap()],
        }
    }

    #[test]
    fn what_was_there_counts_until_the_server_has_confirmed_the_rest() {
        let random = &mut sample::random();
        let mut contents = sample::device_of("f1", random);
        contents.add(sample::other("Mail", random), NOW).unwrap();
        let before = contents.clone();
        let pending = pending("f2", random);
        contents.prepare(pending.clone()).unwrap();
        assert_eq!((contents.accounts(), &contents.device_key), (before.accounts(), &before.device_key));
        assert_eq!(Contents::decode(&contents.encode()), Ok(contents.clone()));

        contents.become_pending();
        assert_eq!(contents.pending, None);
        assert_eq!((&contents.device_key, &contents.device_name), (&Some(pending.device_key), &pending.device_name));
        assert_eq!(contents.accounts(), [before.accounts()[1].clone(), pending.accounts[0].clone()]);
        let now = contents.clone();
        contents.become_pending();
        assert_eq!(contents, now, "there is nothing to become");
    }

    #[test]
    fn there_has_to_be_room_before_anything_is_confirmed() {
        let random = &mut sample::random();
        let mut contents = sample::device_of("f1", random);
        for _ in 1..MAX_ACCOUNTS {
            contents.add(sample::other("Mail", random), NOW).unwrap();
        }
        contents.prepare(pending("f2", random)).expect("the practice account that is there goes");
        contents.become_pending();
        assert_eq!(contents.accounts().len(), MAX_ACCOUNTS);
        contents.keep_factors(&[]);
        contents.add(sample::other("Mail", random), NOW).unwrap();
        assert_eq!(contents.prepare(pending("f3", random)), Err(Full));
    }
}
