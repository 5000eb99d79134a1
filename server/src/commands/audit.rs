//! `twofold audit`: a practice's trail, verified or exported.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use authority::audit_trail::{self, Compared, Hash, Head, Header, Practice, Verdict};
use authority::{Authority, Migrate, Unavailable};
use clap::{Args, Subcommand};
use trail::export::Stream;
use trail::verify::NotAnExport;

use super::open::{self, OpenError};
use crate::config::{Arguments, Config};

/// What is to be done with the trail.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Verify the trail in the database, or an exported file, and name the first row that is not as it was written.
    Verify(Verify),
    /// Write a practice's whole trail as JSON lines, which anybody can verify.
    Export(Export),
}

#[derive(Args)]
pub(super) struct Verify {
    /// The practice, by id or name [default: every one]
    #[arg(long, value_name = "ID|NAME")]
    practice: Option<String>,
    /// An exported file instead of the database; needs no settings. With --practice too: also whether this server
    /// signed it, and whether the database still has its last row
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// A head that was noted elsewhere, such as in a log: also whether the practice's chain still has it
    #[arg(long, value_name = "SEQ:HASH", requires = "practice", conflicts_with = "file", value_parser = parse_head)]
    head: Option<(i64, Hash)>,
    #[command(flatten)]
    pub(super) arguments: Arguments,
}

impl Verify {
    /// The file, where nothing but it is needed: neither settings nor a database.
    pub(super) fn file_alone(&self) -> Option<&Path> {
        if self.practice.is_none() { self.file.as_deref() } else { None }
    }
}

#[derive(Args)]
pub(super) struct Export {
    /// The practice, by id or name
    #[arg(long, value_name = "ID|NAME")]
    practice: String,
    /// The file; it is made for its owner alone, or written over [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) arguments: Arguments,
}

