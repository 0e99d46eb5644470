"""SRAM addresses for Python buffers, so that DMA and mem32 can reach them.

A buffer gets an address when the firmware first asks for it (`uctypes.addressof`, or as an
argument of `DMA.config`) and keeps it while the object lives, as on the chip, whose collector
never moves anything. What is read or written there is the object's own content.
"""

from __future__ import annotations

import ctypes
import weakref
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import Any

from rheobase.sim.errors import UseAfterFree, WildAccess

SRAM = 0x20000000
SRAM_END = 0x20042000
_HEAP = 0x20006000  # where the port's heap begins, roughly
_HEAP_END = 0x20040000
_ALIGN = 16  # the port's heap gives no more

ADDRESS_MASK = 0xFFFFFFFF


class Region:
    """The memory of one buffer."""

    __slots__ = ("_get", "end", "size", "start", "typecode", "what")

    def __init__(self, start: int, size: int, get: Callable[[], Any], typecode: str, what: str):
        self.start = start
        self.size = size
        self.end = start + size
        self.typecode = typecode
        self.what = what
        self._get = get

    @property
    def alive(self) -> bool:
        return self._get() is not None

    def bury(self) -> None:
        self._get = lambda: None

    def buffer(self) -> Any:
        """The object, if there still is one."""
        buffer = self._get()
        if buffer is None:
            raise UseAfterFree(f"{self.what} at {self.start:#010x} is gone, and still in use")
        return buffer

    def read(self, address: int, size: int) -> int:
        """`size` bytes (1, 2 or 4), little end first."""
        buffer = self.buffer()
        offset = address - self.start
        if size == 4:
            try:
                if self.typecode == "H":
                    index = offset >> 1
                    return buffer[index] | buffer[index + 1] << 16
                if self.typecode == "I":
                    return buffer[offset >> 2]
            except IndexError:
                raise self._beyond(address) from None
        with memoryview(buffer) as view, view.cast("B") as data:
            if offset + size > len(data):
                raise self._beyond(address)
            return int.from_bytes(data[offset : offset + size], "little")

    def _beyond(self, address: int) -> WildAccess:
        return WildAccess(f"{address:#010x} is beyond the end of {self.what}")

    def write(self, address: int, value: int, size: int) -> None:
        buffer = self.buffer()
        offset = address - self.start
        if size == 2 and self.typecode == "H" and offset >> 1 < len(buffer):
            buffer[offset >> 1] = value & 0xFFFF
        elif size == 4 and self.typecode == "I" and offset >> 2 < len(buffer):
            buffer[offset >> 2] = value
        else:
            with memoryview(buffer) as view, view.cast("B") as data:
                if offset + size > len(data):
                    raise self._beyond(address)
                if data.readonly:
                    raise WildAccess(f"{self.what} at {self.start:#010x} is constant")
                value &= (1 << 8 * size) - 1
                data[offset : offset + size] = value.to_bytes(size, "little")


class Memory:
    """The heap of one boot."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._starts: list[int] = []
        self._regions: list[Region] = []
        self._by_object: dict[int, Region] = {}
        self._next = _HEAP
        self._dead: deque[Region] = deque()
        self._kept: list[Any] = []

    def clear(self) -> None:
        """Begin an empty heap. Whoever still has a region of the old one will find it dead."""
        for region in self._regions:
            region.bury()
        self._begin()

    def address_of(self, buffer: Any) -> int:
        """The address of a buffer's first byte; a slice of a memoryview has its own."""
        if isinstance(buffer, memoryview):
            owner = buffer.obj
            offset = _host_address(buffer) - _host_address(owner) if buffer.nbytes else 0
        else:
            owner, offset = buffer, 0
        region = self._by_object.get(id(owner))
        if region is None:
            region = self._place(owner)
        elif region.size != _size(owner):
            self._forget(region, id(owner))
            region = self._place(owner)
        return region.start + offset

    def find(self, address: int) -> Region:
        """The region an address lies in."""
        index = bisect_right(self._starts, address) - 1
        if index >= 0:
            region = self._regions[index]
            if address < region.end:
                return region
        raise WildAccess(f"no buffer of the firmware is at {address:#010x}")

    def _place(self, owner: Any) -> Region:
        size = _size(owner)
        start = self._allocate(size)
        key = id(owner)
        try:
            get: Callable[[], Any] = weakref.ref(owner, lambda ref: self._forget(region, key))
        except TypeError:
            self._kept.append(owner)

            def get() -> Any:
                return owner

        typecode = getattr(owner, "typecode", "B")
        region = Region(start, size, get, typecode, f"{type(owner).__name__} of {size} bytes")
        self._by_object[key] = region
        index = bisect_right(self._starts, start)
        self._starts.insert(index, start)
        self._regions.insert(index, region)
        return region

    def _forget(self, region: Region, key: int) -> None:
        if self._by_object.get(key) is region:
            del self._by_object[key]
        self._dead.append(region)

    def _allocate(self, size: int) -> int:
        """Fresh addresses first, so that the use of freed ones is found out."""
        room = max(_ALIGN, -(-size // _ALIGN) * _ALIGN)
        if self._next + room <= _HEAP_END:
            self._next += room
            return self._next - room
        fits = [region for region in self._dead if region.size >= size]
        if fits:
            region = min(fits, key=lambda region: region.size)
            self._dead.remove(region)
            index = self._regions.index(region)
            del self._regions[index], self._starts[index]
            return region.start
        raise MemoryError(f"memory allocation failed, allocating {size} bytes")


def _size(buffer: Any) -> int:
    with memoryview(buffer) as view:
        return view.nbytes


class _PyBuffer(ctypes.Structure):
    _fields_ = [
        ("buf", ctypes.c_void_p), ("obj", ctypes.py_object), ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t), ("readonly", ctypes.c_int), ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p), ("shape", ctypes.c_void_p), ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p), ("internal", ctypes.c_void_p),
    ]  # fmt: skip


def _host_address(buffer: Any) -> int:
    """Where a buffer is in this computer's memory, to tell how far a slice is into it."""
    view = _PyBuffer()
    api = ctypes.pythonapi
    api.PyObject_GetBuffer(ctypes.py_object(buffer), ctypes.byref(view), 0)
    try:
        return view.buf or 0
    finally:
        api.PyBuffer_Release(ctypes.byref(view))
