//! Compression at build time, at the highest level, because it is paid once.

use std::io::Write;

use anyhow::{Context, Result};

/// Brotli at quality 11, as every browser since 2017 reads it. Code and data of a WASM are unlike each other, and input
/// blocks of 64 KiB keep them apart: by themselves, blocks are chosen so large that less code can make a larger file.
pub(crate) fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        lgblock: 16,
        size_hint: content.len(),
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut compressed, &parameters).context("brotli failed")?;
    Ok(compressed)
}

/// Gzip at level 9, for the rest.
pub(crate) fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).and_then(|()| encoder.finish()).context("gzip failed")
}

/// Whether a file of this name gets smaller by compression. Pictures are compressed already.
pub(crate) fn is_worthwhile(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "css" | "html" | "js" | "json" | "mjs" | "svg" | "txt" | "wasm" | "webmanifest" | "xml")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_compressed_comes_back() {
        let text = b"authorization token ".repeat(200);
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &brotli(&text).expect("brotli")[..], &mut unpacked).expect("valid brotli");
        assert_eq!(unpacked, text);

        unpacked.clear();
        flate2::read::GzDecoder::new(&gzip(&text).expect("gzip")[..]).read_to_end(&mut unpacked).expect("valid gzip");
        assert_eq!(unpacked, text);
    }

    #[test]
    fn pictures_are_left_alone() {
        assert!(is_worthwhile("twofold.0123.wasm"));
        assert!(is_worthwhile("icon.svg"));
        assert!(!is_worthwhile("icon.png"));
        assert!(!is_worthwhile("LICENSE"));
    }
}
