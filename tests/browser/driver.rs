//! A real Chromium, driven through `WebDriver`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for what the server does later.
#[track_caller]
pub(crate) fn wait_until(is_done: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_done() {
        assert!(start.elapsed() < PATIENCE, "it never happens");
        std::thread::sleep(Duration::from_millis(40));
    }
}

/// Prints a line even if the test passes.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Whether tests must fail instead of being skipped.
pub(crate) fn is_required() -> bool {
    std::env::var("TEST_BROWSER").is_ok_and(|value| value == "required")
}

/// The size of the window.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Screen {
    Desktop,
    Phone,
}

impl Screen {
    pub(crate) fn width(self) -> u32 {
        self.size().0
    }

    fn size(self) -> (u32, u32) {
        match self {
            Self::Desktop => (1280, 860),
            Self::Phone => (390, 844),
        }
    }
}

/// Starts a driver, which says its port. One that finds its port taken meanwhile ends at once, so
/// that another is tried.
fn start_driver(folder: &TempDir) -> std::io::Result<(Child, String)> {
    for _ in 0..3 {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = BufReader::new(driver.stdout.take().unwrap());
        let port = output.lines().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        if let Some(port) = port {
            return Ok((driver, port));
        }
        let _ = driver.kill();
        driver.wait()?;
    }
    Err(std::io::Error::other("it does not say where it listens"))
}

/// A browser with one tab. Dropping it closes the browser and its driver, and deletes their
/// temporary files.
pub(crate) struct Browser {
    runtime: Runtime,
    client: Option<Client>,
    driver: Child,
    /// The temporary directory of the browser and its driver, whose exit leaves files behind.
    folder: Option<TempDir>,
    session: String,
    agent: ureq::Agent,
    base: String,
    screen: Screen,
}

