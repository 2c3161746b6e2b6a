"""A real browser, driven by its own protocol over pipes: nothing between it and the test."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import threading
import time

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
)  # fmt: skip
KEYS = {
    "Tab": ("Tab", 9, None),
    "Enter": ("Enter", 13, "\r"),
    "Space": (" ", 32, " "),
    "ArrowDown": ("ArrowDown", 40, None),
    "ArrowRight": ("ArrowRight", 39, None),
}


class Browser:
    """One page of one browser; :attr:`complaints` has what the page logged as an error."""

    def __init__(self, folder):
        to_read, its_write = os.pipe()
        its_read, to_write = os.pipe()
        command = f'exec "$@" 3<&{its_read} 4>&{its_write}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"],
            pass_fds=(its_read, its_write),
            stderr=subprocess.DEVNULL,
        )
        os.close(its_read)
        os.close(its_write)
        self._in, self._out = os.fdopen(to_read, "rb", buffering=0), os.fdopen(to_write, "wb", buffering=0)
        self._ids, self._answers, self._session = itertools.count(1), {}, None
        self._arrived = threading.Condition()
        self.complaints, self._folder = [], folder
        threading.Thread(target=self._listen, daemon=True).start()
        pages = [item for item in self._send("Target.getTargets")["targetInfos"] if item["type"] == "page"]
        attached = self._send("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._send(f"{domain}.enable")
        self._send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def close(self):
        self._process.terminate()
        self._process.wait(20)
        self._in.close()
        self._out.close()

    def open(self, url):
        self._send("Page.navigate", url=url)

    def look(self, width, height=900, dark=False):
        """Set the size of the window and the scheme of colours."""
        self._send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._send("Emulation.setEmulatedMedia", features=[scheme])

    def value(self, expression):
        """What an expression of JavaScript is, waited for if it is promised."""
        found = self._send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, expression, timeout_s=60.0):
        """Return once an expression holds."""
        give_up = time.monotonic() + timeout_s
        while not self.value(f"(() => {{ try {{ return Boolean({expression}) }} catch {{ return false }} }})()"):
            assert time.monotonic() < give_up, f"never: {expression}\n{self.value('document.body.innerText')}"
            time.sleep(0.05)

    def press(self, key, times=1):
        name, code, text = KEYS[key]
        for _ in range(times):
            for kind in ("keyDown" if text else "rawKeyDown", "keyUp"):
                typed = {"text": text} if text and kind == "keyDown" else {}
                self._send("Input.dispatchKeyEvent", type=kind, key=name, code=key, windowsVirtualKeyCode=code, **typed)

    def type(self, text):
        self._send("Input.insertText", text=text)

    def picture(self, path, whole=True):
        size = self._send("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6000), "scale": 1}
        shot = self._send("Page.captureScreenshot", captureBeyondViewport=whole, **({"clip": clip} if whole else {}))
        path.write_bytes(base64.b64decode(shot["data"]))

    def downloaded(self, suffix, timeout_s=30.0):
        """The file that a download left."""
        give_up = time.monotonic() + timeout_s
        while time.monotonic() < give_up:
            found = list(self._folder.glob(f"*{suffix}"))
            if found:
                return found[0]
            time.sleep(0.05)
        raise AssertionError(f"no {suffix} was downloaded")

    def _send(self, method, **params):
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if self._session is not None and not method.startswith(("Target.", "Browser.")):
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        with self._arrived:
            assert self._arrived.wait_for(lambda: number in self._answers, 60), method
            answer = self._answers.pop(number)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def _listen(self):
        waiting = b""
        while chunk := self._in.read(65536):
            *whole, waiting = (waiting + chunk).split(b"\0")
            for message in map(json.loads, whole):
                self._hear(message)

    def _hear(self, message):
        if "id" in message:
            with self._arrived:
                self._answers[message["id"]] = message
                self._arrived.notify_all()
            return
        params = message.get("params", {})
        match message["method"]:
            case "Runtime.exceptionThrown":
                self.complaints.append(params["exceptionDetails"])
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning"):
                self.complaints.append(params["args"])
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.complaints.append(params["entry"])
