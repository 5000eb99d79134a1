//! Text messages and calls: their words, and how many may go out.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::SmsLife;
use crate::time::Timestamp;
use crate::token::Token;

/// Digits of a token in a message.
pub const TOKEN_DIGITS: u8 = 6;
/// A token in a message lives this long.
pub const TOKEN_LIFE: Duration = Duration::from_mins(5);
/// The wrong entry that voids it.
pub const MAX_WRONG_ENTRIES: u32 = 5;

/// The time between two messages to one number.
pub const COOL_DOWN: Duration = Duration::from_mins(1);

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Channel {
    /// A text message.
    Sms,
    /// A call that reads the token out.
    Voice,
    /// An e-mail.
    Email,
}

impl Channel {
    /// The name in the database, in logs and in the development outbox.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::Email => "email",
        }
    }

    /// The channel of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sms, Self::Voice, Self::Email].into_iter().find(|channel| channel.name() == name)
    }
}

/// The text that carries `token`.
///
/// A text message ends with the line that lets the browser fill the token in on `host` and nowhere else (WICG
/// origin-bound one-time codes: nothing before `@`, one space, no port). No person, practice or health word in it.
#[must_use]
pub fn token_text(channel: Channel, token: &Token, host: &str, life: SmsLife) -> String {
    let digits = token.expose_digits();
    let end = match life {
        SmsLife::FiveMinutes => format!("It expires in {} minutes.", TOKEN_LIFE.as_secs() / 60),
        SmsLife::UntilUsed => "It works once.".to_owned(),
    };
    let words = format!("Twofold: don't share this token with anyone. Your token is {digits}. {end}");
    match channel {
        Channel::Sms => format!("{words}\n\n@{host} #{digits}"),
        Channel::Voice | Channel::Email => words,
    }
}

/// A limit on messages: so many in a rolling window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendLimit {
    /// Messages that may lie in the window.
    pub most: usize,
    /// The rolling window.
    pub window: Duration,
}

/// Per number: 1 per minute, 5 per 10 minutes, 10 per day.
pub const PER_NUMBER: [SendLimit; 3] = [
    SendLimit { most: 1, window: COOL_DOWN },
    SendLimit { most: 5, window: Duration::from_mins(10) },
    SendLimit { most: 10, window: Duration::from_hours(24) },
];
/// Per network address: 10 per hour.
pub const PER_ADDRESS: [SendLimit; 1] = [SendLimit { most: 10, window: Duration::from_hours(1) }];
/// The whole server: an hourly budget, so that a flood costs a known sum.
pub const IN_ALL: [SendLimit; 1] = [SendLimit { most: 500, window: Duration::from_hours(1) }];
/// Of these, what goes to numbers that nobody has proven for an account: 6 per number and day, and half of the hourly budget.
/// Anybody may ask for such a message; nobody can take from people who sign in all that they have.
pub const UNPROVEN_PER_NUMBER: [SendLimit; 1] = [SendLimit { most: 6, window: Duration::from_hours(24) }];
/// The server's share for them.
pub const UNPROVEN_IN_ALL: [SendLimit; 1] = [SendLimit { most: 250, window: Duration::from_hours(1) }];
/// The last digits in which the numbers of one range differ: who has messages sent for money tries them one after the other.
pub const RANGE_DIGITS: usize = 2;
/// Numbers of one range that are being set up and have not been proven: ten in ten minutes, so that a clinic with numbers in
/// a row, whose people type their tokens, does not meet it.
pub const PER_RANGE: [SendLimit; 1] = [SendLimit { most: 10, window: Duration::from_mins(10) }];

/// When the next message may go out under `limits`; not later than `now` means at once.
///
/// `latest_first` are the times of earlier messages, newest first.
#[must_use]
pub fn next_send_at(limits: &[SendLimit], latest_first: &[Timestamp], now: Timestamp) -> Timestamp {
    limits
        .iter()
        .filter_map(|limit| latest_first.get(limit.most - 1).map(|oldest| *oldest + limit.window))
        .fold(now, Ord::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    #[test]
    fn a_text_message_ends_with_the_origin_bound_line() {
        let text = token_text(Channel::Sms, &Token::from_number(1234, 6), "practice.test", SmsLife::FiveMinutes);
        assert_eq!(
            text,
            "Twofold: don't share this token with anyone. Your token is 001234. It expires in 5 minutes.\n\n@practice.test #001234"
        );
        let call = token_text(Channel::Voice, &Token::from_number(1234, 6), "practice.test", SmsLife::UntilUsed);
        assert!(!call.contains('@') && call.ends_with("It works once."), "{call}");
    }

    #[test]
    fn the_second_message_waits_a_minute_and_the_sixth_ten() {
        assert_eq!(next_send_at(&PER_NUMBER, &[], START), START);
        assert_eq!(next_send_at(&PER_NUMBER, &[START], START), START + COOL_DOWN);
        let five: Vec<_> = (0..5).rev().map(|n| START + Duration::from_secs(n * 61)).collect();
        assert_eq!(next_send_at(&PER_NUMBER, &five, five[0]), START + Duration::from_mins(10));
    }

    proptest! {
        #[test]
        fn no_schedule_exceeds_a_limit(waits in proptest::collection::vec(0_u64..2000, 0..200)) {
            let (mut now, mut sent) = (START, Vec::<Timestamp>::new());
            for wait in waits {
                now = now + Duration::from_secs(wait);
                if next_send_at(&PER_NUMBER, &sent, now) <= now {
                    sent.insert(0, now);
                }
            }
            for (index, at) in sent.iter().enumerate() {
                for limit in PER_NUMBER {
                    let within = sent[index..].iter().filter(|earlier| at.since(**earlier) < limit.window).count();
                    prop_assert!(within <= limit.most);
                }
            }
        }
    }
}
