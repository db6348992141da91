//! The imports between the files of `src`, read with `syn`: no ring of files may import each other.
//!
//! An import is a `use` declaration or a path such as `members::get` in the code. It is followed
//! through re-exports to the file that defines the name. Declarations of modules, re-exports and
//! code for tests are not imports.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;

use syn::visit::{self, Visit};
use syn::{Attribute, Ident, Item, ItemUse, Macro, Path, UseTree, VisRestricted, Visibility};

use crate::source::{Source, sources};

/// A module of the library.
#[derive(Default)]
struct Module {
    file: String,
    /// Paths that `use` declarations bring in, by the name they have here.
    names: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
    /// Names of the items that are defined here.
    items: BTreeSet<String>,
    /// Imports and the other paths in the code; re-exports are only in `names`.
    uses: BTreeSet<Vec<String>>,
}

/// Every module by its path, such as `store::members`; the root of the library is `""`.
#[derive(Default)]
struct Modules(BTreeMap<String, Module>);

/// What a path names.
enum Place<'a> {
    Module(String),
    /// Anything else, by the file that defines it.
    Item(&'a str),
}

/// How many re-exports a name is followed through.
const REEXPORTS_MAX: usize = 16;

impl Modules {
    fn read(sources: impl IntoIterator<Item = Source>) -> Self {
        let mut modules = Self::default();
        let mut tests = Vec::new();
        for source in sources {
            let module = module_of(&source.path);
            let file = syn::parse_file(&source.text)
                .unwrap_or_else(|error| panic!("{}: {error}", source.path));
            modules.add(&module, &source.path);
            let mut reader = Reader {
                modules: &mut modules,
                module,
                file: source.path,
                tests: &mut tests,
            };
            reader.visit_file(&file);
        }
        let is_test = |module: &str| {
            tests.iter().any(|test| {
                let rest = module.strip_prefix(test.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            })
        };
        modules.0.retain(|module, _| !is_test(module));
        modules
    }

    fn add(&mut self, module: &str, file: &str) -> &mut Module {
        let entry = self.0.entry(module.to_owned()).or_default();
        file.clone_into(&mut entry.file);
        entry
    }

    /// What `path` names in `module`; None if it belongs to another crate.
    fn find(&self, module: &str, path: &[String], depth: usize) -> Option<Place<'_>> {
        if depth > REEXPORTS_MAX {
            return None;
        }
        let (first, rest) = path.split_first()?;
        let mut place = match first.as_str() {
            "crate" => Place::Module(String::new()),
            "self" => Place::Module(module.to_owned()),
            "super" => Place::Module(parent(module).to_owned()),
            name => self.member(module, name, depth)?,
        };
        for name in rest {
            let Place::Module(here) = &place else { break };
            place = if name == "super" {
                Place::Module(parent(here).to_owned())
            } else {
                // A name that no declaration shows is written by a macro.
                self.member(here, name, depth)
                    .unwrap_or(Place::Item(&self.0[here].file))
            };
        }
        Some(place)
    }

    /// What `name` is in `module`.
    fn member(&self, module: &str, name: &str, depth: usize) -> Option<Place<'_>> {
        let child = join(module, name);
        if self.0.contains_key(&child) {
            return Some(Place::Module(child));
        }
        let here = self.0.get(module)?;
        if let Some(path) = here.names.get(name) {
            return self.find(module, path, depth + 1);
        }
        if here.items.contains(name) {
            return Some(Place::Item(&here.file));
        }
        here.globs
            .iter()
            .find_map(|glob| match self.find(module, glob, depth + 1)? {
                Place::Module(from) if from != module => self.member(&from, name, depth + 1),
                _ => None,
            })
    }

    /// The names that each file takes from each other file.
    fn imports(&self) -> Imports<'_> {
        let mut imports = Imports::new();
        for (name, module) in &self.0 {
            for path in &module.uses {
                let Some(Place::Item(file)) = self.find(name, path, 0) else {
                    continue;
                };
                if file != module.file {
                    let files = imports.entry(module.file.as_str()).or_default();
                    files.entry(file).or_default().insert(path.join("::"));
                }
            }
        }
        imports
    }
}

type Imports<'a> = BTreeMap<&'a str, BTreeMap<&'a str, BTreeSet<String>>>;

