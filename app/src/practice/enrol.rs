//! `/login/enrol`: set-up that the practice asks for, inside of the sign-in. Who has to do it reaches nothing else.

use authority::enrol_sms::{self, StartError};
use authority::profile::{self, ProfileError};
use authority::security;
use leptos::prelude::*;
use server_fn::ServerFn;

use super::Page;
use crate::error::AppError;
use crate::pages::{AFTER_SIGN_IN, AddApp, CONFIRM_PHONE, Then};
use crate::sheet::Part;
use crate::sheet::part::{block, button, field, form, heading, hint, info, link, messages, paragraph, section, tag};
use crate::visit::{Call, ENROL, redirect, redirected, refuse};

/// What is missing, one step after the other.
pub(super) async fn show(call: &Call) -> Result<Page, AppError> {
    const TITLE: &str = "Set up two-factor authentication";
    let signed_in = call.setting_up(ENROL).await?;
    if call.visit.must_enrol.is_none() {
        return Err(redirected(AFTER_SIGN_IN));
    }
    let overview = security::overview(&call.authority, signed_in).await.map_err(refuse)?;
    let apps_only = signed_in.rule().apps_only;
    let hint = format!("{} requires it. It takes two minutes, and then you go on.", signed_in.practice_name());
    let mut parts = vec![heading(TITLE, hint), messages()];
    if overview.codes_to_store {
        let codes = link("/account/security/recovery-codes", "Store them now");
        parts.push(info(vec!["Your recovery codes are not stored yet. ".into(), codes]));
    }
    if overview.enabled {
        parts.push(section("phone", "1. Your cell phone", vec![paragraph(vec![tag("ok", "Confirmed")])]));
        parts.push(app_step());
    } else {
        parts.push(phone_step(overview.cell_phone.unwrap_or_default(), overview.pending_phone));
        if apps_only {
            parts.push(section(
                "app",
                "2. An authenticator app",
                vec![self::hint("Comes next. Your role needs tokens from an app; text messages alone do not do.")],
            ));
        }
    }
    parts.push(paragraph(vec![
        link("/help/two-factor", "How two-factor authentication works").external(),
        " If you cannot do it now, log out and come back.".into(),
    ]));
    Ok((TITLE.to_owned(), vec![block("medium stack", parts)]))
}

fn phone_step(cell_phone: String, is_pending: bool) -> Part {
    let mut parts = Vec::new();
    if is_pending {
        let go_on = link(CONFIRM_PHONE, "Type the code");
        parts.push(info(vec!["Your cell phone waits to be confirmed. ".into(), go_on]));
    }
    parts.push(hint("We send a code to it. Later it gets your tokens, by text message or call."));
    parts.push(hint(
        "Text messages are the weaker way: they can be intercepted, or your number taken over. An authenticator app, which you \
         can add right after, is the better one.",
    ));
    parts.push(form(
        BeginEnrolment::PATH,
        vec![
            field("Cell phone", "cell_phone")
                .class("phone")
                .hint("With country code, as in +1 202 555 0123.")
                .value(cell_phone)
                .required(),
            field("Current password", "current_password").class("password").required(),
            button("Send Code"),
        ],
    ));
    section("phone", "1. Your cell phone", parts)
}

fn app_step() -> Part {
    section(
        "app",
        "2. An authenticator app",
        vec![
            hint(
                "Your role needs tokens from an app; text messages alone do not do. Any app that reads a QR code will.",
            ),
            form(AddApp::PATH, vec![button("Add an authenticator app")]),
            paragraph(vec![
                "Or open ".into(),
                link("/authenticator", "Twofold's own authenticator").external(),
                " on your phone, add your account by its cell phone, and load this page again.".into(),
            ]),
        ],
    )
}

/// Notes the cell phone and sends the code that confirms it.
#[server(prefix = "/api", endpoint = "begin_enrolment")]
pub(crate) async fn begin_enrolment(
    #[server(default)] cell_phone: String,
    #[server(default)] current_password: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let signed_in = call.setting_up(ENROL).await?;
    match profile::set_cell_phone(&call.authority, signed_in, call.visitor(), &cell_phone).await {
        Ok(()) => {}
        Err(ProfileError::StepUpNeeded) => {
            redirect(&Then::Security.step_up());
            return Ok(());
        }
        Err(error) => return Err(refuse(error)),
    }
    match enrol_sms::start(&call.authority, signed_in, call.visitor(), current_password).await {
        Ok(()) => redirect(CONFIRM_PHONE),
        Err(StartError::StepUpNeeded) => redirect(&Then::Security.step_up()),
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}
