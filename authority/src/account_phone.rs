//! Which numbers can exist, and may be sent to: the metadata that is too large for a browser.

use domain::phone::InvalidPhone;
use domain::{Countries, Phone};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

/// Why a number is not taken as a cell phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PhoneRefused {
    /// No such number can exist.
    Invalid(InvalidPhone),
    /// It exists and costs whoever calls it (premium rate, shared cost, a personal number, a pager), or the practice does not
    /// take numbers of its country.
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

/// What a form says of a cell phone: E.164 of a country that the practice takes, the number `on_file`, or nothing. What is
/// on file from before the practice chose its countries stays, or it would stand in the way of every other edit.
pub(crate) fn parse_cell_field(raw: &str, on_file: &str, countries: &Countries) -> Result<String, PhoneRefused> {
    match raw.trim() {
        "" => Ok(String::new()),
        raw => match parse_cell(raw)? {
            phone if phone.e164() == on_file || is_of(&phone, countries) => Ok(phone.e164().to_owned()),
            _ => Err(PhoneRefused::NotAllowed),
        },
    }
}

/// Whether the number is of one of the countries.
pub(crate) fn is_of(phone: &Phone, countries: &Countries) -> bool {
    let number = PHONE_NUMBER_UTIL.parse(phone.e164(), None).ok();
    let region = number.and_then(|number| PHONE_NUMBER_UTIL.get_region_for_number(&number));
    countries.are_all() || region.is_some_and(|region| countries.allow(region.as_region_str().as_str()))
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
    fn numbers_are_of_the_countries_that_the_practice_takes() {
        let north_america = Countries::parse("US, CA").unwrap();
        for raw in ["+1 202 555 0101", "+1 416 555 0123"] {
            assert!(parse_cell_field(raw, "", &north_america).is_ok(), "{raw}");
        }
        assert_eq!(parse_cell_field("+44 7400 123456", "", &north_america), Err(PhoneRefused::NotAllowed));
        assert!(parse_cell_field("+44 7400 123456", "", &Countries::default()).is_ok());
        assert_eq!(parse_cell_field(" ", "", &north_america), Ok(String::new()));
        assert!(parse_cell_field("+44 7400 123456", "+447400123456", &north_america).is_ok(), "it is on file");
        let premium = parse_cell_field("+1 900 234 5678", "+19002345678", &north_america);
        assert_eq!(premium, Err(PhoneRefused::NotAllowed), "the country's rule alone is spared");
    }

    #[test]
    fn numbers_that_cannot_exist_are_refused() {
        for raw in ["+999 1234567890", "+1 000 000 0000", "+49 1"] {
            assert!(matches!(parse_cell(raw), Err(PhoneRefused::Invalid(_))), "{raw}");
        }
    }
}
