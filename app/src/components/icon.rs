//! Icons: one path each, drawn in the text's colour. They never stand without words.

use leptos::prelude::*;

use crate::erase::Erase;

/// Which picture.
#[derive(Clone, Copy)]
pub(crate) enum Icon {
    Shield,
    Message,
    Call,
    Key,
    Phone,
    Screen,
    Warning,
    Info,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Shield => "M12 3l7 3v5c0 5-3 8.500-7 10-4-1.500-7-5-7-10V6zM9 12l2 2 4-4",
            Self::Message => "M4 5h16v11H9l-5 4z",
            Self::Call => "M6 3h4l2 5-2.500 1.500a11 11 0 005 5L16 12l5 2v4a2 2 0 01-2 2A16 16 0 014 5a2 2 0 012-2z",
            Self::Key => "M4 15a4 4 0 108 0 4 4 0 10-8 0M11 12l9-9M16 7l3 3",
            Self::Phone => "M9 2h6a2 2 0 012 2v16a2 2 0 01-2 2H9a2 2 0 01-2-2V4a2 2 0 012-2zM11 18h2",
            Self::Screen => "M3 4h18v12H3zM8 20h8M12 16v4",
            Self::Warning => "M12 4l9 16H3zM12 10v4M12 17v.500",
            Self::Info => "M3 12a9 9 0 1018 0 9 9 0 10-18 0M12 11v5M12 7.500V8",
        }
    }

    /// The picture, for eyes only.
    pub(crate) fn view(self) -> AnyView {
        view! { <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=self.path()></path></svg> }.erase()
    }
}
