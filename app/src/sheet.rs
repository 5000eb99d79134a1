//! Pages that the server describes: a list of parts in place of a view of their own.
//!
//! The practice's pages are for few people. Written as views, each would be in the WASM that everybody loads to log in;
//! so the server sends what such a page consists of, and one renderer, here, shows it on both sides. Parts are elements and
//! texts, never HTML, so that what somebody typed stays text. Why it is so is in `docs/adr/0011-sheets.md`.
//!
//! [`Part`] is written by the functions in `part`, which only the server has.

#[cfg(feature = "ssr")]
pub(crate) mod part;

use domain::{Timestamp, TokenLengths};
use leptos::prelude::*;

use crate::components::field::Kind as FieldKind;
use crate::components::layout::filled;
use crate::components::{Field, Icon, Messages, TokenField};
use crate::erase::{Erase, Parts as _, nothing};
use crate::form::Form;
use crate::time::Time;
use crate::wire::wire;

wire! {
    /// A page as the server describes it.
    pub(crate) struct Sheet {
        /// What stands on it.
        pub(crate) parts: Vec<Part>,
    }
}

/// One element of a page. Which of the fields count depends on its kind; [`show`] says how.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub(crate) struct Part {
    /// What it is.
    pub(crate) kind: String,
    /// What people read.
    #[cfg_attr(feature = "ssr", serde(skip_serializing_if = "String::is_empty"))]
    pub(crate) text: String,
    /// The name of a field, the id of a section, the heading of a cell.
    #[cfg_attr(feature = "ssr", serde(skip_serializing_if = "String::is_empty"))]
    pub(crate) name: String,
    /// Its id, where several fields of a page have the name.
    #[cfg_attr(feature = "ssr", serde(skip_serializing_if = "String::is_empty"))]
    pub(crate) id: String,
    /// What a field holds, where a link or a form leads.
    #[cfg_attr(feature = "ssr", serde(skip_serializing_if = "String::is_empty"))]
    pub(crate) value: String,
    /// A sentence under it; of a link, `page` where it leads to the page at hand.
    #[cfg_attr(feature = "ssr", serde(skip_serializing_if = "String::is_empty"))]
    pub(crate) hint: String,
    /// For the style sheet; of a field, its type.
    #[cfg_attr(feature = "ssr", serde(skip_serializing_if = "String::is_empty"))]
    pub(crate) class: String,
    /// A point in time.
    #[cfg_attr(feature = "ssr", serde(skip_serializing_if = "Option::is_none"))]
    pub(crate) at: Option<Timestamp>,
    /// Required, checked, chosen, leading out of the app.
    #[cfg_attr(feature = "ssr", serde(skip_serializing_if = "std::ops::Not::not"))]
    pub(crate) on: bool,
    /// What is inside.
    #[cfg_attr(feature = "ssr", serde(skip_serializing_if = "Vec::is_empty"))]
    pub(crate) parts: Vec<Part>,
}

#[cfg(not(feature = "ssr"))]
impl crate::wire::Wire for Part {
    fn read(json: &crate::wire::Json) -> Option<Self> {
        use crate::wire::field;
        let text = |name| field::<String>(json, name).unwrap_or_default();
        Some(Self {
            kind: text("kind"),
            text: text("text"),
            name: text("name"),
            id: text("id"),
            value: text("value"),
            hint: text("hint"),
            class: text("class"),
            at: field(json, "at"),
            on: field(json, "on").unwrap_or_default(),
            parts: field(json, "parts").unwrap_or_default(),
        })
    }
}

/// Shows a page.
pub(crate) fn view(sheet: Sheet) -> AnyView {
    all(sheet.parts)
}

fn all(parts: Vec<Part>) -> AnyView {
    parts.into_iter().map(show).collect::<Vec<_>>().join()
}

