"""Which port is the stimulator's."""

from __future__ import annotations

import errno
from collections.abc import Callable

from serial.tools import list_ports

from rheobase.client.errors import PortError

# USB ids (vendor, product or any) of boards that run MicroPython: Raspberry Pi Pico family,
# Espressif's own USB. Serial bridges of other makers are not asked: anything may be behind them.
BOARDS = ((0x2E8A, 0x0005), (0x303A, None))


def candidates() -> list[str]:
    """Device names of the ports at which a MicroPython board is."""
    return [
        port.device
        for port in sorted(list_ports.comports())
        if any(port.vid == vendor and product in (None, port.pid) for vendor, product in BOARDS)
    ]


def find_port(ask: Callable[[str], object]) -> str:
    """The name of the one port where `ask` finds a stimulator; it raises PortError if not.

    Raises PortError naming every port that was asked and why it is not the one.
    """
    names = candidates()
    if not names:
        raise PortError(
            "no MicroPython board on any USB port: plug it in, or name the port "
            f"({present_ports()})"
        )
    found, reasons = [], []
    for name in names:
        try:
            ask(name)
        except PortError as error:
            reasons.append(str(error))
        else:
            found.append(name)
    if len(found) == 1:
        return found[0]
    if found:
        raise PortError(f"more than one stimulator: {', '.join(found)}; name the port")
    raise PortError("no stimulator found; " + "; ".join(reasons))


def present_ports() -> str:
    names = [port.device for port in sorted(list_ports.comports())]
    return f"ports present: {', '.join(names)}" if names else "no serial port is present"


def reason_it_did_not_open(name: str, error: Exception) -> str:
    """A sentence for the person who wanted this port."""
    number = getattr(error, "errno", None)
    text = str(error)
    if number in (errno.EACCES, errno.EPERM) or "Permission" in text:
        return (
            f"no permission for {name}: join the group that owns it "
            "(Linux: sudo usermod -aG dialout $USER, then log in anew)"
        )
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text:
        return f"{name} is in use by another program"
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or "FileNotFound" in text:
        return f"no port {name}; {present_ports()}"
    if "Inappropriate ioctl" in text:
        return f"{name} is no serial port; {present_ports()}"
    return f"{name} can't be opened: {text}"
