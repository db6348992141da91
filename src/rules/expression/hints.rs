//! What to write instead of what is wrong.

/// What expressions know of the participant.
pub(super) const PARTICIPANT: &str =
    "use participant.tags, participant.counters or participant.attributes";

const VARIABLES: [&str; 3] = ["event", "participant", "now"];

/// The functions, and the macros.
const FUNCTIONS: [&str; 17] = [
    "has",
    "get",
    "double",
    "int",
    "round",
    "size",
    "timestamp",
    "contains",
    "startsWith",
    "endsWith",
    "sets.contains",
    "sets.intersects",
    "all",
    "exists",
    "exists_one",
    "filter",
    "map",
];

fn similar<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known = known.into_iter();
    let distances = known.map(|known| (strsim::damerau_levenshtein(name, known), known));
    let (distance, nearest) = distances.min()?;
    (distance <= 2 && distance < nearest.len()).then_some(nearest)
}

/// A hint for a variable that does not exist.
pub(super) fn variable(name: &str, locals: &[String]) -> String {
    let known = VARIABLES
        .into_iter()
        .chain(locals.iter().map(String::as_str));
    match (name, similar(name, known)) {
        ("and", _) => "write &&".to_owned(),
        ("or", _) => "write ||".to_owned(),
        ("not", _) => "write !".to_owned(),
        (_, Some(nearest)) => format!("did you mean {nearest}?"),
        _ => "the variables are event, participant and now; write texts in quotes".to_owned(),
    }
}

/// A hint for a function that does not exist.
pub(super) fn function(name: &str) -> String {
    match (name, similar(name, FUNCTIONS)) {
        ("now", _) => "write now without brackets".to_owned(),
        ("matches", _) => {
            "regular expressions are not supported; use contains, startsWith or endsWith".to_owned()
        }
        ("string" | "uint" | "bytes" | "bool" | "duration" | "type", _) => {
            "of the conversions there are double, int and timestamp".to_owned()
        }
        (_, Some(nearest)) => format!("did you mean {nearest}?"),
        _ => format!("the functions are {}", FUNCTIONS.join(", ")),
    }
}

/// What the parser says, in plain words.
pub(super) fn plain(message: &str) -> String {
    let message = message.trim_start_matches("Syntax error: ");
    let unexpected = message.strip_prefix("mismatched input ");
    match unexpected.and_then(|rest| rest.split_once(" expecting ")) {
        Some(("<EOF>" | "'<EOF>'", "expression")) => "the expression is not complete".to_owned(),
        Some(("<EOF>" | "'<EOF>'", expected)) => format!("{expected} is missing at the end"),
        Some((found, "<EOF>")) => format!("{found} is not expected here"),
        Some((found, expected)) => format!("expected {expected}, found {found}"),
        None => message.to_owned(),
    }
}

/// A hint for a text that the parser does not understand, from where it stopped.
pub(super) fn syntax(rest: &str) -> Option<&'static str> {
    if rest.starts_with('=') {
        return Some("to compare, write ==");
    }
    if rest.starts_with('&') {
        return Some("write &&");
    }
    if rest.starts_with('|') {
        return Some("write ||");
    }
    let word = |word: &str| {
        let after = rest.strip_prefix(word).and_then(|rest| rest.chars().next());
        after.is_some_and(|next| !next.is_alphanumeric() && next != '_')
    };
    if word("and") || word("AND") {
        return Some("write &&");
    }
    (word("or") || word("OR")).then_some("write ||")
}
