//! The secrets in cookies, and in the authenticator's calls. Only their keyed hashes are stored.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Authority;

/// Base64url of 256 bits.
const LENGTH: usize = 43;

macro_rules! key {
    ($(#[$doc:meta])* $name:ident, $purpose:literal, $read:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
        pub struct $name(String);

        impl $name {
            /// Reads what a browser sent; `None` for what was never one of ours.
            #[must_use]
            pub fn $read(text: &str) -> Option<Self> {
                let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
                (text.len() == LENGTH && is_plain).then(|| Self(text.to_owned()))
            }

            /// The value, for the browser.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }

            pub(crate) fn generate(authority: &Authority) -> Self {
                Self(authority.entropy.secret_text())
            }

            pub(crate) fn hash(&self, authority: &Authority) -> Vec<u8> {
                authority.digester.digest($purpose, "", &self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

key!(
    /// The cookie of a session: a signed-in browser.
    SessionKey,
    "session",
    from_cookie
);
key!(
    /// What the link in an e-mail carries that proves the mailbox of somebody who lost the phone.
    ResetLinkKey,
    "reset link",
    from_link
);
key!(
    /// What the link in a notice carries that stops a reset.
    ResetCancelKey,
    "reset cancel",
    from_link
);
key!(
    /// The cookie of a challenge: a pending sign-in. It opens nothing but the token pages.
    ChallengeKey,
    "challenge",
    from_cookie
);
key!(
    /// The cookie of a browser that once signed in. It proves nothing; it only has a password delay of its own.
    BrowserKey,
    "browser",
    from_cookie
);
key!(
    /// The present key of a remembered browser. It stands for a token beside the password, in that browser alone.
    RememberKey,
    "remembered browser",
    from_cookie
);
key!(
    /// The key of a device: an installation of the authenticator.
    DeviceKey,
    "device",
    from_text
);
key!(
    /// The key of a registration: a device on its way to its secrets.
    RegistrationKey,
    "registration",
    from_text
);
