//! The conditions of a request that updates a resource, by the settings version in its `ETag`. The
//! tags of figures are in [`super::conditional`].

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpRequest};

use super::HttpError;
use crate::domain::{ExpectedVersion, Precondition, Seq};
use crate::error::Code;

/// The conditions of a request, to be parsed once the caller is known.
#[derive(Debug, Clone)]
pub(super) struct Conditions(HttpRequest);

impl FromRequest for Conditions {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.clone())))
    }
}

impl Conditions {
    /// The precondition of the request. In `If-None-Match` only `*` has a meaning here.
    ///
    /// # Errors
    /// `BAD_REQUEST` if a header is not well formed.
    pub(super) fn parse(&self) -> Result<Precondition, HttpError> {
        let expected = match self.tags(&header::IF_MATCH)? {
            None => None,
            Some(Tags::Any) => Some(ExpectedVersion::Any),
            Some(Tags::Listed(versions)) => Some(ExpectedVersion::OneOf(versions)),
        };
        let must_be_new = matches!(self.tags(&header::IF_NONE_MATCH)?, Some(Tags::Any));
        Ok(Precondition {
            expected,
            must_be_new,
        })
    }

    /// The tags of a header, which may have several lines; `None` if it is absent.
    fn tags(&self, name: &HeaderName) -> Result<Option<Tags>, HttpError> {
        let headers = self.0.headers();
        if !headers.contains_key(name) {
            return Ok(None);
        }
        let lines: Vec<&[u8]> = headers.get_all(name).map(HeaderValue::as_bytes).collect();
        let tags = tags(&lines.join(&b','));
        tags.map(Some).ok_or_else(|| {
            let message = format!(
                "{name} must be * or a list of entity tags, each in double quotes, as in ETag"
            );
            HttpError::new(Code::BadRequest, message)
        })
    }
}

/// The tags of a header.
#[derive(Debug, PartialEq, Eq)]
enum Tags {
    /// `*`.
    Any,
    /// The listed versions. Weak tags and tags that are no version match no resource.
    Listed(Vec<Seq>),
}

/// Reads a list of entity tags; `None` if it is not well formed.
///
/// Source: RFC 9110, sections 8.8.3 and 13.1.1.
fn tags(list: &[u8]) -> Option<Tags> {
    let (mut is_any, mut count, mut versions) = (false, 0, Vec::new());
    let mut rest = list;
    loop {
        rest = after_spaces(rest);
        let Some((&first, after)) = rest.split_first() else {
            break;
        };
        if first == b',' {
            rest = after;
            continue;
        }
        count += 1;
        if first == b'*' {
            is_any = true;
            rest = after;
        } else {
            let (version, after) = tag(rest)?;
            versions.extend(version);
            rest = after;
        }
        rest = after_spaces(rest);
        if !matches!(rest.first(), None | Some(b',')) {
            return None;
        }
    }
    match (is_any, count) {
        (true, 1) => Some(Tags::Any),
        (_, 0) | (true, _) => None,
        (false, _) => Some(Tags::Listed(versions)),
    }
}

/// Reads an entity tag: its version, if it is a strong tag of one, and the rest of the text.
fn tag(text: &[u8]) -> Option<(Option<Seq>, &[u8])> {
    let (is_weak, text) = match text.strip_prefix(b"W/") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let text = text.strip_prefix(b"\"")?;
    let end = text.iter().position(|byte| *byte == b'"')?;
    let (inside, after) = (&text[..end], &text[end + 1..]);
    if !inside
        .iter()
        .all(|byte| matches!(byte, 0x21..=0x7e | 0x80..))
    {
        return None;
    }
    let version = std::str::from_utf8(inside).ok().and_then(|inside| {
        inside
            .parse()
            .ok()
            .map(Seq)
            .filter(|v| v.0.to_string() == inside)
    });
    Some((version.filter(|_| !is_weak), after))
}

fn after_spaces(text: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !is_space(byte));
    &text[start.unwrap_or(text.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(list: &str) -> Option<Vec<i64>> {
        match tags(list.as_bytes())? {
            Tags::Any => None,
            Tags::Listed(versions) => Some(versions.into_iter().map(|version| version.0).collect()),
        }
    }

    #[test]
    fn strong_tags_that_are_versions_are_read() {
        assert_eq!(listed("\"7\""), Some(vec![7]));
        assert_eq!(listed(" \"7\" , \"0\",,\t\"12\""), Some(vec![7, 0, 12]));
        assert_eq!(listed("W/\"7\""), Some(vec![]));
        assert_eq!(listed("\"\",\"a,b\",\"+7\",\"07\",\" \""), None);
        assert_eq!(
            listed("\"\",\"a,b\",\"+7\",\"07\",\"\u{e9}\",\"8\""),
            Some(vec![8])
        );
        assert_eq!(tags(b" * "), Some(Tags::Any));
        assert_eq!(tags(b"\"\xff\""), Some(Tags::Listed(Vec::new())));
    }

    #[test]
    fn what_is_not_well_formed_is_no_list() {
        for list in [
            "",
            " ",
            ",",
            "7",
            "\"7",
            "7\"",
            "\"7\"\"8\"",
            "\"7\" \"8\"",
            "w/\"7\"",
            "W/7",
            "W/",
            "*,*",
            "*,\"7\"",
            "\"7\",*",
            "**",
            "*\"7\"",
            "\"a\tb\"",
            "\"\u{7f}\"",
            "'7'",
        ] {
            assert_eq!(tags(list.as_bytes()), None, "{list}");
        }
    }
}
