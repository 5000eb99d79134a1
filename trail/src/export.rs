//! An exported trail: JSON lines. The first is the header, then each row with its place and its hash, last the head.

use serde::{Deserialize, Serialize};

use crate::verify::{NotAnExport, Verdict, Verifier};
use crate::{Hash, Row};

/// The version that this release writes.
pub const FORMAT: u32 = 1;
/// A line longer than this is none of ours. Rows take about 700 bytes.
const LONGEST_LINE: usize = 64 * 1024;

/// What an export is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// Whose trail it is.
    pub practice_id: String,
    /// The practice's name at that time. The chain does not hold it.
    pub practice_name: String,
    /// The place of the first row.
    pub from_seq: i64,
    /// The state of the chain before that row.
    pub previous: Hash,
    /// What the server says of the rows before it; they are none, or were removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// When it was exported, in unix milliseconds.
    pub exported_at: i64,
}

/// That retention has removed the rows before the first, as the server signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// When the last of them went, in unix milliseconds.
    pub at: i64,
    /// The server's keyed hash of that, the practice, the last place and the state of the chain there, in hexadecimal.
    /// Only the server can check it.
    pub signature: String,
}

/// A row with its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Its place; the first row has 1.
    pub seq: i64,
    /// The state of the chain after it.
    pub hash: Hash,
    /// The row.
    pub columns: Row,
}

/// The end of a chain, as the server signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The place of the last row; 0 where there is none.
    pub seq: i64,
    /// The state of the chain after it.
    pub hash: Hash,
    /// When it was signed, in unix milliseconds.
    pub at: i64,
    /// The server's keyed hash of that and the practice, in hexadecimal. Only the server can check it.
    pub signature: String,
}

/// A line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    /// The first.
    Header(Header),
    /// One for each row, in the order of the chain.
    Row(Sealed),
    /// The last.
    Head(Head),
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// If it is none, or has a column that this release does not know.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| std::fmt::Error)?)
    }
}

/// Verifies an export that comes in pieces of any size. Holds one line at a time.
#[derive(Debug, Default)]
pub struct Stream {
    rest: String,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Before,
    Within(Box<Verifier>),
    NotAnExport(NotAnExport),
}

impl Stream {
    /// Takes the next piece of the file.
    pub fn push(&mut self, text: &str) {
        let mut text = text;
        while let Some((line, after)) = text.split_once('\n') {
            text = after;
            if self.rest.is_empty() {
                self.line(line);
            } else {
                let begun = std::mem::take(&mut self.rest);
                self.line(&(begun + line));
            }
        }
        // What is longer is no line of ours, however it goes on.
        if self.rest.len() <= LONGEST_LINE {
            self.rest.push_str(text);
        }
    }

    /// The verdict, at the end of the file.
    ///
    /// # Errors
    /// [`NotAnExport`] if the first line was not one.
    pub fn finish(mut self) -> Result<(Verdict, Option<Head>), NotAnExport> {
        let last = std::mem::take(&mut self.rest);
        if !last.is_empty() {
            self.line(&last);
        }
        match self.state {
            State::Within(verifier) => {
                let head = verifier.head().cloned();
                Ok((verifier.finish(), head))
            }
            State::Before => Err(NotAnExport::Empty),
            State::NotAnExport(error) => Err(error),
        }
    }

    /// What the first line said.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        match &self.state {
            State::Within(verifier) => Some(verifier.header()),
            _ => None,
        }
    }

    fn line(&mut self, line: &str) {
        let line = line.trim_end_matches('\r');
        match &mut self.state {
            State::Before => {
                // Some editors put a byte order mark before the text.
                self.state = match Verifier::from_line(line.trim_start_matches('\u{feff}')) {
                    Ok(verifier) => State::Within(Box::new(verifier)),
                    Err(error) => State::NotAnExport(error),
                };
            }
            State::Within(verifier) => verifier.push(line),
            State::NotAnExport(_) => {}
        }
    }
}
