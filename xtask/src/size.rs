//! What a first visit costs on the wire, per file and per route, and what it may cost.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::project::{cache_dir, command, moment, say, site_dir};
use crate::site::{self, Flavour, Manifest};
use crate::{compress, serve, setup};

/// The budgets: bytes after brotli 11. A route is its HTML and all that the HTML loads.
const BUDGETS: [(&str, usize); 13] = [
    ("css", 12_000),
    ("js", 10_000),
    ("wasm", 185_000),
    ("/login", 200_000),
    ("/signup", 200_000),
    ("/help/two-factor", 210_000),
    ("authenticator css", 12_000),
    ("authenticator js", 15_000),
    ("authenticator wasm", 217_000),
    ("/authenticator", 230_000),
    ("verifier js", 3_000),
    ("verifier wasm", 45_000),
    (AUDIT_VERIFY, 55_000),
];
/// The page of the second program.
const AUTHENTICATOR: &str = "/authenticator";

/// The page of the third.
const AUDIT_VERIFY: &str = "/practice/audit/verify";

/// `cargo xtask size`.
pub(crate) fn size() -> Result<()> {
    setup::setup(setup::BUILD)?;
    check().map(|_| ())
}

/// Builds what is measured, prints the table, and fails where a line is above its budget. The answer is one line for a
/// summary.
pub(crate) fn check() -> Result<String> {
    let manifest = site::build(Flavour::Release)?;
    say("server, to render the routes");
    serve::build_server()?;

    let mut lines = vec![Line::for_file("css", &manifest.css)?, Line::for_file("js", &manifest.js)?];
    lines.push(Line::for_file("wasm", &manifest.wasm)?);
    let loaded = Bytes::sum(&lines);
    let authenticator = [
        Line::for_file("authenticator css", &manifest.authenticator_css)?,
        Line::for_file("authenticator js", &manifest.authenticator_js)?,
        Line::for_file("authenticator wasm", &manifest.authenticator_wasm)?,
    ];
    let loaded_by_authenticator = Bytes::sum(&authenticator);
    lines.extend(authenticator);
    let verifier = [
        Line::for_file("verifier js", &manifest.verifier_js)?,
        Line::for_file("verifier wasm", &manifest.verifier_wasm)?,
        Line::for_file("verify js", &manifest.verifier_page)?,
    ];
    let loaded_by_verifier = Bytes::sum(&verifier).plus(&Line::for_file("css", &manifest.css)?.bytes);
    lines.extend(verifier);
    let server = Server::start()?;
    for (route, _) in BUDGETS.iter().filter(|(name, _)| name.starts_with('/')) {
        let html = server.page(route)?;
        let loaded = match *route {
            AUTHENTICATOR => loaded_by_authenticator,
            AUDIT_VERIFY => loaded_by_verifier,
            _ => loaded,
        };
        ensure_loaded(route, &html, &manifest)?;
        let html = Line::new(&format!("{route} html"), Bytes::of(html.as_bytes())?);
        let total = html.bytes.plus(&loaded);
        lines.push(html);
        lines.push(Line::new(route, total));
    }
    drop(server);

    say("bytes (raw, gzip 9, brotli 11) and budget");
    println!("{:<28} {:>9} {:>9} {:>9} {:>9}", "", "raw", "gzip", "brotli", "budget");
    for line in &lines {
        println!("{line}");
    }
    let over: Vec<_> = lines.iter().filter(|line| line.is_over()).map(|line| line.name.as_str()).collect();
    ensure!(over.is_empty(), "above the budget: {}", over.join(", "));
    let routes = ["/login", AUTHENTICATOR].map(|route| {
        let brotli = lines.iter().find(|line| line.name == route).map_or(0, |line| line.bytes.brotli);
        format!("{route} {} kB", kilobytes(brotli))
    });
    Ok(format!("{} brotli", routes.join(", ")))
}

/// A page that does not load its files costs little and is worth nothing.
fn ensure_loaded(route: &str, html: &str, manifest: &Manifest) -> Result<()> {
    let files: &[&String] = match route {
        AUTHENTICATOR => &[&manifest.authenticator_css, &manifest.authenticator_js, &manifest.authenticator_wasm],
        AUDIT_VERIFY => &[&manifest.css, &manifest.verifier_js, &manifest.verifier_wasm, &manifest.verifier_page],
        _ => &[&manifest.css, &manifest.js, &manifest.wasm],
    };
    for path in files {
        ensure!(html.contains(path.as_str()), "{route} does not load {path}");
    }
    Ok(())
}

/// The size of one thing, three times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bytes {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

impl Bytes {
    fn of(content: &[u8]) -> Result<Self> {
        Ok(Self { raw: content.len(), gzip: compress::gzip(content)?.len(), brotli: compress::brotli(content)?.len() })
    }

    fn sum(lines: &[Line]) -> Self {
        lines.iter().fold(Self::default(), |sum, line| sum.plus(&line.bytes))
    }

    const fn plus(self, other: &Self) -> Self {
        Self { raw: self.raw + other.raw, gzip: self.gzip + other.gzip, brotli: self.brotli + other.brotli }
    }
}

