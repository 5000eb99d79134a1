//! The first row that is not as it was sealed.

use std::fmt;

use crate::export::{FORMAT, Head, Header, Line, Sealed};
use crate::{Hash, Row};

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It, or its hash, is not what was sealed at that place.
    Altered,
    /// It is gone.
    Missing,
    /// It is there twice.
    Duplicated,
    /// It does not stand where it was sealed.
    Reordered,
    /// It cannot be read.
    Unreadable,
    /// The file ends before its last line.
    CutOff,
    /// It comes after the head.
    Surplus,
    /// Its keyed hash is not the server's. Found only with the key.
    Forged,
    /// It was altered, inserted or removed before it was sealed. Found only in the database.
    Unsealed,
    /// The chain is whole, and not the one that was signed. Found only with the key.
    Rewritten,
    /// Retention has removed it, says a later row, and it is there again.
    Returned,
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub fault: Fault,
    /// The place in the chain; 0 for a row that never had one.
    pub seq: i64,
    /// The row's id, where it is known.
    pub row_id: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.row_id, self.seq) {
            (Some(id), 0) => write!(f, "Row {id} ")?,
            (Some(id), seq) => write!(f, "Row {seq} ({id}) ")?,
            (None, 0) => f.write_str("The beginning of the trail ")?,
            (None, seq) => write!(f, "Row {seq} ")?,
        }
        f.write_str(match self.fault {
            Fault::Altered => "was altered.",
            Fault::Missing => "is missing.",
            Fault::Duplicated => "is there twice.",
            Fault::Reordered => "is not where it belongs.",
            Fault::Unreadable => "cannot be read.",
            Fault::CutOff => "or what comes after it is missing: the file has no end.",
            Fault::Surplus => "was added after the end.",
            Fault::Forged => "was not written by the server, or was altered together with its hash.",
            Fault::Unsealed => "was altered, inserted or removed before it was sealed.",
            Fault::Rewritten => {
                "is not the one that the server signed: the chain was rewritten or cut there or before."
            }
            Fault::Returned => "is there again, although it was removed for its age.",
        })
    }
}

/// What verifying comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every row is as it was sealed, and where.
    Unbroken {
        /// How many there are.
        rows: i64,
        /// How many were before the first of them, and were removed for their age.
        removed: i64,
    },
    /// At least this is not.
    Broken(Finding),
}

impl Verdict {
    /// Whether every row is as it was sealed.
    #[must_use]
    pub const fn is_unbroken(&self) -> bool {
        matches!(self, Self::Unbroken { .. })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbroken { rows, removed } => {
                let s = if *rows == 1 { "" } else { "s" };
                write!(f, "{rows} row{s}, unbroken.")?;
                if *removed > 0 {
                    let first = removed + 1;
                    write!(f, " The trail begins with row {first}: what was before was removed for its age.")?;
                }
                Ok(())
            }
            Self::Broken(finding) => finding.fmt(f),
        }
    }
}

/// Why a file is not verified at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnExport {
    /// There is nothing in it.
    #[error("The file is empty.")]
    Empty,
    /// Its first line is no header, or does not begin a chain.
    #[error("The file is not an audit export: its first line does not begin a chain.")]
    HeaderMismatch,
    /// A younger release wrote it.
    #[error("The file was written by a newer release of Twofold.")]
    NewerFormat,
}

/// Goes along a chain, row by row. After the first fault it only looks on for what tells the kind.
#[derive(Debug)]
pub struct Verifier {
    header: Header,
    /// The last place that a row says was removed.
    removed_to: i64,
    /// The place that comes next, and the state of the chain before it.
    next: i64,
    last: Hash,
    found: Option<Finding>,
    /// What was sealed at the place where something else stands.
    wanted: Option<Hash>,
    head: Option<Head>,
}

impl Verifier {
    /// Begins where the header says.
    ///
    /// # Errors
    /// [`NotAnExport`], where a chain cannot begin so.
    pub fn new(header: Header) -> Result<Self, NotAnExport> {
        if header.format > FORMAT {
            return Err(NotAnExport::NewerFormat);
        }
        let is_beginning = header.from_seq == 1 && header.previous == Hash::beginning(&header.practice_id);
        // Whoever cut rows off the front may write a mark, but no row: see `end`.
        let is_rest = header.from_seq > 1 && header.mark.is_some();
        if !is_beginning && !is_rest {
            return Err(NotAnExport::HeaderMismatch);
        }
        Ok(Self::with(header))
    }

