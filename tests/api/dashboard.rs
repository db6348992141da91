use std::collections::BTreeSet;
use std::path::PathBuf;

use stampcard::domain::EventName;

use crate::support::{Response, TestApp};

/// The code that the build joins modules with.
#[path = "../../build/modules.rs"]
mod modules;
#[path = "../../build/squeeze.rs"]
mod squeeze;

/// A file of the sources, as the build receives it.
struct Source {
    name: String,
    text: String,
}

fn page(app: &TestApp) -> Response {
    app.request("GET", "/").send()
}

/// Every path of an asset in a text.
fn assets(text: &str) -> BTreeSet<String> {
    text.split('"')
        .filter(|part| part.starts_with("/assets/"))
        .map(str::to_owned)
        .collect()
}

/// All that the page requests before it calls the API: one style sheet and one script.
fn first_assets(app: &TestApp) -> BTreeSet<String> {
    let found = assets(&page(app).text());
    let kinds: Vec<&str> = found
        .iter()
        .map(|path| path.rsplit_once('.').unwrap().1)
        .collect();
    assert_eq!(kinds, ["css", "js"], "{found:?}");
    found
}

/// The scripts of pages that the first script loads when they are opened.
fn later_assets(app: &TestApp) -> BTreeSet<String> {
    let path = first_assets(app).pop_last().unwrap();
    let script = app.request("GET", &path).send().text();
    let (folder, _) = path.rsplit_once('/').unwrap();
    let names = script.split("import(\"./").skip(1);
    let later: BTreeSet<String> = names
        .map(|rest| format!("{folder}/{}", rest.split('"').next().unwrap()))
        .collect();
    assert!(later.len() > 3, "{later:?}");
    later
}

fn every_asset(app: &TestApp) -> BTreeSet<String> {
    let mut all = first_assets(app);
    all.extend(later_assets(app));
    all
}

#[test]
fn the_page_loads_only_images_from_elsewhere_and_runs_nothing_inline() {
    let app = TestApp::start();
    let response = page(&app);
    assert_eq!(response.status, 200);
    let policy = response.header("content-security-policy").unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "img-src 'self' data: https:;",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"));
    assert_eq!(policy.matches("http").count(), 1, "only images: {policy}");
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-cache"),
    ] {
        assert_eq!(response.header(name), Some(value));
    }
    let text = response.text();
    assert!(!text.contains("//"), "no other host is named");
    assert!(!text.contains("<style") && !text.contains(" style=") && !text.contains(" onclick"));
    assert_eq!(text.matches("<script").count(), 1);
    assert!(text.contains("href=\"data:image/svg+xml,%3Csvg"), "{text}");
}

#[test]
fn the_page_names_every_event_of_the_catalogue() {
    let app = TestApp::start();
    let names = EventName::ALL.map(EventName::as_str).join(" ");
    let element = format!("<meta name=\"events\" content=\"{names}\">");
    assert!(page(&app).text().contains(&element), "{element}");
}

#[test]
fn a_page_that_did_not_change_is_not_sent_again() {
    let app = TestApp::start();
    let tag = page(&app).header("etag").unwrap().to_owned();
    let again = app.request("GET", "/").header("If-None-Match", &tag).send();
    assert_eq!((again.status, again.bytes.len()), (304, 0));
    assert_eq!(again.header("etag"), Some(tag.as_str()));
    let other = app.request("GET", "/").header("If-None-Match", "\"x\"");
    assert_eq!(other.send().status, 200);
}

#[test]
fn every_asset_is_there_and_may_be_kept_for_good() {
    let app = TestApp::start();
    for path in every_asset(&app) {
        let response = app.request("GET", &path).send();
        assert_eq!(response.status, 200, "{path}");
        assert!(response.bytes.len() > 100, "{path}");
        let kind = match path.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            _ => "text/css; charset=utf-8",
        };
        for (name, value) in [
            ("content-type", kind),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "public, max-age=31536000, immutable"),
            ("vary", "Accept-Encoding"),
        ] {
            assert_eq!(response.header(name), Some(value), "{path}");
        }
        assert_eq!(response.header("content-encoding"), None, "{path}");
    }
}

