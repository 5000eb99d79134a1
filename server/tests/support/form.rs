//! The forms of a page, found as a person finds them: by the name of their button.

use super::Answer;

/// A form as it stands in a page.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) action: String,
    /// Hidden and filled-in fields, and the pressed button's own.
    pub(crate) fields: Vec<(String, String)>,
    /// The name of the field behind each label.
    labels: Vec<(String, String)>,
}

impl Answer {
    /// The form with this button.
    pub(crate) fn form(&self, button: &str) -> Form {
        self.find_form(button)
            .unwrap_or_else(|| panic!("no form has a button {button:?}: {} {}", self.status, self.body))
    }

    pub(crate) fn find_form(&self, button: &str) -> Option<Form> {
        self.body.split("<form").skip(1).find_map(|text| {
            let (head, rest) = text.split_once('>')?;
            let content = rest.split("</form>").next()?;
            let pressed = content.split("<button").skip(1).find(|text| {
                let label =
                    text.split_once('>').and_then(|(_, rest)| rest.split_once("</button>")).unwrap_or_default().0;
                without_tags(label) == button
            })?;
            let mut fields: Vec<_> = content.split("<input").skip(1).filter_map(field).collect();
            fields.extend(field(pressed));
            let labels = content.split("<label").skip(1).filter_map(|text| label(text, content)).collect();
            Some(Form { action: attribute(head, "action")?, fields, labels })
        })
    }

    /// The accessible names of all elements of a kind. A star says that a field is required.
    pub(crate) fn names(&self, element: &str) -> Vec<String> {
        let (start, end) = (format!("<{element}"), format!("</{element}>"));
        let texts = self.body.split(&start).skip(1).filter(|text| text.starts_with([' ', '>']));
        let name = |text: &str| {
            let (head, rest) = text.split_once('>')?;
            let label = attribute(head, "aria-label");
            Some(label.unwrap_or_else(|| without_tags(rest.split(&end).next().unwrap_or_default())))
        };
        texts.filter_map(name).map(|name| name.trim_end_matches([' ', '*']).to_owned()).collect()
    }

    /// What a person reads.
    pub(crate) fn text(&self) -> String {
        without_tags(&self.body)
    }
}

impl Form {
    /// The same form with this typed into the field of that label.
    pub(crate) fn fill(self, label: &str, value: &str) -> Self {
        let name = self.labels.iter().find(|(present, _)| present == label).map(|(_, name)| name.clone());
        let name = name.unwrap_or_else(|| panic!("no field is labelled {label:?}: {:?}", self.labels));
        self.with(&name, value)
    }

    /// The same form with a field that need not be in it.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(present, _)| present != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The text of the label that begins here, and the name of its field: the one with the id it names, or the one inside.
fn label(text: &str, form: &str) -> Option<(String, String)> {
    let (head, rest) = text.split_once('>')?;
    let inner = rest.split("</label>").next()?;
    let input = match attribute(head, "for") {
        Some(id) => form.split("<input").skip(1).find(|input| has_attribute(input, "id", &id))?,
        None => inner.split("<input").nth(1)?,
    };
    let words = without_tags(inner);
    Some((words.trim_end_matches([' ', '*']).to_owned(), attribute(input.split('>').next()?, "name")?))
}

fn has_attribute(text: &str, name: &str, value: &str) -> bool {
    text.split('>').next().and_then(|tag| attribute(tag, name)).as_deref() == Some(value)
}

/// Name and value of the element that begins here; an unchecked box is no field.
fn field(text: &str) -> Option<(String, String)> {
    let tag = text.split_once('>')?.0;
    let is_box = attribute(tag, "type").is_some_and(|kind| ["checkbox", "radio"].contains(&kind.as_str()));
    if is_box && !tag.contains(" checked") {
        return None;
    }
    Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(unescape(rest.split('"').next()?))
}

fn without_tags(html: &str) -> String {
    let mut text = String::new();
    for (index, piece) in html.split('<').enumerate() {
        text.push_str(if index == 0 { piece } else { piece.split_once('>').map_or("", |(_, rest)| rest) });
        text.push(' ');
    }
    unescape(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unescape(text: &str) -> String {
    let escapes = [("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    escapes.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}
