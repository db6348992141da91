//! Links between documents lead to files and headings that exist.

use std::path::Path;

use super::{read, root};

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut documents: Vec<String> = [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
    ]
    .map(str::to_owned)
    .to_vec();
    for entry in root().join("docs").read_dir().unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if Path::new(&name).extension() == Some("md".as_ref()) {
            documents.push(format!("docs/{name}"));
        }
    }
    for document in &documents {
        let text = read(document);
        let folder = Path::new(document).parent().unwrap();
        for link in prose(&text).flat_map(links) {
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                root().join(document)
            } else {
                root().join(folder).join(file)
            };
            assert!(target.exists(), "{document}: {link} does not exist");
            if !heading.is_empty() {
                let text = std::fs::read_to_string(&target).unwrap();
                let found = prose(&text).filter_map(anchor).any(|it| it == heading);
                assert!(found, "{document}: {link} is not a heading");
            }
        }
    }
}

/// The lines outside code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// The targets of the links that end on a line.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
}

/// The name by which a heading can be linked.
fn anchor(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let kept = heading.chars().filter_map(|c| match c {
        ' ' | '-' => Some('-'),
        c if c.is_alphanumeric() || c == '_' => Some(c.to_ascii_lowercase()),
        _ => None,
    });
    Some(kept.collect())
}
