//! The pages that the server describes, most of them for a practice's administrators: what each consists of, and the server functions that they call.

mod activity;
mod address;
mod audit;
mod check_up;
mod coverage;
mod enrol;
mod locked;
mod lost_phone;
mod policy;
mod reset;
mod staff;

use crate::error::AppError;
use crate::sheet::part::{block, link, nav};
use crate::sheet::{Part, Sheet};
use crate::visit::Call;
use address::Address;
pub use audit::Searched;

/// The page at an address, as text.
pub(crate) async fn load(call: &Call, address: &str) -> Result<String, AppError> {
    let address = Address::of(address)?;
    let (title, parts) = match address.segments().as_slice() {
        ["practice", "staff"] => staff::list(call, &address).await?,
        ["practice", "staff", "new"] => staff::new(call).await?,
        ["practice", "staff", id] => staff::member(call, id).await?,
        ["practice", "staff", id, "details"] => staff::details(call, id).await?,
        ["practice", "staff", id, "two-factor"] => staff::two_factor(call, id).await?,
        ["practice", "staff", id, "reset"] => reset::ask(call, id).await?,
        ["practice", "approvals"] => reset::approvals(call).await?,
        ["practice", "coverage"] => coverage::show(call).await?,
        ["login", "reset"] => lost_phone::show(call, &address).await?,
        ["locked"] => locked::show(call, &address).await?,
        ["practice", "audit"] => audit::show(call, &address).await?,
        ["practice", "policy"] => policy::show(call, &address).await?,
        ["account", "check-up"] => check_up::show(call).await?,
        ["account", "security", "activity"] => activity::show(call, &address).await?,
        ["login", "enrol"] => enrol::show(call).await?,
        _ => return Err(crate::visit::refuse(AppError::NotFound)),
    };
    call.titled_page(Some(title), &Sheet { parts })
}

/// Title and parts.
type Page = (String, Vec<Part>);

/// The practice's pages, with the one at hand marked.
const PLACES: [(&str, &str); 5] = [
    ("/practice/staff", "Staff"),
    ("/practice/policy", "Security policy"),
    ("/practice/coverage", "Coverage"),
    ("/practice/approvals", "Approvals"),
    ("/practice/audit", "Audit trail"),
];

/// A page of the practice's, beside the way to the others.
fn page(title: impl Into<String>, place: &str, parts: Vec<Part>) -> Page {
    let links = PLACES.iter().map(|(path, name)| {
        let here = if *path == place { "page" } else { "" };
        link(*path, *name).hint(here)
    });
    let content = block("stack", parts);
    (title.into(), vec![block("practice-page", vec![nav("Practice", "side", links.collect()), content])])
}