/// Why the trail is not whole, or why nobody can tell.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuditError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("there is no practice {0}")]
    PracticeNotFound(String),
    #[error("more than one practice has the name {0}; give its id: {1}")]
    PracticeAmbiguous(String, String),
    #[error("{0}: {1}")]
    File(PathBuf, #[source] io::Error),
    #[error("{0}: {1}")]
    NotAnExport(PathBuf, #[source] NotAnExport),
    #[error("{0}: {1}")]
    Broken(String, Verdict),
    #[error("{0}: the file is of another practice, {1}")]
    PracticeMismatch(String, String),
    #[error("{0}: the file is whole, but this server did not sign it")]
    SignatureMismatch(String),
    #[error("{0}: the database does not have row {1} as it is there; the chain was rewritten or cut since")]
    HeadMismatch(String, i64),
    #[error("{0}: row {1} was removed for its age; take a younger head")]
    HeadRemoved(String, i64),
    #[error("the trail of {0} of {1} practices is not whole")]
    SomeBroken(usize, usize),
    #[error("the database does not answer")]
    Unavailable(#[from] Unavailable),
}

fn parse_head(text: &str) -> Result<(i64, Hash), String> {
    let (seq, hash) = text.split_once(':').ok_or("a head is a row's number, a colon, and 64 hexadecimal digits")?;
    let seq = seq.parse().map_err(|error| format!("{error}"))?;
    Ok((seq, hash.parse().map_err(|error| format!("{error}"))?))
}

/// Verifies in the database, or a file against it.
pub(super) async fn verify(config: &Config, verify: &Verify) -> Result<(), AuditError> {
    let authority = open::authority(config, Migrate::No).await?;
    match (&verify.practice, &verify.file) {
        (Some(named), Some(file)) => compare_file(&authority, named, file).await,
        (Some(named), None) => verify_one(&authority, named, verify.head.as_ref()).await,
        (None, _) => verify_all(&authority).await,
    }
}

/// By id, else by name.
async fn find_practice(authority: &Authority, named: &str) -> Result<Practice, AuditError> {
    let mut practices = audit_trail::practices(authority).await?;
    if let Some(index) = practices.iter().position(|practice| practice.id == named) {
        return Ok(practices.swap_remove(index));
    }
    practices.retain(|practice| practice.name == named);
    match practices.as_slice() {
        [] => Err(AuditError::PracticeNotFound(named.to_owned())),
        [practice] => Ok(practice.clone()),
        several => {
            let ids: Vec<_> = several.iter().map(|practice| practice.id.as_str()).collect();
            Err(AuditError::PracticeAmbiguous(named.to_owned(), ids.join(", ")))
        }
    }
}

async fn verify_one(authority: &Authority, named: &str, head: Option<&(i64, Hash)>) -> Result<(), AuditError> {
    let practice = find_practice(authority, named).await?;
    let verdict = audit_trail::verify(authority, &practice.id).await?;
    if !verdict.is_unbroken() {
        return Err(AuditError::Broken(practice.name, verdict));
    }
    if let Some((seq, hash)) = head {
        match audit_trail::compare_head(authority, &practice.id, *seq, hash).await? {
            Compared::Same => {}
            Compared::Other => return Err(AuditError::HeadMismatch(practice.name, *seq)),
            Compared::Removed => return Err(AuditError::HeadRemoved(practice.name, *seq)),
        }
    }
    println!("{}: {verdict}", practice.name);
    Ok(())
}

async fn verify_all(authority: &Authority) -> Result<(), AuditError> {
    let practices = audit_trail::practices(authority).await?;
    let mut broken = 0;
    for Practice { id, name } in &practices {
        let verdict = audit_trail::verify(authority, id).await?;
        broken += usize::from(!verdict.is_unbroken());
        println!("{name} ({id}): {verdict}");
    }
    if broken > 0 { Err(AuditError::SomeBroken(broken, practices.len())) } else { Ok(()) }
}

/// Verifies a file without the server.
pub(super) fn verify_file(path: &Path) -> Result<(), AuditError> {
    let (_, verdict, _) = read(path)?;
    println!("{}: {verdict} Who signed it is checked with --practice and the server's settings.", path.display());
    Ok(())
}

/// Verifies a file, and whether this server wrote it.
async fn compare_file(authority: &Authority, named: &str, path: &Path) -> Result<(), AuditError> {
    let name = path.display().to_string();
    let practice = find_practice(authority, named).await?;
    let (header, verdict, head) = read(path)?;
    if practice.id != header.practice_id {
        return Err(AuditError::PracticeMismatch(name, header.practice_id));
    }
    if !audit_trail::has_signed(authority, &header, &head) {
        return Err(AuditError::SignatureMismatch(name));
    }
    let database = match audit_trail::compare_head(authority, &practice.id, head.seq, &head.hash).await? {
        Compared::Same => "its database has the same chain",
        Compared::Other => return Err(AuditError::HeadMismatch(name, head.seq)),
        Compared::Removed => "its rows have been removed from the database for their age",
    };
    println!("{name}: {verdict} This server signed it, and {database}.");
    Ok(())
}

/// Reads a file that is whole; in pieces, for a trail may be larger than the memory.
fn read(path: &Path) -> Result<(Header, Verdict, Head), AuditError> {
    let failed = |error| AuditError::File(path.to_owned(), error);
    let not_an_export = |error| AuditError::NotAnExport(path.to_owned(), error);
    let mut file = File::open(path).map_err(failed)?;
    let mut stream = Stream::default();
    let (mut piece, mut rest) = (vec![0; 64 * 1024], Vec::new());
    loop {
        let length = file.read(&mut piece).map_err(failed)?;
        if length == 0 {
            break;
        }
        rest.extend_from_slice(&piece[..length]);
        // A character may be cut in two; only whole lines are text for certain.
        let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { continue };
        stream.push(&String::from_utf8_lossy(&rest[..=end]));
        rest.drain(..=end);
    }
    stream.push(&String::from_utf8_lossy(&rest));
    let header = stream.header().cloned();
    let (verdict, head) = stream.finish().map_err(not_an_export)?;
    match (header, head) {
        (Some(header), Some(head)) if verdict.is_unbroken() => Ok((header, verdict, head)),
        _ => Err(AuditError::Broken(path.display().to_string(), verdict)),
    }
}

/// Writes the trail.
pub(super) async fn export(config: &Config, export: &Export) -> Result<(), AuditError> {
    let authority = &open::authority(config, Migrate::No).await?;
    let practice = find_practice(authority, &export.practice).await?;
    let path = export.output.clone().unwrap_or_else(|| "standard output".into());
    let failed = |error| AuditError::File(path.clone(), error);
    let mut output: Box<dyn Write + Send> = match &export.output {
        // It names accounts and addresses.
        Some(path) => {
            let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
            Box::new(file.map_err(failed)?)
        }
        None => Box::new(io::stdout()),
    };
    let Some(mut lines) = audit_trail::export(authority, &practice.id).await? else {
        return Err(AuditError::PracticeNotFound(practice.name));
    };
    while let Some(text) = lines.next_lines(authority).await? {
        output.write_all(text.as_bytes()).map_err(failed)?;
    }
    output.flush().map_err(failed)?;
    if export.output.is_some() {
        println!("{}: exported to {}.", practice.name, path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_a_number_and_a_hash() {
        let hash = Hash::beginning("practice");
        assert_eq!(parse_head(&format!("17:{hash}")), Ok((17, hash)));
        for text in ["17", "17:00", "x:", &format!("x:{hash}"), &hash.to_string()] {
            assert!(parse_head(text).is_err(), "{text}");
        }
    }
}
