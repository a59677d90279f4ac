//! Texts that are compressed as a whole. They are decompressed as they are read, so what they grow to costs time and no
//! memory.

use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use runtime_testing_models::{Compression, DataFinding};

use crate::findings::{damaged_on, unreadable_on};

#[cfg(feature = "compression")]
mod gzip;
#[cfg(feature = "compression")]
mod zstandard;

/// How much of a compressed file is read at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// How a file is compressed, by its first bytes.
pub(crate) fn compression_of(head: &[u8]) -> Option<Compression> {
    match head {
        [0x1F, 0x8B, 0x08, ..] => Some(Compression::Gzip),
        // A frame, or one to skip, with which files begin that several threads have compressed.
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Compression::Zstd),
        _ => None,
    }
}

/// Whether this build reads and writes compressed texts.
pub(crate) const fn is_built() -> bool {
    cfg!(feature = "compression")
}

/// The text. Errors about the compressed data are such that [`damage`] knows; others come from the source.
pub(crate) fn decompressed<'s>(
    source: impl Read + Send + 's,
    compression: Compression,
) -> io::Result<Box<dyn Read + Send + 's>> {
    let has_failed = Arc::new(AtomicBool::new(false));
    let source = Source { source, has_failed: Arc::clone(&has_failed) };
    let decoder = decoder(BufReader::with_capacity(BUFFER_BYTES, source), compression)?;
    Ok(Box::new(Decompressed { decoder, compression, has_failed, bytes: 0, lines: 0 }))
}

#[cfg(feature = "compression")]
fn decoder<'s>(
    source: BufReader<impl Read + Send + 's>,
    compression: Compression,
) -> io::Result<Box<dyn Read + Send + 's>> {
    Ok(match compression {
        Compression::Gzip => Box::new(gzip::Members::new(source)),
        Compression::Zstd => Box::new(zstandard::Frames::new(source)?),
        other => return Err(io::Error::other(format!("{other} cannot be read"))),
    })
}

#[cfg(not(feature = "compression"))]
fn decoder<'s>(
    _source: BufReader<impl Read + Send + 's>,
    compression: Compression,
) -> io::Result<Box<dyn Read + Send + 's>> {
    Err(io::Error::other(format!("{compression} cannot be read: enable the feature `compression`")))
}

/// Where a text is written to, compressed or not.
pub(crate) enum Sink<W: Write> {
    Plain(W),
    #[cfg(feature = "compression")]
    Gzip(flate2::write::GzEncoder<W>),
    #[cfg(feature = "compression")]
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

impl<W: Write> Sink<W> {
    pub(crate) fn new(sink: W, compression: Option<Compression>) -> io::Result<Self> {
        match compression {
            None => Ok(Self::Plain(sink)),
            #[cfg(feature = "compression")]
            Some(Compression::Gzip) => {
                Ok(Self::Gzip(flate2::write::GzEncoder::new(sink, flate2::Compression::default())))
            }
            #[cfg(feature = "compression")]
            Some(Compression::Zstd) => {
                let mut encoder = zstd::stream::write::Encoder::new(sink, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.include_checksum(true)?;
                Ok(Self::Zstd(encoder))
            }
            Some(other) => Err(io::Error::other(format!("{other} cannot be written"))),
        }
    }

    /// Writes what is still held back.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut sink) => sink.flush(),
            #[cfg(feature = "compression")]
            Self::Gzip(encoder) => encoder.finish()?.flush(),
            #[cfg(feature = "compression")]
            Self::Zstd(encoder) => encoder.finish()?.flush(),
        }
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(sink) => sink.write(bytes),
            #[cfg(feature = "compression")]
            Self::Gzip(sink) => sink.write(bytes),
            #[cfg(feature = "compression")]
            Self::Zstd(sink) => sink.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(sink) => sink.flush(),
            #[cfg(feature = "compression")]
            Self::Gzip(sink) => sink.flush(),
            #[cfg(feature = "compression")]
            Self::Zstd(sink) => sink.flush(),
        }
    }
}

/// What is decompressed. It remembers whether an error was its own and not the decoder's.
struct Source<R> {
    source: R,
    has_failed: Arc<AtomicBool>,
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer);
        if read.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted) {
            self.has_failed.store(true, Ordering::Relaxed);
        }
        read
    }
}

