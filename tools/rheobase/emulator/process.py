"""The emulator's process: a request out, a reply in."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

_PROGRAM = Path(__file__).with_name("pico.mjs")


class EmulatorError(Exception):
    """The emulator could not do what it was asked, or could not be started."""


class EmulatorProcess:
    """pico.mjs in Node.js, asked by JSON lines."""

    def __init__(self, node: str = "node") -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in close)
        try:
            self._process = subprocess.Popen(
                [node, str(_PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
            )
        except FileNotFoundError:
            raise EmulatorError(f"{node} is not there: the emulator needs Node.js 20 or newer")

    def ask(self, request: str, **arguments: Any) -> dict[str, Any]:
        """Send a request (arguments that are None are left out) and wait for its reply."""
        message = {"do": request}
        message.update((name, value) for name, value in arguments.items() if value is not None)
        return self.send(message)

    def send(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except (BrokenPipeError, ValueError):
            line = ""
        if not line:
            raise EmulatorError(f"the emulator is gone: {self._last_words()}")
        reply = json.loads(line)
        if "error" in reply:
            raise EmulatorError(reply["error"])
        return reply["ok"]

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _last_words(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        text = self._errors.read().decode(errors="replace").strip()
        if "ERR_MODULE_NOT_FOUND" in text:
            return "it does not find the npm package rp2040js (npm install)"
        return text or f"it ended with status {self._process.returncode}"
