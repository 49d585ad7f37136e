//! Debian's Chromium, driven over its debugging protocol: pages of files, opened in windows of their own, read by the functions
//! of `look.js`, typed and clicked at. Tells what went wrong on a page; how a page should look is not its business.

use std::fmt::Debug;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chromiumoxide::browser::{Browser, BrowserConfig};
use chromiumoxide::cdp::browser_protocol::accessibility::{AxNode, GetFullAxTreeParams};
use chromiumoxide::cdp::browser_protocol::browser::{
    PermissionDescriptor, PermissionSetting, SetPermissionParams,
};
use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams, SetEmulatedMediaParams,
    SetFocusEmulationEnabledParams, SetScriptExecutionDisabledParams,
};
use chromiumoxide::cdp::browser_protocol::input::{DispatchKeyEventParams, DispatchKeyEventType};
use chromiumoxide::cdp::browser_protocol::log::{EventEntryAdded, LogEntryLevel};
use chromiumoxide::cdp::browser_protocol::network::{EventLoadingFailed, EventRequestWillBeSent};
use chromiumoxide::cdp::browser_protocol::target::CreateTargetParams;
use chromiumoxide::cdp::js_protocol::runtime::{
    ConsoleApiCalledType, EvaluateParams, EventConsoleApiCalled, EventExceptionThrown,
};
use chromiumoxide::error::CdpError;
use chromiumoxide::layout::Point;
use chromiumoxide::listeners::EventStream;
use futures::{FutureExt, Stream, StreamExt};
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// What is asked of a page: functions for [`Page::look`].
const LOOK: &str = include_str!("look.js");

/// Far more than a browser takes for anything; only one that hangs meets it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running browser. It ends with this value, and with this process, however that ends.
pub(crate) struct Chromium {
    browser: Browser,
    /// Messages of the browser that nothing here understands.
    strange: Arc<Mutex<Vec<String>>>,
    runtime: Runtime,
    /// Only one page at a time has the clipboard.
    clipboard: Mutex<()>,
    _profile: TempDir,
}

/// Who looks at a page, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader {
    /// Width of the window, in pixels of CSS.
    pub(crate) width: u32,
    /// Whether the page's scripts run.
    pub(crate) scripts: Scripts,
    /// `screen` or `print`.
    pub(crate) media: &'static str,
    /// What the reader prefers: `prefers-color-scheme` and its like, with their values.
    pub(crate) prefers: &'static [(&'static str, &'static str)],
}

/// Whether the page's scripts run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    On,
    Off,
}

/// At a desk.
pub(crate) const DESK: Reader = Reader {
    width: 1200,
    scripts: Scripts::On,
    media: "screen",
    prefers: &[],
};

/// With a telephone.
pub(crate) const TELEPHONE: Reader = Reader { width: 360, ..DESK };

/// With a printed page.
pub(crate) const PAPER: Reader = Reader {
    width: 700,
    media: "print",
    ..DESK
};

/// A key of the keyboard.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key {
    Tab,
    Enter,
    Space,
}

/// A page in a window of its own; the window closes with it.
pub(crate) struct Page<'a> {
    chromium: &'a Chromium,
    tab: chromiumoxide::Page,
    told: Told,
}

/// What a page says of itself while it is open.
struct Told {
    console: EventStream<EventConsoleApiCalled>,
    exceptions: EventStream<EventExceptionThrown>,
    log: EventStream<EventEntryAdded>,
    requests: EventStream<EventRequestWillBeSent>,
    failures: EventStream<EventLoadingFailed>,
}

