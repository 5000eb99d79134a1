//! What all pages share: their data, what went wrong on them, and the frame around them.
//!
//! A page is `page(|| LoadThis {}, "Title", view)`: the server function that loads its data, and the function that shows
//! them. Everything generic ends here; behind it is one resource, one way to fetch, and one frame for all pages.

use std::pin::Pin;
use std::sync::Arc;

use domain::Timestamp;
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_navigate};
use server_fn::ServerFn;

use crate::components::frame::Frame;
use crate::erase::{Erase, nothing};
use crate::error::AppError;
use crate::time::Zone;
use crate::wire::{self, Json, Wire, wire};

wire! {
    /// What a page's server function returns, as text: one type carries every page.
    pub(crate) struct PageData {
        /// Who is signed in.
        pub(crate) who: Option<Who>,
        /// The title, where the page's view does not know it.
        pub(crate) title: Option<String>,
        /// What the last plain form post led to.
        pub(crate) failure: Option<AppError>,
        /// The page's own struct.
        pub(crate) body: Json,
    }
}

wire! {
    /// Who is signed in, as the frame shows it.
    pub(crate) struct Who {
        pub(crate) first_name: String,
        pub(crate) last_name: String,
        pub(crate) practice: String,
        /// Whether the practice's pages are open to them.
        pub(crate) manages_accounts: bool,
        /// By when the practice asks for two-factor authentication, while it is not set up.
        pub(crate) enrol_by: Option<Timestamp>,
        /// It is time to see whether the way to a token is still at hand.
        pub(crate) check_up: bool,
        /// What happens if nothing more is done.
        pub(crate) idle: Idle,
    }
}

wire! {
    /// What happens if nothing more is done, in seconds.
    #[derive(Clone, Copy)]
    pub(crate) struct Idle {
        /// The screen locks.
        pub(crate) locks_in: Option<u32>,
        /// The session ends.
        pub(crate) ends_in: Option<u32>,
    }
}

/// The state of the page that is shown. It begins with the page and ends with it.
#[derive(Clone, Copy)]
pub(crate) struct PageState {
    /// What the last submit led to.
    pub(crate) failure: RwSignal<Option<AppError>>,
    /// What was found while typing, at most one per field.
    pub(crate) notes: RwSignal<Vec<AppError>>,
    /// Counts up to load the page's data again.
    pub(crate) version: RwSignal<u32>,
    /// The page's title.
    pub(crate) title: RwSignal<String>,
    /// Whether the session is about to end for want of activity.
    pub(crate) is_ending: RwSignal<bool>,
}

/// Whether the WASM has taken over, so that a view may differ from the server's HTML.
#[derive(Clone, Copy)]
pub(crate) struct Hydrated(pub(crate) RwSignal<bool>);

/// The text of a [`PageData`], or the code of an error.
type Loaded = String;
/// Given the query of the page's address, where the page follows it.
type Load = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Loaded> + Send>> + Send + Sync>;
type Show = Arc<dyn Fn(&Json) -> Option<AnyView> + Send + Sync>;

/// A page: `load` names its server function, `view` shows what that returned.
pub(crate) fn page<F, T>(load: fn() -> F, title: &'static str, view: fn(T) -> AnyView) -> AnyView
where
    F: ServerFn<Output = String, Error = AppError> + 'static,
    T: Wire + 'static,
{
    page_of(loader(load), title, Follows::Nothing, Arc::new(move |body| T::read(body).map(view)))
}

/// What a page is loaded again for, besides its own doing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    Nothing,
    /// Another query in its address.
    Query,
}

/// As [`page`], for pages of many addresses: `load` is given the path and query, and what it returns names the title.
pub(crate) fn page_at<F, T>(load: fn(String) -> F, view: fn(T) -> AnyView) -> AnyView
where
    F: ServerFn<Output = String, Error = AppError> + 'static,
    T: Wire + 'static,
{
    page_of(loader_at(load), "", Follows::Query, Arc::new(move |body| T::read(body).map(view)))
}

