//! A view behind a pointer.

use core::any::{Any, TypeId};
#[cfg(feature = "ssr")]
use core::pin::Pin;

use leptos::attr::Attribute;
use leptos::attr::any_attribute::AnyAttribute;
use leptos::prelude::*;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::renderer::types::{Element, Node};
#[cfg(feature = "ssr")]
use leptos::tachys::ssr::StreamBuilder;
use leptos::tachys::view::{Mountable, Position, PositionState};

/// What is asked of a view: the methods of [`Render`] and [`RenderHtml`], each once per type of view.
trait Piece: Send {
    fn kind(&self) -> TypeId;
    fn build(self: Box<Self>) -> Box<dyn State>;
    /// `state` is of a view of the same type.
    fn rebuild(self: Box<Self>, state: &mut dyn Any);
    fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Box<dyn State>;
    #[cfg(feature = "ssr")]
    fn html_len(&self) -> usize;
    #[cfg(feature = "ssr")]
    fn dry_resolve(&mut self);
    #[cfg(feature = "ssr")]
    fn resolve(self: Box<Self>) -> Pin<Box<dyn Future<Output = AnyView> + Send>>;
    #[cfg(feature = "ssr")]
    fn to_html(self: Box<Self>, to: Html<'_>);
    #[cfg(feature = "ssr")]
    fn to_html_async(self: Box<Self>, to: HtmlStream<'_>);
}

/// What is kept of a view on the page.
trait State: Mountable {
    fn any(&mut self) -> &mut dyn Any;
}

impl<S: Mountable + 'static> State for S {
    fn any(&mut self) -> &mut dyn Any {
        self
    }
}

/// Where a view is written as a whole.
#[cfg(feature = "ssr")]
struct Html<'a> {
    buf: &'a mut String,
    position: &'a mut Position,
    escape: bool,
    mark_branches: bool,
    extra_attrs: Vec<AnyAttribute>,
}

/// Where a view is written as its parts become known.
#[cfg(feature = "ssr")]
struct HtmlStream<'a> {
    buf: &'a mut StreamBuilder,
    position: &'a mut Position,
    escape: bool,
    mark_branches: bool,
    extra_attrs: Vec<AnyAttribute>,
    is_out_of_order: bool,
}

impl<V: RenderHtml + 'static> Piece for V {
    fn kind(&self) -> TypeId {
        TypeId::of::<V>()
    }

    fn build(self: Box<Self>) -> Box<dyn State> {
        Box::new(Render::build(*self))
    }

    fn rebuild(self: Box<Self>, state: &mut dyn Any) {
        if let Some(state) = state.downcast_mut() {
            Render::rebuild(*self, state);
        }
    }

    fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Box<dyn State> {
        Box::new(RenderHtml::hydrate::<true>(*self, cursor, position))
    }

    #[cfg(feature = "ssr")]
    fn html_len(&self) -> usize {
        RenderHtml::html_len(self)
    }

    #[cfg(feature = "ssr")]
    fn dry_resolve(&mut self) {
        RenderHtml::dry_resolve(self);
    }

    #[cfg(feature = "ssr")]
    fn resolve(self: Box<Self>) -> Pin<Box<dyn Future<Output = AnyView> + Send>> {
        Box::pin(async move { RenderHtml::resolve(*self).await.into_any() })
    }

    #[cfg(feature = "ssr")]
    fn to_html(self: Box<Self>, to: Html<'_>) {
        self.to_html_with_buf(to.buf, to.position, to.escape, to.mark_branches, to.extra_attrs);
    }

    #[cfg(feature = "ssr")]
    fn to_html_async(self: Box<Self>, to: HtmlStream<'_>) {
        let HtmlStream { buf, position, escape, mark_branches, extra_attrs, is_out_of_order } = to;
        if is_out_of_order {
            self.to_html_async_with_buf::<true>(buf, position, escape, mark_branches, extra_attrs);
        } else {
            self.to_html_async_with_buf::<false>(buf, position, escape, mark_branches, extra_attrs);
        }
    }
}

/// A view without its type.
pub(super) struct Erased(Box<dyn Piece>);

impl Erased {
    pub(super) fn new<V: RenderHtml + 'static>(view: V) -> Self {
        // A view without a place in the document, like `()`, would have no place to be replaced at.
        const { assert!(V::EXISTS) };
        Self(Box::new(view))
    }
}

/// What is kept of an erased view on the page.
pub(super) struct ErasedState {
    kind: TypeId,
    state: Box<dyn State>,
}

impl Mountable for ErasedState {
    fn unmount(&mut self) {
        self.state.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.state.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.state.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        self.state.elements()
    }
}

impl Render for Erased {
    type State = ErasedState;

    fn build(self) -> ErasedState {
        ErasedState { kind: self.0.kind(), state: self.0.build() }
    }

    fn rebuild(self, state: &mut ErasedState) {
        if self.0.kind() == state.kind {
            // The state's own trait, not that of the box around it.
            self.0.rebuild((*state.state).any());
        } else {
            let mut new = self.build();
            state.insert_before_this(&mut new);
            state.unmount();
            *state = new;
        }
    }
}

impl AddAnyAttr for Erased {
    type Output<NewAttr: Attribute> = Self;

    /// Attributes are given to elements, not to components.
    fn add_any_attr<NewAttr: Attribute>(self, _: NewAttr) -> Self {
        self
    }
}

impl RenderHtml for Erased {
    type AsyncOutput = AnyView;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    #[cfg(feature = "ssr")]
    fn dry_resolve(&mut self) {
        self.0.dry_resolve();
    }

    #[cfg(not(feature = "ssr"))]
    fn dry_resolve(&mut self) {}

    #[cfg(feature = "ssr")]
    async fn resolve(self) -> AnyView {
        self.0.resolve().await
    }

    #[cfg(not(feature = "ssr"))]
    async fn resolve(self) -> AnyView {
        self.into_any()
    }

    #[cfg(feature = "ssr")]
    fn html_len(&self) -> usize {
        self.0.html_len()
    }

    #[cfg_attr(not(feature = "ssr"), expect(unused_variables, reason = "only the server writes HTML"))]
    fn to_html_with_buf(
        self,
        buf: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        #[cfg(feature = "ssr")]
        self.0.to_html(Html { buf, position, escape, mark_branches, extra_attrs });
    }

    #[cfg(feature = "ssr")]
    fn to_html_async_with_buf<const OUT_OF_ORDER: bool>(
        self,
        buf: &mut StreamBuilder,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        let is_out_of_order = OUT_OF_ORDER;
        self.0.to_html_async(HtmlStream { buf, position, escape, mark_branches, extra_attrs, is_out_of_order });
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> ErasedState {
        ErasedState { kind: self.0.kind(), state: self.0.hydrate(cursor, position) }
    }

    fn into_owned(self) -> Self {
        self
    }
}
