"""Goes through the steps with a person, and takes down what comes out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from rheobase.bench_test import step as op
from rheobase.client import LinkError, RheobaseError, State, Stimulator, StimulatorError
from rheobase.client.words import NUMBER

PASS, FAIL, SKIPPED, NOT_REACHED = "pass", "fail", "skipped", "not reached"
_ANY = re.compile(r".+")
_NUMBERS = re.compile(f"{NUMBER.pattern}(?:,{NUMBER.pattern})*")
_CLIMB_S = 30.0
_TESTS_S = 5.0
_TRY_STOP = op.Do("try_stop", "Press the stop button once and release it (once after each start).")


class Skip(Exception):
    """The person leaves this step out; the words say why."""


class Quit(Exception):
    """The person ends the test."""


class Person(Protocol):
    """Who stands at the bench."""

    def begin(self, step: op.Step) -> None:
        """A step begins. May raise Skip or Quit, as every call here."""

    def tell(self, words: str) -> None:
        """What the board does now."""

    def do(self, what: op.Do) -> None: ...

    def read(self, what: op.Read) -> Sequence[float]:
        """The reading; an automatic person reads every pulse."""

    def see(self, what: op.See) -> bool: ...


class Check(NamedTuple):
    """One comparison."""

    what: str
    expected: str
    measured: str
    ok: bool


class Result(NamedTuple):
    step: op.Step
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
        steps: Sequence[op.Step],
        *,
        show: Show = lambda check: None,
    ) -> None:
        self._connect = connect
        self._person = person
        self._steps = steps
        self._show = show
        self._line: Stimulator | None = None
        self._playing = False
        self._checks: list[Check] = []
        self.identity = self._device.identity

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

    def _run_step(self, step: op.Step) -> Result:
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

    def _reason_to_skip(self, step: op.Step) -> str:
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

    def _clean_up(self, step: op.Step, note: str) -> str:
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
                self._wait_for_tests()
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
            self._wait_for_tests()
        return self._line

    def _wait_for_tests(self) -> None:
        """The self-test after a start or a cleared fault, and an arming, take a moment."""
        assert self._line is not None
        deadline = self._line.clock.monotonic() + _TESTS_S
        while self._line.state in (State.SELFTEST, State.CHECKING):
            if self._line.clock.monotonic() > deadline:
                raise LinkError(f"still in state {self._line.state} after {_TESTS_S:g} s")
            self._line.clock.sleep(0.05)

    # -- operations ------------------------------------------------------------------------------

    def _perform(self, operation: op.Operation) -> None:
        match operation:
            case op.Set(lines):
                for line in lines:
                    self._device.line.set(line)
            case op.Arm(words):
                if words:
                    self._must_refuse("ARM", words, self._arm)
                else:
                    self._arm()
            case op.Play(one_ma, two_ma):
                self._play({1: one_ma, 2: two_ma})
            case op.Off():
                self._playing = False
                self._device.abort()
            case op.Do():
                self._person.do(operation)
            case op.Read(words=words, bounds=bounds):
                values = self._person.read(operation)
                self._judge(words, bounds, values)
            case op.See(words=words):
                seen = self._person.see(operation)
                self._note(Check(words, "yes", "yes" if seen else "no", seen))
            case op.Ask(query, words, bounds, scale):
                answer = self._device.line.query(query, _NUMBERS)
                values = [float(number) * scale for number in answer.split(",")]
                self._judge(f"{words} ({query})", bounds, values)
            case op.Says(query, expected):
                self._wait_for_tests()
                answer = self._device.line.query(query, _ANY)
                self._note(Check(query, expected, answer, answer == expected))
            case op.Refuses(line, words):
                self._must_refuse(line, words, lambda: self._device.line.set(line))
            case op.Wait(seconds):
                self._device.clock.sleep(seconds)
            case op.LetGo():
                self._person.tell("the host falls silent now")
                self._device.close()
                self._line = None
            case op.Reconnect():
                if self._line is not None:
                    self._line.close()
                self._line = None
                self._device.errors  # noqa: B018 -- of the time before

    def _play(self, wanted_ma: dict[int, float]) -> None:
        device = self._device
        if not self._playing:
            self._arm()
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

    def _arm(self) -> None:
        """With all that a person has to have done: checklist, pads, and the stop button tried."""
        device = self._device
        device.acknowledge(device.checklist)
        for number in (1, 2):
            channel = device.channel(number)
            channel.pad_cm2 = channel.pad_cm2
        try:
            device.arm()
        except StimulatorError as refusal:
            if "not tried" not in refusal.text:
                raise
            self._person.do(_TRY_STOP)
            device.arm()

    def _must_refuse(self, what: str, words: str, action: Callable[[], object]) -> None:
        expected = f"refused: ...{words}..."
        try:
            action()
        except StimulatorError as error:
            self._note(Check(what, expected, str(error), words in error.text))
        else:
            self._note(Check(what, expected, "accepted", False))

    def _judge(self, words: str, bounds: op.Bounds, values: Sequence[float]) -> None:
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