#[cfg(feature = "ssr")]
fn loader<F>(load: fn() -> F) -> Load
where
    F: ServerFn<Output = String, Error = AppError> + 'static,
{
    Arc::new(move |_| Box::pin(async move { load().run_body().await.unwrap_or_else(AppError::code) }))
}

/// On the server the request says which page it is.
#[cfg(feature = "ssr")]
fn loader_at<F>(load: fn(String) -> F) -> Load
where
    F: ServerFn<Output = String, Error = AppError> + 'static,
{
    Arc::new(move |_| Box::pin(async move { load(String::new()).run_body().await.unwrap_or_else(AppError::code) }))
}

#[cfg(not(feature = "ssr"))]
fn loader<F>(_: fn() -> F) -> Load
where
    F: ServerFn<Output = String, Error = AppError> + 'static,
{
    fetcher(F::PATH, None)
}

#[cfg(not(feature = "ssr"))]
fn loader_at<F>(_: fn(String) -> F) -> Load
where
    F: ServerFn<Output = String, Error = AppError> + 'static,
{
    fetcher(F::PATH, Some(use_location().pathname.get_untracked()))
}

/// Asks the server for the data of the page, at its `place` and with its query if need be, and goes where it points instead.
#[cfg(not(feature = "ssr"))]
fn fetcher(path: &'static str, place: Option<String>) -> Load {
    use crate::browser::fetch::{self, Reply};
    use leptos_router::NavigateOptions;
    use send_wrapper::SendWrapper;
    use web_sys::UrlSearchParams;

    let navigate = use_navigate();
    Arc::new(move |query| {
        let navigate = navigate.clone();
        let fields = place.as_deref().and_then(|place| {
            let fields = UrlSearchParams::new().ok()?;
            fields.append("address", &[place, "?", &query].concat());
            Some(fields)
        });
        Box::pin(SendWrapper::new(async move {
            let error = match fetch::post(path, fields).await {
                Reply::Done(text) => match wire::parse(&text) {
                    Some(text) => return text,
                    None => AppError::Unavailable,
                },
                Reply::Elsewhere(location) => {
                    navigate(&location, NavigateOptions { replace: true, ..NavigateOptions::default() });
                    AppError::SignedOut
                }
                Reply::Refused(error) => error,
                Reply::Unreachable => AppError::Unavailable,
            };
            error.code()
        }))
    })
}

/// Reads what was loaded.
fn read(loaded: &str) -> Result<PageData, AppError> {
    match AppError::from_code(loaded) {
        Some(error) => Err(error),
        None => wire::parse(loaded).ok_or(AppError::Unavailable),
    }
}

fn page_of(load: Load, title: &'static str, follows: Follows, show: Show) -> AnyView {
    let state = PageState {
        failure: RwSignal::new(None),
        notes: RwSignal::default(),
        version: RwSignal::new(0),
        title: RwSignal::new(title.to_owned()),
        is_ending: RwSignal::new(false),
    };
    provide_context(state);
    title_of_page(state);
    let (place, query) = (use_location().pathname, use_location().search);
    let own_place = place.get_untracked();
    let own_query = StoredValue::new(String::new());
    // The query of the next page is none of this one, which is still there while the next is loaded.
    let followed = move || {
        if follows == Follows::Query {
            let query = query.get();
            if place.get_untracked() == own_place {
                own_query.set_value(query);
            }
        }
        own_query.get_value()
    };
    let hydrated = use_context::<Hydrated>().map(|hydrated| hydrated.0);
    let data = Resource::new_str(
        move || (state.version.get(), followed()),
        move |(_, query)| {
            let load = Arc::clone(&load);
            async move { load(query).await }
        },
    );
    let is_first = StoredValue::new(true);
    let shown = move || {
        let show = Arc::clone(&show);
        Suspend::new(async move {
            let loaded = read(&data.await);
            if let Ok(PageData { title: Some(title), .. }) = &loaded {
                state.title.set(title.clone());
            }
            #[cfg(not(feature = "ssr"))]
            if let Ok(PageData { who, .. }) = &loaded {
                crate::browser::idle::watch(who.as_ref().map(|who| who.idle), state.is_ending);
            }
            if is_first.get_value() {
                is_first.set_value(false);
                if let Ok(PageData { failure: Some(failure), .. }) = &loaded {
                    state.failure.set(Some(*failure));
                }
                if hydrated.is_some_and(|hydrated| hydrated.get_untracked()) {
                    // The page came without a load, so nothing else tells a screen reader that it is there.
                    request_animation_frame(crate::browser::focus_heading);
                }
            }
            match loaded {
                Ok(data) => {
                    let content = show(&data.body).unwrap_or_else(|| broken(AppError::Unavailable));
                    view! { <Frame who=data.who>{content}</Frame> }.erase()
                }
                // The browser is on its way to another page.
                Err(AppError::SignedOut) => nothing(),
                Err(error) => view! { <Frame who=None>{broken(error)}</Frame> }.erase(),
            }
        })
    };
    shown.erase()
}