/// A line of the table.
struct Line {
    name: String,
    bytes: Bytes,
    budget: Option<usize>,
}

impl Line {
    fn new(name: &str, bytes: Bytes) -> Self {
        let budget = BUDGETS.iter().find(|(budgeted, _)| *budgeted == name).map(|(_, budget)| *budget);
        Self { name: name.to_owned(), bytes, budget }
    }

    fn for_file(name: &str, path: &str) -> Result<Self> {
        let path = site_dir().join(path.trim_start_matches('/'));
        let content = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self::new(name, Bytes::of(&content)?))
    }

    fn is_over(&self) -> bool {
        self.budget.is_some_and(|budget| self.bytes.brotli > budget)
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Bytes { raw, gzip, brotli } = self.bytes;
        write!(f, "{:<28} {raw:>9} {gzip:>9} {brotli:>9}", self.name)?;
        if let Some(budget) = self.budget {
            write!(f, " {budget:>9}{}", if self.is_over() { "  ABOVE" } else { "" })?;
        }
        Ok(())
    }
}

/// Bytes in kB of 1000, with one digit.
pub(crate) fn kilobytes(bytes: usize) -> String {
    format!("{}.{}", bytes / 1000, bytes % 1000 / 100)
}

/// A development server with an empty data folder; both are gone when this is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
    data_dir: PathBuf,
}

impl Server {
    fn start() -> Result<Self> {
        // Free now, and nobody else asks for it in the moment before the server does.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let address = address.context("no free port on the loopback interface")?;
        let data_dir = cache_dir().join(format!("size-data-{}", std::process::id()));
        let child = command(serve::server_program()?)
            .args(["serve", "--dev", "--log-level", "warn", "--listen", &address.to_string(), "--data-dir"])
            .arg(&data_dir)
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start the server")?;
        let mut server = Self { child, address, data_dir };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let started = moment();
        while started.elapsed() < Duration::from_secs(30) {
            if let Some(status) = self.child.try_wait().context("cannot watch the server")? {
                bail!("the server stopped at once ({status})");
            }
            if TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("the server did not answer within 30 s");
    }

    /// The HTML of a route. HTTP/1.0, so that the body simply ends with the connection.
    fn page(&self, route: &str) -> Result<String> {
        let request = format!(
            "GET {route} HTTP/1.0\r\nHost: {}\r\nAccept: text/html\r\nAccept-Encoding: identity\r\n\r\n",
            self.address
        );
        let mut stream = TcpStream::connect(self.address).context("cannot reach the server")?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).with_context(|| format!("{route} was not answered"))?;
        let (head, body) = answer.split_once("\r\n\r\n").with_context(|| format!("{route} was not answered"))?;
        let status = head.lines().next().unwrap_or_default();
        ensure!(status.contains(" 200 "), "{route} was answered with `{status}`");
        Ok(body.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data_dir);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_above_its_budget_is_found() {
        let bytes = |brotli| Bytes { raw: 0, gzip: 0, brotli };
        assert!(!Line::new("/login", bytes(200_000)).is_over());
        assert!(Line::new("/login", bytes(200_001)).is_over());
        assert!(!Line::new("/login html", bytes(usize::MAX)).is_over());
    }

    #[test]
    fn a_route_is_its_html_and_what_the_html_loads() {
        let one = Bytes { raw: 3, gzip: 2, brotli: 1 };
        assert_eq!(one.plus(&one), Bytes { raw: 6, gzip: 4, brotli: 2 });
    }

    #[test]
    fn a_page_without_its_program_is_refused() {
        let manifest = Manifest {
            css: "/a.css".into(),
            js: "/a.js".into(),
            wasm: "/a.wasm".into(),
            authenticator_css: "/b.css".into(),
            authenticator_js: "/b.js".into(),
            authenticator_wasm: "/b.wasm".into(),
            authenticator_worker: "/c.js".into(),
            verifier_js: "/d.js".into(),
            verifier_wasm: "/d.wasm".into(),
            verifier_page: "/e.js".into(),
            digest: String::new(),
        };
        assert!(ensure_loaded("/login", "/a.css /a.js /a.wasm", &manifest).is_ok());
        assert!(ensure_loaded("/login", "/a.css /a.js", &manifest).is_err());
        assert!(ensure_loaded("/authenticator", "/b.css /b.js /b.wasm", &manifest).is_ok());
        assert!(ensure_loaded("/authenticator", "/a.css /a.js /a.wasm", &manifest).is_err());
        assert!(ensure_loaded(AUDIT_VERIFY, "/a.css /d.js /d.wasm /e.js", &manifest).is_ok());
        assert!(ensure_loaded(AUDIT_VERIFY, "/a.css /d.js /d.wasm", &manifest).is_err());
    }

    #[test]
    fn kilobytes_are_of_a_thousand_bytes() {
        assert_eq!(kilobytes(199_960), "199.9");
        assert_eq!(kilobytes(1_050), "1.0");
    }
}
