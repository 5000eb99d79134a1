//! The elements of which pages are made.

use leptos::prelude::*;

use crate::erase::{Content, Erase};

/// A box; `class` says what it looks like.
#[component]
pub(crate) fn Block(class: &'static str, children: Content) -> AnyView {
    view! { <div class=class>{children.view()}</div> }.erase()
}

/// The page's heading, which gets the focus when the page comes without a load.
#[component]
pub(crate) fn Heading(
    text: &'static str,
    /// A sentence under it.
    #[prop(optional, into)]
    hint: String,
) -> AnyView {
    view! {
        <div>
            <h1 tabindex="-1">{text}</h1>
            <p class="hint">{filled(hint)}</p>
        </div>
    }
    .erase()
}

/// The text, if it is one: an element without any is empty for the style sheet too.
pub(crate) fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// A remark in small print.
#[component]
pub(crate) fn Hint(children: Content) -> AnyView {
    view! { <p class="hint">{children.view()}</p> }.erase()
}

/// The button of a form.
#[component]
pub(crate) fn Button(
    label: &'static str,
    /// How it looks: what the page is for, unless said otherwise.
    #[prop(default = "btn primary full")]
    class: &'static str,
    /// The name for who cannot see what stands beside it.
    #[prop(default = None)]
    spoken: Option<String>,
) -> AnyView {
    view! { <button class=class aria-label=spoken>{label}</button> }.erase()
}

/// A link to another page.
#[component]
pub(crate) fn Link(href: &'static str, label: &'static str, #[prop(optional)] class: &'static str) -> AnyView {
    view! { <a href=href class=class>{label}</a> }.erase()
}

/// The way back, above the heading.
#[component]
pub(crate) fn Back(href: &'static str, label: &'static str) -> AnyView {
    view! { <p class="back"><a href=href>{label}</a></p> }.erase()
}

/// A card with a heading of its own.
#[component]
pub(crate) fn Section(id: &'static str, title: &'static str, children: Content) -> AnyView {
    view! {
        <section class="card stack" aria-labelledby=id>
            <h2 id=id>{title}</h2>
            {children.view()}
        </section>
    }
    .erase()
}

/// Fields that belong together.
#[component]
pub(crate) fn Group(legend: &'static str, children: Content) -> AnyView {
    view! {
        <fieldset>
            <legend>{legend}</legend>
            <div class="fields">{children.view()}</div>
        </fieldset>
    }
    .erase()
}

/// One step of several.
#[component]
pub(crate) fn Step(title: &'static str, children: Content) -> AnyView {
    view! {
        <li>
            <h2>{title}</h2>
            {children.view()}
        </li>
    }
    .erase()
}

/// A value that a form sends and nobody types.
#[component]
pub(crate) fn Hidden(name: &'static str, value: String) -> AnyView {
    view! { <input type="hidden" name=name value=value/> }.erase()
}
