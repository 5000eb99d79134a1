//! `/account/security/recovery-codes`: the codes, shown until they are stored.

use domain::Timestamp;
use leptos::prelude::*;
use server_fn::ServerFn;
#[cfg(feature = "ssr")]
use {
    super::step_up::Then,
    crate::notice::Notice,
    crate::visit::{Call, redirect, redirected, refuse},
    authority::recovery::{self, CodesToStore, ReplaceError, ShowError},
};

use crate::components::{Block, Button, Copy, Heading, Hint, Messages};
use crate::erase::{Erase, live_view};
use crate::error::AppError;
use crate::form::Form;
use crate::page::{page, use_hydrated};
use crate::time::Time;
use crate::wire::wire;

/// The page's path.
#[cfg(feature = "ssr")]
pub(super) const PATH: &str = "/account/security/recovery-codes";

wire! {
    /// What the page shows.
    struct RecoveryCodesView {
        codes: Vec<String>,
        account: String,
        practice: String,
        made_at: Timestamp,
        /// The file to download, as a `data:` address, so that it needs neither a script nor a request.
        file: String,
    }
}

/// Loads the page; once the codes are stored it leads back.
#[server(prefix = "/api", endpoint = "load_recovery_codes")]
pub(crate) async fn load_recovery_codes() -> Result<String, AppError> {
    let call = Call::current()?;
    let codes = match recovery::codes_to_store(&call.authority, call.setting_up(PATH).await?).await {
        Err(ShowError::StepUpNeeded) => return Err(redirected(&Then::ShowCodes.step_up())),
        codes => codes.map_err(refuse)?,
    };
    let Some(set) = codes else { return Err(redirected("/account/security")) };
    let file = file(&set);
    let CodesToStore { codes, account, practice, made_at } = set;
    call.page(&RecoveryCodesView { codes, account, practice, made_at, file })
}

#[cfg(feature = "ssr")]
fn file(set: &CodesToStore) -> String {
    use crate::time::{Zone, date_and_clock};
    let made_at = date_and_clock(set.made_at, Zone::Utc);
    let head = format!("Twofold recovery codes\n{}, {}\n{made_at}\n\n", set.account, set.practice);
    let text = head + &set.codes.join("\n") + "\n";
    "data:text/plain;charset=utf-8,".to_owned() + &leptos_router::location::Url::escape(&text)
}

/// The codes are stored, and never shown again.
#[server(prefix = "/api", endpoint = "acknowledge_recovery_codes")]
pub(crate) async fn acknowledge_recovery_codes(#[server(default)] stored: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let signed_in = call.setting_up(PATH).await?;
    if stored.is_empty() {
        return Err(refuse(AppError::CodesNotStored));
    }
    recovery::acknowledge(&call.authority, signed_in, call.visitor()).await.map_err(refuse)?;
    redirect(&Notice::CodesStored.at("/account/security"));
    Ok(())
}

/// Makes a new set, which makes the old one void.
#[server(prefix = "/api", endpoint = "replace_recovery_codes")]
pub(crate) async fn replace_recovery_codes() -> Result<(), AppError> {
    let call = Call::current()?;
    match recovery::replace(&call.authority, call.signed_in("/account/security").await?, call.visitor()).await {
        Ok(()) => redirect(PATH),
        Err(ReplaceError::StepUpNeeded) => redirect(&Then::ReplaceCodes.step_up()),
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}

/// `/account/security/recovery-codes`.
pub(crate) fn recovery_codes_page() -> AnyView {
    page(|| LoadRecoveryCodes {}, "Recovery codes", view)
}

fn view(data: RecoveryCodesView) -> AnyView {
    let hydrated = use_hydrated();
    let all = data.codes.join("\n");
    let codes: Vec<_> = data.codes.into_iter().map(|code| view! { <li><code>{code}</code></li> }.erase()).collect();
    let file_name = ["twofold-recovery-codes-", &data.account, ".txt"].concat();
    let owner = [data.account.as_str(), ", ", &data.practice, ", "].concat();
    // A browser that refuses to print has told so itself.
    let print = move |_| drop(window().print());
    let print = move || {
        hydrated.get().then(|| view! { <button type="button" class="btn" on:click=print>"Print"</button> }.erase())
    };
    view! {
        <Block class="medium card stack codes">
            <Heading text="Recovery codes"/>
            <p class="no-print">
                "Each code lets you log in once when you have no phone at hand. Store them now: they are shown only this once, and \
                 older codes no longer work."
            </p>
            <Hint>{owner}<Time at=data.made_at/></Hint>
            <Messages/>
            <ol class="code-list" dir="ltr">{codes}</ol>
            <Block class="row no-print">
                <Copy text=all/>
                <a class="btn" download=file_name href=data.file>"Download"</a>
                {live_view(print)}
                <span class="hint no-js">"To print them, use your browser's print command."</span>
            </Block>
            <Form action=AcknowledgeRecoveryCodes::PATH class="stack no-print">
                <label class="check">
                    <input type="checkbox" name="stored" value="yes" required/>
                    "I have stored these codes"
                </label>
                <Button label="Done" class="btn primary"/>
            </Form>
        </Block>
    }
    .erase()
}