#[test]
fn an_asset_travels_packed_to_whoever_can_unpack_it() {
    let app = TestApp::start();
    for path in every_asset(&app) {
        let plain = app.request("GET", &path).send();
        let request = app
            .request("GET", &path)
            .header("Accept-Encoding", "br, gzip");
        let packed = request.send();
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{path}");
        let mut unpacked = Vec::new();
        let mut reader = flate2::read::GzDecoder::new(packed.bytes.as_slice());
        std::io::copy(&mut reader, &mut unpacked).unwrap();
        assert_eq!(unpacked, plain.bytes, "{path}");
        assert!(
            packed.bytes.len() < plain.bytes.len(),
            "{path} would be better off as it is"
        );
    }
}

#[test]
fn the_page_is_small_as_it_travels() {
    let app = TestApp::start();
    let packed = |path: &str| {
        let request = app.request("GET", path);
        request.header("Accept-Encoding", "gzip").send().bytes.len()
    };
    let bytes: usize = first_assets(&app).iter().map(|path| packed(path)).sum();
    assert!(bytes < 90 * 1024, "the first load has {bytes} bytes");
    for path in later_assets(&app) {
        let bytes = packed(&path);
        assert!(bytes < 16 * 1024, "{path} has {bytes} bytes");
    }
}

/// Every module of the sources is once in the scripts, every style sheet in the sheet.
#[test]
fn the_scripts_and_the_sheet_hold_every_source() {
    let app = TestApp::start();
    let texts: String = every_asset(&app)
        .iter()
        .map(|path| app.request("GET", path).send().text())
        .collect();
    let root = PathBuf::from("src/http/dashboard/assets");
    let mut folders = vec![root.clone()];
    let mut modules = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            if name == "icon.svg" {
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            let begin = match path.extension().and_then(|kind| kind.to_str()) {
                Some("js") => {
                    modules += 1;
                    format!("\nconst {}=", modules::variable(&name))
                }
                _ => source.lines().next().unwrap().to_owned(),
            };
            assert_eq!(texts.matches(&begin).count(), 1, "{name}: {begin}");
        }
    }
    assert!(modules > 35, "{modules}");
    assert_eq!(texts.matches("\nconst $module_").count(), modules);
    // What the scripts share, and the page that each of the later ones has.
    let later = later_assets(&app).len();
    for (statement, count) in [
        ("\nimport ", 0),
        ("\nimport{", later),
        ("\nexport ", later),
        ("\nexport const{", later),
        ("\nexport{", 1),
    ] {
        assert_eq!(texts.matches(statement).count(), count, "{statement}");
    }
}

/// The scripts of these modules, each below its name.
fn joined(files: &[(&str, &str)]) -> Result<String, String> {
    let sources: Vec<Source> = files
        .iter()
        .map(|(name, text)| Source {
            name: (*name).to_owned(),
            text: (*text).to_owned(),
        })
        .collect();
    let scripts = modules::join(&sources, "main.js").map_err(|error| format!("{error:#}"))?;
    let texts = scripts
        .iter()
        .map(|script| format!("// {}\n{}", script.name, script.text));
    Ok(texts.collect())
}

#[test]
fn modules_are_joined_in_the_order_in_which_they_need_each_other() {
    let script = joined(&[
        (
            "main.js",
            "import {\n  a,\n  b as c,\n} from \"./lib/x.js\";\na(c);\n",
        ),
        (
            "lib/x.js",
            "import * as all from \"../y.js\";\nimport \"../z.js\";\n\
             export const a = all.f;\nconst d = 1;\nexport { d as b };\n",
        ),
        ("y.js", "export async function f(x) {}\nexport class G {}\n"),
        (
            "z.js",
            "// import nothing\n/** @type {*} */\n/**\n * f\n */\nz(/** @type {*} */ (1)); // z\n\
             /** @type {*} */ (2);\nt(`\n// a\n/* b\n`);\n  // c\n",
        ),
        ("unused.js", "left out\n"),
    ]);
    let expected = "// page.js\n\"use strict\";\n\
         const $module_y=(()=>{\nasync function f(x){}\nclass G{}\nreturn{f,G};\n})();\n\
         const $module_z=(()=>{\nz((1));\n(2);\nt(`\n// a\n/* b\n`);\nreturn{};\n})();\n\
         const $module_lib_x=(()=>{\nconst all=$module_y;\n\
         const a=all.f;\nconst d=1;\nreturn{a,b:d};\n})();\n\
         const $module_main=(()=>{\nconst {a,b:c}=$module_lib_x;\n\
         a(c);\nreturn{};\n})();\n";
    assert_eq!(script.as_deref(), Ok(expected));
}