/// Counts what comes out of a decoder, to say where its data is damaged.
struct Decompressed<'s> {
    decoder: Box<dyn Read + Send + 's>,
    compression: Compression,
    has_failed: Arc<AtomicBool>,
    bytes: u64,
    lines: u64,
}

impl Read for Decompressed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.decoder.read(buffer) {
            Ok(read) => {
                self.bytes += read as u64;
                self.lines += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64;
                Ok(read)
            }
            Err(error)
                if error.kind() == io::ErrorKind::Interrupted || self.has_failed.load(Ordering::Relaxed) =>
            {
                Err(error)
            }
            Err(error) => {
                // The library's own words change from version to version, so they go to the log and not into the finding.
                tracing::debug!(%error, "compressed data is damaged");
                let Self { compression, bytes, lines, .. } = *self;
                Err(io::Error::other(Damage { compression, kind: DamageKind::of(&error), bytes, lines }))
            }
        }
    }
}

/// Compressed data that does not go on.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the {compression} data is {kind} behind byte {bytes} of the text")]
struct Damage {
    compression: Compression,
    kind: DamageKind,
    bytes: u64,
    lines: u64,
}

#[derive(Debug, Clone, Copy)]
enum DamageKind {
    CutOff,
    Damaged,
    /// It is whole, and something else stands behind it, which some programs pass over and others refuse.
    Followed,
}

impl DamageKind {
    fn of(error: &io::Error) -> Self {
        match error.get_ref() {
            Some(inner) if inner.is::<OtherBytes>() => Self::Followed,
            _ if error.kind() == io::ErrorKind::UnexpectedEof => Self::CutOff,
            _ => Self::Damaged,
        }
    }
}

impl fmt::Display for DamageKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::CutOff => "cut off",
            Self::Damaged => "damaged",
            Self::Followed => "followed by something else",
        })
    }
}

/// What follows compressed data is not compressed.
#[derive(Debug, thiserror::Error)]
#[error("something else follows")]
struct OtherBytes;

/// The finding about compressed data that is damaged, if that is what an error is about.
pub(crate) fn damage(error: &io::Error) -> Option<DataFinding> {
    let damage = error.get_ref()?.downcast_ref::<Damage>()?;
    let (line, message) = (damage.lines + 1, damage.to_string());
    Some(match damage.kind {
        DamageKind::CutOff | DamageKind::Damaged => damaged_on(line, message),
        DamageKind::Followed => unreadable_on(line, message),
    })
}

