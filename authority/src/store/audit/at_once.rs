//! Many links with their rows, read as one text.
//!
//! Verifying goes over every row there is. Row by row most of that time is spent handing single values from the driver to
//! us; as one text a million rows take seconds. Whatever is not plain in that text, be it one character of a separator in a
//! value, makes it worth nothing: then the rows are read one by one, and the fault is named.

use sqlx::FromRow;
use trail::Row;

use super::{LinkRow, LinkedRow};
use crate::store::Store;

/// Between values, and between rows.
const UNIT: &str = "\u{1f}";
const RECORD: &str = "\u{1e}";
/// What a row's text consists of.
const PARTS: usize = 14;

/// `$4` stands between values, `$5` between rows. A value that may be NULL has a sign before it, or is `-` alone; of a row
/// that is gone `concat_ws` has too few parts. The last part says whether the row is of the link's practice and each text a
/// text: `SQLite` takes any value in any column, and a blob of the same bytes is another value.
const SQL: &str = "
    SELECT COUNT(*) AS wanted, string_agg(t.line, CAST($5 AS TEXT)) AS lines
    FROM (
        SELECT concat_ws(CAST($4 AS TEXT), l.seq, l.hash, a.id, a.at, a.event, a.actor_id, a.subject_id,
                COALESCE('+' || a.factor, '-'), a.address, COALESCE('+' || a.session_id, '-'), a.request_id,
                COALESCE('+' || CAST(a.removed_to AS TEXT), '-'), COALESCE('+' || a.mac, '-'),
                CASE WHEN a.practice_id = l.practice_id AND a.at = CAST(a.at AS BIGINT)
                    AND l.hash = CAST(l.hash AS TEXT) AND a.id = CAST(a.id AS TEXT) AND a.event = CAST(a.event AS TEXT)
                    AND a.actor_id = CAST(a.actor_id AS TEXT) AND a.subject_id = CAST(a.subject_id AS TEXT)
                    AND a.address = CAST(a.address AS TEXT) AND a.request_id = CAST(a.request_id AS TEXT)
                    AND (a.factor IS NULL OR a.factor = CAST(a.factor AS TEXT))
                    AND (a.session_id IS NULL OR a.session_id = CAST(a.session_id AS TEXT))
                    AND (a.removed_to IS NULL OR a.removed_to = CAST(CAST(a.removed_to AS TEXT) AS BIGINT))
                    AND (a.mac IS NULL OR a.mac = CAST(a.mac AS TEXT))
                THEN 1 ELSE 0 END) AS line
        FROM audit_link l LEFT JOIN audit a ON a.id = l.audit_id
        WHERE l.practice_id = $1 AND l.seq > $2 ORDER BY l.seq LIMIT $3
    ) t";

/// The text, and of how many rows it is.
#[derive(FromRow)]
struct Text {
    wanted: i64,
    lines: Option<String>,
}

impl Store {
    /// The links after `seq` with their rows; `None` if one of them has to be looked at more closely.
    pub(super) async fn links_at_once(&self, practice_id: &str, seq: i64, most: i64) -> Option<Vec<LinkRow>> {
        let text: Text = sqlx::query_as(SQL)
            .bind(practice_id)
            .bind(seq)
            .bind(most)
            .bind(UNIT)
            .bind(RECORD)
            .fetch_one(&self.pool)
            .await
            .ok()?;
        read(practice_id, &text)
    }
}

/// A text is not of the form above.
#[derive(Debug, PartialEq, Eq)]
struct NotPlain;

fn read(practice_id: &str, text: &Text) -> Option<Vec<LinkRow>> {
    if text.wanted == 0 {
        return Some(Vec::new());
    }
    let links: Option<Vec<_>> = text.lines.as_deref()?.split(RECORD).map(|line| link(practice_id, line)).collect();
    // As many pieces as rows: no value holds a separator.
    let mut links = links.filter(|links| i64::try_from(links.len()) == Ok(text.wanted))?;
    // Nothing promises the order of an aggregate.
    links.sort_by_key(|link| link.seq);
    Some(links)
}

fn link(practice_id: &str, line: &str) -> Option<LinkRow> {
    let mut parts = line.split(UNIT);
    if line.matches(UNIT).count() != PARTS - 1 {
        return None;
    }
    let mut part = || parts.next();
    let seq = number(part()?)?;
    let hash = Some(part()?.parse().ok()?);
    let row = Row {
        id: part()?.to_owned(),
        practice_id: practice_id.to_owned(),
        at: number(part()?)?,
        event: part()?.to_owned(),
        actor_id: part()?.to_owned(),
        subject_id: part()?.to_owned(),
        factor: optional(part()?).ok()?,
        address: part()?.to_owned(),
        session_id: optional(part()?).ok()?,
        request_id: part()?.to_owned(),
        removed_to: match optional(part()?).ok()? {
            Some(place) => Some(number(&place)?),
            None => None,
        },
        mac: optional(part()?).ok()?,
    };
    // They were joined by it.
    let audit_id = row.id.clone();
    (part()? == "1").then_some(LinkRow { seq, audit_id, hash, row: LinkedRow::Found(row) })
}

/// A number as the database writes it; another way to write the same one is another value.
fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| number.to_string() == text)
}

fn optional(text: &str) -> Result<Option<String>, NotPlain> {
    match text.strip_prefix('+') {
        Some(value) => Ok(Some(value.to_owned())),
        None if text == "-" => Ok(None),
        None => Err(NotPlain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(event: &str, last: &str) -> String {
        let hash = "0".repeat(64);
        ["7", &hash, "1", "3", event, "4", "5", "-", "6", "+", "8", "+9", "+00", last].join(UNIT)
    }

    fn of(lines: &[String]) -> Option<Vec<LinkRow>> {
        let count = i64::try_from(lines.len()).unwrap();
        read("2", &Text { wanted: count, lines: Some(lines.join(RECORD)) })
    }

    #[test]
    fn what_is_plain_is_read() {
        let links = of(&[line("signed-in", "1"), line("", "1")]).unwrap();
        let LinkedRow::Found(row) = &links[0].row else { panic!("no row") };
        assert_eq!((links.len(), links[0].seq, row.at), (2, 7, 3));
        assert_eq!((&row.factor, row.session_id.as_deref(), row.mac.as_deref()), (&None, Some(""), Some("00")));
        assert_eq!(row.removed_to, Some(9));
    }

    #[test]
    fn what_is_not_plain_is_left_to_be_looked_at() {
        for event in [UNIT, RECORD, &format!("a{UNIT}b"), &format!("a{RECORD}b")] {
            assert!(of(&[line("signed-in", "1"), line(event, "1")]).is_none(), "{event:?}");
        }
        assert!(of(&[line("signed-in", "0")]).is_none(), "a value of another type");
        let one = Some(line("signed-in", "1"));
        assert!(read("2", &Text { wanted: 2, lines: one }).is_none());
        assert!(read("2", &Text { wanted: 1, lines: None }).is_none());
        assert!(of(&[["7", &"0".repeat(64), "-", "-", "-", "0"].join(UNIT)]).is_none(), "a row that is gone");
        assert_eq!((number("03"), number("+3"), number("-3"), number("")), (None, None, Some(-3), None));
        assert_eq!((optional("x"), optional("--")), (Err(NotPlain), Err(NotPlain)));
        assert_eq!((optional("-"), optional("+-")), (Ok(None), Ok(Some("-".into()))));
    }
}
