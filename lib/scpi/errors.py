"""Refusals, their queue, and where their words come from."""

import sys

_PACKAGE = __name__.rpartition(".")[0]
_WORDS = "refusals"


class ScpiError(Exception):
    """A refusal: `code` as the standard or the device numbers it, `detail` for the reader."""

    def __init__(self, code, detail=""):
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def quoted(text):
    """IEEE 488.2 string response: `"` around, and every `"` inside doubled."""
    return '"' + text.replace('"', '""') + '"'


def told(name, *values):
    """Call a function of refusals.py: it is in memory only while a refusal is put into words."""
    return borrowed(_WORDS, name)(*values)


def borrowed(module, name):
    """What is called `name` in a module of this package that stays until forget()."""
    return getattr(__import__(_PACKAGE + "." + module, None, None, (name,)), name)


def forget(module=_WORDS):
    """Let go of a borrowed module."""
    sys.modules.pop(_PACKAGE + "." + module, None)
    package = sys.modules.get(_PACKAGE)
    if hasattr(package, module):
        delattr(package, module)


class ErrorQueue:
    """What SYSTem:ERRor? reads: first in, first out. When it is full its last entry becomes -350
    and newer ones are lost. `messages` has the texts of the device's own numbers (`get`).
    """

    def __init__(self, size=16, messages=None):
        self._texts = []
        self._size = size
        self._messages = messages

    def __len__(self):
        return len(self._texts)

    def text(self, code, detail=""):
        """An error as the queue answers it: `-113,"Undefined header;FOO"`."""
        text = told("text", code, detail, self._messages)
        forget()
        return text

    def push(self, code, detail=""):
        """Append an error; False when the queue was full and it is lost."""
        if len(self._texts) < self._size:
            self._texts.append(self.text(code, detail))
            return True
        self._texts[-1] = self.text(-350)
        return False

    def pop(self):
        """The oldest error, taken out of the queue; `0,"No error"` when there is none."""
        return self._texts.pop(0) if self._texts else '0,"No error"'

    def clear(self):
        self._texts.clear()