/// Fills in the modules of one file.
struct Reader<'a> {
    modules: &'a mut Modules,
    module: String,
    file: String,
    /// Modules declared with `#[cfg(test)]`.
    tests: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn here(&mut self) -> &mut Module {
        self.modules.add(&self.module, &self.file)
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = heading(item);
        let name = name.map(Ident::to_string);
        if attributes.iter().any(is_for_tests) {
            if let (Item::Mod(_), Some(name)) = (item, name) {
                self.tests.push(join(&self.module, &name));
            }
            return;
        }
        match (item, name) {
            (Item::Mod(module), Some(name)) => {
                if module.content.is_some() {
                    let outside = self.module.clone();
                    self.module = join(&outside, &name);
                    self.here();
                    visit::visit_item(self, item);
                    self.module = outside;
                }
                return;
            }
            (_, Some(name)) => {
                self.here().items.insert(name);
            }
            _ => (),
        }
        visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_import = matches!(item.vis, Visibility::Inherited);
        let here = self.here();
        leaves(&item.tree, &mut Vec::new(), &mut |name, path| {
            if is_import {
                here.uses.insert(path.clone());
            }
            match name {
                Some(name) => {
                    here.names.insert(name, path);
                }
                None => here.globs.push(path),
            }
        });
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.segments.len() > 1 {
            let names = path.segments.iter().map(|one| one.ident.to_string());
            let names = names.collect();
            self.here().uses.insert(names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        for path in paths_in(&call.tokens.to_string()) {
            self.here().uses.insert(path);
        }
        visit::visit_macro(self, call);
    }

    /// `pub(in crate::http)` imports nothing.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}

fn heading(item: &Item) -> (&[Attribute], Option<&Ident>) {
    match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::Impl(item) => (&item.attrs, None),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        Item::Mod(item) => (&item.attrs, Some(&item.ident)),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Use(item) => (&item.attrs, None),
        _ => (&[], None),
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<Ident>()
            .is_ok_and(|argument| argument == "test")
}

/// Calls `found` for every path of a `use` declaration, with the name it brings in; a glob has no
/// name.
fn leaves(
    tree: &UseTree,
    prefix: &mut Vec<String>,
    found: &mut impl FnMut(Option<String>, Vec<String>),
) {
    let path_to = |prefix: &[String], last: &Ident| {
        let mut path = prefix.to_vec();
        if last != "self" {
            path.push(last.to_string());
        }
        path
    };
    match tree {
        UseTree::Path(tree) => {
            prefix.push(tree.ident.to_string());
            leaves(&tree.tree, prefix, found);
            prefix.pop();
        }
        UseTree::Name(tree) => {
            let path = path_to(prefix, &tree.ident);
            found(path.last().cloned(), path);
        }
        UseTree::Rename(tree) => {
            found(Some(tree.rename.to_string()), path_to(prefix, &tree.ident));
        }
        UseTree::Glob(_) => found(None, prefix.clone()),
        UseTree::Group(tree) => {
            for tree in &tree.items {
                leaves(tree, prefix, found);
            }
        }
    }
}

/// The paths of more than one name in the tokens of a macro.
fn paths_in(tokens: &str) -> Vec<Vec<String>> {
    let code = Source::parse(String::new(), tokens.to_owned()).code;
    let code = code.split("::").map(str::trim).collect::<Vec<_>>();
    let code = code.join("::");
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let runs = code.split(|c: char| !is_part(c));
    let paths = runs.map(|run| {
        let names = run.trim_matches(':').split("::");
        names.map(str::to_owned).collect::<Vec<_>>()
    });
    paths.filter(|path| path.len() > 1).collect()
}

fn module_of(file: &str) -> String {
    let inside = file.strip_prefix("src/").unwrap();
    let inside = inside.strip_suffix(".rs").unwrap();
    let module = inside.strip_suffix("/mod").unwrap_or(inside);
    if module == "lib" {
        return String::new();
    }
    module.replace('/', "::")
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() {
        return name.to_owned();
    }
    format!("{module}::{name}")
}

fn parent(module: &str) -> &str {
    module.rsplit_once("::").map_or("", |(parent, _)| parent)
}

/// The shortest way from `from` to each file that it imports, directly or through others: for each
/// file the one before it.
fn ways<'a>(imports: &Imports<'a>, from: &'a str) -> BTreeMap<&'a str, &'a str> {
    let mut before = BTreeMap::new();
    let mut queue = VecDeque::from([from]);
    while let Some(file) = queue.pop_front() {
        for next in imports.get(file).into_iter().flat_map(BTreeMap::keys) {
            if !before.contains_key(next) {
                before.insert(*next, file);
                queue.push_back(next);
            }
        }
    }
    before
}

/// The largest sets of files in which each imports each other, directly or through others.
fn rings<'a>(imports: &Imports<'a>) -> Vec<BTreeSet<&'a str>> {
    let reach: BTreeMap<&str, BTreeMap<&str, &str>> = imports
        .keys()
        .map(|file| (*file, ways(imports, file)))
        .collect();
    let reaches = |from: &str, to: &str| reach.get(from).is_some_and(|ways| ways.contains_key(to));
    let mut rings = Vec::<BTreeSet<&str>>::new();
    for file in imports.keys() {
        if reaches(file, file) && !rings.iter().any(|ring| ring.contains(file)) {
            let others = imports.keys().copied();
            rings.push(
                others
                    .filter(|other| reaches(file, other) && reaches(other, file))
                    .collect(),
            );
        }
    }
    rings
}

