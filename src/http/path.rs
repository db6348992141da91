//! The path of a request. The raw path is split at `/`, and then each segment is decoded once:
//! `cred%69t` is `credit`, while `%2F` is a slash within a name. No segment has a special meaning:
//! `.` and `..` are ordinary names.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::HttpError;
use crate::error::Code;

/// The prefix under which the partner routes are served as well.
pub(super) const PARTNER_PREFIX: &str = "/api/v1";

/// The path of a route, its variable segments in braces, for extractors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern(pub(super) &'static str);

/// The normal form of a path, for comparing and hashing: decoded, except for `/` and `%` within a
/// segment. A path without escapes is in normal form.
pub(super) fn plain(path: &str) -> Result<Cow<'_, str>, HttpError> {
    if !path.contains('%') {
        return Ok(Cow::Borrowed(path));
    }
    let mut plain = String::with_capacity(path.len());
    for (index, raw) in path.split('/').enumerate() {
        if index > 0 {
            plain.push('/');
        }
        for character in segment(raw)?.chars() {
            match character {
                '/' => plain.push_str("%2F"),
                '%' => plain.push_str("%25"),
                other => plain.push(other),
            }
        }
    }
    Ok(Cow::Owned(plain))
}

/// Decodes a segment.
pub(super) fn segment(raw: &str) -> Result<Cow<'_, str>, HttpError> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    let bad = |expected| HttpError::new(Code::BadRequest, expected);
    let is_whole = |escape: &str| {
        let digits = escape.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !raw.split('%').skip(1).all(is_whole) {
        return Err(bad(
            "in the path every % must be followed by two hexadecimal digits; % itself is %25",
        ));
    }
    let decoded = percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| bad("the path must be UTF-8 once percent-decoded"))?;
    if decoded.contains('\0') {
        return Err(bad("the path must not contain %00"));
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_same_segments_are_one() {
        let is = |path: &str, expected: &str| assert_eq!(plain(path).unwrap(), expected, "{path}");
        is("/v1/wallet/cred%69t", "/v1/wallet/credit");
        is("/v1/members/a%2fb", "/v1/members/a%2Fb");
        is("/v1/members/a%252Fb", "/v1/members/a%252Fb");
        is("/v1/members/%2e%2E", "/v1/members/..");
        is("/v1/../%C3%A9//", "/v1/../é//");
        assert!(matches!(plain("/v1/../x//"), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn what_cannot_be_decoded_is_refused() {
        for bad in [
            "%", "a%4", "%zz", "%+1", "%00", "a/%ff", "%25%", "%C3/%A9", "%é9",
        ] {
            assert!(plain(bad).is_err(), "{bad}");
        }
    }
}
