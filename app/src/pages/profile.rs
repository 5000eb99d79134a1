//! `/account/profile`: the first tab of Account Settings.
#![expect(clippy::too_many_arguments, reason = "a server function has one for each field of its form")]

use leptos::prelude::*;
use server_fn::ServerFn;
#[cfg(feature = "ssr")]
use {
    super::step_up::Then,
    crate::notice::Notice,
    crate::visit::{Call, redirect, refuse},
    authority::profile::{self, ProfileError, ProfileForm},
};

use crate::components::{AccountSettings, Block, Button, Field, Group, Hint, Kind, Link, Tab};
use crate::erase::Erase;
use crate::error::AppError;
use crate::form::Form;
use crate::page::page;
use crate::wire::wire;

wire! {
    /// What the page shows.
    struct ProfileView {
        first_name: String,
        last_name: String,
        specialty: String,
        timezone: String,
        salutation: String,
        suffix: String,
        website: String,
        home_phone: String,
        office_phone: String,
        cell_phone: String,
        email: String,
        username: String,
        has_pin: bool,
    }
}

/// Loads the page.
#[server(prefix = "/api", endpoint = "load_profile")]
pub(crate) async fn load_profile() -> Result<String, AppError> {
    let call = Call::current()?;
    let profile = profile::load(&call.authority, call.signed_in("/account/profile").await?).await.map_err(refuse)?;
    call.page(&ProfileView {
        first_name: profile.first_name,
        last_name: profile.last_name,
        specialty: profile.specialty,
        timezone: profile.timezone,
        salutation: profile.salutation,
        suffix: profile.suffix,
        website: profile.website,
        home_phone: profile.home_phone,
        office_phone: profile.office_phone,
        cell_phone: profile.cell_phone,
        email: profile.email,
        username: profile.username,
        has_pin: profile.has_pin,
    })
}

/// Saves the whole profile. An empty PIN leaves the old one.
#[server(prefix = "/api", endpoint = "update_profile")]
pub(crate) async fn update_profile(
    #[server(default)] first_name: String,
    #[server(default)] last_name: String,
    #[server(default)] specialty: String,
    #[server(default)] timezone: String,
    #[server(default)] salutation: String,
    #[server(default)] suffix: String,
    #[server(default)] website: String,
    #[server(default)] home_phone: String,
    #[server(default)] office_phone: String,
    #[server(default)] cell_phone: String,
    #[server(default)] pin: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let form = ProfileForm {
        first_name,
        last_name,
        specialty,
        timezone,
        salutation,
        suffix,
        website,
        home_phone,
        office_phone,
        cell_phone,
        pin,
    };
    match profile::update(&call.authority, call.signed_in("/account/profile").await?, call.visitor(), form).await {
        Ok(()) => redirect(&Notice::ProfileSaved.at("/account/profile")),
        Err(ProfileError::StepUpNeeded) => redirect(&Then::Profile.step_up()),
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}

/// `/account/profile`.
pub(crate) fn profile_page() -> AnyView {
    page(|| LoadProfile {}, "Profile", view)
}

fn view(data: ProfileView) -> AnyView {
    let pin_hint = if data.has_pin {
        "4 to 6 digits. A PIN is set; leave this empty to keep it. It unlocks the screen after inactivity and is never used \
         to log in."
    } else {
        "4 to 6 digits. It unlocks the screen after inactivity and is never used to log in."
    };
    let identity = [data.username.as_str(), " · ", data.email.as_str()].concat();
    view! {
        <AccountSettings tab=Tab::Profile>
            <Form action=UpdateProfile::PATH class="card stack">
                <Block class="row spread">
                    <Hint>{identity}</Hint>
                    <Link href="/account/password" label="Change Password" class="btn"/>
                </Block>
                {name_group(data.salutation, data.first_name, data.last_name, data.suffix)}
                <Group legend="Work">
                    <Field label="Specialty" name="specialty" kind=Kind::Words value=data.specialty/>
                    <Field label="Timezone" name="timezone" kind=Kind::Timezone value=data.timezone/>
                    <Field label="Website" name="website" kind=Kind::Link value=data.website/>
                </Group>
                {timezones()}
                <Group legend="Phones">
                    <Field
                        label="Cell phone"
                        name="cell_phone"
                        kind=Kind::Phone
                        value=data.cell_phone
                        hint="Needed for two-factor authentication. With the country code: +1 202 555 0100"
                    />
                    <Field label="Office phone" name="office_phone" kind=Kind::Phone value=data.office_phone autocomplete="work tel"/>
                    <Field label="Home phone" name="home_phone" kind=Kind::Phone value=data.home_phone autocomplete="home tel"/>
                </Group>
                <Group legend="Screen lock">
                    <Field label="App unlock PIN" name="pin" kind=Kind::Pin hint=pin_hint/>
                </Group>
                <Button label="Update Entire Profile" class="btn primary"/>
            </Form>
        </AccountSettings>
    }
    .erase()
}

fn name_group(salutation: String, first_name: String, last_name: String, suffix: String) -> AnyView {
    view! {
        <Group legend="Name">
            <Field
                label="Salutation"
                name="salutation"
                kind=Kind::Words
                value=salutation
                autocomplete="honorific-prefix"
            />
            <Field
                label="First name"
                name="first_name"
                kind=Kind::Words
                value=first_name
                autocomplete="given-name"
                required=true
            />
            <Field
                label="Last name"
                name="last_name"
                kind=Kind::Words
                value=last_name
                autocomplete="family-name"
                required=true
            />
            <Field label="Suffix" name="suffix" kind=Kind::Words value=suffix autocomplete="honorific-suffix"/>
        </Group>
    }
    .erase()
}

/// Common zones of the IANA database, offered while typing; any other may be typed.
fn timezones() -> AnyView {
    view! {
        <datalist id="timezones">
            <option value="America/New_York"></option>
            <option value="America/Chicago"></option>
            <option value="America/Denver"></option>
            <option value="America/Phoenix"></option>
            <option value="America/Los_Angeles"></option>
            <option value="America/Anchorage"></option>
            <option value="Pacific/Honolulu"></option>
            <option value="America/Puerto_Rico"></option>
            <option value="America/Toronto"></option>
            <option value="America/Vancouver"></option>
            <option value="America/Mexico_City"></option>
            <option value="America/Sao_Paulo"></option>
            <option value="Europe/London"></option>
            <option value="Europe/Dublin"></option>
            <option value="Europe/Paris"></option>
            <option value="Europe/Berlin"></option>
            <option value="Europe/Madrid"></option>
            <option value="Europe/Rome"></option>
            <option value="Europe/Athens"></option>
            <option value="Africa/Johannesburg"></option>
            <option value="Africa/Lagos"></option>
            <option value="Asia/Dubai"></option>
            <option value="Asia/Kolkata"></option>
            <option value="Asia/Singapore"></option>
            <option value="Asia/Manila"></option>
            <option value="Asia/Tokyo"></option>
            <option value="Australia/Sydney"></option>
            <option value="Pacific/Auckland"></option>
            <option value="UTC"></option>
        </datalist>
    }
    .erase()
}
