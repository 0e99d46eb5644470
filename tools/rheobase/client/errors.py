"""What can go wrong between host and stimulator."""

from __future__ import annotations


class RheobaseError(Exception):
    """Everything this package raises on purpose."""


class StimulatorError(RheobaseError):
    """The stimulator refused, or reported a fault. It changed nothing (except by a fault).

    code: the SCPI error number (-222 out of range, -221 not now or not together, ...; positive:
    a fault of the device). text: its words, with the value and the limit. all_errors: everything
    that stood in its queue, oldest first.
    """

    def __init__(
        self, code: int, text: str, all_errors: list[tuple[int, str]] | None = None
    ) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.all_errors = all_errors or [(code, text)]


class LinkError(RheobaseError):
    """The line to the stimulator: nothing came in time, or not what was asked for."""


class ResetError(LinkError):
    """The stimulator was reset meanwhile: its output is off, its settings are the defaults."""


class PortError(LinkError):
    """No port, no permission for it, pulled out, or no stimulator behind it."""
