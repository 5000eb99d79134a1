//! Whatever is done to an exported trail is found, and the first row that it was done to is named.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use trail::export::FORMAT;
use trail::verify::NotAnExport;
use trail::{Fault, Finding, Hash, Head, Header, Line, Mark, Row, Sealed, Stream, Verdict};

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let text = "[a-z0-9 \"\\\\\u{202e}é]{0,12}";
    let row =
        (0..i64::MAX, text, proptest::option::of(text), proptest::option::of(text), proptest::option::of(0..255_u8));
    vec(row, 2..12).prop_map(|rows| {
        rows.into_iter()
            .enumerate()
            .map(|(number, (at, text, factor, session_id, mac))| Row {
                id: format!("id{number}"),
                practice_id: "practice".into(),
                at,
                event: text.clone(),
                actor_id: format!("actor {text}"),
                subject_id: format!("subject {text}"),
                factor,
                address: "192.0.2.1".into(),
                session_id,
                request_id: text,
                removed_to: None,
                mac: mac.map(|byte| format!("{byte:02x}").repeat(32)),
            })
            .collect()
    })
}

/// An export of these rows: header, rows, head.
fn export(rows: &[Row]) -> Vec<Line> {
    let previous = Hash::beginning("practice");
    let header = Header {
        format: FORMAT,
        practice_id: "practice".into(),
        practice_name: "Elm Street Clinic".into(),
        from_seq: 1,
        previous,
        mark: None,
        exported_at: 0,
    };
    let mut lines = vec![Line::Header(header)];
    let (mut seq, mut hash) = (0, previous);
    for row in rows {
        seq += 1;
        hash = hash.then(row);
        lines.push(Line::Row(Sealed { seq, hash, columns: row.clone() }));
    }
    lines.push(Line::Head(Head { seq, hash, at: 0, signature: String::new() }));
    lines
}

/// An export of the same rows after retention has removed the first of them, which a row at the end says.
fn rest(mut rows: Vec<Row>, removed: usize) -> Vec<Line> {
    let removed_to = Some(i64::try_from(removed).expect("a place"));
    let last = rows.last().expect("a row").clone();
    rows.push(Row { id: format!("id{}", rows.len()), event: "audit-retention-applied".into(), removed_to, ..last });
    begin_behind(export(&rows), removed)
}

/// Cuts rows off the front, with a header that says so.
fn begin_behind(mut lines: Vec<Line>, removed: usize) -> Vec<Line> {
    let Line::Row(Sealed { seq, hash, .. }) = lines[removed] else { panic!("no row") };
    lines.drain(1..=removed);
    let Line::Header(header) = &mut lines[0] else { panic!("no header") };
    header.from_seq = seq + 1;
    header.previous = hash;
    header.mark = Some(Mark { at: 0, signature: String::new() });
    lines
}

fn verify(lines: &[Line]) -> Verdict {
    let text: String = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let mut stream = Stream::default();
    stream.push(&text);
    stream.finish().expect("an export").0
}

fn broken(fault: Fault, seq: usize, row_id: Option<&str>) -> Verdict {
    let seq = i64::try_from(seq).expect("a place");
    Verdict::Broken(Finding { fault, seq, row_id: row_id.map(str::to_owned) })
}

