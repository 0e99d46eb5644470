"""Goes through the steps with a person, and takes down what comes out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from rheobase.bench_test.step import (
    Ask,
    Bounds,
    Do,
    LetGo,
    Off,
    Operation,
    Play,
    Read,
    Reconnect,
    Refuses,
    Says,
    See,
    Set,
    Step,
    Wait,
)
from rheobase.client import LinkError, RheobaseError, State, Stimulator, StimulatorError

PASS, FAIL, SKIPPED, NOT_REACHED = "pass", "fail", "skipped", "not reached"
_ANY = re.compile(r".+")
_CLIMB_S = 30.0


class Skip(Exception):
    """The person leaves this step out; the words say why."""


class Quit(Exception):
    """The person ends the test."""


class Person(Protocol):
    """Who stands at the bench."""

    def begin(self, step: Step) -> None:
        """A step begins. May raise Skip or Quit, as every call here."""

    def tell(self, words: str) -> None:
        """What the board does now."""

    def do(self, what: Do) -> None: ...

    def read(self, what: Read) -> Sequence[float]:
        """The reading; an automatic person reads every pulse."""

    def see(self, what: See) -> bool: ...


class Check(NamedTuple):
    """One comparison."""

    what: str
    expected: str
    measured: str
    ok: bool


class Result(NamedTuple):
    step: Step
    status: str
    checks: tuple[Check, ...]
    note: str


Show = Callable[[Check], object]


class BenchTest:
    """One run of the test on one board.

    connect: opens the line to the board anew. `show` is told every comparison as it is made.
    """

    def __init__(
        self,
        connect: Callable[[], Stimulator],
        person: Person,
        steps: Sequence[Step],
        *,
        stage: bool = True,
        show: Show = lambda check: None,
    ) -> None:
        self._connect = connect
        self._person = person
        self._steps = steps
        self._stage = stage
        self._show = show
        self._line: Stimulator | None = connect()
        self._playing = False
        self._checks: list[Check] = []
        self.identity = self._line.identity

    def run(self) -> list[Result]:
        """Every step; the output is off after each, and at the end, however it ends."""
        results: list[Result] = []
        try:
            for step in self._steps:
                results.append(self._run_step(step))
        except (Quit, KeyboardInterrupt):
            left = self._steps[len(results) :]
            results += [Result(step, NOT_REACHED, (), "the test was ended") for step in left]
        finally:
            self._put_out()
            if self._line is not None:
                self._line.close()
        return results

    # -- a step ----------------------------------------------------------------------------------

    def _run_step(self, step: Step) -> Result:
        self._checks = []
        note = ""
        try:
            reason = self._reason_to_skip(step)
            if reason:
                return Result(step, SKIPPED, (), reason)
            self._person.begin(step)
            for operation in step.operations:
                self._perform(operation)
        except Skip as skip:
            return Result(step, SKIPPED, tuple(self._checks), str(skip) or "left out")
        except RheobaseError as error:
            note = str(error)
        finally:
            fault = self._fault_of_a_failed_step(bool(note))
            note = self._clean_up(step, note or fault)
        good = not note and all(check.ok for check in self._checks)
        return Result(step, PASS if good else FAIL, tuple(self._checks), note)

    def _reason_to_skip(self, step: Step) -> str:
        if step.stage and not self._stage:
            return "needs the output stage"
        for query in step.needs:
            try:
                self._device.line.query(query, _ANY)
            except StimulatorError as error:
                if error.code == -113:
                    return f"this firmware has no {query}"
            except LinkError as error:
                return f"no answer to {query}: {error}"
        return ""

    def _fault_of_a_failed_step(self, failed: bool) -> str:
        """Why the device stopped by itself, if it did, for the reader of a failure."""
        if failed or all(check.ok for check in self._checks) or self._line is None:
            return ""
        try:
            fault = self._line.fault
        except RheobaseError:
            return ""
        return f"fault {fault.number}: {fault.text}" if fault else ""

    def _clean_up(self, step: Step, note: str) -> str:
        """Output off and the bench as it was; a new note only if there was none."""
        self._put_out()
        for operation in step.afterwards:
            try:
                self._perform(operation)
            except Skip:
                continue
            except RheobaseError as error:
                note = note or str(error)
        try:
            device = self._device
            if device.state == State.FAULT:
                device.clear_fault()
            device.reset()
        except RheobaseError as error:
            note = note or f"afterwards: {error}"
        return note

    def _put_out(self) -> None:
        self._playing = False
        try:
            self._device.abort()
        except RheobaseError:
            return  # the step's own end, or the next step's beginning, will say so

    @property
    def _device(self) -> Stimulator:
        if self._line is None:
            self._line = self._connect()
        return self._line

    # -- operations ------------------------------------------------------------------------------

    def _perform(self, operation: Operation) -> None:
        match operation:
            case Set(lines):
                for line in lines:
                    self._device.line.set(line)
            case Play(one_ma, two_ma):
                self._play({1: one_ma, 2: two_ma})
            case Off():
                self._playing = False
                self._device.abort()
            case Do():
                self._person.do(operation)
            case Read(words=words, bounds=bounds):
                values = self._person.read(operation)
                self._judge(words, bounds, values)
            case See(words=words):
                seen = self._person.see(operation)
                self._note(Check(words, "yes", "yes" if seen else "no", seen))
            case Ask(query, words, bounds, scale):
                value = float(self._device.line.query(query, _ANY)) * scale
                self._judge(f"{words} ({query})", bounds, [value])
            case Says(query, expected):
                answer = self._device.line.query(query, _ANY)
                self._note(Check(query, expected, answer, answer == expected))
            case Refuses(line, words):
                self._refuses(line, words)
            case Wait(seconds):
                self._device.clock.sleep(seconds)
            case LetGo():
                self._person.tell("the host falls silent now")
                self._device.close()
                self._line = None
            case Reconnect():
                if self._line is not None:
                    self._line.close()
                self._line = None
                self._line = self._connect()

    def _play(self, wanted_ma: dict[int, float]) -> None:
        device = self._device
        if not self._playing:
            device.arm()
            device.start()
            self._playing = True
        targets = {number: most for number, most in wanted_ma.items() if most}
        words = [f"channel {number} {most:g} mA" for number, most in targets.items()]
        self._person.tell(f"playing: {' and '.join(words) or 'at zero intensity'}")
        if targets:
            deadline = device.clock.monotonic() + _CLIMB_S
            for _ in device.raise_current(targets):
                if device.clock.monotonic() > deadline:
                    raise LinkError(f"the intensity did not reach {targets} mA in {_CLIMB_S:g} s")

    def _refuses(self, line: str, words: str) -> None:
        try:
            self._device.line.set(line)
        except StimulatorError as error:
            self._note(Check(line, f"refused: ...{words}...", str(error), words in error.text))
        else:
            self._note(Check(line, f"refused: ...{words}...", "accepted", False))

    def _judge(self, words: str, bounds: Bounds, values: Sequence[float]) -> None:
        unit = f" {bounds.unit}" if bounds.unit else ""
        if not values:
            self._note(Check(words, str(bounds), "nothing", False))
            return
        low, high = min(values), max(values)
        shown = f"{low:.5g}{unit}" if low == high else f"{low:.5g} to {high:.5g}{unit}"
        self._note(Check(words, str(bounds), shown, bounds.holds(low) and bounds.holds(high)))

    def _note(self, check: Check) -> None:
        self._checks.append(check)
        self._show(check)