impl Chromium {
    /// Starts Debian's browser with a profile of its own.
    #[track_caller]
    pub(crate) fn start() -> Chromium {
        let profile = tempfile::tempdir().unwrap();
        // Nobody drops anything if this process is killed: then the kernel ends the browser, as the child that it is.
        let program = profile.path().join("chromium.sh");
        fs::write(
            &program,
            "#!/bin/sh\nexec setpriv --pdeathsig KILL chromium \"$@\"\n",
        )
        .unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let config = BrowserConfig::builder()
            .chrome_executable(&program)
            .user_data_dir(profile.path().join("profile"))
            // Reports of crashes are kept there and not in the profile.
            .env("XDG_CONFIG_HOME", profile.path().display().to_string())
            .new_headless_mode()
            .no_sandbox()
            .args(["disable-gpu", "disable-component-update"])
            .arg("allow-file-access-from-files")
            .viewport(None)
            .launch_timeout(PATIENCE)
            .surface_invalid_messages()
            .build()
            .unwrap();
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        // By the runtime's thread and not this one: a test's thread ends with its test, and the kernel goes by threads.
        let launched = runtime.block_on(runtime.spawn(Browser::launch(config)));
        let (browser, mut handler) = launched
            .unwrap()
            .unwrap_or_else(|error| panic!("no `chromium` ({error}); install it: make tools"));
        let strange = Arc::new(Mutex::new(Vec::new()));
        let messages = strange.clone();
        runtime.spawn(async move {
            while let Some(event) = handler.next().await {
                if let Err(CdpError::InvalidMessage(text, error)) = event {
                    messages.lock().unwrap().push(format!("{error}: {text}"));
                }
            }
        });
        let chromium = Chromium {
            browser,
            strange,
            runtime,
            clipboard: Mutex::new(()),
            _profile: profile,
        };
        for name in ["clipboard-read", "clipboard-write"] {
            let permission = PermissionDescriptor::new(name);
            let granted = SetPermissionParams::new(permission, PermissionSetting::Granted);
            let granted = chromium.browser.execute(granted);
            chromium.wait(granted).unwrap();
        }
        chromium
    }

    /// Waits for an answer of the browser.
    #[track_caller]
    fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        let answer = async { tokio::time::timeout(PATIENCE, answer).await };
        let answer = self.runtime.block_on(answer);
        answer.unwrap_or_else(|_| panic!("the browser does not answer"))
    }

    /// Opens the page of a file and waits until it is loaded.
    #[track_caller]
    pub(crate) fn open(&self, file: &Path, reader: Reader) -> Page<'_> {
        self.wait(async {
            // A window each: in the back of one window nothing is drawn, and keys wait for that.
            let target = CreateTargetParams::builder()
                .url("about:blank")
                .new_window(true);
            let tab = self
                .browser
                .new_page(target.build().unwrap())
                .await
                .unwrap();
            let told = Told {
                console: tab.event_listener().await.unwrap(),
                exceptions: tab.event_listener().await.unwrap(),
                log: tab.event_listener().await.unwrap(),
                requests: tab.event_listener().await.unwrap(),
                failures: tab.event_listener().await.unwrap(),
            };
            tab.execute(SetFocusEmulationEnabledParams::new(true))
                .await
                .unwrap();
            let is_off = reader.scripts == Scripts::Off;
            tab.execute(SetScriptExecutionDisabledParams::new(is_off))
                .await
                .unwrap();
            show(&tab, reader).await;
            tab.goto(format!("file://{}", file.display()))
                .await
                .unwrap();
            Page {
                chromium: self,
                tab,
                told,
            }
        })
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let browser = &mut self.browser;
        self.runtime.block_on(async {
            let closed = async {
                browser.close().await?;
                browser.wait().await.map_err(CdpError::from)
            };
            if !matches!(tokio::time::timeout(PATIENCE, closed).await, Ok(Ok(_))) {
                browser.kill().await;
            }
        });
    }
}

/// Sets the width, the medium and the preferences of a reader.
async fn show(tab: &chromiumoxide::Page, reader: Reader) {
    let width = i64::from(reader.width);
    let screen = SetDeviceMetricsOverrideParams::new(width, 900, 1.0, false);
    tab.execute(screen).await.unwrap();
    let prefers = reader.prefers.iter();
    let prefers = prefers.map(|(name, value)| MediaFeature::new(*name, *value));
    let media = SetEmulatedMediaParams::builder().media(reader.media);
    tab.execute(media.features(prefers).build()).await.unwrap();
}