#[test]
fn what_is_loaded_later_is_a_script_of_its_own() {
    let script = joined(&[
        (
            "main.js",
            "import { a } from \"./lib/a.js\";\nconst x = async () => (await import(\"./pages/x.js\")).x(a);\n\
             const other = { y: () => import(\"./y.js\"), z: reimport(\"./z.js\") };\n",
        ),
        ("lib/a.js", "export const a = new Map();\n"),
        (
            "lib/both.js",
            "import { a } from \"./a.js\";\nexport const both = a;\n",
        ),
        ("lib/only.js", "export const only = 1;\n"),
        (
            "pages/x.js",
            "import { a } from \"../lib/a.js\";\nimport { both } from \"../lib/both.js\";\n\
             import { only } from \"../lib/only.js\";\nconst x = [a, both];\nexport { only, x as y };\n",
        ),
        ("y.js", "import \"./lib/both.js\";\nexport const y = 1;\n"),
    ]);
    let expected = "// page.js\n\"use strict\";\n\
         const $module_lib_a=(()=>{\nconst a=new Map();\nreturn{a};\n})();\n\
         const $module_main=(()=>{\nconst {a}=$module_lib_a;\n\
         const x=async()=>(await import(\"./pages-x.js\")).x(a);\n\
         const other={y:()=>import(\"./y.js\"),z:reimport(\"./z.js\")};\nreturn{};\n})();\n\
         const $module_lib_both=(()=>{\nconst {a}=$module_lib_a;\nconst both=a;\nreturn{both};\n})();\n\
         export{$module_lib_a,$module_lib_both};\n\
         // pages-x.js\nimport{$module_lib_a,$module_lib_both}from\"./page.js\";\n\
         const $module_lib_only=(()=>{\nconst only=1;\nreturn{only};\n})();\n\
         const $module_pages_x=(()=>{\nconst {a}=$module_lib_a;\nconst {both}=$module_lib_both;\n\
         const {only}=$module_lib_only;\nconst x=[a,both];\nreturn{only,y:x};\n})();\n\
         export const{only,y}=$module_pages_x;\n\
         // y.js\nconst $module_y=(()=>{\nconst y=1;\nreturn{y};\n})();\n\
         export const{y}=$module_y;\n";
    assert_eq!(script.as_deref(), Ok(expected));
}

#[test]
fn a_name_that_begins_like_an_export_or_an_import_is_neither() {
    let text = "function a() {\n  exported.push(1);\n  exportRows();\n  importRows();\n  \
                imports = 1;\n}\n";
    let expected = "// page.js\n\"use strict\";\nconst $module_main=(()=>{\nfunction a(){\n\
                    exported.push(1);\nexportRows();\nimportRows();\nimports=1;\n}\n\
                    return{};\n})();\n";
    assert_eq!(joined(&[("main.js", text)]).as_deref(), Ok(expected));
}

#[test]
fn modules_that_cannot_be_joined_are_refused() {
    let refused = |files: &[(&str, &str)], word: &str| {
        let error = joined(files).unwrap_err();
        assert!(error.contains(word), "{files:?}: {error}");
    };
    let circle = "import { a } from \"./main.js\";\nexport const a = 1;\n";
    refused(
        &[
            ("main.js", "import { a } from \"./x.js\";\n"),
            ("x.js", circle),
        ],
        "circle: main.js, x.js, main.js",
    );
    refused(
        &[("main.js", "import \"./x.js\";\n")],
        "no module x.js: main.js, x.js",
    );
    let later = "const f = () => import(\"./x.js\");\n";
    refused(
        &[("main.js", later), ("x.js", later)],
        "x.js is in a script that is loaded later",
    );
    let both = format!("import \"./x.js\";\n{later}");
    refused(
        &[("main.js", &both), ("x.js", "")],
        "x.js is loaded later, and is imported as well",
    );
    refused(&[("main.js", later)], "no module x.js");
    for (text, word) in [
        ("const f = () => import(name);\n", "unknown form"),
        ("const f = () => import('./x.js');\n", "unknown form"),
        (
            "const f = () => import(\"library\");\n",
            "library is no path",
        ),
        ("export default 1;\n", "unknown form: default 1;"),
        ("export let a = 1;\n", "unknown form: let a=1;"),
        ("export const { a } = b;\n", "unknown form"),
        ("import a from \"./main.js\";\n", "unknown form"),
        ("import(\"./main.js\");\n", "unknown form"),
        ("import { a } from \"library\";\n", "library is no path"),
        ("import \"../x.js\";\n", "out of the folder"),
        ("import { a }\n", "without an end"),
    ] {
        refused(&[("main.js", text)], word);
    }
}

