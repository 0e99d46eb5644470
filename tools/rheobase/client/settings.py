"""Settings as attributes: header and unit of each stand here once.

An attribute's name ends in its unit; values are what the stimulator answers, in that unit.
Ranges are the stimulator's own: it refuses, and StimulatorError then names value and limit.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar, overload

from rheobase.client.errors import StimulatorError
from rheobase.client.line import Line
from rheobase.client.words import NUMBER, WORD

T = TypeVar("T")
_INFINITE = Decimal("9.9E37")
_LONGEST_LINE = 240  # the firmware takes 256 bytes


class Setting(ABC, Generic[T]):
    """A descriptor: reading asks the stimulator, writing sets and checks, one round trip each."""

    form = NUMBER

    def __init__(self, header: str, doc: str) -> None:
        self.header = header
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, group: None, owner: type) -> Setting[T]: ...

    @overload
    def __get__(self, group: Group, owner: type) -> T: ...

    def __get__(self, group: Group | None, owner: type) -> Setting[T] | T:
        if group is None:
            return self
        return self.read(group.line.query(f"{group.prefix}{self.header}?", self.form))

    def __set__(self, group: Group, value: T) -> None:
        group.line.set(f"{group.prefix}{self.header} {self.write(value)}")

    @abstractmethod
    def read(self, answer: str) -> T:
        """The value that an answer stands for."""

    @abstractmethod
    def write(self, value: Any) -> str:
        """The value as SCPI writes it. Raises TypeError or ValueError for what is none."""


class Number(Setting[float]):
    """A quantity; `unit` is what the attribute's name says, `power` its power of ten."""

    def __init__(self, header: str, unit: str, power: int, doc: str) -> None:
        super().__init__(header, doc)
        self.unit = unit
        self.power = power

    def read(self, answer: str) -> float:
        value = Decimal(answer)
        return math.inf if value == _INFINITE else float(value.scaleb(-self.power))

    def write(self, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            raise TypeError(f"{self.name}: a number, not {value!r}")
        if math.isnan(value):
            raise ValueError(f"{self.name}: not a number")
        if math.isinf(value):
            return "INFinity" if value > 0 else "-9.9E37"
        return f"{Decimal(str(value)):f}{self.unit}"


class Count(Setting[int]):
    def read(self, answer: str) -> int:
        return int(answer)

    def write(self, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{self.name}: a whole number, not {value!r}")
        return str(value)


class Switch(Setting[bool]):
    def read(self, answer: str) -> bool:
        return answer == "1"

    def write(self, value: Any) -> str:
        if not isinstance(value, (bool, int)) or value not in (0, 1):
            raise TypeError(f"{self.name}: True or False, not {value!r}")
        return "ON" if value else "OFF"


class Choice(Setting[str]):
    """One of some words. Written in any of SCPI's forms, read in the long one, lower case."""

    form = WORD

    def __init__(self, header: str, words: tuple[str, ...], doc: str) -> None:
        super().__init__(header, doc)
        self.words = words

    def read(self, answer: str) -> str:
        for word in self.words:
            if answer == _short(word):
                return word.lower()
        return answer.lower()

    def write(self, value: Any) -> str:
        if isinstance(value, str):
            for word in self.words:
                if value.upper() in (_short(word), word.upper()):
                    return _short(word)
        raise ValueError(f"{self.name}: one of {', '.join(self.words).lower()}, not {value!r}")


class Group:
    """Settings that share a prefix: a channel's or the session's."""

    prefix: str
    settings: ClassVar[dict[str, Setting[Any]]]

    def __init_subclass__(cls) -> None:
        cls.settings = {
            name: value
            for name, value in vars(cls).items()
            if isinstance(value, Setting) and not name.startswith("_")
        }

    def __init__(self, line: Line) -> None:
        self.line = line

    def configure(self, **values: float | int | bool | str) -> None:
        """Set several settings: all of them or, when one is refused, none.

        Raises StimulatorError, or TypeError for a name that is no setting.
        """
        unknown = [name for name in values if name not in self.settings]
        if unknown:
            raise TypeError(
                f"no setting {', '.join(unknown)}; there are {', '.join(self.settings)}"
            )
        units = [self._unit(name, value) for name, value in values.items()]
        if len(units) < 2:
            for unit in units:
                self.line.set(unit)
            return
        before = self.read(*values)
        try:
            for message in messages(units):
                self.line.set(*message)
        except StimulatorError:
            for name, value in before.items():
                self.line.set(self._unit(name, value))
            raise

    def read(self, *names: str) -> dict[str, Any]:
        """The values of these settings, or of all."""
        answers = {}
        for name in names or self.settings:
            answers[name] = getattr(self, name)
        return answers

    def _unit(self, name: str, value: Any) -> str:
        setting = self.settings[name]
        return f"{self.prefix}{setting.header} {setting.write(value)}"


def messages(units: list[str]) -> list[list[str]]:
    """As few program messages as the line's length allows."""
    messages: list[list[str]] = [[]]
    for unit in units:
        if messages[-1] and sum(len(u) + 2 for u in messages[-1]) + len(unit) > _LONGEST_LINE:
            messages.append([])
        messages[-1].append(unit)
    return messages


def _short(word: str) -> str:
    """SCPI's short form: the capitals."""
    return "".join(letter for letter in word if letter.isupper() or letter.isdigit())