impl Page<'_> {
    /// Shows the page, as it is, to another reader. Whether scripts run stays as it was.
    #[track_caller]
    pub(crate) fn show_to(&self, reader: Reader) {
        self.chromium.wait(show(&self.tab, reader));
    }

    /// What a function of `look.js` says; `call` is JavaScript. Nothing of it stays on the page.
    #[track_caller]
    pub(crate) fn look<T: DeserializeOwned>(&self, call: &str) -> T {
        let script = format!("(() => {{\n{LOOK}\nreturn {call};\n}})()");
        let evaluate = EvaluateParams::builder()
            .expression(script)
            .return_by_value(true)
            .await_promise(true);
        let evaluated = self.tab.execute(evaluate.build().unwrap());
        let evaluated = self.chromium.wait(evaluated).unwrap().result;
        if let Some(thrown) = evaluated.exception_details {
            let exception = thrown.exception.and_then(|it| it.description);
            panic!("`{call}` threw {}", exception.unwrap_or(thrown.text));
        }
        let value = evaluated.result.value.unwrap_or_default();
        serde_json::from_value(value).unwrap_or_else(|error| panic!("`{call}`: {error}"))
    }

    /// Presses a key and lets it go.
    #[track_caller]
    pub(crate) fn press(&self, key: Key) {
        let (name, code, number, text) = match key {
            Key::Tab => ("Tab", "Tab", 9, None),
            Key::Enter => ("Enter", "Enter", 13, Some("\r")),
            Key::Space => (" ", "Space", 32, Some(" ")),
        };
        let events = [DispatchKeyEventType::KeyDown, DispatchKeyEventType::KeyUp];
        for event in events {
            let mut stroke = DispatchKeyEventParams::builder()
                .key(name)
                .code(code)
                .windows_virtual_key_code(number);
            if let (DispatchKeyEventType::KeyDown, Some(text)) = (&event, text) {
                stroke = stroke.text(text);
            }
            let stroke = stroke.r#type(event).build().unwrap();
            self.chromium.wait(self.tab.execute(stroke)).unwrap();
        }
    }

    /// Clicks in the middle of one of the elements of the page's text that a selector finds, the first being 0.
    #[track_caller]
    pub(crate) fn click(&self, selector: &str, nth: usize) {
        // Chromiumoxide's own way asks scripts of the page, which may be off.
        let (x, y) = self.look(&format!("spot(all({selector:?})[{nth}])"));
        self.chromium.wait(self.tab.click(Point { x, y })).unwrap();
    }

    /// What is in the clipboard after something was done to the page.
    #[track_caller]
    pub(crate) fn copied(&self, how: impl FnOnce(&Self)) -> String {
        // One that panicked left nothing half done.
        let clipboard = self.chromium.clipboard.lock();
        let _held = clipboard.unwrap_or_else(|it| it.into_inner());
        let () = self.look("navigator.clipboard.writeText('nothing was copied')");
        how(self);
        self.look("navigator.clipboard.readText()")
    }

    /// The page as a screen reader gets it: every node, the root first.
    #[track_caller]
    pub(crate) fn spoken(&self) -> Vec<AxNode> {
        let tree = self.tab.execute(GetFullAxTreeParams::default());
        self.chromium.wait(tree).unwrap().result.nodes
    }

    /// What went wrong since the page was opened, and each request for anything but files of `folder` and data.
    #[track_caller]
    pub(crate) fn faults(&mut self, folder: &Path) -> Vec<String> {
        // What the page said before its first answer is here with the second one: that goes through the same hands after it.
        for _ in 0..2 {
            let () = self.look("null");
        }
        let folder = format!("file://{}/", folder.display());
        let told = &mut self.told;
        let mut faults = self.chromium.strange.lock().unwrap().clone();
        for it in heard(&mut told.console) {
            let is_fault = matches!(
                it.r#type,
                ConsoleApiCalledType::Error
                    | ConsoleApiCalledType::Warning
                    | ConsoleApiCalledType::Assert
            );
            if is_fault {
                let said = it
                    .args
                    .iter()
                    .map(|it| it.value.clone().unwrap_or_default());
                let said: Vec<String> = said.map(|it| it.to_string()).collect();
                faults.push(format!(
                    "console.{}: {}",
                    it.r#type.as_ref(),
                    said.join(" ")
                ));
            }
        }
        for it in heard(&mut told.exceptions) {
            let details = &it.exception_details;
            let exception = details.exception.as_ref();
            let said = exception.and_then(|it| it.description.as_ref());
            let said = said.unwrap_or(&details.text).lines().next();
            faults.push(format!("exception: {}", said.unwrap_or_default()));
        }
        for it in heard(&mut told.log) {
            if matches!(
                it.entry.level,
                LogEntryLevel::Error | LogEntryLevel::Warning
            ) {
                faults.push(format!("log: {}", it.entry.text));
            }
        }
        for it in heard(&mut told.requests) {
            let url = &it.request.url;
            if !url.starts_with(&folder) && !url.starts_with("data:") {
                faults.push(format!("request: {url}"));
            }
        }
        for it in heard(&mut told.failures) {
            faults.push(format!("failed: {}", it.error_text));
        }
        faults.sort();
        faults
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        // Of no matter if it fails: the window goes with the browser at the latest.
        let closed = async { tokio::time::timeout(PATIENCE, self.tab.clone().close()).await };
        let _ = self.chromium.runtime.block_on(closed);
    }
}

/// What has been told so far, without waiting for more.
fn heard<T: Debug>(stream: &mut (impl Stream<Item = T> + Unpin)) -> Vec<T> {
    std::iter::from_fn(|| stream.next().now_or_never().flatten()).collect()
}
