use authority::profile::{self, ProfileError, ProfileForm};
use domain::phone::InvalidPhone;

use crate::support::{PHONE, World, on_both_databases, visitor};

on_both_databases!(a_profile_is_saved_as_a_whole_or_not_at_all, another_cell_phone_under_two_factor_needs_a_step_up);

fn form(cell_phone: &str) -> ProfileForm {
    ProfileForm {
        first_name: "Ada".into(),
        last_name: "Byron".into(),
        specialty: "Cardiology".into(),
        timezone: "America/New_York".into(),
        office_phone: "(202) 555-0123".into(),
        cell_phone: cell_phone.into(),
        pin: "1234".into(),
        ..ProfileForm::default()
    }
}

async fn a_profile_is_saved_as_a_whole_or_not_at_all(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    profile::update(&world.authority, &signed_in, &visitor(), form("202-555-0166")).await.unwrap();
    let saved = profile::load(&world.authority, &signed_in).await.unwrap();
    assert_eq!((saved.cell_phone.as_str(), saved.office_phone.as_str()), (PHONE, "+12025550123"));
    assert_eq!((saved.specialty.as_str(), saved.has_pin), ("Cardiology", true));
    assert_eq!(world.number("SELECT COUNT(*) FROM account WHERE pin_hash LIKE '$argon2id$%'").await, 1);

    for (raw, error) in [
        ("+1 900 234 5678", ProfileError::CellPhoneNotAllowed),
        ("+00", ProfileError::CellPhone(InvalidPhone::Shape)),
        ("tel:+12025550101", ProfileError::CellPhone(InvalidPhone::Shape)),
        ("+12025550101\nX: y", ProfileError::CellPhone(InvalidPhone::Shape)),
        ("555 0101", ProfileError::CellPhone(InvalidPhone::CountryCodeMissing)),
    ] {
        let changed = ProfileForm { specialty: "Surgery".into(), ..form(raw) };
        let refused = profile::update(&world.authority, &signed_in, &visitor(), changed).await.unwrap_err();
        assert_eq!(refused, error, "{raw:?}");
    }
    let short_pin = ProfileForm { pin: "12".into(), ..form(PHONE) };
    let refused = profile::update(&world.authority, &signed_in, &visitor(), short_pin).await;
    assert!(matches!(refused, Err(ProfileError::Pin(_))));
    assert_eq!(profile::load(&world.authority, &signed_in).await.unwrap(), saved);

    let without_pin = ProfileForm { pin: String::new(), ..form("") };
    profile::update(&world.authority, &signed_in, &visitor(), without_pin).await.unwrap();
    let saved = profile::load(&world.authority, &signed_in).await.unwrap();
    assert!(saved.has_pin && saved.cell_phone.is_empty(), "an empty PIN leaves the one that is set");
}

async fn another_cell_phone_under_two_factor_needs_a_step_up(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(301);
    let refused = profile::update(&world.authority, &ada.signed_in().await, &visitor(), form("+12025550188")).await;
    assert_eq!(refused.unwrap_err(), ProfileError::StepUpNeeded);
    assert!(profile::update(&world.authority, &ada.signed_in().await, &visitor(), form(PHONE)).await.is_ok());
}
