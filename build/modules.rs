//! Joins the modules of the page into few scripts. Each becomes a function that is called once,
//! after those that it imports, and returns its exports; so the names within one module stay local.
//!
//! The first script has the module that the page starts with and what that imports. A module that
//! one of these loads later, with `import("./x.js")`, becomes a script of its own, together with
//! what only it imports. What several need is in the first script, whose modules the others share.
//!
//! What only readers of the sources need is left out. Only the forms that the sources use are
//! supported, and any other is an error: names in braces or `* as` in an import, functions, classes,
//! constants and names in braces in an export. Modules may not import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};

use super::Source;
use super::squeeze::squeeze;

/// The name of the first script.
const FIRST: &str = "page.js";
/// The beginning of an import at run time.
const LATER: &str = "import(";

/// What a browser loads as one file.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) name: String,
    pub(super) text: String,
}

/// A module without its imports and the word `export`.
#[derive(Default)]
struct Module {
    /// `const {a,b:c}=…;`, and the name of the module it refers to.
    imports: Vec<(String, String)>,
    /// The modules that it loads later.
    later: Vec<String>,
    body: String,
    /// Parts of an object: `a`, `a:b`.
    exports: Vec<String>,
}

type Modules<'a> = BTreeMap<&'a str, Module>;

/// Returns the script that runs the module `start`, and after it those that are loaded later.
pub(super) fn join(sources: &[Source], start: &str) -> Result<Vec<Script>> {
    let mut modules = BTreeMap::new();
    for source in sources {
        let module = read(source).with_context(|| source.name.clone())?;
        modules.insert(source.name.as_str(), module);
    }
    let mut first = Vec::new();
    visit(start, &modules, &mut Vec::new(), &mut first)?;
    let later = first.iter().flat_map(|name| &modules[name.as_str()].later);
    let parts: BTreeSet<String> = later.cloned().collect();
    let mut orders = BTreeMap::new();
    for part in &parts {
        let mut order = Vec::new();
        visit(part, &modules, &mut Vec::new(), &mut order)?;
        orders.insert(part.as_str(), order);
    }
    for name in orders.values().flatten() {
        let holders = orders.values().filter(|order| order.contains(name));
        if holders.count() > 1 {
            visit(name, &modules, &mut Vec::new(), &mut first)?;
        }
    }
    if let Some(part) = parts.iter().find(|part| first.contains(part)) {
        bail!("{part} is loaded later, and is imported as well");
    }
    let mut shared = BTreeSet::new();
    let mut scripts = Vec::new();
    for (part, mut order) in orders {
        order.retain(|name| !first.contains(name));
        scripts.push(part_of(part, &order, &modules, &mut shared)?);
    }
    let mut text = format!("\"use strict\";\n{}", functions(&first, &modules)?);
    if !shared.is_empty() {
        let names: Vec<String> = shared.iter().map(|name| variable(name)).collect();
        writeln!(text, "export{{{}}};", names.join(","))?;
    }
    let name = FIRST.to_owned();
    scripts.insert(0, Script { name, text });
    Ok(scripts)
}

/// A script that is loaded later. Adds the modules that it takes from the first one to `shared`.
fn part_of(
    start: &str,
    order: &[String],
    modules: &Modules<'_>,
    shared: &mut BTreeSet<String>,
) -> Result<Script> {
    let mut taken = BTreeSet::new();
    for name in order {
        let module = &modules[name.as_str()];
        if !module.later.is_empty() {
            bail!("{name} is in a script that is loaded later, and may load none itself");
        }
        let others = module.imports.iter().filter(|(names, from)| {
            // One without names only has to run before.
            !names.is_empty() && !order.contains(from)
        });
        taken.extend(others.map(|(_, from)| from.clone()));
    }
    let mut text = String::new();
    if !taken.is_empty() {
        let names: Vec<String> = taken.iter().map(|name| variable(name)).collect();
        writeln!(text, "import{{{}}}from\"./{FIRST}\";", names.join(","))?;
    }
    text.push_str(&functions(order, modules)?);
    let exports = modules[start].exports.iter();
    let names: Vec<&str> = exports
        .map(|name| name.split(':').next().unwrap_or(name))
        .collect();
    writeln!(
        text,
        "export const{{{}}}={};",
        names.join(","),
        variable(start)
    )?;
    shared.extend(taken);
    let name = file(start);
    Ok(Script { name, text })
}

/// Modules as functions, in this order.
fn functions(order: &[String], modules: &Modules<'_>) -> Result<String> {
    let mut text = String::new();
    for name in order {
        let module = &modules[name.as_str()];
        writeln!(text, "const {}=(()=>{{", variable(name))?;
        for (names, from) in &module.imports {
            if !names.is_empty() {
                writeln!(text, "const {names}={};", variable(from))?;
            }
        }
        text.push_str(&module.body);
        writeln!(text, "return{{{}}};\n}})();", module.exports.join(","))?;
    }
    Ok(text)
}

