//! Files attached to messages.

use super::FileName;

/// The media type of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileType {
    /// A picture.
    Png,
    /// A photograph.
    Jpeg,
    /// A picture or photograph.
    Webp,
    /// A document.
    Pdf,
}

impl FileType {
    /// Every type that is accepted.
    pub const ALL: [Self; 4] = [Self::Png, Self::Jpeg, Self::Webp, Self::Pdf];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// Whether a file begins as those of this type do.
    ///
    /// Sources: PNG, section 5.2; JPEG, ITU-T T.81, section B.1.1; WebP, RFC 9649, section 2.4;
    /// PDF, ISO 32000-1, section 7.5.2.
    ///
    /// ```
    /// use stampcard::domain::FileType;
    /// assert!(FileType::Pdf.begins(b"%PDF-1.7"));
    /// assert!(!FileType::Png.begins(b"%PDF-1.7"));
    /// ```
    pub fn begins(self, file: &[u8]) -> bool {
        match self {
            Self::Png => file.starts_with(b"\x89PNG\r\n\x1a\n"),
            Self::Jpeg => file.starts_with(b"\xff\xd8\xff"),
            Self::Webp => file.starts_with(b"RIFF") && file.get(8..12) == Some(b"WEBP"),
            Self::Pdf => file.starts_with(b"%PDF-"),
        }
    }
}

/// A file attached to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name; `None` after the member was erased.
    pub name: Option<FileName>,
    /// Its type.
    pub file_type: FileType,
    /// Its size in bytes; 0 after the member was erased.
    pub size: i64,
}

impl Attachment {
    /// The largest size of a file, in bytes.
    pub const BYTES_MAX: usize = 1 << 20;
    /// The size of every piece in which a file is stored except the last one, which may be smaller.
    pub const PIECE_BYTES: usize = 64 << 10;
}
