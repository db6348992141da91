//! Packs the dashboard into the binary. Its modules become one script, and one for each page that
//! is seldom opened, and its style sheets one sheet, so that a browser requests few files; each is
//! compressed once, at build time, and is served under a path that contains a hash of all of them,
//! so that a browser may cache it permanently.
//!
//! It writes `dashboard.rs` into the build's folder; `src/http/dashboard/mod.rs` includes it.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

#[path = "build/modules.rs"]
mod modules;
#[path = "build/squeeze.rs"]
mod squeeze;

const SOURCES: &str = "src/http/dashboard";
/// The page itself. It is not an asset: it is served at `/` and names the paths of the assets.
const PAGE: &str = "index.html";
const ICON: &str = "icon.svg";
/// The module that its script starts with.
const START: &str = "main.js";
/// The style sheets, in the order in which they apply; any other follows, by name.
const STYLES: [&str; 12] = [
    "styles/base.css",
    "styles/layout.css",
    "styles/parts.css",
    "styles/forms.css",
    "styles/pages.css",
    "styles/charts.css",
    "styles/board.css",
    "styles/redemptions.css",
    "styles/inbox.css",
    "styles/member.css",
    "styles/program.css",
    "styles/print.css",
];

/// A file, by its path below the folder of assets.
struct Source {
    name: String,
    text: String,
}

struct Asset {
    name: String,
    media_type: &'static str,
    bytes: Vec<u8>,
}

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed={SOURCES}");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    let (assets, icon) = assets()?;
    let digest = digest(&assets);

    let page = fs::read_to_string(Path::new(SOURCES).join(PAGE))?
        .replace("{digest}", &digest)
        .replace("{icon}", &icon);
    fs::write(folder.join(PAGE), page)?;

    let mut code = format!(
        "const PAGE: &str = include_str!(concat!(env!(\"OUT_DIR\"), \"/{PAGE}\"));\n\
         static ASSETS: [Asset; {}] = [\n",
        assets.len()
    );
    for asset in &assets {
        pack(&folder, &digest, asset, &mut code)?;
    }
    code.push_str("];\n");
    fs::write(folder.join("dashboard.rs"), code)?;
    Ok(())
}

/// Compresses an asset into the folder and adds its row to the code.
fn pack(folder: &Path, digest: &str, asset: &Asset, code: &mut String) -> Result<()> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&asset.bytes)?;
    let file = format!("{}.gz", asset.name);
    fs::write(folder.join(&file), packed.finish()?)?;
    writeln!(
        code,
        "Asset {{ digest: {digest:?}, name: {:?}, media_type: {:?}, \
         gzip: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{file}\")), \
         plain: OnceLock::new() }},",
        asset.name, asset.media_type
    )?;
    Ok(())
}

/// Fills in the page: the paths of its script and style sheet, and its icon, which a browser would
/// otherwise request more than once.
fn assets() -> Result<(Vec<Asset>, String)> {
    let mut scripts = Vec::new();
    let mut styles = Vec::new();
    let mut icon = None;
    for source in sources(&Path::new(SOURCES).join("assets"), "")? {
        match source.name.rsplit_once('.') {
            Some((_, "js")) => scripts.push(source),
            Some((_, "css")) => styles.push(source),
            _ if source.name == ICON => icon = Some(address_of(&source.text)),
            _ => bail!(
                "{} is of a kind that the dashboard does not serve",
                source.name
            ),
        }
    }
    let scripts = modules::join(&scripts, START)?;
    let mut assets: Vec<Asset> = scripts
        .into_iter()
        .map(|script| Asset {
            name: script.name,
            media_type: "text/javascript; charset=utf-8",
            bytes: script.text.into_bytes(),
        })
        .collect();
    assets.push(Asset {
        name: "page.css".to_owned(),
        media_type: "text/css; charset=utf-8",
        bytes: sheet(styles)?.into_bytes(),
    });
    Ok((assets, icon.context("the icon is not there")?))
}

/// A data URL of a picture.
fn address_of(svg: &str) -> String {
    let mut address = String::from("data:image/svg+xml,");
    for byte in svg.bytes() {
        if byte.is_ascii_alphanumeric() {
            address.push(char::from(byte));
        } else {
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address
}

/// The files of a folder and its subfolders, by name.
fn sources(folder: &Path, prefix: &str) -> Result<Vec<Source>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .context("the name of an asset is UTF-8")?;
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            found.extend(sources(&path, &format!("{name}/"))?);
        } else {
            let text = fs::read_to_string(&path)?;
            found.push(Source { name, text });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn sheet(mut styles: Vec<Source>) -> Result<String> {
    let place = |name: &str| STYLES.iter().position(|each| *each == name);
    for name in STYLES {
        if !styles.iter().any(|style| style.name == name) {
            bail!("the style sheet {name} is not there");
        }
    }
    styles.sort_by_key(|style| place(&style.name).unwrap_or(STYLES.len()));
    // Without indentation, as the script.
    let lines = styles.iter().flat_map(|style| style.text.lines());
    let lines: Vec<&str> = lines.map(str::trim_start).collect();
    Ok(lines.join("\n"))
}

/// Half of a SHA-256 of names and contents.
fn digest(assets: &[Asset]) -> String {
    let mut hasher = Sha256::new();
    for asset in assets {
        hasher.update(asset.name.as_bytes());
        hasher.update(asset.bytes.len().to_le_bytes());
        hasher.update(&asset.bytes);
    }
    data_encoding::HEXLOWER.encode(&hasher.finalize()[..16])
}