#[test]
fn a_script_keeps_its_meaning_without_its_blanks() {
    for (script, expected) in [
        ("  a  =  b;\n\n\n  c();\n", "a=b;\nc();\n"),
        ("return a in b;", "return a in b;"),
        ("a - -b + +c - d;", "a- -b+ +c-d;"),
        ("f(\n  a,\n  // a\n  b, // b\n);", "f(a,b,);"),
        ("a /* b\n */ = 1;", "a=1;"),
        (
            "const t = \"a  // b\" + 'it\\'s  c';",
            "const t=\"a  // b\"+'it\\'s  c';",
        ),
        (
            "t(`a  ${ b  +  `c  ${ {  d } }` }  $ \\` {  }`);",
            "t(`a  ${b+`c  ${{d}}`}  $ \\` {  }`);",
        ),
        ("x = a / b / c;", "x=a/b/c;"),
        ("x = (a) / b[1] / \"1\";", "x=(a)/b[1]/\"1\";"),
        (
            "return /  [/  \"]\\/ /u.test( a ) / 2;",
            "return/  [/  \"]\\/ /u.test(a)/2;",
        ),
        ("yield /  b/ ;", "yield/  b/;"),
        ("f(/  `/, / '/);", "f(/  `/,/ '/);"),
        ("a / /  b/.c;", "a/ /  b/.c;"),
        ("row.of / n + m?.in / 2;", "row.of/n+m?.in/2;"),
        ("this.#new / \"a\".length;", "this.#new/\"a\".length;"),
        ("[...of /  b/ ];", "[...of/  b/];"),
        ("a++ + ++b - --c;", "a++ + ++b- --c;"),
        ("a = \"b\\\n  c\";", "a=\"b\\\n  c\";"),
    ] {
        let squeezed = squeeze::squeeze(script);
        assert_eq!(squeezed.unwrap(), expected, "{script}");
        assert_eq!(squeeze::squeeze(expected).unwrap(), expected);
    }
    for (script, word) in [
        ("a = \"b;", "a string"),
        ("a = `b ${ c }", "a template"),
        ("a = /b[/];", "a regular expression"),
        ("a = 'b\n  c';", "a string"),
        (
            "return a;\nb = (c, / 2);\nd = e / 2;",
            "a regular expression",
        ),
        ("a = /b\\\n/;", "a regular expression"),
        // Taken for a division: what follows cannot be read as a string of one line.
        ("if (a) /\"/.test(b);\nc(\"d\");", "a string"),
        ("a++ / b;", "a slash after ++"),
        ("a = b-- /\nc;", "a slash after --"),
        ("if (a) {}\n/b/.test(c);", "a slash after a brace"),
    ] {
        let error = squeeze::squeeze(script).unwrap_err().to_string();
        assert!(error.starts_with(word), "{script}: {error}");
    }
}

#[test]
fn an_asset_of_another_version_is_404() {
    let app = TestApp::start();
    for path in [
        "/assets/00000000000000000000000000000000/main.js",
        "/assets/x/../../Cargo.toml",
    ] {
        app.request("GET", path)
            .send()
            .expect_error(404, "NOT_FOUND");
    }
}

#[test]
fn a_head_of_an_asset_says_what_a_get_would() {
    let app = TestApp::start();
    let path = every_asset(&app).pop_first().unwrap();
    for accepted in ["gzip", "identity", "gzip;q=0"] {
        let ask = |method| {
            let request = app.request(method, &path);
            request.header("Accept-Encoding", accepted).send()
        };
        let (head, get) = (ask("HEAD"), ask("GET"));
        assert_eq!((head.status, head.bytes.len()), (200, 0));
        for name in ["content-type", "content-encoding", "content-length", "vary"] {
            assert_eq!(head.header(name), get.header(name), "{accepted}: {name}");
        }
    }
}
