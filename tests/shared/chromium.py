"""Headless Chromium, driven through its own protocol over two pipes.

``--remote-debugging-pipe`` reads commands from descriptor 3 and writes answers to
descriptor 4, as JSON with a null byte behind each (the Chrome DevTools Protocol). That
needs no driver and no package.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 60.0
PHONE, DESKTOP = 390, 1280


def chromium_path() -> str | None:
    """Return the path of Chromium, if it is installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """A browser with one page, which records messages and requests.

    Attributes
    ----------
    problems : list of str
        Errors and warnings of the console, and exceptions.
    requests : list of str
        Addresses that the page asked for.
    """

    def __init__(self) -> None:
        program = chromium_path()
        if program is None:
            raise RuntimeError(
                "Chromium is not installed. Run: apt-get install -y chromium"
            )
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._fired: list[str] = []
        self._count, self._buffer, self._session = 0, b"", ""
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, self._write = map(_high, os.pipe())
        self._read, answers = map(_high, os.pipe())
        self._process = subprocess.Popen(
            [
                *("bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "chromium"),
                program,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--no-first-run",
                "--hide-scrollbars",
                f"--user-data-dir={self._profile.name}",
                "--remote-debugging-pipe",
                "about:blank",
            ],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(SECONDS)
        os.close(self._write)
        os.close(self._read)
        self._profile.cleanup()

    def open(
        self,
        path: Path,
        *,
        width: int = DESKTOP,
        height: int = 900,
        dark: bool = False,
        script: bool = True,
    ) -> float:
        """Load a file, and return the seconds until everything was loaded and drawn."""
        self.problems.clear()
        self.requests.clear()
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width == PHONE,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send("Emulation.setScriptExecutionDisabled", value=not script)
        self._fired.clear()
        start = time.perf_counter()
        self.send("Page.navigate", url=path.resolve().as_uri())
        self._wait_for("Page.loadEventFired")
        if script:
            self.evaluate(
                "new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))"
            )
        return time.perf_counter() - start

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; promises are awaited."""
        answer = self.send(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key, such as ``Tab`` or ``Enter``."""
        code = {"Tab": 9, "Enter": 13}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code, **text}
        self.send("Input.dispatchKeyEvent", type="keyDown", **event)
        self.send("Input.dispatchKeyEvent", type="keyUp", **event)

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Write what is visible, or the whole page, as PNG."""
        values = self.send(
            "Page.captureScreenshot", format="png", captureBeyondViewport=whole,
            **({"clip": self._clip()} if whole else {}),
        )  # fmt: skip
        path.write_bytes(base64.b64decode(values["data"]))

    def send(self, method: str, **params: Any) -> Any:
        """Send a command, and return its result."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method}
        message |= {"params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive(method)
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def _clip(self) -> dict[str, float]:
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        return {"x": 0, "y": 0, "scale": 1, **{k: size[k] for k in ("width", "height")}}

    def _wait_for(self, event: str) -> None:
        while event not in self._fired:
            self._receive(event)

    def _receive(self, purpose: str) -> dict[str, Any]:
        """Return the next message; events are recorded on the way."""
        deadline = time.monotonic() + SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select(
                [self._read], [], [], deadline - time.monotonic()
            )
            data = os.read(self._read, 1 << 20) if ready else b""
            if not data:
                raise RuntimeError(f"Chromium did not answer {purpose}.")
            self._buffer += data
        raw, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(raw)
        self._record(message.get("method", ""), message.get("params", {}))
        return message

    def _record(self, event: str, params: dict[str, Any]) -> None:
        self._fired.append(event)
        if event == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(params["exceptionDetails"]))
        elif event == "Log.entryAdded":
            entry = params["entry"]
            if entry["level"] in ("error", "warning"):
                self.problems.append(f"{entry['level']}: {entry['text']}")
        elif event == "Runtime.consoleAPICalled" and params["type"] != "log":
            self.problems.append(json.dumps(params["args"]))


def _high(descriptor: int) -> int:
    """Return a copy of a descriptor that is neither 3 nor 4, and close the first."""
    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return copy
