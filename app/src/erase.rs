//! Views without their types, for the size of the WASM.
//!
//! Leptos writes the code for a view once per type, and the type of an element holds the types of all its children, so
//! that each page would bring a copy of its own. Here components return [`AnyView`]s, and their children are erased one by
//! one ([`Content`]): what is left are the few shapes of elements that the pages have in common. [`AnyView`] itself costs
//! more than a kilobyte for each shape, much of it for hydrating lazily loaded routes, which there are none of here; so
//! a view is first put behind a [`piece::Erased`], which costs less. What changes while the page is shown is boxed for the
//! same reason ([`live`], [`live_attribute`]). Together this took a sixth off the program.

mod piece;

use leptos::children::{ChildrenOptContainer, ToChildren};
use leptos::prelude::*;
use leptos::tachys::html::element::{ElementType, HtmlElement};
use leptos::tachys::view::iterators::StaticVec;

use piece::Erased;

/// Erases the type of a view.
pub(crate) trait Erase {
    /// The view without its type.
    fn erase(self) -> AnyView;
}

impl<V: RenderHtml + 'static> Erase for V {
    fn erase(self) -> AnyView {
        Erased::new(self).into_any()
    }
}

/// No view.
pub(crate) fn nothing() -> AnyView {
    None::<AnyView>.erase()
}

/// Text that changes while the page is shown.
pub(crate) fn live(text: impl Fn() -> Option<String> + Send + 'static) -> AnyView {
    let text: Box<dyn Fn() -> Option<String> + Send> = Box::new(text);
    text.erase()
}

/// A part of the page that changes while it is shown.
pub(crate) fn live_view(view: impl Fn() -> Option<AnyView> + Send + 'static) -> AnyView {
    let view: Box<dyn Fn() -> Option<AnyView> + Send> = Box::new(view);
    view.erase()
}

/// The value of an attribute that changes while the page is shown.
pub(crate) type LiveAttribute = Box<dyn Fn() -> Option<&'static str> + Send>;

/// The value of an attribute that changes while the page is shown: `value` while `is_set`, else none.
pub(crate) fn live_attribute(value: &'static str, is_set: impl Fn() -> bool + Send + 'static) -> LiveAttribute {
    Box::new(move || is_set().then_some(value))
}

/// The children of a component, each erased.
pub(crate) struct Content(Box<dyn FnOnce() -> AnyView + Send>);

impl Content {
    /// The view.
    pub(crate) fn view(self) -> AnyView {
        (self.0)()
    }
}

impl<F, P> ToChildren<F> for Content
where
    F: FnOnce() -> P + Send + 'static,
    P: Parts,
{
    fn to_children(children: F) -> Self {
        Self(Box::new(move || children().join()))
    }
}

/// A single text, which the `view!` macro passes on without a closure.
impl<V> ToChildren<ChildrenOptContainer<V>> for Content
where
    V: RenderHtml + Send + 'static,
{
    fn to_children(text: ChildrenOptContainer<V>) -> Self {
        Self(Box::new(move || text.0.erase()))
    }
}

/// What stands between the tags of a component: one view, or a tuple of several.
pub(crate) trait Parts {
    /// All of them as one view.
    fn join(self) -> AnyView;
}

impl Parts for AnyView {
    fn join(self) -> AnyView {
        self
    }
}

impl Parts for Option<AnyView> {
    fn join(self) -> AnyView {
        self.erase()
    }
}

impl Parts for String {
    fn join(self) -> AnyView {
        self.erase()
    }
}

impl Parts for &'static str {
    fn join(self) -> AnyView {
        self.erase()
    }
}

impl Parts for Vec<AnyView> {
    fn join(self) -> AnyView {
        StaticVec::from(self).erase()
    }
}

impl<E, A, C> Parts for HtmlElement<E, A, C>
where
    E: ElementType,
    Self: RenderHtml + 'static,
{
    fn join(self) -> AnyView {
        self.erase()
    }
}

macro_rules! tuple_of_parts {
    ($($part:ident)+) => {
        impl<$($part: RenderHtml + 'static),+> Parts for ($($part,)+) {
            fn join(self) -> AnyView {
                #[expect(non_snake_case, reason = "the parts are named as their types")]
                let ($($part,)+) = self;
                vec![$($part.erase()),+].join()
            }
        }
    };
}
tuple_of_parts!(A B);
tuple_of_parts!(A B C);
tuple_of_parts!(A B C D);
tuple_of_parts!(A B C D E);
tuple_of_parts!(A B C D E F);
tuple_of_parts!(A B C D E F G);
tuple_of_parts!(A B C D E F G H);
tuple_of_parts!(A B C D E F G H I);
tuple_of_parts!(A B C D E F G H I J);
tuple_of_parts!(A B C D E F G H I J K);
tuple_of_parts!(A B C D E F G H I J K L);
