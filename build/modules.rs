//! Joins the modules of the page into one script. Each becomes a function that is called once,
//! after those that it imports, and returns its exports; so the names within one module stay local.
//!
//! What only readers of the sources need is left out. Only the forms that the sources use are
//! supported, and any other is an error: names in braces or `* as` in an import, functions, classes,
//! constants and names in braces in an export. Modules may not import each other in a circle.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};

use super::Source;
use super::squeeze::squeeze;

/// A module without its imports and the word `export`.
#[derive(Default)]
struct Module {
    /// `const {a,b:c}=…;`, and the name of the module it refers to.
    imports: Vec<(String, String)>,
    body: String,
    /// Parts of an object: `a`, `a:b`.
    exports: Vec<String>,
}

/// Returns the script that runs the module `start`.
pub(super) fn join(sources: &[Source], start: &str) -> Result<String> {
    let mut modules = BTreeMap::new();
    for source in sources {
        let module = read(source).with_context(|| source.name.clone())?;
        modules.insert(source.name.as_str(), module);
    }
    let mut order = Vec::new();
    visit(start, &modules, &mut Vec::new(), &mut order)?;
    let mut script = String::from("\"use strict\";\n");
    for name in order {
        let module = &modules[name.as_str()];
        writeln!(script, "const {}=(()=>{{", variable(&name))?;
        for (names, from) in &module.imports {
            if !names.is_empty() {
                writeln!(script, "const {names}={};", variable(from))?;
            }
        }
        script.push_str(&module.body);
        writeln!(script, "return{{{}}};\n}})();", module.exports.join(","))?;
    }
    Ok(script)
}

/// Adds a module to the order, after the modules that it imports.
fn visit(
    name: &str,
    modules: &BTreeMap<&str, Module>,
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
            writeln!(module.body, "{line}")?;
            continue;
        }
        if let Some(rest) = line.strip_prefix("export ") {
            module.exports.push(declared(rest)?.to_owned());
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
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
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
