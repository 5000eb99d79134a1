//! What people see.
use leptos::prelude::*;
use leptos_router::{components::{Route, Router, Routes}, path};

/// spike
#[server(endpoint = "log_in")]
pub async fn log_in(username: String, password: String) -> Result<(), ServerFnError> { let _ = (username, password); Ok(()) }

#[component]
fn Home() -> impl IntoView {
    let action = ServerAction::<LogIn>::new();
    view! { <h1>"Hi"</h1><ActionForm action=action><input name="username"/><input name="password"/><button>"Log In"</button></ActionForm> }
}
/// The app.
#[component]
pub fn App() -> impl IntoView {
    view! { <Router><Routes fallback=|| "Not found"><Route path=path!("/login") view=Home/></Routes></Router> }
}