/// A shortest ring that begins with `start`.
fn around<'a>(imports: &Imports<'a>, start: &'a str) -> Vec<&'a str> {
    let before = ways(imports, start);
    let mut path = vec![before[start]];
    while path[path.len() - 1] != start {
        path.push(before[path[path.len() - 1]]);
    }
    path.reverse();
    path
}

/// A shortest ring among the given files, and every import between them.
fn describe(ring: &BTreeSet<&str>, imports: &Imports<'_>) -> String {
    let inside: Imports<'_> = ring
        .iter()
        .map(|file| {
            let mut from = imports[file].clone();
            from.retain(|to, _| ring.contains(to));
            (*file, from)
        })
        .collect();
    let shortest = ring
        .iter()
        .map(|start| around(&inside, start))
        .min_by_key(Vec::len);
    let shortest = shortest.unwrap();
    let mut text = format!(
        "{} files import each other: {} -> {}\n",
        ring.len(),
        shortest.join(" -> "),
        shortest[0]
    );
    for (from, files) in &inside {
        for (to, names) in files {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            writeln!(text, "    {from} -> {to}: {}", names.join(", ")).unwrap();
        }
    }
    text
}

/// Every ring, described.
fn complaints(modules: &Modules) -> Vec<String> {
    let imports = modules.imports();
    let rings = rings(&imports);
    rings.iter().map(|ring| describe(ring, &imports)).collect()
}

#[test]
fn no_files_import_each_other() {
    let all = sources(&["src"]).into_iter();
    let modules = Modules::read(all.filter(|source| source.path != "src/main.rs"));
    let complaints = complaints(&modules);
    assert!(complaints.is_empty(), "\n{}", complaints.concat());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints_about(files: &[(&str, &str)]) -> Vec<String> {
        let sources = files
            .iter()
            .map(|(path, text)| Source::parse((*path).to_owned(), (*text).to_owned()));
        complaints(&Modules::read(sources))
    }

    #[test]
    fn a_ring_is_found_through_reexports_and_in_macros() {
        let complaints = complaints_about(&[
            ("src/lib.rs", "pub mod a; mod d;"),
            (
                "src/a/mod.rs",
                "mod b; pub(crate) mod c; pub use b::{B as X};",
            ),
            (
                "src/a/b.rs",
                "use super::c; pub struct B; fn f() { c::go() }",
            ),
            (
                "src/a/c.rs",
                "pub fn go() { vec![crate::d::one(\"a::b\")]; }",
            ),
            ("src/d.rs", "use crate::a::{self}; fn one(_: &a::X) {}"),
        ]);
        assert_eq!(
            complaints,
            [
                "3 files import each other: src/a/b.rs -> src/a/c.rs -> src/d.rs -> src/a/b.rs\n    \
              src/a/b.rs -> src/a/c.rs: c::go\n    \
              src/a/c.rs -> src/d.rs: crate::d::one\n    \
              src/d.rs -> src/a/b.rs: a::X\n"
            ]
        );
    }

    #[test]
    fn declarations_reexports_tests_and_other_crates_are_no_imports() {
        let complaints = complaints_about(&[
            ("src/lib.rs", "pub mod a; pub const ONE: u8 = 1;"),
            (
                "src/a/mod.rs",
                "mod b; mod c; #[cfg(test)] mod tests; pub(crate) use b::B; pub fn a() {}",
            ),
            (
                "src/a/b.rs",
                "use serde::a; use std::fmt; use crate::ONE; pub struct B(pub(in crate::a) u8); \
                 #[cfg(test)] mod tests { use super::super::c::C; } \
                 impl fmt::Display for B { } mod inside { use super::B; }",
            ),
            (
                "src/a/c.rs",
                "use super::B; pub struct C(B); fn f() { super::a() }",
            ),
            ("src/a/tests.rs", "use super::B; use super::a;"),
        ]);
        assert_eq!(complaints, Vec::<String>::new());
    }
}
