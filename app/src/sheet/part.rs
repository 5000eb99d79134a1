//! The parts of which the server makes a page; [`super`] shows them.

use domain::{Timestamp, TokenLengths};

use super::Part;

fn part(kind: &str) -> Part {
    Part { kind: kind.to_owned(), ..Part::default() }
}

impl Part {
    /// What a field holds.
    pub(crate) fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// Its id, where several fields of a page have the name.
    pub(crate) fn id(mut self, id: String) -> Self {
        self.id = id;
        self
    }

    /// A sentence under it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// How it looks.
    pub(crate) fn class(mut self, class: &str) -> Self {
        class.clone_into(&mut self.class);
        self
    }

    /// Of several buttons of a form, says which one was pressed: the field `act` has this value.
    pub(crate) fn acting(mut self, value: &str) -> Self {
        "act".clone_into(&mut self.name);
        value.clone_into(&mut self.value);
        self
    }

    /// It has to be filled in.
    pub(crate) fn required(mut self) -> Self {
        self.on = true;
        self
    }

    /// It leads out of the app, to what the server answers by itself.
    pub(crate) fn external(mut self) -> Self {
        self.on = true;
        self
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self { text, ..part("text") }
    }
}

/// The page's heading, and a sentence under it.
pub(crate) fn heading(text: impl Into<String>, hint: impl Into<String>) -> Part {
    Part { text: text.into(), hint: hint.into(), ..part("heading") }
}

/// Where the page says what went wrong and what went well.
pub(crate) fn messages() -> Part {
    part("messages")
}

/// A card with a heading of its own.
pub(crate) fn section(id: &str, title: impl Into<String>, parts: Vec<Part>) -> Part {
    Part { name: id.to_owned(), text: title.into(), class: "card stack".to_owned(), parts, ..part("section") }
}

/// A box; `class` says what it looks like.
pub(crate) fn block(class: &str, parts: Vec<Part>) -> Part {
    Part { class: class.to_owned(), parts, ..part("block") }
}

/// A paragraph.
pub(crate) fn paragraph(parts: Vec<Part>) -> Part {
    Part { parts, ..part("p") }
}

/// A remark in small print.
pub(crate) fn hint(text: impl Into<String>) -> Part {
    paragraph(vec![Part::from(text.into())]).class("hint")
}

/// A word in a box.
pub(crate) fn tag(class: &str, text: impl Into<String>) -> Part {
    Part { text: text.into(), class: format!("tag {class}"), ..part("span") }
}

/// Something worth knowing.
pub(crate) fn info(parts: Vec<Part>) -> Part {
    Part { parts, class: "note info".to_owned(), ..part("note") }
}

/// Something to do, or to be careful with.
pub(crate) fn warning(parts: Vec<Part>) -> Part {
    Part { parts, class: "note warn".to_owned(), ..part("note") }
}

/// A list, each part an item.
pub(crate) fn list(items: Vec<Part>) -> Part {
    let parts = items.into_iter().map(|item| Part { parts: vec![item], ..part("item") }).collect();
    Part { parts, ..part("list") }
}

/// Links of one kind.
pub(crate) fn nav(name: &str, class: &str, links: Vec<Part>) -> Part {
    Part { text: name.to_owned(), class: class.to_owned(), parts: links, ..part("nav") }
}

/// A link.
pub(crate) fn link(href: impl Into<String>, text: impl Into<String>) -> Part {
    Part { value: href.into(), text: text.into(), ..part("link") }
}

/// The way back, above the heading.
pub(crate) fn back(href: impl Into<String>, text: impl Into<String>) -> Part {
    paragraph(vec![link(href, text)]).class("back")
}

/// A form that calls the server function at `action`.
pub(crate) fn form(action: &str, parts: Vec<Part>) -> Part {
    Part { value: action.to_owned(), class: "stack".to_owned(), parts, ..part("form") }
}

/// A form whose fields become the query of the page at `action`.
pub(crate) fn search(action: &str, parts: Vec<Part>) -> Part {
    Part { value: action.to_owned(), class: "row".to_owned(), parts, ..part("search") }
}

/// Fields that belong together.
pub(crate) fn fieldset(legend: impl Into<String>, parts: Vec<Part>) -> Part {
    Part { text: legend.into(), class: "fields".to_owned(), parts, ..part("fieldset") }
}

/// A field of plain text; [`Part::class`] names another type: `words`, `email`, `phone`, `password`, `new-password`,
/// `number`, `date`, `search`.
pub(crate) fn field(label: impl Into<String>, name: &str) -> Part {
    Part { text: label.into(), name: name.to_owned(), class: "text".to_owned(), ..part("field") }
}

/// The token field.
pub(crate) fn token(lengths: TokenLengths) -> Part {
    Part { value: format!("{}-{}", lengths.shortest(), lengths.longest()), ..part("token") }
}

/// A choice among `options`: value and text of each; `chosen` is the value of one.
pub(crate) fn select<'a>(
    label: impl Into<String>,
    name: &str,
    options: impl IntoIterator<Item = (&'a str, &'a str)>,
    chosen: &str,
) -> Part {
    let option = |(value, text): (&str, &str)| Part {
        value: value.to_owned(),
        text: text.to_owned(),
        on: value == chosen,
        ..part("option")
    };
    let parts = options.into_iter().map(option).collect();
    Part { text: label.into(), name: name.to_owned(), parts, ..part("select") }
}

/// A box to check; its value is `on`.
pub(crate) fn check(label: impl Into<String>, name: &str, is_checked: bool) -> Part {
    Part { text: label.into(), name: name.to_owned(), on: is_checked, ..part("check") }
}

/// A value that a form sends and nobody types.
pub(crate) fn hidden(name: &str, value: impl Into<String>) -> Part {
    Part { name: name.to_owned(), value: value.into(), ..part("hidden") }
}

/// The button of a form.
pub(crate) fn button(label: &str) -> Part {
    Part { text: label.to_owned(), class: "btn primary".to_owned(), ..part("button") }
}

/// A table: its name, the headings of its columns, its rows.
pub(crate) fn table(name: &str, headings: &[&str], rows: Vec<Part>) -> Part {
    let head = headings.iter().map(|text| Part { text: (*text).to_owned(), ..part("head") }).collect();
    let mut parts = vec![Part { parts: head, ..part("row") }];
    parts.extend(rows.into_iter().map(|mut row| {
        for (index, (cell, heading)) in row.parts.iter_mut().zip(headings).enumerate() {
            (*heading).clone_into(&mut cell.name);
            if index == 0 {
                "first".clone_into(&mut cell.kind);
            }
        }
        row
    }));
    Part { text: name.to_owned(), class: "table".to_owned(), parts, ..part("table") }
}

/// A row of a table.
pub(crate) fn row(cells: Vec<Part>) -> Part {
    Part { parts: cells, ..part("row") }
}

/// A cell of a table.
pub(crate) fn cell(content: impl Into<Part>) -> Part {
    cells(vec![content.into()])
}

/// A cell with several parts.
pub(crate) fn cells(parts: Vec<Part>) -> Part {
    Part { parts, ..part("cell") }
}

/// A point in time, or a dash.
pub(crate) fn time(at: Option<Timestamp>) -> Part {
    if at.is_some() { Part { at, ..part("time") } } else { "–".into() }
}

/// A share of a hundred, as a bar with its name.
pub(crate) fn meter(name: impl Into<String>, percent: u32) -> Part {
    Part { text: name.into(), value: percent.to_string(), ..part("meter") }
}
