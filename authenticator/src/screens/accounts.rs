//! All accounts: to search, to choose, to rename, to move, to delete and to bring back.

use domain::person::{Line, Name};
use leptos::prelude::*;
use vault::AccountId;

use crate::flows::{backup, keeper};
use crate::model::{Model, Screen, Shown};
use crate::parts::{HEADING, Typed, button, field, follow, form, heading, screen, submit};

/// The id of the question whether to delete.
const DELETION: &str = "deletion";

/// What is being done to one account.
#[derive(Clone, PartialEq, Eq)]
enum Task {
    Rename(Shown),
    Delete(Shown),
}

/// The screen.
pub(crate) fn view(model: Model) -> AnyView {
    let search = RwSignal::new(String::new());
    let task = RwSignal::new(None::<Task>);
    let found = move || {
        // What is found changes with the accounts too.
        let shown = model.accounts.get();
        let text = search.get();
        let ids = keeper::with(model, |contents| contents.search(&text).map(|account| account.id).collect::<Vec<_>>());
        let ids = ids.unwrap_or_default();
        shown.into_iter().filter(|shown| ids.contains(&shown.id)).collect::<Vec<_>>()
    };
    let follow = follow();
    let list = move || match task.get() {
        Some(Task::Rename(shown)) => {
            follow("issuer");
            rename(model, task, &shown)
        }
        Some(Task::Delete(shown)) => {
            follow(DELETION);
            delete(model, task, &shown)
        }
        None => {
            follow(HEADING);
            view! {
                {field(model, "search", "Search", "", Typed::Text, search)}
                <ul class="account-list">
                    {move || found().into_iter().map(|shown| item(model, task, &shown)).collect_view()}
                </ul>
            }
            .into_any()
        }
    };
    screen(
        model,
        vec![
            heading(model, "Accounts", ""),
            undo(model),
            view! { {list} }.into_any(),
            button("Add Account", "btn full", move || model.go(Screen::Add)),
            button("Back", "btn quiet", move || model.home()),
        ],
    )
}

fn item(model: Model, task: RwSignal<Option<Task>>, shown: &Shown) -> impl IntoView + use<> {
    let id = shown.id;
    let [renamed, deleted] = [shown.clone(), shown.clone()];
    let of = |what: &str| format!("{what} {}", shown.title);
    view! {
        <li>
            <span class="initial" aria-hidden="true">{shown.initial()}</span>
            <div>
                <button
                    class="btn quiet"
                    type="button"
                    on:click=move |_| {
                        model.chosen.set(Some(id));
                        model.go(Screen::Token);
                    }
                >
                    {shown.title.clone()}
                </button>
                <p class="hint">{shown.second_name()}</p>
            </div>
            <div class="row">
                <button class="btn small" type="button" aria-label=of("Rename") on:click=move |_| task.set(Some(Task::Rename(renamed.clone())))>
                    "Rename"
                </button>
                <button class="btn small" type="button" aria-label=of("Move up") on:click=move |_| move_up(model, id)>
                    "Move up"
                </button>
                <button class="btn small danger" type="button" aria-label=of("Delete") on:click=move |_| task.set(Some(Task::Delete(deleted.clone())))>
                    "Delete"
                </button>
            </div>
        </li>
    }
}

fn rename(model: Model, task: RwSignal<Option<Task>>, shown: &Shown) -> AnyView {
    let id = shown.id;
    let names = keeper::with(model, |contents| {
        contents.find(id).map(|account| (account.issuer.as_str().to_owned(), account.name.as_str().to_owned()))
    });
    let (issuer, name) = names.flatten().unwrap_or_default();
    let (issuer, name) = (RwSignal::new(issuer), RwSignal::new(name));
    let fields = view! {
        {field(model, "issuer", "Site or practice", "", Typed::Text, issuer)}
        {field(model, "account-name", "Account name", "", Typed::Text, name)}
        {submit("Save", model)}
    };
    let save = move || {
        let names = (Line::parse(&issuer.get_untracked()), Name::parse(&name.get_untracked()));
        let (Ok(issuer), Ok(name)) = names else {
            return model.fail_in("account-name", "The account needs a name of at most 200 characters.");
        };
        change(model, move |contents| contents.rename(id, issuer, name).is_ok());
        task.set(None);
    };
    view! {
        {form(fields.into_any(), save)}
        {button("Cancel", "btn quiet", move || task.set(None))}
    }
    .into_any()
}

fn delete(model: Model, task: RwSignal<Option<Task>>, shown: &Shown) -> AnyView {
    let id = shown.id;
    let title = shown.title.clone();
    let remove = move || {
        task.set(None);
        remove(model, id);
    };
    let consequence = if shown.is_practice {
        "You get no tokens for it here any more. Make sure first that you can sign in there without them."
    } else {
        "You get no tokens for it any more, here and on your other devices that share the backup. Make sure first that you \
         can sign in there without them."
    };
    view! {
        <h2 tabindex="-1" id=DELETION>{format!("Delete {title}?")}</h2>
        <p>{consequence}</p>
        {button(format!("Delete {title}"), "btn danger full", remove)}
        {button("Cancel", "btn quiet", move || task.set(None))}
    }
    .into_any()
}

fn undo(model: Model) -> AnyView {
    let offer = move || {
        model.deleted.get().map(|title| {
            view! {
                <p class="note info">
                    {format!("{title} was deleted. ")}
                    {button("Undo", "btn quiet", move || bring_back(model))}
                </p>
            }
        })
    };
    view! { <div role="status">{offer}</div> }.into_any()
}

fn move_up(model: Model, id: AccountId) {
    change(model, move |contents| {
        let place = contents.accounts().iter().position(|account| account.id == id).unwrap_or_default();
        contents.move_to(id, place.saturating_sub(1)).is_ok()
    });
}

fn remove(model: Model, id: AccountId) {
    model.run(async move {
        match keeper::remove(model, id).await {
            Ok(title) => {
                model.deleted.set(Some(title));
                backup::save_meanwhile(model);
            }
            Err(error) => model.fail(error.to_string()),
        }
    });
}

fn bring_back(model: Model) {
    model.run(async move {
        match keeper::undo(model).await {
            Ok(()) => {
                model.deleted.set(None);
                backup::save_meanwhile(model);
            }
            Err(error) => model.fail(error.to_string()),
        }
    });
}

fn change(model: Model, change: impl FnOnce(&mut vault::Contents) -> bool + 'static) {
    model.run(async move {
        match keeper::change(model, change).await {
            Ok(_) => backup::save_meanwhile(model),
            Err(error) => model.fail(error.to_string()),
        }
    });
}
