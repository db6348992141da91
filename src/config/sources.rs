//! Sources of settings. Each is read one setting at a time, so that an error can name the file or
//! variable and say what was expected.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use config::{
    Config, Environment as EnvironmentSource, File, FileFormat, Map, Source, Value, ValueKind,
};
use strsim::levenshtein;

use super::settings::{DEFAULTS, Overrides, Settings};

/// Variables that have the prefix of settings but are read by a command.
const OF_COMMANDS: &[&str] = &["STAMPCARD_KEY", "STAMPCARD_URL"];
/// Edits between an unknown key and the known one that is suggested.
const DISTANCE_MAX: usize = 3;

/// The source of a setting's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The defaults.
    Default,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => path.display().fmt(f),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// The effective value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// Section and name.
    pub key: String,
    /// The value, `[redacted]` for a secret; `None` if it is not set.
    pub value: Option<String>,
    /// The source of the value.
    pub origin: Origin,
}

/// The settings of a process and their sources.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    values: BTreeMap<String, (Value, Origin)>,
}

impl Loaded {
    /// Every setting, in the order of `config.toml`.
    pub fn effective(&self) -> Vec<Effective> {
        let effective = |known: Known| {
            let found = self.values.get(&known.key);
            Effective {
                value: found.map(|(value, _)| shown(&known.key, value)),
                origin: found.map_or(Origin::Default, |(_, origin)| origin.clone()),
                key: known.key,
            }
        };
        known().map(effective).collect()
    }

    /// Whether a setting is set explicitly.
    pub fn is_set(&self, key: &str) -> bool {
        let origin = self.values.get(key).map(|(_, origin)| origin);
        origin.is_some_and(|origin| *origin != Origin::Default)
    }

    /// Adds the source of a setting to an error that begins with the setting's name.
    pub fn blame(&self, error: &anyhow::Error) -> anyhow::Error {
        blame(&self.values, error)
    }
}

impl Settings {
    /// Loads the settings of this process.
    ///
    /// # Errors
    /// If the file cannot be read, a key is unknown, or a value has the wrong type or is out of its
    /// range. The message names the file or the variable, the key, and what was expected.
    pub fn load(overrides: &Overrides) -> Result<Loaded, anyhow::Error> {
        gather(overrides, variables())
    }

    /// The defaults, for tests and the demo to start from.
    ///
    /// # Panics
    /// Never: the defaults are compiled in and a test reads them.
    pub fn defaults() -> Self {
        gather(&Overrides::default(), HashMap::new())
            .expect("the compiled-in defaults are valid")
            .settings
    }
}

/// The environment variables of this process that can be settings.
pub(super) fn variables() -> HashMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| !OF_COMMANDS.contains(&name.as_str()))
        .collect()
}

/// Merges the sources, later ones over earlier ones, and checks each value.
pub(super) fn gather(
    overrides: &Overrides,
    variables: HashMap<String, String>,
) -> Result<Loaded, anyhow::Error> {
    let environment = EnvironmentSource::with_prefix("STAMPCARD")
        .prefix_separator("_")
        .separator("__")
        .ignore_empty(true)
        .source(Some(variables));
    let defaults = leaves(File::from_str(DEFAULTS, FileFormat::Toml).collect()?);
    let mut values: BTreeMap<String, (Value, Origin)> = defaults
        .iter()
        .map(|(key, value)| (key.clone(), (value.clone(), Origin::Default)))
        .collect();
    let mut merge = |layer: Vec<(String, Value)>, origin: &dyn Fn(&str) -> Origin| {
        for (key, value) in layer {
            let origin = origin(&key);
            check_alone(&defaults, &key, &value, &origin)?;
            values.insert(key, (value, origin));
        }
        Ok::<_, anyhow::Error>(())
    };
    if let Some(path) = &overrides.file {
        merge(leaves(read(path)?), &|_| Origin::File(path.clone()))?;
    }
    let layer = environment
        .collect()
        .context("the environment cannot be read")?;
    merge(leaves(layer), &|key| Origin::Variable(variable(key)))?;
    let flags = [
        (
            "server.listen",
            "--listen",
            overrides.listen.map(|listen| listen.to_string()),
        ),
        (
            "database.path",
            "--database",
            overrides
                .database
                .as_ref()
                .map(|path| path.to_string_lossy().into_owned()),
        ),
    ];
    for (key, flag, value) in flags {
        if let Some(value) = value {
            merge(vec![(key.to_owned(), Value::from(value))], &|_| {
                Origin::Flag(flag)
            })?;
        }
    }
    let mut settings = deserialize(values.iter().map(|(key, (value, _))| (key, value)))
        .context("the configuration cannot be used")?;
    // A path may not be valid Unicode.
    if let Some(path) = &overrides.database {
        settings.database.path.clone_from(path);
    }
    settings.check().map_err(|error| blame(&values, &error))?;
    Ok(Loaded { settings, values })
}

