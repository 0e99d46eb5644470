"""The board's configuration and calibration, which outlive a power cut. Output off only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rheobase.client.errors import StimulatorError
from rheobase.client.line import Line
from rheobase.client.words import NUMBER, TEXT, quoted, unquoted

_HEAD = "rheobase-config "
_GAINS = {
    "sense_1": "sense_gain_ppm_1",
    "sense_2": "sense_gain_ppm_2",
    "sink_1": "sink_gain_ppm_1",
    "sink_2": "sink_gain_ppm_2",
    "supply": "supply_gain_ppm",
}


class Configuration:
    """`stimulator.configuration`: numbers by name, in the unit that the name ends in.

        stimulator.configuration["motor_ua_1"]
        stimulator.configuration.change(motor_ua_1=12_000, sensory_ua_1=7_000)

    docs/commands.md lists the fields. Some are the clinician's: `unlock` first.
    """

    def __init__(self, line: Line) -> None:
        self._line = line

    def __getitem__(self, name: str) -> int:
        """Raises StimulatorError (-224) if there is no such field."""
        return int(self._line.query(f"SYST:CONF? {quoted(name)}", NUMBER))

    def read(self) -> dict[str, int]:
        """Every field, in the board's order."""
        count = int(self._line.query("SYST:CONF:COUN?", NUMBER))
        values = {}
        for place in range(count):
            text = unquoted(self._line.query(f"SYST:CONF:LINE? {place + 1}", TEXT))
            name, equals, value = text.partition(" = ")
            if equals:
                values[name] = int(value)
        return values

    @property
    def schema(self) -> int:
        """The version of the table of fields."""
        return int(unquoted(self._line.query("SYST:CONF:LINE? 1", TEXT)).removeprefix(_HEAD))

    def change(self, values: Mapping[str, int] | None = None, /, **more: int) -> None:
        """Change fields and save them: all of them or, when one is refused, none.

        Raises StimulatorError: -224 no such field, -222 out of range, -203 needs the key, -221
        the fields don't fit each other, or the output is on.
        """
        wanted = {**(values or {}), **more}
        for name, value in wanted.items():
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name}: a whole number, not {value!r}")
        self._line.set("SYST:CONF:REV")  # what somebody typed and never saved is not ours
        try:
            for name, value in wanted.items():
                self._line.set(f"SYST:CONF:SET {quoted(f'{name} = {value}')}")
            self._line.set("SYST:CONF:SAVE")
        except StimulatorError:
            self._line.set("SYST:CONF:REV")
            raise

    def calibrate(self, what: str, told: float, true: float) -> tuple[str, int]:
        """Correct a gain by one reading, in any unit; returns the field and its new value.

        what: sense_1, sense_2 or supply, told being what the board measured; sink_1 or sink_2,
        told being the current that was set. true: what a meter of your own read then. Best high
        in the range: the error of the reading becomes the error of the gain.
        """
        if what not in _GAINS:
            raise ValueError(f"{what}: one of {', '.join(_GAINS)}")
        if not (told > 0 and true > 0):
            raise ValueError(f"{what}: {told:g} and {true:g} must both be above 0")
        field = _GAINS[what]
        ratio = true / told if what.startswith("sink") else told / true
        value = round(self[field] * ratio)
        self.change({field: value})
        return field, value

    def restore(self) -> None:
        """Every field at its default. Needs the key, unless it is lost with both copies."""
        self._line.set("SYST:CONF:REST")

    @property
    def trouble(self) -> str:
        """Why the board can't be armed, such as two bad copies; "" if all is well."""
        state = unquoted(self._line.query("SYST:CONF:STAT?", TEXT))
        return "" if state == "good" else state

    # -- the clinician's key

    def unlock(self, key: str) -> None:
        """Give the clinician's key. After five wrong ones only a power cycle helps."""
        self._line.set(f"SYST:KEY {quoted(key)}")

    def lock(self) -> None:
        """Lock again what the key has opened."""
        self._line.set("SYST:KEY:LOCK")

    @contextmanager
    def unlocked(self, key: str | None) -> Iterator[None]:
        """Open while a block lasts; without a key as it is."""
        if key is None:
            yield
            return
        self.unlock(key)
        try:
            yield
        finally:
            self.lock()

    def set_key(self, key: str) -> None:
        """Set the first key (4 to 32 characters), or another one while it is open."""
        self._line.set(f"SYST:KEY:NEW {quoted(key)}")