fn show(part: Part) -> AnyView {
    let Part { kind, text, name, id, value, hint, class, at, on, parts } = part;
    match kind.as_str() {
        "text" => text.erase(),
        "messages" => view! { <Messages status=Some(text).filter(|text| !text.is_empty())/> }.erase(),
        "heading" => view! { <div><h1 tabindex="-1">{text}</h1><p class="hint">{filled(hint)}</p></div> }.erase(),
        "section" => {
            let id = name.clone();
            view! { <section class=class aria-labelledby=name><h2 id=id>{text}</h2>{all(parts)}</section> }.erase()
        }
        "block" => view! { <div class=class>{all(parts)}</div> }.erase(),
        "p" => view! { <p class=class>{all(parts)}</p> }.erase(),
        "span" => view! { <span class=class>{text}</span> }.erase(),
        "note" => {
            let icon = if class.ends_with("warn") { Icon::Warning } else { Icon::Info };
            view! { <div class=class>{icon.view()}<div>{all(parts)}</div></div> }.erase()
        }
        "list" => view! { <ul>{all(parts)}</ul> }.erase(),
        "item" => view! { <li>{all(parts)}</li> }.erase(),
        "nav" => view! { <nav class=class aria-label=text>{all(parts)}</nav> }.erase(),
        "link" => {
            let current = (hint == "page").then_some("page");
            view! { <a href=value class=class rel=on.then_some("external") aria-current=current>{text}</a> }.erase()
        }
        "form" => view! { <Form action=value class=class>{all(parts)}</Form> }.erase(),
        "search" => view! { <form method="get" action=value class=class role="search">{all(parts)}</form> }.erase(),
        "fieldset" => view! { <fieldset><legend>{text}</legend><div class=class>{all(parts)}</div></fieldset> }.erase(),
        "field" => {
            let kind = FieldKind::from_name(&class);
            view! { <Field label=text name=name id=id kind=kind value=value hint=hint required=on/> }.erase()
        }
        "token" => view! { <TokenField label="Authorization token" id=id lengths=lengths(&value) hint=hint/> }.erase(),
        "select" => {
            let id = name.clone();
            view! {
                <div class="field">
                    <label for=id.clone()>{text}</label>
                    <select id=id name=name>{all(parts)}</select>
                    <p class="hint">{filled(hint)}</p>
                </div>
            }
            .erase()
        }
        "option" => view! { <option value=value selected=on>{text}</option> }.erase(),
        "check" => view! {
            <label class="check"><input type="checkbox" name=name value="on" checked=on/><span>{text}</span></label>
        }
        .erase(),
        "hidden" => view! { <input type="hidden" name=name value=value/> }.erase(),
        "button" => view! { <button class=class name=filled(name) value=filled(value)>{text}</button> }.erase(),
        "table" => table(text, class, parts),
        "row" => view! { <tr role="row">{all(parts)}</tr> }.erase(),
        "head" => view! { <th role="columnheader" scope="col">{text}</th> }.erase(),
        "first" => view! { <th role="rowheader" scope="row" data-label=name>{all(parts)}</th> }.erase(),
        "cell" => view! { <td role="cell" class=class data-label=name>{all(parts)}</td> }.erase(),
        "time" => at.map(|at| view! { <Time at=at/> }.erase()).erase(),
        "meter" => view! { <meter min="0" max="100" value=value aria-label=text></meter> }.erase(),
        _ => nothing(),
    }
}

/// A table whose first part is the row of headings. Below 640 px the style sheet makes cards of its rows; the roles keep it
/// a table for screen readers even then.
fn table(caption: String, class: String, mut rows: Vec<Part>) -> AnyView {
    let body = rows.split_off(1.min(rows.len()));
    view! {
        <table class=class role="table">
            <caption class="unseen">{caption}</caption>
            <thead role="rowgroup">{all(rows)}</thead>
            <tbody role="rowgroup">{all(body)}</tbody>
        </table>
    }
    .erase()
}

/// `6` or `6-7`: how many digits tokens have.
fn lengths(value: &str) -> TokenLengths {
    let (shortest, longest) = value.split_once('-').unwrap_or((value, value));
    let digits = |text: &str| text.parse().unwrap_or(6);
    TokenLengths::only(digits(shortest)).or(digits(longest))
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::part::{cell, field, heading, hidden, link, row, table};
    use super::*;
    use crate::page::tests::html;
    use crate::wire;

    fn shown(parts: Vec<Part>) -> String {
        let text = serde_json::to_string(&Sheet { parts }).expect("JSON");
        let sheet: Sheet = wire::parse(&text).expect("it reads back");
        html(None, || view(sheet))
    }

    #[test]
    fn what_somebody_typed_stays_text_wherever_it_stands() {
        let nasty = "\"><script>alert(1)</script>";
        let page = shown(vec![
            heading(nasty, nasty),
            field(nasty, "first_name").value(nasty),
            hidden("id", nasty),
            link(nasty, nasty).class(nasty),
            table(nasty, &[nasty], vec![row(vec![cell(nasty)])]),
        ]);
        assert!(!page.contains("<script>"), "{page}");
    }

    #[test]
    fn the_headings_of_a_table_go_with_its_cells() {
        let page = shown(vec![table("Staff", &["Name", "Role"], vec![row(vec![cell("Ada"), cell("Nurse")])])]);
        assert!(page.contains("<th role=\"rowheader\" scope=\"row\" data-label=\"Name\">Ada"), "{page}");
        assert!(page.contains("<td role=\"cell\" data-label=\"Role\" class=\"\">Nurse"), "{page}");
    }
}