/// Adds a module to the order, after the modules that it imports.
fn visit(
    name: &str,
    modules: &Modules<'_>,
    open: &mut Vec<String>,
    order: &mut Vec<String>,
) -> Result<()> {
    if order.iter().any(|each| each == name) {
        return Ok(());
    }
    let is_circle = open.iter().any(|each| each == name);
    open.push(name.to_owned());
    if is_circle {
        bail!("modules import each other in a circle: {}", open.join(", "));
    }
    let module = modules
        .get(name)
        .with_context(|| format!("there is no module {name}: {}", open.join(", ")))?;
    for (_, from) in &module.imports {
        visit(from, modules, open, order)?;
    }
    open.pop();
    order.push(name.to_owned());
    Ok(())
}

fn read(source: &Source) -> Result<Module> {
    let mut module = Module::default();
    let text = squeeze(&source.text)?;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let is_export = begins(line, "export");
        if !begins(line, "import") && !is_export {
            let line = with_later(line, &source.name, &mut module.later)?;
            writeln!(module.body, "{line}")?;
            continue;
        }
        if let Some(rest) = line.strip_prefix("export ") {
            module.exports.push(declared(rest)?.to_owned());
            let rest = with_later(rest, &source.name, &mut module.later)?;
            writeln!(module.body, "{rest}")?;
            continue;
        }
        let mut statement = line.to_owned();
        while !statement.ends_with(';') {
            statement.push_str(lines.next().context("a statement without an end")?);
        }
        if is_export {
            module
                .exports
                .extend(names(&statement["export".len()..], true)?);
        } else {
            module.imports.push(import(&statement, &source.name)?);
        }
    }
    Ok(module)
}

/// A line whose imports at run time name scripts in place of modules, which are added to `later`.
fn with_later(line: &str, importer: &str, later: &mut Vec<String>) -> Result<String> {
    let mut kept = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(LATER) {
        let (before, call) = rest.split_at(at + LATER.len());
        kept.push_str(before);
        rest = call;
        if before[..at].ends_with(is_part) {
            continue;
        }
        let unknown = || format!("an import of an unknown form: {line}");
        let quoted = call.strip_prefix('"').with_context(unknown)?;
        let (path, after) = quoted.split_once("\")").with_context(unknown)?;
        let module = resolve(path, importer).with_context(unknown)?;
        write!(kept, "\"./{}\")", file(&module))?;
        later.push(module);
        rest = after;
    }
    kept.push_str(rest);
    Ok(kept)
}

/// Whether a letter can be part of a name.
fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

/// Whether a line begins with a word, and not with a longer one.
fn begins(line: &str, word: &str) -> bool {
    let rest = line.strip_prefix(word);
    rest.is_some_and(|rest| rest.starts_with([' ', '{', '"', '*', '(']))
}

/// The name that a declaration introduces.
fn declared(declaration: &str) -> Result<&str> {
    let kinds = [
        "async function*",
        "async function ",
        "function*",
        "function ",
        "class ",
        "const ",
    ];
    let rest = kinds
        .iter()
        .find_map(|kind| declaration.strip_prefix(kind))
        .with_context(|| format!("an export of an unknown form: {declaration}"))?;
    let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
    if end == 0 {
        bail!("an export of an unknown form: {declaration}");
    }
    Ok(&rest[..end])
}

/// Parses `import { a, b as c } from "./x.js";` into a declaration and the module it imports.
fn import(statement: &str, importer: &str) -> Result<(String, String)> {
    let unknown = || format!("an import of an unknown form: {statement}");
    let mut quoted = statement.split('"');
    let what = quoted.next().with_context(unknown)?;
    let path = quoted.next().with_context(unknown)?;
    let what = what.trim_start_matches("import").trim();
    let from = resolve(path, importer).with_context(unknown)?;
    if what.is_empty() {
        return Ok((String::new(), from));
    }
    let what = what.strip_suffix("from").with_context(unknown)?.trim();
    if let Some(name) = what.strip_prefix("*as ") {
        return Ok((name.to_owned(), from));
    }
    let names = names(what, false)?;
    Ok((format!("{{{}}}", names.join(",")), from))
}

/// `{ a, b as c }` as the parts of an object, or of a pattern.
fn names(braces: &str, is_export: bool) -> Result<Vec<String>> {
    let inner = braces
        .trim()
        .trim_end_matches(';')
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .with_context(|| format!("names of an unknown form: {braces}"))?;
    let parts = inner
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    Ok(parts
        .map(|part| match part.split_once(" as ") {
            Some((name, other)) if is_export => format!("{other}:{name}"),
            Some((name, other)) => format!("{name}:{other}"),
            None => part.to_owned(),
        })
        .collect())
}

/// The module that a path in another module refers to.
fn resolve(path: &str, importer: &str) -> Result<String> {
    if !path.starts_with('.') {
        bail!("{path} is no path to another module");
    }
    let mut parts: Vec<&str> = importer.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => (),
            ".." => {
                parts.pop().context("a path out of the folder")?;
            }
            _ => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// The name of a module in the script, which no source uses.
pub(super) fn variable(name: &str) -> String {
    let plain = name.trim_end_matches(".js").replace(['/', '-', '.'], "_");
    format!("$module_{plain}")
}

/// The name of the script that a module is loaded with later.
fn file(module: &str) -> String {
    module.replace('/', "-")
}
