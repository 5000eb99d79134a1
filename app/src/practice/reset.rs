//! Lost phones: an administrator asks for a reset on `/practice/staff/{id}/reset`, another one decides on
//! `/practice/approvals`.

use authority::reset::WAIT;
use authority::reset::four_eyes::{self, MayApprove, Request};
use authority::step_up;
use domain::{Timestamp, TokenLengths};
use leptos::prelude::*;
use server_fn::ServerFn;

use super::staff::{find, path_of};
use super::{Page, page};
use crate::error::AppError;
use crate::notice::Notice;
use crate::pages::SendToken;
use crate::sheet::Part;
use crate::sheet::part::{
    back, block, button, field, form, heading, hidden, hint, info, list, messages, section, time, token, warning,
};
use crate::visit::{Call, redirect, refuse};

const PATH: &str = "/practice/approvals";
/// What goes with the reset, and what does not.
const BACKUP: &str = "Their authenticator's backup on the server is deleted too, unless another practice account of theirs uses it; \
                      accounts of other sites stay on devices that still have them.";

/// What an administrator proves themselves with, on the page of what it is for.
struct Proof {
    /// Lengths of tokens, where a factor is active.
    lengths: Option<TokenLengths>,
    has_phone: bool,
}

impl Proof {
    async fn of(call: &Call) -> Result<Self, AppError> {
        let methods = step_up::methods(&call.authority, call.signed_in(PATH).await?).await.map_err(refuse)?;
        let has_phone = methods.as_ref().is_some_and(|methods| methods.sms.is_some());
        Ok(Self { lengths: methods.map(|methods| methods.lengths), has_phone })
    }

    /// The fields; `index` tells apart those of several forms on a page.
    fn fields(&self, index: usize) -> Vec<Part> {
        let id = |name: &str| if index == 0 { name.to_owned() } else { format!("{name}-{index}") };
        let password =
            field("Your password", "current_password").id(id("current_password")).class("password").required();
        let token = self.lengths.map(|lengths| token(lengths).id(id("token")));
        [Some(password), token].into_iter().flatten().collect()
    }

    /// A form of its own that has a token sent, and leads back to `page`.
    fn send_form(&self, page: &str) -> Option<Part> {
        let button = button("Request Token via SMS").class("btn");
        let parts = vec![hidden("then", page), hidden("channel", "sms"), button];
        self.has_phone.then(|| form(SendToken::PATH, parts))
    }
}

/// The page on which an administrator asks.
pub(super) async fn ask(call: &Call, id: &str) -> Result<Page, AppError> {
    const TITLE: &str = "Reset two-factor authentication";
    let path = path_of(id);
    let here = format!("{path}/reset");
    let member = find(call, &here, id).await?;
    let name = member.full_name();
    let mut parts =
        vec![back(path, name.clone()), heading(TITLE, format!("For {name}, {}.", member.email)), messages()];
    if member.is_self {
        parts.push(info(vec!["Nobody resets themselves. Ask another administrator, or use a recovery code.".into()]));
    } else if !member.is_protected() {
        parts.push(info(vec!["It is off: there is nothing to reset.".into()]));
    } else {
        let proof = Proof::of(call).await?;
        parts.push(list(vec![
            "Make sure that it is really them who ask: look at them, or call a number that you know.".into(),
            "Another administrator has to approve. Whoever has no other one, or a new one, waits 24 hours.".into(),
            "Their phone, apps and recovery codes stop working, and they are signed out everywhere.".into(),
            BACKUP.into(),
            "At the next log-in they set it up anew, and reach nothing before.".into(),
        ]));
        let mut fields = vec![hidden("member", &member.id), field("Reason", "reason").class("words").required()];
        fields.extend(proof.fields(0));
        fields.push(button("Ask for Reset").class("btn danger"));
        parts.push(form(AskForReset::PATH, fields));
        parts.extend(proof.send_form(&here));
    }
    Ok(page(TITLE, "/practice/staff", vec![block("medium card stack", parts)]))
}