/// Every way to alter one column, and the hash.
fn alterations(sealed: &Sealed) -> Vec<Sealed> {
    fn text(text: &str) -> String {
        format!("{text}x")
    }
    fn optional(text: Option<&str>) -> Vec<Option<String>> {
        match text {
            Some(text) => vec![None, Some(format!("{text}x"))],
            None => vec![Some(String::new()), Some("x".into())],
        }
    }
    let row = &sealed.columns;
    let mut altered = vec![
        Row { id: text(&row.id), ..row.clone() },
        Row { practice_id: text(&row.practice_id), ..row.clone() },
        Row { at: row.at ^ 1, ..row.clone() },
        Row { event: text(&row.event), ..row.clone() },
        Row { actor_id: text(&row.actor_id), ..row.clone() },
        Row { subject_id: text(&row.subject_id), ..row.clone() },
        Row { address: text(&row.address), ..row.clone() },
        Row { request_id: text(&row.request_id), ..row.clone() },
    ];
    altered.extend(optional(row.factor.as_deref()).into_iter().map(|factor| Row { factor, ..row.clone() }));
    altered.extend(optional(row.session_id.as_deref()).into_iter().map(|session_id| Row { session_id, ..row.clone() }));
    let other = row.removed_to.map_or(1, |place| place + 1);
    altered.extend([None, Some(other)].map(|removed_to| Row { removed_to, ..row.clone() }));
    altered.retain(|altered| altered != row);
    altered.extend(optional(row.mac.as_deref()).into_iter().map(|mac| Row { mac, ..row.clone() }));
    let mut altered: Vec<_> = altered.into_iter().map(|columns| Sealed { columns, ..sealed.clone() }).collect();
    altered.push(Sealed { hash: Hash::beginning("another"), ..sealed.clone() });
    altered
}

fn row(lines: &[Line], seq: usize) -> &Sealed {
    let Line::Row(sealed) = &lines[seq] else { panic!("line {seq} is no row") };
    sealed
}

