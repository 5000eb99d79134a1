//! Which numbers can exist, and may be sent to: the metadata that is too large for a browser.

use domain::Phone;
use domain::phone::InvalidPhone;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

/// Why a number is not taken as a cell phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PhoneRefused {
    /// No such number can exist.
    Invalid(InvalidPhone),
    /// It exists and costs whoever calls it: premium rate, shared cost, a personal number, a pager.
    NotAllowed,
}

/// The number in E.164, if metadata knows that such a number can exist.
pub(crate) fn parse(raw: &str) -> Result<Phone, InvalidPhone> {
    let phone = Phone::parse(raw)?;
    let number = PHONE_NUMBER_UTIL.parse(phone.e164(), None).map_err(|_| InvalidPhone::Shape)?;
    if PHONE_NUMBER_UTIL.is_valid_number(&number) { Ok(phone) } else { Err(InvalidPhone::Shape) }
}

/// The number in E.164, if messages may be sent to it.
pub(crate) fn parse_cell(raw: &str) -> Result<Phone, PhoneRefused> {
    let phone = parse(raw).map_err(PhoneRefused::Invalid)?;
    let number = PHONE_NUMBER_UTIL.parse(phone.e164(), None).map_err(|_| PhoneRefused::Invalid(InvalidPhone::Shape))?;
    match PHONE_NUMBER_UTIL.get_number_type(&number) {
        PhoneNumberType::Mobile
        | PhoneNumberType::FixedLineOrMobile
        | PhoneNumberType::FixedLine
        | PhoneNumberType::VoIP => Ok(phone),
        _ => Err(PhoneRefused::NotAllowed),
    }
}

/// What a form says of a cell phone: E.164, or nothing.
pub(crate) fn parse_cell_field(raw: &str) -> Result<String, PhoneRefused> {
    match raw.trim() {
        "" => Ok(String::new()),
        raw => parse_cell(raw).map(|phone| phone.e164().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_sample_practice_are_valid() {
        for last in 1..=4 {
            assert!(parse_cell(&format!("+1 202 555 010{last}")).is_ok());
        }
    }

    #[test]
    fn numbers_that_cost_their_caller_are_refused() {
        for raw in ["+1 900 234 5678", "+44 70 1234 5678", "+44 909 8790000"] {
            assert!(parse_cell(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn numbers_that_cannot_exist_are_refused() {
        for raw in ["+999 1234567890", "+1 000 000 0000", "+49 1"] {
            assert!(matches!(parse_cell(raw), Err(PhoneRefused::Invalid(_))), "{raw}");
        }
    }
}
