//! `/account/check-up`: whether the authenticator is still at hand, asked some weeks after the last token. It may be put off for
//! ever.

use authority::{check_up, step_up};
use domain::Timestamp;
use domain::message::Channel;
use domain::recovery_code::FEW;
use leptos::prelude::*;
use server_fn::ServerFn;

use super::Page;
use crate::components::Methods;
use crate::components::methods::Phone;
use crate::error::AppError;
use crate::notice::Notice;
use crate::pages::{CHECK_UP, SendToken, Then};
use crate::sheet::Part;
use crate::sheet::part::{
    back, block, button, form, heading, hidden, hint, info, link, messages, paragraph, time, token, warning,
};
use crate::visit::{Call, redirect, refuse};

const SECURITY: &str = "/account/security";
const TITLE: &str = "Is your authenticator still at hand?";

/// The page. It can be reached at any time.
pub(super) async fn show(call: &Call) -> Result<Page, AppError> {
    let signed_in = call.signed_in(CHECK_UP).await?;
    let methods = step_up::methods(&call.authority, signed_in).await.map_err(refuse)?.map(Methods::from);
    let mut parts = vec![back(SECURITY, "Back to Security")];
    parts.extend(match methods {
        Some(methods) => check_parts(methods),
        None => vec![
            heading(TITLE, ""),
            messages(),
            info(vec!["Two-factor authentication is off. ".into(), link(SECURITY, "Turn it on")]),
        ],
    });
    Ok((TITLE.to_owned(), vec![block("narrow card stack", parts)]))
}

fn check_parts(methods: Methods) -> Vec<Part> {
    let status = methods.phone.as_ref().and_then(Phone::sent_text).unwrap_or_default();
    let mut parts = vec![
        heading(TITLE, "You have not typed a token for a while. Better to find out now than at a log-in in a hurry."),
        Part { text: status, ..messages() },
    ];
    if let Some(until) = methods.standing.locked_until {
        parts.push(locked(until));
    }
    parts.push(hint(methods.instruction()));
    parts.push(form(CheckUp::PATH, vec![token(methods.lengths), button("Check").class("btn primary full")]));
    if methods.phone.is_some() {
        let send = |label: &str, channel: Channel| {
            let fields = vec![hidden("then", Then::CheckUp.name()), hidden("channel", channel.name())];
            form(SendToken::PATH, [fields, vec![button(label).class("btn full")]].concat())
        };
        parts.push(send("Request Token via SMS", Channel::Sms));
        parts.push(send("Call Me Instead", Channel::Voice));
    }
    if let Ok(left) = usize::try_from(methods.recovery_codes_left)
        && left <= FEW
    {
        let text = match left {
            0 => "You have no recovery codes left. ".to_owned(),
            1 => "You have 1 recovery code left. ".to_owned(),
            _ => format!("You have {left} recovery codes left. "),
        };
        parts.push(warning(vec![text.into(), link(SECURITY, "Make a new set")]));
    }
    parts.push(paragraph(vec![
        "The phone is lost, or the app is gone? ".into(),
        link(SECURITY, "Fix it"),
        " while you are logged in.".into(),
    ]));
    parts.push(form(PutCheckUpOff::PATH, vec![button("Remind Me Later").class("btn quiet full")]));
    parts
}

fn locked(until: Timestamp) -> Part {
    let text = "Too many wrong tokens were typed, so none is checked until ";
    warning(vec![text.into(), time(Some(until)), ".".into()])
}

/// Checks the token.
#[server(prefix = "/api", endpoint = "check_up")]
pub(crate) async fn check_up(#[server(default)] token: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let signed_in = call.signed_in(CHECK_UP).await?;
    check_up::confirm(&call.authority, signed_in, call.visitor(), &token).await.map_err(refuse)?;
    redirect(&Notice::CheckedUp.at(SECURITY));
    Ok(())
}

/// Asks again in a week.
#[server(prefix = "/api", endpoint = "put_check_up_off")]
pub(crate) async fn put_check_up_off() -> Result<(), AppError> {
    let call = Call::current()?;
    let signed_in = call.signed_in(CHECK_UP).await?;
    check_up::put_off(&call.authority, signed_in, call.visitor()).await.map_err(refuse)?;
    redirect(&Notice::CheckUpPutOff.at(SECURITY));
    Ok(())
}
