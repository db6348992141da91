//! Allowed targets of webhooks, compared with a second version of the registries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use stampcard::domain::{TargetPolicy, WebhookUrl, is_globally_routable};

use crate::cases;
use crate::damage::damaged;

/// Prefixes that the internet does not route.
///
/// Source: the IANA registry of special-purpose IPv4 addresses; RFC 5771 and RFC 1112 for
/// everything from 224 on.
const V4: [&str; 17] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "233.252.0.0/24",
    "240.0.0.0/4",
    "255.255.255.255/32",
];

/// Such prefixes within `2000::/3`; nothing outside it is routed, except the translator's prefix.
///
/// Source: the IANA registry of special-purpose IPv6 addresses.
const V6: [&str; 3] = ["2001::/23", "2001:db8::/32", "3fff::/20"];

/// A prefix as the bits of its address, and how many of them count. Both families have 128.
fn prefix(text: &str) -> (u128, u32) {
    let (address, length) = text.split_once('/').unwrap();
    let length: u32 = length.parse().unwrap();
    match address.parse().unwrap() {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, length),
        IpAddr::V6(address) => (address.to_bits(), length),
    }
}

fn is_within(bits: u128, text: &str) -> bool {
    let (network, length) = prefix(text);
    (bits ^ network).leading_zeros() >= length
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let bits = u128::from(v4.to_bits()) << 96;
            !V4.iter().any(|prefix| is_within(bits, prefix))
        }
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            let inside = |shift: u32| {
                let low = u32::try_from((bits >> shift) & 0xffff_ffff).unwrap();
                is_public(IpAddr::V4(Ipv4Addr::from_bits(low)))
            };
            if is_within(bits, "64:ff9b::/96") {
                inside(0)
            } else if is_within(bits, "2002::/16") {
                inside(80)
            } else {
                is_within(bits, "2000::/3") && !V6.iter().any(|prefix| is_within(bits, prefix))
            }
        }
    }
}

/// Near the bounds of the prefixes, where rules go wrong.
fn edge(texts: &'static [&'static str]) -> impl Strategy<Value = u128> {
    let near = prop_oneof![Just(0_u128), Just(1), Just(u128::MAX), any::<u128>()];
    (prop::sample::select(texts), near, any::<bool>()).prop_map(|(text, near, is_end)| {
        let (network, length) = prefix(text);
        let host = u128::MAX.checked_shr(length).unwrap_or(0);
        let unit = if text.contains(':') { 1 } else { 1 << 96 };
        let start = if is_end { network | host } else { network };
        match near {
            0 => start,
            1 => start.wrapping_add(unit),
            u128::MAX => start.wrapping_sub(unit),
            random => network | (random & host),
        }
    })
}

fn v4() -> impl Strategy<Value = Ipv4Addr> {
    prop_oneof![any::<u32>(), edge(&V4).prop_map(|bits| (bits >> 96) as u32)]
        .prop_map(Ipv4Addr::from_bits)
}

fn address() -> impl Strategy<Value = IpAddr> {
    let beside: &[&str] = &[
        "2000::/3",
        "64:ff9b::/96",
        "2002::/16",
        "fc00::/7",
        "fe80::/10",
    ];
    let v6 = prop_oneof![
        any::<u128>(),
        edge(&V6),
        edge(beside),
        // An IPv4 address in every notation that can contain one.
        (v4(), 0..97_u32, prop::sample::select(beside)).prop_map(|(v4, shift, text)| {
            let (network, _) = prefix(text);
            network | u128::from(v4.to_bits()) << shift
        }),
        v4().prop_map(|v4| v4.to_ipv6_mapped().to_bits()),
        v4().prop_map(|v4| v4.to_ipv6_compatible().to_bits()),
        v4().prop_map(|v4| 0x2002 << 112 | u128::from(v4.to_bits()) << 80),
    ];
    prop_oneof![
        v4().prop_map(IpAddr::V4),
        v6.prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
    ]
}

const URLS: [&str; 17] = [
    "https://example.com/hook?a=b",
    "https://example.com:8443/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://[::ffff:10.0.0.1]/",
    "https://[fe80::1%25eth0]/",
    "https://8.8.8.8/",
    "https://[2606:4700::1111]/",
    "https://user:secret@example.com/",
    "https://localhost./",
    "https://127.0.127.0../",
    "http://example.com/",
    "https://１２７.0.0.1/",
    "https://example.com\\@127.0.0.1/",
    "https:///10.0.0.1/",
];

/// All notations of an IPv4 address.
fn forms(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let (bits, low) = (address.to_bits(), u32::from(c) << 8 | u32::from(d));
    let last = u32::from(b) << 16 | low;
    vec![
        address.to_string(),
        bits.to_string(),
        format!("{bits:#x}"),
        format!("0{bits:o}"),
        format!("{a}.{last}"),
        format!("{a}.{b}.{low}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.{b}.{c}.{d}"),
        format!("{a}.{b}.{c}.{d}."),
        format!("{a}.{b}.{c}.{d}.."),
        format!("[::ffff:{address}]"),
    ]
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn an_address_is_routable_as_the_registries_say(address in address()) {
        prop_assert_eq!(is_globally_routable(address), is_public(address), "{}", address);
    }

    #[test]
    fn a_url_that_passes_is_https_to_a_public_host(text in damaged(&URLS)) {
        let any = WebhookUrl::parse(&text, TargetPolicy::Any);
        let Ok(url) = WebhookUrl::parse(&text, TargetPolicy::Public) else {
            return Ok(());
        };
        prop_assert!(any.is_ok(), "what live takes, the sandbox takes");
        let parsed = url::Url::parse(url.as_str()).unwrap();
        prop_assert_eq!(parsed.scheme(), "https");
        prop_assert_eq!((parsed.username(), parsed.password()), ("", None));
        if let Some(address) = url.literal() {
            prop_assert!(is_public(address), "{}", text);
        }
        if let Some(name) = url.name() {
            let name = name.trim_end_matches('.');
            prop_assert!(name.parse::<IpAddr>().is_err(), "{}", name);
            prop_assert!(name != "localhost" && !name.ends_with(".localhost"), "{}", name);
        }
    }

    #[test]
    fn an_address_is_judged_alike_however_it_is_written(address in v4(), port in 1..u16::MAX) {
        for form in forms(address) {
            let url = format!("https://{form}:{port}/");
            let passes = WebhookUrl::parse(&url, TargetPolicy::Public).is_ok();
            // A mapped address is never routed as such, and a name does not end in two dots.
            let is_form = !form.starts_with('[') && !form.ends_with("..");
            let expected = is_public(address.into()) && is_form;
            prop_assert_eq!(passes, expected, "{}", url);
        }
    }
}
