//! Webhooks: endpoints, deliveries and the addresses that are allowed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use url::{Host, Url as ParsedUrl};

use super::{EndpointNumber, Environment, Refusal, Seq, Subscription, Timestamp, WebhookId};

/// The delay after each failed attempt. A delivery whose last retry fails is dead.
pub const RETRY_AFTER: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_hours(1),
    Duration::from_hours(6),
    Duration::from_hours(24),
];

/// An endpoint that receives events of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its row.
    pub number: EndpointNumber,
    /// Its public id.
    pub id: WebhookId,
    /// The address.
    pub url: WebhookUrl,
    /// The events that it receives.
    pub subscription: Subscription,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was disabled; `None` while it is in use.
    pub disabled_at: Option<Timestamp>,
    /// The settings version: the number of the activity that last changed what a request can set.
    pub version: Seq,
}

/// The status of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// It will be tried again.
    Pending,
    /// The receiver accepted it.
    Delivered,
    /// Its last attempt failed.
    Dead,
}

impl DeliveryStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Dead];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// The outcome of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// The time that it took.
    pub duration: Duration,
    /// The HTTP status of the response, if there was one.
    pub response_status: Option<u16>,
    /// Why it failed; `None` if it succeeded.
    pub error: Option<String>,
}

/// A delivery of an event to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The event; negative for a test, which has none.
    pub seq: Seq,
    /// The status.
    pub status: DeliveryStatus,
    /// The number of attempts.
    pub attempts: u32,
    /// When the next attempt is due.
    pub next_at: Option<Timestamp>,
    /// The outcome of the last attempt.
    pub last: Option<Attempt>,
    /// When the event happened.
    pub created_at: Timestamp,
}

/// The addresses that webhooks may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetPolicy {
    /// Only HTTPS to globally routable addresses.
    Public,
    /// Any address, and HTTP too: for a local receiver in the sandbox.
    Any,
}

impl TargetPolicy {
    /// The policy of an environment.
    pub fn of(environment: Environment, sandbox_private_targets: bool) -> Self {
        match environment {
            Environment::Sandbox if sandbox_private_targets => Self::Any,
            Environment::Sandbox | Environment::Live => Self::Public,
        }
    }

    /// Whether a connection to this address is allowed.
    pub fn allows(self, address: IpAddr) -> bool {
        self == Self::Any || is_globally_routable(address)
    }
}

/// An address that the policy allows, as far as can be told without resolving its host name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookUrl(ParsedUrl);

impl WebhookUrl {
    /// The longest address, in bytes.
    pub const BYTES_MAX: usize = 2048;

    /// Reads an address.
    ///
    /// # Errors
    /// [`Refusal::WebhookUrlNotAllowed`] if it is not a URL or the policy forbids it.
    ///
    /// ```
    /// use stampcard::domain::{TargetPolicy, WebhookUrl};
    /// assert!(WebhookUrl::parse("https://example.com/hook", TargetPolicy::Public).is_ok());
    /// assert!(WebhookUrl::parse("https://2130706433/", TargetPolicy::Public).is_err());
    /// assert!(WebhookUrl::parse("http://127.0.0.1:3000/", TargetPolicy::Any).is_ok());
    /// ```
    pub fn parse(text: &str, policy: TargetPolicy) -> Result<Self, Refusal> {
        let refuse = |why: &'static str| Refusal::WebhookUrlNotAllowed(why);
        if text.len() > Self::BYTES_MAX {
            return Err(refuse("must be at most 2048 bytes long"));
        }
        let url = ParsedUrl::parse(text)
            .map_err(|_| refuse("must be an absolute URL such as https://example.com/hook"))?;
        match (url.scheme(), policy) {
            ("https", _) | ("http", TargetPolicy::Any) => {}
            (_, TargetPolicy::Any) => return Err(refuse("must begin with https:// or http://")),
            (_, TargetPolicy::Public) => return Err(refuse("must begin with https://")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("must not contain a user name or password"));
        }
        if url.port() == Some(0) {
            return Err(refuse("must not have port 0"));
        }
        let target = Self(url);
        match target.literal() {
            Some(address) if !policy.allows(address) => Err(refuse(
                "must have an address that is routable on the internet",
            )),
            // The parser takes `127.0.0.1..` as a name, but a resolver may drop the dots and
            // connect.
            None if target.name().is_some_and(|name| name.contains("..")) => {
                Err(refuse("must have a host name without empty labels"))
            }
            None if policy == TargetPolicy::Public && target.is_local_name() => {
                Err(refuse("must not have a local host name"))
            }
            _ => Ok(target),
        }
    }