#[cfg(all(test, feature = "compression"))]
mod tests {
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).expect("a vector takes everything");
        encoder.finish().expect("a vector takes everything")
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        zstd::encode_all(text, 0).expect("a slice can be compressed")
    }

    /// The text, and the finding where it does not go on.
    fn read(bytes: &[u8]) -> (Vec<u8>, Option<String>) {
        let compression = compression_of(bytes).expect("compressed data");
        let mut text = Vec::new();
        let read = decompressed(bytes, compression).expect("a decoder").read_to_end(&mut text);
        (text, read.err().map(|error| damage(&error).expect("the data is to blame").to_string()))
    }

    #[test]
    fn beginnings() {
        assert_eq!(compression_of(&gzip(b"")), Some(Compression::Gzip));
        assert_eq!(compression_of(&zstd(b"")), Some(Compression::Zstd));
        assert_eq!(compression_of(b"\x50\x2A\x4D\x18\x04\0\0\0"), Some(Compression::Zstd));
        assert_eq!(compression_of(b"a,b\n"), None);
        assert_eq!(compression_of(b"\x1F\x8B"), None);
    }

    #[test]
    fn members_and_frames_follow_each_other() {
        for compress in [gzip, zstd] {
            let bytes = [compress(b"a\n1\n"), compress(b""), compress(b"2\n")].concat();
            assert_eq!(read(&bytes), (b"a\n1\n2\n".to_vec(), None));
        }
    }

    #[test]
    fn zeros_behind_a_member_are_padding() {
        let text = b"a\n1\n".to_vec();
        let zeros = vec![0; 200_000];
        for zeros in [&zeros[..1], &zeros[..8], &zeros] {
            assert_eq!(read(&[&gzip(&text), zeros].concat()), (text.clone(), None));
            let two = [&gzip(&text), zeros, &gzip(b"2\n"), zeros].concat();
            assert_eq!(read(&two), (b"a\n1\n2\n".to_vec(), None));
            let (found, told) = read(&[&gzip(&text), zeros, b"x"].concat());
            assert_eq!(found, text);
            let expected = "line 3: the gzip data is followed by something else behind byte 4 of the text";
            assert_eq!(told.as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_follows_and_is_not_compressed_is_told() {
        let text = b"a\n1\n".to_vec();
        for (compress, name) in [(gzip as fn(&[u8]) -> Vec<u8>, "gzip"), (zstd, "zstd")] {
            for rest in [&b"x"[..], b"rest", b"rest that goes on\n", b"\x1F\x8C\x08", &[b'x'; 200_000]] {
                let (found, told) = read(&[&compress(&text), rest].concat());
                assert_eq!(found, text);
                let end = "is followed by something else behind byte 4 of the text";
                assert_eq!(told, Some(format!("line 3: the {name} data {end}")));
            }
            // Another one may have begun.
            for length in 1..10 {
                let (found, told) = read(&[&compress(&text), &compress(&text)[..length]].concat());
                assert_eq!(found, text);
                let end = "is cut off behind byte 4 of the text";
                assert_eq!(told, Some(format!("line 3: the {name} data {end}")));
            }
        }
        let (found, told) = read(&[&zstd(&text), &[0; 4][..]].concat());
        assert!(found == text && told.is_some_and(|told| told.contains("followed by something else")));
    }

    #[test]
    fn frames_that_are_skipped_are_no_text() {
        let skipped = b"\x5A\x2A\x4D\x18\x03\0\0\0abc";
        let text = b"a\n1\n".to_vec();
        assert_eq!(read(&[skipped, &zstd(&text)[..], skipped].concat()), (text, None));
    }

    #[test]
    fn texts_are_whole_whatever_is_read_at_once() {
        let text = (0..60_000).map(|line| format!("{line},{}\n", line * 7919 % 1000)).collect::<String>();
        for compress in [gzip, zstd] {
            let bytes = [compress(text.as_bytes()), compress(b""), compress(text.as_bytes())].concat();
            for at_once in [1, 1000, 1 << 20] {
                let compression = compression_of(&bytes).expect("compressed data");
                let mut reader = decompressed(&bytes[..], compression).expect("a decoder");
                let mut found = Vec::new();
                let mut buffer = vec![0; at_once];
                loop {
                    match reader.read(&mut buffer).expect("the data is whole") {
                        0 => break,
                        read => found.extend_from_slice(&buffer[..read]),
                    }
                }
                assert!(found == text.repeat(2).as_bytes(), "{at_once} bytes at once");
            }
        }
    }

    #[test]
    fn damage_is_told_with_its_place() {
        let text = "1,x\n".repeat(10_000).into_bytes();
        for (compress, name) in [(gzip as fn(&[u8]) -> Vec<u8>, "gzip"), (zstd, "zstd")] {
            let two = [compress(&text), compress(b"2,y\n")].concat();
            let (found, told) = read(&two[..two.len() - 3]);
            assert!(found.starts_with(&text));
            let told = told.expect("a finding");
            assert!(told.starts_with("line 1000"), "{told}");
            assert!(told.contains(&format!("the {name} data is cut off behind byte 4000")), "{told}");
        }
        let mut wrong_sum = gzip(b"a\n1\n");
        let at = wrong_sum.len() - 8;
        wrong_sum[at] ^= 1;
        assert_eq!(
            read(&wrong_sum).1.as_deref(),
            Some("line 3: the gzip data is damaged behind byte 4 of the text")
        );
    }

    #[test]
    fn errors_of_the_source_are_not_those_of_the_data() {
        struct Refusing;
        impl Read for Refusing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::PermissionDenied))
            }
        }
        for compression in [Compression::Gzip, Compression::Zstd] {
            let mut text = decompressed(Refusing, compression).expect("a decoder");
            let error = text.read(&mut [0; 8]).expect_err("nothing can be read");
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
            assert_eq!(damage(&error), None);
        }
    }
}
