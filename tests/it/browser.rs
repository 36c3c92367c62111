//! Chromium, driven through its WebDriver over loopback: a page opened, clicked, typed into and judged as users meet it.
//!
//! The protocol is one JSON request after another (<https://www.w3.org/TR/webdriver2/>), and the tests need six of them.
//!
//! **Trap.** Without `chromedriver` on PATH the tests that need a browser say so loudly and pass; `.ci/run` installs it.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// The member of a WebDriver answer that names an element.
/// Source: <https://www.w3.org/TR/webdriver2/#elements>
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Keys that are no characters. Source: <https://www.w3.org/TR/webdriver2/#keyboard-actions>
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const TAB: &str = "\u{e004}";

/// One window of a browser that has no network.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    /// A driver that nobody listens to ends.
    _said: BufReader<ChildStdout>,
    _profile: TempDir,
}

/// A program of one of these names on PATH.
fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut files = folders
        .iter()
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    files.find(|file| file.is_file())
}

/// Says on standard error, past the capture of the test harness, what was not tested.
pub(crate) fn skipped(why: &str) {
    let _ = std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes());
}

impl Browser {
    /// Starts a browser, if there is one.
    pub(crate) fn start() -> Option<Self> {
        let chromium = program(&["chromium", "chromium-browser", "google-chrome"]);
        let (Some(chromium), Some(driver)) = (chromium, program(&["chromedriver"])) else {
            skipped("no chromium and chromedriver on PATH, pages were opened in no browser");
            return None;
        };
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // "ChromeDriver was started successfully on port 12345."
        let mut said = BufReader::new(driver.stdout.take().unwrap());
        let port = said.by_ref().lines().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        let profile = tempfile::tempdir().unwrap();
        let folder = profile.path().display().to_string();
        let mut browser = Self {
            driver,
            port: port.expect("the driver says on which port it listens"),
            session: String::new(),
            _said: said,
            _profile: profile,
        };
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"binary": chromium, "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND", format!("--user-data-dir={folder}"),
            ]},
        }}});
        let made = browser.request("POST", "/session", &wanted);
        browser.session = format!("/session/{}", made["sessionId"].as_str().unwrap());
        browser.chrome("Network.enable", &json!({}));
        let offline = json!({"offline": true, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0});
        browser.chrome("Network.emulateNetworkConditions", &offline);
        browser.size(1280, 900);
        browser.media("light", "screen");
        Some(browser)
    }

    /// One request to the driver; returns the member `value` of its answer.
    fn request(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(2))).unwrap();
        let body = match method {
            "POST" => body.to_string(),
            _ => String::new(),
        };
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        while answer.read_line(&mut line).unwrap() > 2 {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body).unwrap();
        let mut value: Value = serde_json::from_slice(&body).unwrap();
        let value = value["value"].take();
        assert!(value.get("error").is_none(), "{method} {path}: {value}");
        value
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.request("POST", &format!("{}{path}", self.session), body)
    }

    /// A command of the DevTools protocol.
    fn chrome(&self, command: &str, parameters: &Value) -> Value {
        self.post(
            "/goog/cdp/execute",
            &json!({"cmd": command, "params": parameters}),
        )
    }

    /// Opens a file.
    pub(crate) fn open(&self, file: &Path) {
        self.post("/url", &json!({"url": format!("file://{}", file.display())}));
    }

    /// Opens what a link to this part of the page opens.
    pub(crate) fn follow(&self, part: &str) {
        self.run(&format!("location.hash = {};", json!(part)));
    }

    /// Makes the page this large, in CSS pixels.
    pub(crate) fn size(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.chrome("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Sets what the user prefers: `light` or `dark`; and the medium, `screen` or `print`.
    pub(crate) fn media(&self, scheme: &str, medium: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            // Else a click may meet what is still being scrolled.
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.chrome(
            "Emulation.setEmulatedMedia",
            &json!({"media": medium, "features": features}),
        );
    }

    /// Runs a script in the page and returns what it returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Runs a script that hands its result to the function `done`.
    pub(crate) fn run_until_done(&self, script: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1];\n{script}");
        self.post("/execute/async", &json!({"script": script, "args": []}))
    }

    /// The path of the first element that a selector names.
    fn element(&self, selector: &str) -> String {
        let found = self.post("/element", &json!({"using": "css selector", "value": selector}));
        format!("/element/{}", found[ELEMENT].as_str().unwrap())
    }

    /// Clicks an element with the mouse.
    pub(crate) fn click(&self, selector: &str) {
        self.post(&format!("{}/click", self.element(selector)), &json!({}));
    }

    /// Types into an element.
    pub(crate) fn enter(&self, selector: &str, text: &str) {
        self.post(
            &format!("{}/value", self.element(selector)),
            &json!({"text": text}),
        );
    }

    /// Presses keys one after another, wherever the focus is.
    pub(crate) fn keys(&self, keys: &str) {
        let presses = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()})));
        let presses: Vec<Value> = presses.collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": presses});
        self.post("/actions", &json!({"actions": [keyboard]}));
    }

    /// What the page complained about since the last call: script errors, refused loads, violations of its policy.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "browser"}));
        let entries = log.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    /// Keeps a picture of the page, if `PICTURES` names a folder for them.
    pub(crate) fn picture(&self, name: &str) {
        use base64::Engine as _;
        let Some(folder) = std::env::var_os("PICTURES") else {
            return;
        };
        let shot = self.chrome("Page.captureScreenshot", &json!({"captureBeyondViewport": true}));
        let bytes = base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap());
        let file = Path::new(&folder).join(OsStr::new(name)).with_extension("png");
        std::fs::write(file, bytes.unwrap()).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser when it is told to, not when it is killed.
        if let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = write!(
                stream,
                "GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.read_to_end(&mut Vec::new());
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