impl Browser {
    /// Returns None, with a message, if there is no Chromium. With `TEST_BROWSER=required` that is
    /// an error.
    pub(crate) fn open(base: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (driver, port) = match start_driver(&folder) {
            Ok(started) => started,
            Err(error) => {
                assert!(!is_required(), "chromedriver cannot be started: {error}");
                say(&format!(
                    "SKIPPED: chromedriver cannot be started ({error}); on Debian it is in the \
                     package chromium-driver"
                ));
                return None;
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let capabilities = json!({
            "goog:chromeOptions": {"args": [
                "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--lang=en-US",
                "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
                // Emulates a mouse, which a machine without a screen lacks: it can hover and point
                // precisely.
                "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,\
                 availablePointerTypes=4",
            ]},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        });
        let client = runtime
            .block_on(
                ClientBuilder::new(HttpConnector::new())
                    .capabilities(capabilities.as_object().unwrap().clone())
                    .connect(&format!("http://127.0.0.1:{port}")),
            )
            .expect("Chromium starts");
        let session = runtime.block_on(client.session_id()).unwrap().unwrap();
        let mut browser = Self {
            runtime,
            client: Some(client),
            driver,
            folder: Some(folder),
            session: format!("http://127.0.0.1:{port}/session/{session}"),
            agent: ureq::Agent::new_with_defaults(),
            base: base.to_owned(),
            screen: Screen::Desktop,
        };
        browser.resize(Screen::Desktop);
        browser.prefer("light");
        Some(browser)
    }

    fn client(&self) -> &Client {
        self.client.as_ref().unwrap()
    }

    /// A command of the browser's own protocol.
    fn command(&self, name: &str, parameters: &Value) -> Value {
        self.ask(
            "goog/cdp/execute",
            &json!({"cmd": name, "params": parameters}),
        )
    }

    fn ask(&self, what: &str, body: &Value) -> Value {
        let url = format!("{}/{what}", self.session);
        let mut answer = self.agent.post(url).send_json(body).unwrap();
        answer.body_mut().read_json::<Value>().unwrap()["value"].take()
    }

    pub(crate) fn resize(&mut self, screen: Screen) {
        self.screen = screen;
        let (width, height) = screen.size();
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": matches!(screen, Screen::Phone),
        });
        self.command("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Sets the system's preference for light or dark.
    pub(crate) fn prefer(&self, scheme: &str) {
        let features = json!({"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        self.command("Emulation.setEmulatedMedia", &features);
    }

    /// Moves the mouse to the middle of an element, without a click; returns the place.
    #[track_caller]
    pub(crate) fn point_at(&self, selector: &str) -> Value {
        self.until(&format!("document.querySelector({})", json!(selector)));
        let place = self.evaluate(&format!(
            "(() => {{ const element = document.querySelector({}); \
             element.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
             const {{ x, y, width, height }} = element.getBoundingClientRect(); \
             return [x + width / 2, y + height / 2]; }})()",
            json!(selector)
        ));
        self.mouse("mouseMoved", &place);
        place
    }

    /// Presses and releases the mouse button at `[x, y]`, whatever is there now.
    pub(crate) fn press_at(&self, place: &Value) {
        self.mouse("mousePressed", place);
        self.mouse("mouseReleased", place);
    }

    fn mouse(&self, kind: &str, place: &Value) {
        let button = if kind == "mouseMoved" { "none" } else { "left" };
        let event = json!({
            "type": kind, "x": place[0], "y": place[1], "button": button, "clickCount": 1,
        });
        self.command("Input.dispatchMouseEvent", &event);
    }

    /// Shows the page as it would be printed, or on the screen again.
    pub(crate) fn print(&self, is_paper: bool) {
        let media = if is_paper { "print" } else { "" };
        self.command("Emulation.setEmulatedMedia", &json!({"media": media}));
    }

    /// From the next page on, makes its timers run faster by the given factor.
    pub(crate) fn speed_up_timers(&self, factor: u32) {
        let script = format!(
            "for (const name of ['setTimeout', 'setInterval']) {{ \
             const plain = window[name].bind(window); \
             window[name] = (act, after = 0, ...more) => plain(act, after / {factor}, ...more); }}"
        );
        self.command("Page.enable", &json!({}));
        let script = json!({"source": script});
        self.command("Page.addScriptToEvaluateOnNewDocument", &script);
    }

    /// Nodes, listeners and bytes of the heap of a page, after collecting garbage.
    pub(crate) fn weight(&self) -> [f64; 3] {
        self.command("HeapProfiler.collectGarbage", &json!({}));
        self.command("Performance.enable", &json!({}));
        let metrics = self.command("Performance.getMetrics", &json!({}));
        let metrics = metrics["metrics"].as_array().unwrap();
        ["Nodes", "JSEventListeners", "JSHeapUsedSize"].map(|name| {
            let metric = metrics.iter().find(|metric| metric["name"] == name);
            metric.unwrap()["value"].as_f64().unwrap()
        })
    }

    /// Sets the time zone of the machine, as the browser sees it.
    pub(crate) fn set_time_zone(&self, zone: &str) {
        self.command(
            "Emulation.setTimezoneOverride",
            &json!({"timezoneId": zone}),
        );
    }

    pub(crate) fn goto(&self, path: &str) {
        let url = format!("{}{path}", self.base);
        self.runtime.block_on(self.client().goto(&url)).unwrap();
    }

    /// The value of a JavaScript expression.
    pub(crate) fn evaluate(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.runtime
            .block_on(self.client().execute(&script, Vec::new()))
            .unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Runs an asynchronous script and returns its result.
    pub(crate) fn run(&self, script: &str) -> Value {
        let script =
            format!("const done = arguments[0]; (async () => {{ {script} }})().then(done);");
        self.runtime
            .block_on(self.client().execute_async(&script, Vec::new()))
            .unwrap()
    }

    /// Waits until a JavaScript expression is true.
    #[track_caller]
    pub(crate) fn until(&self, expression: &str) {
        let start = Instant::now();
        while self.evaluate(&format!("Boolean({expression})")) != json!(true) {
            if start.elapsed() > PATIENCE {
                let file = self.screenshot("failed");
                panic!("never true: {expression}; see {}", file.display());
            }
            std::thread::sleep(Duration::from_millis(40));
        }
    }

    /// Waits until an element exists and contains a text.
    #[track_caller]
    pub(crate) fn until_text(&self, selector: &str, text: &str) {
        let (selector, text) = (json!(selector), json!(text));
        self.until(&format!(
            "document.querySelector({selector})?.textContent.includes({text})"
        ));
    }

    /// The text of an element.
    #[track_caller]
    pub(crate) fn text(&self, selector: &str) -> String {
        self.until(&format!("document.querySelector({})", json!(selector)));
        let expression = format!("document.querySelector({}).textContent", json!(selector));
        self.evaluate(&expression).as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        self.until(&format!("document.querySelector({})", json!(selector)));
        self.act(&async |client| client.find(Locator::Css(selector)).await?.click().await);
    }

    /// Clicks the button or link with exactly this text.
    #[track_caller]
    pub(crate) fn click_on(&self, text: &str) {
        let path = format!("//*[self::button or self::a][normalize-space(.)='{text}']");
        let lookup = format!(
            "document.evaluate({}, document, null, 9).singleNodeValue",
            json!(path)
        );
        self.until(&lookup);
        self.act(&async |client| client.find(Locator::XPath(&path)).await?.click().await);
    }

    /// Clicks an element inside a frame and returns its text.
    pub(crate) fn click_in_frame(&self, frame: &str, selector: &str) -> String {
        let clicked = self.runtime.block_on(async {
            let client = self.client();
            client
                .find(Locator::Css(frame))
                .await?
                .enter_frame()
                .await?;
            let element = client.find(Locator::Css(selector)).await?;
            let text = element.text().await?;
            element.click().await?;
            client.enter_parent_frame().await?;
            Ok::<_, fantoccini::error::CmdError>(text)
        });
        clicked.unwrap()
    }

    /// Types into an empty field.
    #[track_caller]
    pub(crate) fn fill(&self, selector: &str, text: &str) {
        self.until(&format!("document.querySelector({})", json!(selector)));
        self.act(&async |client| {
            let field = client.find(Locator::Css(selector)).await?;
            field.clear().await?;
            field.send_keys(text).await
        });
    }

    /// Chooses a file in a field, by its path.
    #[track_caller]
    pub(crate) fn attach(&self, selector: &str, path: &str) {
        self.until(&format!("document.querySelector({})", json!(selector)));
        self.act(&async |client| {
            let field = client.find(Locator::Css(selector)).await?;
            field.send_keys(path).await
        });
    }

    /// Types into the element with the focus.
    pub(crate) fn type_in(&self, text: &str) {
        self.act(&async |client| client.active_element().await?.send_keys(text).await);
    }

    #[track_caller]
    pub(crate) fn choose(&self, selector: &str, value: &str) {
        self.until(&format!("document.querySelector({})", json!(selector)));
        self.act(&async |client| {
            let field = client.find(Locator::Css(selector)).await?;
            field.select_by_value(value).await
        });
    }

    /// Presses a key in the element with the focus.
    pub(crate) fn press(&self, key: Key) {
        self.act(&async |client| {
            let active = client.active_element().await?;
            active.send_keys(&String::from(char::from(key))).await
        });
    }

    /// Acts on the page. An update may remove an element between finding and using it; then the
    /// action is tried again.
    #[track_caller]
    fn act(&self, action: &impl AsyncFn(&Client) -> Result<(), fantoccini::error::CmdError>) {
        let start = Instant::now();
        loop {
            match self.runtime.block_on(action(self.client())) {
                Ok(()) => return,
                Err(_) if start.elapsed() < Duration::from_secs(8) => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => {
                    let file = self.screenshot("failed");
                    panic!("{error}; see {}", file.display());
                }
            }
        }
    }

    /// A picture of the whole page, stored in `target/screenshots`.
    pub(crate) fn screenshot(&self, name: &str) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let (width, height) = self.screen.size();
        let length = self.evaluate("document.documentElement.scrollHeight");
        let height = length.as_u64().unwrap().max(u64::from(height));
        let picture = self.command(
            "Page.captureScreenshot",
            &json!({"captureBeyondViewport": true, "clip": {
                "x": 0, "y": 0, "width": width, "height": height, "scale": 1,
            }}),
        );
        let bytes = BASE64
            .decode(picture["data"].as_str().unwrap().as_bytes())
            .unwrap();
        let file = folder.join(format!("{name}.png"));
        std::fs::write(&file, bytes).unwrap();
        file
    }

    /// Checks that the console shows no errors or warnings, except those that `expected` selects.
    #[track_caller]
    pub(crate) fn assert_quiet(&self, expected: impl Fn(&str) -> bool) {
        let log = self.ask("se/log", &json!({"type": "browser"}));
        let complaints: Vec<&str> = log
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
            .map(|entry| entry["message"].as_str().unwrap())
            .filter(|message| !expected(message))
            .collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }

    /// The network traffic since the last call: every address that was requested, and the number of
    /// bytes received, heads included, before decompression.
    pub(crate) fn traffic(&self) -> (Vec<String>, u64) {
        let log = self.ask("se/log", &json!({"type": "performance"}));
        let mut urls = Vec::new();
        let mut bytes = 0;
        for entry in log.as_array().unwrap() {
            let event: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            let (method, parameters) = (&event["message"]["method"], &event["message"]["params"]);
            if method == "Network.requestWillBeSent" {
                let url = parameters["request"]["url"].as_str().unwrap();
                if !url.starts_with("data:") && !url.starts_with("blob:") {
                    urls.push(url.to_owned());
                }
            } else if method == "Network.loadingFinished" {
                bytes += parameters["encodedDataLength"].as_u64().unwrap_or(0);
            }
        }
        (urls, bytes)
    }

    /// Checks that no request went to another host, and that there were some at all.
    #[track_caller]
    pub(crate) fn assert_stayed_home(&self) {
        let (urls, _) = self.traffic();
        assert!(urls.iter().any(|url| url.ends_with("/page.js")));
        let is_abroad = |url: &&String| !url.starts_with(&self.base);
        let abroad: Vec<_> = urls.iter().filter(is_abroad).collect();
        assert!(abroad.is_empty(), "{abroad:#?}");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let _ = self.runtime.block_on(client.close());
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        if let Some(folder) = self.folder.take() {
            delete(&folder);
        }
    }
}

/// Deletes a folder once the last process of the browser no longer writes to it.
fn delete(folder: &TempDir) {
    let start = Instant::now();
    while folder.path().exists() {
        match std::fs::remove_dir_all(folder.path()) {
            Err(error) if start.elapsed() > PATIENCE => {
                // A second panic would hide the first.
                assert!(
                    std::thread::panicking(),
                    "the browser leaves files: {error}"
                );
                return;
            }
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