fn blame(values: &BTreeMap<String, (Value, Origin)>, error: &anyhow::Error) -> anyhow::Error {
    let message = format!("{error:#}");
    let key = message.split_whitespace().next().unwrap_or_default();
    match values.get(key) {
        Some((_, origin)) if *origin != Origin::Default => anyhow::anyhow!("{origin}: {message}"),
        _ => anyhow::anyhow!("{message}"),
    }
}

fn deserialize<'a>(
    values: impl Iterator<Item = (&'a String, &'a Value)>,
) -> Result<Settings, config::ConfigError> {
    let mut builder = Config::builder();
    for (key, value) in values {
        builder = builder.set_override(key, value.clone())?;
    }
    builder.build()?.try_deserialize()
}

/// Refuses an unknown setting, or a value of the wrong type.
fn check_alone(
    defaults: &[(String, Value)],
    key: &str,
    value: &Value,
    origin: &Origin,
) -> Result<(), anyhow::Error> {
    let Some(setting) = known().find(|known| known.key == key) else {
        let near = known().map(|known| (levenshtein(&known.key, key), known.key));
        let meant = near
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, _)| *distance <= DISTANCE_MAX)
            .map(|(_, near)| near);
        match (meant, origin) {
            (Some(near), Origin::Variable(_)) => bail!(
                "{origin}: there is no setting {key}; did you mean {}?",
                variable(&near)
            ),
            (Some(near), _) => bail!("{origin}: there is no setting {key}; did you mean {near}?"),
            (None, _) => bail!(
                "{origin}: there is no setting {key}; `stampcard check-config` lists all settings"
            ),
        }
    };
    let others = defaults.iter().filter(|(own, _)| own != key);
    let alone = others
        .map(|(own, value)| (own, value))
        .chain(std::iter::once((&setting.key, value)));
    let default = defaults.iter().find(|(own, _)| own == key);
    // The deserializer would accept true as 1 and 2.5 as 2.
    let is_number = matches!(
        default,
        Some((
            _,
            Value {
                kind: ValueKind::I64(_),
                ..
            }
        ))
    );
    let is_whole = value.to_string().trim().parse::<i64>().is_ok();
    if (is_whole || !is_number) && deserialize(alone).is_ok() {
        return Ok(());
    }
    let expected = match default.map(|(_, value)| &value.kind) {
        Some(ValueKind::I64(_) | ValueKind::U64(_)) => "a whole number".to_owned(),
        Some(ValueKind::Boolean(_)) => "true or false".to_owned(),
        Some(ValueKind::Array(_)) => "a list".to_owned(),
        Some(default) => format!("{:?}", Value::new(None, default.clone()).to_string()),
        None => "text".to_owned(),
    };
    let meaning = match setting.meaning {
        "" => String::new(),
        meaning => format!(" ({meaning})"),
    };
    bail!(
        "{origin}: {key} is {}; expected {expected}{meaning}",
        quoted(key, value)
    )
}

/// Reads a settings file.
fn read(path: &Path) -> Result<Map<String, Value>, anyhow::Error> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the configuration file {} cannot be read", path.display()))?;
    File::from_str(&text, FileFormat::Toml)
        .collect()
        .map_err(|error| {
            // The parser's message has several lines; the first and the last are enough.
            let message = error.to_string();
            let mut lines = message
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty());
            let first = lines.next().unwrap_or_default();
            let last = lines
                .next_back()
                .map(|line| format!(": {line}"))
                .unwrap_or_default();
            anyhow::anyhow!("{}: {first}{last}", path.display())
        })
}

/// A known setting.
struct Known {
    key: String,
    meaning: &'static str,
}

/// Every setting of `config.toml`, including those that are commented out, with its comment.
fn known() -> impl Iterator<Item = Known> {
    let mut section = "";
    DEFAULTS.lines().filter_map(move |line| {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name;
            return None;
        }
        let (name, rest) = line.split_once(" = ")?;
        let name = name.trim_start_matches("# ");
        let is_name = name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        (is_name && !section.is_empty()).then(|| Known {
            key: format!("{section}.{name}"),
            meaning: rest
                .split_once(" # ")
                .map_or("", |(_, meaning)| meaning.trim()),
        })
    })
}

/// The settings of a source, by section and name.
fn leaves(layer: Map<String, Value>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut open: Vec<(String, Value)> = layer.into_iter().collect();
    while let Some((key, value)) = open.pop() {
        match value.kind {
            ValueKind::Table(table) => {
                open.extend(
                    table
                        .into_iter()
                        .map(|(name, value)| (format!("{key}.{name}"), value)),
                );
            }
            _ => found.push((key, value)),
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn variable(key: &str) -> String {
    format!("STAMPCARD_{}", key.replace('.', "__").to_uppercase())
}

fn is_secret(key: &str) -> bool {
    key.starts_with("bootstrap.") || key.ends_with("_key") || key.ends_with("_secret")
}

fn shown(key: &str, value: &Value) -> String {
    if is_secret(key) {
        "[redacted]".to_owned()
    } else {
        value.to_string()
    }
}

fn quoted(key: &str, value: &Value) -> String {
    match &value.kind {
        ValueKind::String(text) if !is_secret(key) => format!("{text:?}"),
        _ => shown(key, value),
    }
}