proptest! {
    // Each case goes over every row and every column.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_sealed_is_unbroken_however_it_is_cut_into_pieces(rows in rows(), size in 1_usize..50) {
        let text: String = export(&rows).iter().flat_map(|line| [line.to_string(), "\r\n".to_owned()]).collect();
        let mut stream = Stream::default();
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(size) {
            stream.push(&piece.iter().collect::<String>());
        }
        let (verdict, head) = stream.finish().expect("an export");
        prop_assert_eq!(&verdict, &Verdict::Unbroken { rows: i64::try_from(rows.len()).unwrap(), removed: 0 });
        prop_assert!(verdict.to_string().ends_with("rows, unbroken."));
        prop_assert_eq!(head.expect("a head").seq, i64::try_from(rows.len()).unwrap());
    }

    #[test]
    fn every_altered_column_of_every_row_is_named(rows in rows()) {
        let lines = export(&rows);
        for seq in 1..=rows.len() {
            for altered in alterations(row(&lines, seq)) {
                let id = altered.columns.id.clone();
                let mut lines = lines.clone();
                lines[seq] = Line::Row(altered);
                prop_assert_eq!(verify(&lines), broken(Fault::Altered, seq, Some(&id)));
            }
        }
    }

    #[test]
    fn every_missing_row_is_named(rows in rows()) {
        let lines = export(&rows);
        for seq in 1..=rows.len() {
            let mut lines = lines.clone();
            lines.remove(seq);
            prop_assert_eq!(verify(&lines), broken(Fault::Missing, seq, None));
        }
    }

    #[test]
    fn a_row_removed_and_the_rest_numbered_anew_shows_at_its_place(rows in rows(), at in any::<Index>()) {
        let mut lines = export(&rows);
        let seq = at.index(rows.len()) + 1;
        lines.remove(seq);
        for line in &mut lines[seq..] {
            match line {
                Line::Row(sealed) => sealed.seq -= 1,
                Line::Head(head) => head.seq -= 1,
                Line::Header(_) => {}
            }
        }
        let Verdict::Broken(finding) = verify(&lines) else { panic!("unbroken") };
        // Without its last row a chain is whole; then the head's hash is another.
        let seq = if seq == rows.len() { seq - 1 } else { seq };
        prop_assert_eq!(finding.seq, i64::try_from(seq).unwrap());
    }

    #[test]
    fn every_row_that_is_there_twice_is_named(rows in rows(), to in any::<Index>()) {
        let lines = export(&rows);
        for seq in 1..=rows.len() {
            let mut lines = lines.clone();
            let at = seq + 1 + to.index(rows.len() - seq + 1);
            lines.insert(at, lines[seq].clone());
            prop_assert_eq!(verify(&lines), broken(Fault::Duplicated, seq, Some(&format!("id{}", seq - 1))));
        }
    }

    #[test]
    fn two_lines_exchanged_are_named(rows in rows(), one in any::<Index>(), other in any::<Index>()) {
        let mut lines = export(&rows);
        let (one, other) = (one.index(rows.len()) + 1, other.index(rows.len()) + 1);
        prop_assume!(one != other);
        lines.swap(one, other);
        let first = one.min(other);
        prop_assert_eq!(verify(&lines), broken(Fault::Reordered, first, Some(&format!("id{}", first - 1))));
    }

    #[test]
    fn two_rows_exchanged_under_their_numbers_are_named(rows in rows(), one in any::<Index>(), other in any::<Index>()) {
        let mut lines = export(&rows);
        let (one, other) = (one.index(rows.len()) + 1, other.index(rows.len()) + 1);
        prop_assume!(one != other);
        let (mut first, mut second) = (row(&lines, one).clone(), row(&lines, other).clone());
        std::mem::swap(&mut first.columns, &mut second.columns);
        let place = one.min(other);
        let id = format!("id{}", one.max(other) - 1);
        (lines[one], lines[other]) = (Line::Row(first), Line::Row(second));
        prop_assert_eq!(verify(&lines), broken(Fault::Reordered, place, Some(&id)));
    }

    #[test]
    fn a_file_that_ends_early_is_cut_off_there(rows in rows(), left in any::<Index>()) {
        let mut lines = export(&rows);
        let left = left.index(rows.len() + 1);
        lines.truncate(1 + left);
        prop_assert_eq!(verify(&lines), broken(Fault::CutOff, left + 1, None));
    }

    #[test]
    fn rows_cut_off_before_the_head_are_missing(rows in rows(), left in any::<Index>()) {
        let mut lines = export(&rows);
        let left = left.index(rows.len());
        lines.drain(1 + left..=rows.len());
        prop_assert_eq!(verify(&lines), broken(Fault::Missing, left + 1, None));
    }

    #[test]
    fn a_chain_written_anew_does_not_have_the_heads_hash(rows in rows(), at in any::<Index>()) {
        let genuine = export(&rows);
        let mut rows = rows;
        let at = at.index(rows.len());
        rows[at].event.push('x');
        let mut lines = export(&rows);
        let last = lines.len() - 1;
        lines[last] = genuine[last].clone();
        prop_assert_eq!(verify(&lines), broken(Fault::Rewritten, rows.len(), None));
    }

    #[test]
    fn what_retention_left_is_unbroken_and_says_where_it_begins(rows in rows(), removed in any::<Index>()) {
        let removed = removed.index(rows.len()) + 1;
        let left = rows.len() + 1 - removed;
        let verdict = verify(&rest(rows, removed));
        let [left, removed] = [left, removed].map(|count| i64::try_from(count).unwrap());
        prop_assert_eq!(&verdict, &Verdict::Unbroken { rows: left, removed });
        let says = format!("unbroken. The trail begins with row {}: what was before was removed for its age.", removed + 1);
        prop_assert!(verdict.to_string().ends_with(&says));
    }

    #[test]
    fn every_fault_in_what_retention_left_is_named(rows in rows(), removed in any::<Index>()) {
        let count = rows.len();
        let removed = removed.index(count) + 1;
        let lines = rest(rows, removed);
        for line in 1..lines.len() - 1 {
            let seq = removed + line;
            for altered in alterations(row(&lines, line)) {
                let id = altered.columns.id.clone();
                let mut lines = lines.clone();
                lines[line] = Line::Row(altered);
                prop_assert_eq!(verify(&lines), broken(Fault::Altered, seq, Some(&id)));
            }
            let mut without = lines.clone();
            let taken = without.remove(line);
            prop_assert_eq!(verify(&without), broken(Fault::Missing, seq, None));
            let id = format!("id{}", seq - 1);
            without.insert(without.len() - 1, taken);
            if seq <= count {
                prop_assert_eq!(verify(&without), broken(Fault::Reordered, seq, Some(&id)));
            }
            let mut twice = lines.clone();
            twice.insert(line + 1, lines[line].clone());
            prop_assert_eq!(verify(&twice), broken(Fault::Duplicated, seq, Some(&id)));
        }
    }

    /// Without the key: whoever shortens a file can write any header, but no row.
    #[test]
    fn a_trail_that_begins_elsewhere_than_its_rows_say_is_not_whole(rows in rows(), one in any::<Index>(), other in any::<Index>()) {
        let (one, other) = (one.index(rows.len()) + 1, other.index(rows.len()) + 1);
        prop_assert_eq!(verify(&begin_behind(export(&rows), one)), broken(Fault::Missing, 1, None), "no row says so");
        prop_assume!(one != other);
        let (earlier, later) = (one.min(other), one.max(other));
        let cut = begin_behind(rest(rows.clone(), earlier), later - earlier);
        prop_assert_eq!(verify(&cut), broken(Fault::Missing, earlier + 1, None));
        let told = rest(rows.clone(), later);
        let whole = export(&rows);
        let mut returned = begin_behind(whole, earlier);
        returned.truncate(1 + later - earlier);
        returned.extend_from_slice(&told[1..]);
        prop_assert_eq!(verify(&returned), broken(Fault::Returned, earlier + 1, None));
    }

    #[test]
    fn any_line_cut_short_or_spoilt_cannot_be_read(rows in rows(), at in any::<Index>(), keep in any::<Index>()) {
        let lines = export(&rows);
        let seq = at.index(rows.len()) + 1;
        let mut texts: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let whole: Vec<char> = texts[seq].chars().collect();
        texts[seq] = whole[..keep.index(whole.len())].iter().collect();
        let mut stream = Stream::default();
        stream.push(&texts.join("\n"));
        prop_assert_eq!(stream.finish().unwrap().0, broken(Fault::Unreadable, seq, None));
    }
}