    /// Checks the address of a row, which may be as the API of any release accepted it. Names and
    /// addresses are checked again for each delivery.
    ///
    /// # Errors
    /// As [`WebhookUrl::parse`]; in the sandbox any address may have been allowed.
    pub fn parse_stored(text: &str, environment: Environment) -> Result<Self, Refusal> {
        Self::parse(text, TargetPolicy::of(environment, true))
    }

    /// Trusts an address from the database.
    pub(crate) fn stored(text: &str) -> Option<Self> {
        ParsedUrl::parse(text).ok().map(Self)
    }

    /// The address as it is requested.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The IP address, if the host is one in any notation.
    pub fn literal(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        }
    }

    /// The host name, if the host is not an IP address.
    pub fn name(&self) -> Option<&str> {
        match self.0.host()? {
            Host::Domain(name) => Some(name),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        }
    }

    /// Whether the host name always means the local machine.
    ///
    /// Source: RFC 6761, section 6.3.
    fn is_local_name(&self) -> bool {
        self.name().is_some_and(|name| {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        })
    }
}

/// Whether an address is routable on the internet, by the registries of special-purpose addresses.
///
/// Source: the IANA registries of special-purpose IPv4 and IPv6 addresses, as of 2025; RFC 6890.
pub fn is_globally_routable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_v4_routable(address),
        IpAddr::V6(address) => is_v6_routable(address),
    }
}

fn is_v4_routable(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match a {
        // This network, private, loopback; multicast, reserved and broadcast.
        0 | 10 | 127 | 224.. => true,
        // Shared address space of providers.
        100 => (64..128).contains(&b),
        // Link-local.
        169 => b == 254,
        // Private.
        172 => (16..32).contains(&b),
        192 => {
            // Private; protocol assignments; documentation; the deprecated 6to4 relay.
            b == 168 || (b, c) == (0, 0) || (b, c) == (0, 2) || (b, c) == (88, 99)
        }
        // Benchmarking; documentation.
        198 => b == 18 || b == 19 || (b, c) == (51, 100),
        // Documentation.
        203 => (b, c) == (0, 113),
        _ => false,
    };
    !special
}

fn is_v6_routable(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match segments {
        // An IPv4 address behind a translator (RFC 6052) or in a tunnel (6to4, RFC 3056).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            is_v4_routable(v4(high, low))
        }
        // Protocol assignments, including tunnels that hide an IPv4 address (Teredo).
        [0x2001, second, ..] if second < 0x200 => false,
        // Documentation.
        [0x2001, 0xdb8, ..] => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // Global unicast. Everything else, including mapped IPv4 addresses, is not routable.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_routable_on_the_internet_are_known() {
        for special in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            let address = special.parse().unwrap();
            assert!(!is_globally_routable(address), "{special}");
        }
        for public in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert!(is_globally_routable(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn an_ip_address_is_recognized_however_it_is_written() {
        for form in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://127.1/",
            "https://127.0.1/",
            "https://%31%32%37.0.0.1/",
            "https://１２７.0.0.1/",
            "https://127。0。0。1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://api.localhost/",
            "https://0/",
            "https://user@example.com/",
            "https://user:secret@example.com/",
            "https://example.com:0/",
            "http://example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "//example.com/",
            "example.com",
            "https://",
            "https://exa mple.com/",
            "",
        ] {
            let parsed = WebhookUrl::parse(form, TargetPolicy::Public);
            assert!(parsed.is_err(), "{form}: {parsed:?}");
        }
        for good in [
            "https://example.com/hook?a=b",
            "https://example.com:8443/",
            "https://1.1.1.1/",
            "https://münchen.example/",
        ] {
            assert!(
                WebhookUrl::parse(good, TargetPolicy::Public).is_ok(),
                "{good}"
            );
        }
    }

    #[test]
    fn the_sandbox_may_reach_a_local_receiver_but_not_with_any_scheme() {
        for good in [
            "http://127.0.0.1:3000/hook",
            "http://localhost:3000",
            "https://10.0.0.1/",
        ] {
            assert!(WebhookUrl::parse(good, TargetPolicy::Any).is_ok(), "{good}");
        }
        for bad in ["ftp://127.0.0.1/", "http://a:b@127.0.0.1/", "gopher://x"] {
            assert!(WebhookUrl::parse(bad, TargetPolicy::Any).is_err(), "{bad}");
        }
    }
}
