"""From the repository's sources to what is compiled for the device.

Hot functions carry a comment line `# native` or `# viper` above their `def`. CPython and ports
without an emitter run them as they stand; for a chip with one, this makes the comment the
decorator. So the plain twin of every fast function is its own source.
"""

from __future__ import annotations

import re

_MARK = re.compile(r"^( *)# (native|viper)$", re.MULTILINE)


def device_source(source: str) -> str:
    """The source with its marked functions decorated, and `micropython` imported for them."""
    decorated, count = _MARK.subn(r"\1@micropython.\2", source)
    if not count:
        return source
    # Behind the docstring, so that it stays one.
    lines = decorated.split("\n")
    first = 0
    if lines[0].startswith('"""'):
        while not (lines[first].endswith('"""') and (first or len(lines[0]) > 3)):
            first += 1
        first += 1
    return "\n".join([*lines[:first], "import micropython", *lines[first:]])
