//! The paths, and which page is at each.

use leptos::children::ToChildren;
use leptos::prelude::*;
use leptos::tachys::view::iterators::StaticVec;
use leptos_router::components::{FlatRoutes, FlatRoutesProps, Router};
use leptos_router::{NestedRoute, PartialPathMatch, PathSegment, PossibleRouteMatch, SsrMode};

use crate::page::Hydrated;
use crate::pages::{PAGES, not_found_page};

/// The whole app.
#[component]
pub fn App() -> impl IntoView {
    #[cfg(feature = "ssr")]
    leptos_meta::provide_meta_context();
    let hydrated = RwSignal::new(false);
    provide_context(Hydrated(hydrated));
    // Effects run after hydration, and never on the server.
    Effect::new(move |_| {
        crate::browser::mark_hydrated();
        hydrated.set(true);
    });
    // The old page stays until the data of the next are there.
    let is_routing = RwSignal::new(false);
    view! {
        <Router set_is_routing=is_routing>
            {FlatRoutes(FlatRoutesProps::builder().fallback(not_found_page).children(ToChildren::to_children(routes)).build())}
        </Router>
    }
}

type PageRoute = NestedRoute<Path, (), (), fn() -> AnyView>;

/// The routes, as a list of one type: in a tuple of many types the router's code would be there once for each.
///
/// Every page is rendered in one piece ([`SsrMode::Async`]): redirects, cookies and the status have to be known before
/// the first byte, and nothing on a page waits for a script.
fn routes() -> StaticVec<PageRoute> {
    let routes = PAGES.map(|(path, page)| NestedRoute::new(Path(path), page).ssr_mode(SsrMode::Async));
    StaticVec::from(Vec::from(routes))
}

/// A path, matched as a whole; a segment that begins with `:` stands for any one.
#[derive(Clone, Copy, Debug)]
struct Path(&'static str);

impl PossibleRouteMatch for Path {
    fn optional(&self) -> bool {
        false
    }

    fn test<'a>(&self, path: &'a str) -> Option<PartialPathMatch<'a>> {
        matches(self.0, path).then(|| PartialPathMatch::new("", Vec::new(), path))
    }

    fn generate_path(&self, path: &mut Vec<PathSegment>) {
        path.extend(self.0.split('/').filter(|segment| !segment.is_empty()).map(|segment| {
            match segment.strip_prefix(':') {
                Some(name) => PathSegment::Param(name.into()),
                None => PathSegment::Static(segment.into()),
            }
        }));
    }
}

/// Whether `path` is one of those that `pattern` names.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let fits = pattern.split('/').all(|expected| {
        segments
            .next()
            .is_some_and(|segment| if expected.starts_with(':') { !segment.is_empty() } else { segment == expected })
    });
    fits && segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_matched_as_a_whole() {
        for (pattern, path) in [("/", "/"), ("/login", "/login"), ("/practice/staff/:id", "/practice/staff/7")] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/", "/login"),
            ("/login", "/login/"),
            ("/login", "/login/token"),
            ("/practice/staff/:id", "/practice/staff/"),
            ("/practice/staff/:id", "/practice/staff/7/reset"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }
}
