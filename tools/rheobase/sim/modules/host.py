"""Modules for which CPython's own stand in, cut down to the names that the port has."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from random import Random
from types import ModuleType
from typing import Any

from rheobase.sim.modules.arguments import module

_NAMES = {
    "binascii": "a2b_base64 b2a_base64 crc32 hexlify unhexlify",
    "cmath": "cos e exp log log10 phase pi polar rect sin sqrt",
    "collections": "OrderedDict deque namedtuple",
    "errno": """EACCES EADDRINUSE EAGAIN EALREADY EBADF ECONNABORTED ECONNREFUSED ECONNRESET
        EEXIST EHOSTUNREACH EINPROGRESS EINVAL EIO EISDIR ENOBUFS ENODEV ENOENT ENOMEM ENOTCONN
        EOPNOTSUPP EPERM ETIMEDOUT errorcode""",
    "hashlib": "md5 sha1 sha256",
    "heapq": "heapify heappop heappush",
    "io": "BytesIO IOBase StringIO",
    "json": "dump dumps load loads",
    "math": """acos acosh asin asinh atan atan2 atanh ceil copysign cos cosh degrees e erf erfc
        exp expm1 fabs factorial floor fmod frexp gamma inf isclose isfinite isinf isnan ldexp
        lgamma log log10 log2 modf nan pi pow radians sin sinh sqrt tan tanh tau trunc""",
    "re": "compile match search sub",
    "struct": "calcsize pack pack_into unpack unpack_from",
}
_RANDOM = "choice getrandbits randint random randrange seed uniform"

NOT_MODELLED = (
    "_thread", "asyncio", "btree", "cryptolib", "deflate", "dht", "ds18x20", "framebuf",
    "neopixel", "onewire", "platform", "ssl", "tls", "vfs", "weakref",
)  # fmt: skip
"""Modules that the port has and the virtual board lacks."""


def build(name: str, seed: bytes) -> ModuleType | None:
    """The module, or None if it is not one of these. `random` starts from the seed."""
    if name == "random":
        generator = Random(seed)
        return module(name, {one: getattr(generator, one) for one in _RANDOM.split()})
    if name not in _NAMES:
        return None
    host = importlib.import_module(name)
    names = {one: getattr(host, one) for one in _NAMES[name].split()}
    if name == "json":
        names.update(load=_plain_errors(json.load), loads=_plain_errors(json.loads))
    return module(name, names)


def _plain_errors(read: Callable[..., Any]) -> Callable[[Any], Any]:
    """The port's json raises plain ValueErrors."""

    def reader(source: Any, /) -> Any:
        try:
            return read(source)
        except ValueError:
            raise ValueError("syntax error in JSON") from None

    return reader