    /// Begins with the first line of an export.
    ///
    /// # Errors
    /// [`NotAnExport`].
    pub fn from_line(line: &str) -> Result<Self, NotAnExport> {
        match Line::parse(line) {
            Ok(Line::Header(header)) => Self::new(header),
            _ => Err(NotAnExport::HeaderMismatch),
        }
    }

    /// The chain of a practice behind the place `seq`, where it had the state `last`, for whoever has the rows at hand.
    #[must_use]
    pub fn behind(practice_id: &str, seq: i64, last: Hash) -> Self {
        Self::with(Header {
            format: FORMAT,
            practice_id: practice_id.to_owned(),
            practice_name: String::new(),
            from_seq: seq + 1,
            previous: last,
            mark: None,
            exported_at: 0,
        })
    }

    fn with(header: Header) -> Self {
        let (next, last) = (header.from_seq, header.previous);
        Self { header, removed_to: 0, next, last, found: None, wanted: None, head: None }
    }

    /// What the export says of itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The head, once it was read.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// The state of the chain after the rows so far; `None` after a fault.
    #[must_use]
    pub fn state(&self) -> Option<(i64, Hash)> {
        self.found.is_none().then_some((self.next - 1, self.last))
    }

    /// Takes the next line after the header.
    pub fn push(&mut self, line: &str) {
        match Line::parse(line) {
            _ if self.head.is_some() => self.fault(Fault::Surplus, self.next, None),
            Ok(Line::Row(sealed)) => self.check(&sealed),
            Ok(Line::Head(head)) => self.end(head),
            Ok(Line::Header(_)) | Err(_) => self.fault(Fault::Unreadable, self.next, None),
        }
    }

    /// Takes the next row.
    pub fn check(&mut self, sealed: &Sealed) {
        let Sealed { seq, hash, columns: row } = sealed;
        if self.found.is_some() {
            self.look_on(*seq, row);
        } else if *seq > self.next {
            self.fault(Fault::Missing, self.next, None);
        } else if *seq < self.next {
            self.fault(Fault::Duplicated, *seq, Some(&row.id));
        } else if self.last.then(row) == *hash {
            self.last = *hash;
            self.next += 1;
            // Not the latest: rows of one moment are sealed in any order.
            self.removed_to = self.removed_to.max(row.removed_to.unwrap_or_default());
        } else {
            self.wanted = Some(*hash);
            self.fault(Fault::Altered, *seq, Some(&row.id));
        }
    }

    /// Takes the end of the chain.
    pub fn end(&mut self, head: Head) {
        if head.seq >= self.next {
            self.fault(Fault::Missing, self.next, None);
        } else if head.seq < self.next - 1 {
            self.fault(Fault::Surplus, head.seq + 1, None);
        } else if head.hash != self.last {
            self.fault(Fault::Rewritten, head.seq, None);
        } else if self.removed_to < self.header.from_seq - 1 {
            // Each removal is told by a row of the chain itself, so that nobody without the key begins it later.
            self.fault(Fault::Missing, self.removed_to + 1, None);
        } else if self.removed_to > self.header.from_seq - 1 {
            self.fault(Fault::Returned, self.header.from_seq, None);
        }
        self.head = Some(head);
    }

    /// Notes what the caller has found about the row at `seq`, unless something was wrong before it.
    pub fn fault(&mut self, fault: Fault, seq: i64, row_id: Option<&str>) {
        if self.found.is_some() {
            return;
        }
        let is_gap = seq > self.next;
        let (fault, seq, row_id) = if is_gap { (Fault::Missing, self.next, None) } else { (fault, seq, row_id) };
        self.found = Some(Finding { fault, seq, row_id: row_id.map(str::to_owned) });
    }

    /// The verdict, when there are no more rows.
    #[must_use]
    pub fn finish(mut self) -> Verdict {
        if self.head.is_none() {
            self.fault(Fault::CutOff, self.next, None);
        }
        match self.found {
            Some(finding) => Verdict::Broken(finding),
            None => Verdict::Unbroken { rows: self.next - self.header.from_seq, removed: self.header.from_seq - 1 },
        }
    }

    /// A row that was missing, or that was sealed where another stands, may come later: then it was moved.
    fn look_on(&mut self, seq: i64, row: &Row) {
        let Some(found) = &mut self.found else { return };
        match found.fault {
            Fault::Missing if seq == found.seq => {
                found.fault = Fault::Reordered;
                found.row_id = Some(row.id.clone());
            }
            Fault::Altered if self.wanted == Some(self.last.then(row)) => found.fault = Fault::Reordered,
            _ => {}
        }
    }
}
