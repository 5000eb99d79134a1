//! The binary encoding of all formats: numbers big-endian, texts and byte strings behind their length.

use zeroize::Zeroizing;

/// The bytes are not what the format says. Callers turn it into an error that says of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Writes an encoding. What was written is wiped on drop.
pub(crate) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    /// Room for `capacity` bytes. A buffer that grows leaves unwiped copies behind, so be generous with secrets.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.fixed(&value.to_be_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.fixed(&value.to_be_bytes());
    }

    pub(crate) fn i64(&mut self, value: i64) {
        self.fixed(&value.to_be_bytes());
    }

    /// Bytes whose number the format fixes.
    pub(crate) fn fixed(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A count or a length. Every caller's values have limits far below 65,536.
    pub(crate) fn count(&mut self, count: usize) {
        self.u16(u16::try_from(count).expect("limits are far below 65,536"));
    }

    /// Bytes behind their length.
    pub(crate) fn string(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.fixed(bytes);
    }

    /// A value that may be absent.
    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

/// Reads an encoding, and nothing beyond it.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn i64(&mut self) -> Result<i64, Malformed> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    pub(crate) fn fixed(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// A count or a length of at most `limit`.
    pub(crate) fn count(&mut self, limit: usize) -> Result<usize, Malformed> {
        let count = usize::from(self.u16()?);
        if count <= limit { Ok(count) } else { Err(Malformed) }
    }

    /// At most `limit` bytes behind their length.
    pub(crate) fn string(&mut self, limit: usize) -> Result<&'a [u8], Malformed> {
        let length = self.count(limit)?;
        self.fixed(length)
    }

    /// The same as text.
    pub(crate) fn text(&mut self, limit: usize) -> Result<&'a str, Malformed> {
        str::from_utf8(self.string(limit)?).map_err(|_| Malformed)
    }

    /// A value that may be absent.
    pub(crate) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        match self.u8()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(Malformed),
        }
    }

    /// What is left, to the end.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Nothing may be left.
    pub(crate) const fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_must_end_there() {
        let mut writer = Writer::with_capacity(64);
        writer.u8(1);
        writer.u32(70_000);
        writer.i64(-5);
        writer.string("é".as_bytes());
        writer.option(Some(2), Writer::u16);
        writer.option(None, Writer::u16);
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes);
        assert_eq!((reader.u8(), reader.u32(), reader.i64()), (Ok(1), Ok(70_000), Ok(-5)));
        assert_eq!(reader.text(2), Ok("é"));
        assert_eq!(reader.option(Reader::u16), Ok(Some(2)));
        assert_eq!(Reader::new(reader.0).end(), Err(Malformed));
        assert_eq!(reader.option(Reader::u16), Ok(None));
        assert_eq!(reader.end(), Ok(()));
    }

    #[test]
    fn lengths_beyond_limit_or_end_are_refused() {
        assert_eq!(Reader::new(&[0, 3, 1, 2, 3]).string(2), Err(Malformed));
        assert_eq!(Reader::new(&[0, 3, 1, 2]).string(3), Err(Malformed));
        assert_eq!(Reader::new(&[0, 1, 0xff]).text(1), Err(Malformed));
        assert_eq!(Reader::new(&[2, 0, 0]).option(Reader::u16), Err(Malformed));
        assert_eq!(Reader::new(&[1]).u16(), Err(Malformed));
    }
}