/// The page in place of one whose data did not come.
fn broken(error: AppError) -> AnyView {
    view! {
        <div class="narrow card stack">
            <h1 tabindex="-1">"Not available"</h1>
            <p role="alert">{error.text(Zone::Utc)}</p>
        </div>
    }
    .erase()
}

#[cfg(feature = "ssr")]
fn title_of_page(state: PageState) {
    // The head of the document is written outside of the page's arena, where reading a signal of the arena would panic
    // whenever another request has used the thread meanwhile. A counted one can be read anywhere.
    let (title, failure) = (ArcRwSignal::from(state.title), ArcRwSignal::from(state.failure));
    // It renders nothing; the text is read when the head of the document is written.
    let _ = view! { <leptos_meta::Title text=move || full_title(&title.get_untracked(), failure.with_untracked(Option::is_some))/> };
}

#[cfg(not(feature = "ssr"))]
fn title_of_page(state: PageState) {
    Effect::new(move |_| document().set_title(&full_title(&state.title.get(), state.failure.with(Option::is_some))));
}

fn full_title(title: &str, has_failed: bool) -> String {
    let prefix = if has_failed { "Error: " } else { "" };
    [prefix, title, " – Twofold"].concat()
}

/// The state of the page around.
pub(crate) fn use_page() -> PageState {
    expect_context()
}

/// Whether the WASM has taken over; what only then works appears only then.
pub(crate) fn use_hydrated() -> RwSignal<bool> {
    expect_context::<Hydrated>().0
}

/// Whose clock to show: the server's HTML says UTC, and so does the first render in the browser.
pub(crate) fn use_zone() -> impl Fn() -> Zone + Copy + Send + Sync + 'static {
    let hydrated = use_hydrated();
    move || if hydrated.get() { Zone::Viewer } else { Zone::Utc }
}

/// Goes to a page of ours, or loads the data of this one again if it is the same.
pub(crate) fn use_go() -> impl Fn(&str) + Clone + Send + Sync + 'static {
    let navigate = use_navigate();
    let path = use_location().pathname;
    let version = use_page().version;
    move |target: &str| {
        let is_same = target.split('?').next() == Some(path.get_untracked().as_str());
        navigate(target, leptos_router::NavigateOptions::default());
        if is_same {
            version.update(|version| *version += 1);
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
pub(crate) mod tests {
    use super::*;

    /// The HTML of a part of a page on which this went wrong.
    pub(crate) fn html(failure: Option<AppError>, view: impl FnOnce() -> AnyView) -> String {
        Owner::new().with(|| {
            provide_context(Hydrated(RwSignal::new(false)));
            provide_context(PageState {
                failure: RwSignal::new(failure),
                notes: RwSignal::default(),
                version: RwSignal::new(0),
                title: RwSignal::default(),
                is_ending: RwSignal::new(false),
            });
            view().to_html()
        })
    }

    #[test]
    fn a_title_says_that_something_went_wrong() {
        assert_eq!(full_title("Log in", false), "Log in – Twofold");
        assert_eq!(full_title("Log in", true), "Error: Log in – Twofold");
    }
}
