//! A boxed remark: an icon and a sentence or two.

use leptos::prelude::*;

use super::Icon;

use crate::erase::{Content, Erase};

/// Something worth knowing.
#[component]
pub(crate) fn Info(children: Content) -> AnyView {
    note("note info", Icon::Info, children)
}

/// Something to do, or to be careful with.
#[component]
pub(crate) fn Warning(children: Content) -> AnyView {
    note("note warn", Icon::Warning, children)
}

fn note(class: &'static str, icon: Icon, children: Content) -> AnyView {
    view! { <div class=class>{icon.view()}<div>{children.view()}</div></div> }.erase()
}
