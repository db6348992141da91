//! docs/ARCHITECTURE.md: every folder and file in its table of parts exists, and every part is in
//! the table.

use std::collections::BTreeSet;

use super::{read, root};

/// Folders whose own folders are parts as well.
const GROUPED: &[&str] = &["src", "src/service", "src/store"];

#[test]
fn the_table_of_parts_is_that_of_the_tree() {
    let document = read("docs/ARCHITECTURE.md");
    let (_, section) = document.split_once("\n## The parts\n").unwrap();
    let mut named = BTreeSet::new();
    for row in section.lines().take_while(|line| !line.starts_with("## ")) {
        let Some(cells) = row.strip_prefix("| `") else {
            continue;
        };
        let (paths, _) = cells.split_once(" | ").unwrap();
        named.extend(paths.split('`').filter(|path| {
            let is_separator = path.trim_matches([',', ' ']).is_empty();
            !is_separator
        }));
    }
    for path in &named {
        assert!(root().join(path).exists(), "{path} does not exist");
    }
    for folder in GROUPED {
        for entry in root().join(folder).read_dir().unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = format!("{folder}/{name}");
            // A file of the crate's root is a part, except those that only declare modules.
            let is_part = entry.path().is_dir()
                || *folder == "src" && !["lib.rs", "main.rs"].contains(&name.as_str());
            let module = path.trim_end_matches(".rs");
            assert!(
                !is_part || named.contains(path.as_str()) || named.contains(module),
                "the table of parts in docs/ARCHITECTURE.md lacks {path}"
            );
        }
    }
}