#[test]
fn what_comes_after_the_head_is_surplus() {
    let lines = export(&[]);
    let mut more = lines.clone();
    more.push(lines[1].clone());
    assert_eq!(verify(&more), broken(Fault::Surplus, 1, None));
}

#[test]
fn a_trail_without_rows_is_whole() {
    assert_eq!(verify(&export(&[])), Verdict::Unbroken { rows: 0, removed: 0 });
}

#[test]
fn what_is_no_export_is_not_verified() {
    let finish = |text: &str| {
        let mut stream = Stream::default();
        stream.push(text);
        stream.finish().map(|(verdict, _)| verdict)
    };
    assert_eq!(finish(""), Err(NotAnExport::Empty));
    assert_eq!(finish("%PDF-1.7\n"), Err(NotAnExport::HeaderMismatch));
    let Line::Header(header) = export(&[]).remove(0) else { panic!("no header") };
    let with = |header: Header| finish(&Line::Header(header).to_string());
    assert_eq!(with(Header { format: FORMAT + 1, ..header.clone() }), Err(NotAnExport::NewerFormat));
    assert_eq!(with(Header { from_seq: 2, ..header.clone() }), Err(NotAnExport::HeaderMismatch));
    let mark = Some(Mark { at: 0, signature: String::new() });
    assert_eq!(with(Header { mark: mark.clone(), from_seq: 0, ..header.clone() }), Err(NotAnExport::HeaderMismatch));
    assert!(with(Header { mark, from_seq: 2, ..header.clone() }).is_ok(), "the rest of a chain");
    assert_eq!(with(Header { practice_id: "another".into(), ..header }), Err(NotAnExport::HeaderMismatch));
}

#[test]
fn a_column_that_this_release_does_not_know_is_not_passed_over() {
    let lines = export(&[]);
    let row = r#"{"row":{"seq":1,"hash":"00","columns":{},"more":1}}"#;
    let mut stream = Stream::default();
    stream.push(&format!("{}\n{row}\n{}\n", lines[0], lines[1]));
    assert_eq!(stream.finish().unwrap().0, broken(Fault::Unreadable, 1, None));
}