/// Asks for a member's reset.
#[server(prefix = "/api", endpoint = "ask_for_reset")]
pub(crate) async fn ask_for_reset(
    #[server(default)] member: String,
    #[server(default)] reason: String,
    #[server(default)] current_password: String,
    #[server(default)] token: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let administrator = call.administrator(PATH).await?;
    let (authority, visitor) = (&call.authority, call.visitor());
    let asked = four_eyes::ask(authority, administrator, visitor, &member, &reason, current_password, &token);
    asked.await.map_err(refuse)?;
    redirect(&Notice::ResetAsked.at(&path_of(&member)));
    Ok(())
}

/// What waits for an administrator.
pub(super) async fn approvals(call: &Call) -> Result<Page, AppError> {
    let administrator = call.administrator(PATH).await?;
    let waiting = four_eyes::waiting(&call.authority, administrator).await.map_err(refuse)?;
    let hint = "Resets of two-factor authentication that somebody asked for. A second administrator decides, within seven days.";
    let mut parts = vec![heading("Approvals", hint), messages()];
    if waiting.is_empty() {
        parts.push(info(vec!["Nothing waits for you.".into()]));
    } else {
        let proof = Proof::of(call).await?;
        parts.extend(waiting.into_iter().enumerate().map(|(index, request)| card(index, request, &proof)));
        parts.extend(proof.send_form(PATH));
    }
    Ok(page("Approvals", PATH, parts))
}

fn card(index: usize, request: Request, proof: &Proof) -> Part {
    let asked = block("row", vec![format!("{} asked on", request.asked_by).into(), time(Some(request.asked_at))]);
    let remark = match request.may_approve {
        MayApprove::Yes => info(vec!["Make sure that it is really them who want this before you approve.".into()]),
        MayApprove::OwnRequest => warning(vec!["You asked for this: another administrator has to approve.".into()]),
        MayApprove::AboutThemselves => warning(vec!["This is about you: somebody else has to decide.".into()]),
        MayApprove::NotBefore(at) => wait("There is no other administrator", at),
        MayApprove::TooNew(at) => wait("One of you has managed accounts for less than a day", at),
        MayApprove::AskedByThemselves(at) => warning(vec![
            "They asked for this with their password and their mailbox. It happens by itself at their next log-in from ".into(),
            time(Some(at)),
            ". Reject it if it was not them.".into(),
        ]),
    };
    let is_theirs = matches!(request.may_approve, MayApprove::AskedByThemselves(_));
    let mut fields = vec![hidden("request", &request.id)];
    fields.extend(proof.fields(index));
    // The section says of what: its heading names it.
    let act = |label: &str, value: &str, class: &str| button(label).acting(value).class(class);
    let approve = (!is_theirs).then(|| act("Approve", "approve", "btn primary"));
    fields.push(block("row", approve.into_iter().chain([act("Reject", "reject", "btn danger")]).collect()));
    let reason = (!is_theirs).then(|| hint(format!("Reason: {}", request.reason)));
    let title = format!("Reset of {}", request.member);
    let parts = [Some(asked), reason, Some(remark), Some(form(DecideReset::PATH, fields))];
    let parts = parts.into_iter().flatten().collect();
    section(&format!("request-{index}"), title, parts)
}

/// A day takes the place of a second person.
fn wait(why: &str, at: Timestamp) -> Part {
    let hours = WAIT.as_secs() / 3600;
    warning(vec![
        format!("{why}, so {hours} hours have to pass first. You can approve from ").into(),
        time(Some(at)),
        ".".into(),
    ])
}

/// Approves or rejects a reset.
#[server(prefix = "/api", endpoint = "decide_reset")]
pub(crate) async fn decide_reset(
    #[server(default)] request: String,
    #[server(default)] current_password: String,
    #[server(default)] token: String,
    #[server(default)] act: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let administrator = call.administrator(PATH).await?;
    let (authority, visitor) = (&call.authority, call.visitor());
    if act == "approve" {
        let approved = four_eyes::approve(authority, administrator, visitor, &request, current_password, &token);
        approved.await.map_err(refuse)?;
        redirect(&Notice::ResetApproved.at(PATH));
    } else {
        let rejected = four_eyes::reject(authority, administrator, visitor, &request, current_password, &token);
        rejected.await.map_err(refuse)?;
        redirect(&Notice::ResetRejected.at(PATH));
    }
    Ok(())
}
