//! Packs the dashboard into the binary: every asset compressed once, here, and under a path that
//! holds a hash of its content, so that a browser may keep it for good.
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

const SOURCES: &str = "src/http/dashboard";
/// The page itself. It is no asset: it is asked for by `/` and names the assets' paths.
const PAGE: &str = "index.html";
const CHART_LIBRARY: &str = "plotly.min.js";

struct Asset {
    name: String,
    media_type: &'static str,
    bytes: Vec<u8>,
}

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed={SOURCES}");
    println!("cargo::rerun-if-changed=build.rs");
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    let assets = assets()?;
    let digest = digest(&assets);
    let library = [Asset {
        name: CHART_LIBRARY.to_owned(),
        media_type: "text/javascript; charset=utf-8",
        bytes: chart_library()?.into_bytes(),
    }];
    // Of its own, so that a new version of the page does not make browsers fetch it again.
    let library_digest = self::digest(&library);

    let page = fs::read_to_string(Path::new(SOURCES).join(PAGE))?
        .replace("{digest}", &digest)
        .replace("{library_digest}", &library_digest);
    fs::write(folder.join(PAGE), page)?;

    let mut code = format!(
        "const PAGE: &str = include_str!(concat!(env!(\"OUT_DIR\"), \"/{PAGE}\"));\n\
         static ASSETS: [Asset; {}] = [\n",
        assets.len() + library.len()
    );
    let all = assets.iter().map(|asset| (&digest, asset));
    for (digest, asset) in all.chain(library.iter().map(|asset| (&library_digest, asset))) {
        pack(&folder, digest, asset, &mut code)?;
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

/// The files beside the page, by name.
fn assets() -> Result<Vec<Asset>> {
    let mut assets = Vec::new();
    for entry in fs::read_dir(Path::new(SOURCES).join("assets"))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .context("the name of an asset is UTF-8")?;
        let media_type = match name.rsplit_once('.') {
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "svg")) => "image/svg+xml",
            _ => bail!("{name} is of a kind that the dashboard does not serve"),
        };
        assets.push(Asset {
            name: name.to_owned(),
            media_type,
            bytes: fs::read(&path)?,
        });
    }
    assets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(assets)
}

/// Half of a SHA-256 over names and contents.
fn digest(assets: &[Asset]) -> String {
    let mut hasher = Sha256::new();
    for asset in assets {
        hasher.update(asset.name.as_bytes());
        hasher.update(asset.bytes.len().to_le_bytes());
        hasher.update(&asset.bytes);
    }
    data_encoding::HEXLOWER.encode(&hasher.finalize()[..16])
}

/// The first of the two scripts that the crate gives as HTML; the other one typesets formulas.
fn chart_library() -> Result<String> {
    const OPENING: &str = "<script type=\"text/javascript\">";
    let html = plotly::Plot::offline_js_sources();
    let script = html
        .split(OPENING)
        .nth(1)
        .and_then(|script| script.trim_end().strip_suffix("</script>"))
        .context("plotly gives its scripts in another shape now")?;
    if !script.contains("plotly.js v") {
        bail!("the first script that plotly gives is not plotly.js");
    }
    Ok(script.to_owned())
}
