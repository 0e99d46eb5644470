"""The instrument: bytes in, replies out, and no I/O in between."""

from .checked import FRAME
from .errors import ErrorQueue, ScpiError, borrowed, forget, told
from .interpreter import Interpreter, part_end
from .lines import IMMEDIATE, INVALID, LINE, NOTHING, OVERRUN, LineAssembler
from .status import OPERATION_COMPLETE, Status
from .table import Table

MOST_REPLIES = 64  # lines waiting to be taken; more means that nobody reads them
MOST_KNOWN = 8  # lines of queries whose rows are kept, as hosts ask the same again and again
LONGEST_KNOWN = 64  # bytes of such a line

# IEEE 488.2 common commands, SYSTem and STATus of SCPI-99. Nothing is overlapped, so that *WAI has
# nothing to do: a held line would also hold the command that switches off.
STANDARD = b"""
*CLS clear_status -
*ESE status.standard.enable= status.standard.enable /#/0/255
*ESR - status.standard.take_event
*IDN - identify
*OPC note_completion wait_completion
*RST reset -
*SRE status.set_request_enable status.request_enable /#/0/255
*STB - status_byte
*TST - self_test
*WAI wait -
:SYSTem:ERRor[:NEXT] - errors.pop
:SYSTem:ERRor:COUNt - errors.__len__
:SYSTem:HELP:HEADers - headers
:SYSTem:PROMpt prompt= prompt 0/OFF|ON
:SYSTem:VERSion - SCPI_VERSION
:STATus:OPERation[:EVENt] - status.operation.take_event
:STATus:OPERation:CONDition - status.operation.condition
:STATus:OPERation:ENABle status.operation.set_enable status.operation.enable /#/0/65535
:STATus:QUEStionable[:EVENt] - status.questionable.take_event
:STATus:QUEStionable:CONDition - status.questionable.condition
:STATus:QUEStionable:ENABle status.questionable.set_enable status.questionable.enable /#/0/65535
:STATus:PRESet status.preset -
"""

# Of an instrument that offers checked mode (scpi.checked).
CHECKED = b"""
:SYSTem:CHECked checked.switch checked.on 0/OFF|ON
:SYSTem:LINK - checked.counts
"""


class Instrument:
    """An SCPI instrument made of tables of commands (scpi.table, scpi.rows).

    A set handler is called with the header's numeric suffixes and then the parameters; it
    returns nothing, or raises ScpiError and must then have changed nothing. A query handler is
    called with the suffixes and returns int, bool, str, or a tuple of them. If its row can also
    set, the result is answered in the form that setting takes, and MINimum, MAXimum and DEFault
    are answered from the row; otherwise the row's parameters are the query's own.

    Functions the application may supply:
    `reset()` for *RST; `self_test()` for *TST?, 0 if all is well; `busy()`, whether an operation
    begun is still going on, for *OPC; `on_immediate(byte)`, called for a byte of `immediate`
    before anything that came after it is looked at; `on_heard()`, called for every line that
    makes sense: a host is there. `messages` has the texts of positive error numbers (`get`).
    `explain(exception)` returns (code, detail) for the application's own way to refuse, None for
    what is a bug. `checked`: a scpi.checked.Checked, for an instrument that offers checked mode.
    """

    def __init__(
        self,
        identity,
        *tables,
        reset=None,
        self_test=None,
        busy=None,
        immediate=b"",
        on_immediate=None,
        on_heard=None,
        messages=None,
        explain=None,
        checked=None,
        line_size=256,
    ):
        self.identity = identity
        self.status = Status()
        self.errors = ErrorQueue(16, messages)
        # Called with each line (bytes) before it is executed, but those known as queries alone.
        self.on_line = None
        self.on_unit = None  # called between a line's units, behind every second: it may be long
        self.on_long = None  # called before a query that lasts long; it may refuse it
        self.prompt = False  # True: a person is typing, so every line is answered
        self._lines = LineAssembler(line_size, immediate)
        self._on_reset = reset
        self._on_test = self_test
        self._on_busy = busy
        self._on_immediate = on_immediate
        self._on_heard = on_heard
        self.checked = checked
        self._replies = []  # bytes
        self._known = {}  # what a line asks: see Interpreter.questions
        self.code = 0  # the error of the line executed last, 0 if there was none
        self._detail = ""
        self._hold = False  # the line in execution asks *OPC? too early
        self._held = None  # its reply, waiting for the end of the operation
        self._held_frame = False  # that reply is a frame's
        self._completion_wanted = False  # *OPC
        self._explain = explain
        self.interpreter = Interpreter(Table(STANDARD, self))
        if checked is not None:
            self.interpreter.add(Table(CHECKED, self))
        for table in tables:
            self.interpreter.add(table)

    SCPI_VERSION = "1999.0"

    # Input and output

    def receive(self, data, count=None):
        """Take `count` bytes of `data` (all by default) and execute every line they complete."""
        end = len(data) if count is None else count
        lines = self._lines
        start = 0
        while start < end:
            start = lines.feed(data, start, end)
            event = lines.event
            if event == LINE:
                line = lines.line()
                if line[0] < 33 or line[-1] < 33:
                    line = line.strip()
                self._take(line)
            elif event == IMMEDIATE:
                self._immediate(lines.byte)
            elif event != NOTHING:
                self._spoilt(event, "byte " + str(lines.byte) if event == INVALID else "")

    def take_reply(self):
        """The oldest reply line (bytes), without its end; None if there is none."""
        if self._held is not None or self._completion_wanted:
            self._settle()
        return self._replies.pop(0) if self._replies else None

    def execute(self, line):
        """Execute one line (bytes): its units in turn, up to the first that is refused."""
        answers = self._run(line)
        code = self.code
        if answers:
            self._answer(answers)
        if code:
            self.error(code, self._detail)
        elif self.prompt and not answers:
            self._put("OK")
        if self._on_heard and (code >= 0 or code <= -200):
            self._on_heard()  # a refusal too was understood

    def _take(self, line):
        """A line as it came in: plain, or a frame."""
        checked = self.checked
        if not line:
            return
        if checked is None or (
            line[0] != FRAME and (not checked.on or line.upper() == b"*IDN?")
        ):
            self.execute(line)
            return
        self._settle()
        sound = checked.frames
        text = checked.open(line)
        if self._on_heard and checked.frames != sound:
            self._on_heard()
        if text is None:
            self._put(checked.reply)
            return
        if checked.gap:
            self.error(-360, str(checked.gap) + " lines missing")
        self._held_frame = False  # what waited for *OPC? has a number that is past
        self._interrupt()
        answers = self._run(text)
        code = self.code
        if self._hold and not code:
            self._held = answers
            self._held_frame = True
        elif code:
            self.status.note_error(code)
            self._put(checked.close(answers, self.errors.text(code, self._detail)))
        else:
            self._put(checked.close(answers))

    def _spoilt(self, code, detail):
        """A line that was too long or had bytes that are none of a line."""
        checked = self.checked
        if checked is None or not checked.on:
            self.error(code, detail)
            return
        checked.refuse("overlong" if code == OVERRUN else detail)
        self._put(checked.reply)

    def _run(self, line):
        """The answers to a line's units as one (bytes); `code` and `_detail` tell the error."""
        known = self._known.get(line)
        if known is None and self.on_line is not None:
            self.on_line(line)
        self._settle()
        self._hold = False
        answers = []
        code = start = count = 0
        length = len(line)
        detail = ""
        try:
            if known is not None:
                for table, row, names, numbers in known:
                    if count and count & 1 == 0 and self.on_unit is not None:
                        self.on_unit()
                    answers.append(table.ask(row, names, numbers))
                    count += 1
                start = length
            else:
                self.interpreter.begin_line()
            while start < length:
                end = part_end(line, start, length, b";")
                unit = line if end - start == length else line[start:end]
                if unit and (unit[0] < 33 or unit[-1] < 33):
                    unit = unit.strip()
                if unit:
                    answer = self.interpreter.run(unit)
                    if answer is not None:
                        answers.append(answer)
                start = end + 1
                count += 1
                if count & 1 == 0 and start < length and self.on_unit is not None:
                    self.on_unit()
            if known is None and length <= LONGEST_KNOWN:
                self._know(line, count)
        except ScpiError as error:
            code = error.code
            detail = error.detail
        except Exception as error:
            known = self._explain and self._explain(error)
            code, detail = known or (-310, told("exception", error))
        self.code = code
        self._detail = detail
        if len(answers) == 1:
            return answers[0]
        return b";".join(answers)

    def _know(self, line, units):
        """Keep what a line asks, if it is queries without parameters alone."""
        questions = self.interpreter.questions
        if len(questions) == units:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[line] = tuple(questions)

    def error(self, code, detail=""):
        """Report an error or a fault: to the queue, or at once to the person at the terminal."""
        self.status.note_error(code)
        if self.prompt and not (self.checked and self.checked.on):
            self._put(self.errors.text(code, detail))
        elif not self.errors.push(code, detail):
            self.status.note_error(-350)

    def clear(self):
        """Device clear: forget the line begun, every reply not taken, and *OPC."""
        self._lines.clear()
        self._replies.clear()
        self._forget_completion()

    def _immediate(self, byte):
        try:
            if self._on_immediate:
                self._on_immediate(byte)
        except Exception as error:
            self.error(-310, told("exception", error))

    def _answer(self, text):
        self._interrupt()
        if self._hold:
            self._held = text
            self._held_frame = False
        else:
            self._put(text)

    def _interrupt(self):
        """An *OPC? that still waits gets no answer, as there is a newer question."""
        if self._held is not None:
            self._drop_held()
            self.error(-410, "*OPC? was still waiting")

    def _put(self, text):
        """A reply, str or bytes."""
        if len(self._replies) < MOST_REPLIES:
            self._replies.append(text.encode() if type(text) is str else text)
            return
        self._replies.clear()
        self.error(-430, "replies are not read")

    # Completion of operations

    def _settle(self):
        """Answer *OPC? and note *OPC if what they wait for has ended."""
        if (self._held is not None or self._completion_wanted) and not self._is_busy():
            if self._completion_wanted:
                self.status.standard.event |= OPERATION_COMPLETE
            held = self._held
            self._held = None
            self._completion_wanted = False
            if held is not None:
                self._put(self.checked.close(held) if self._held_frame else held)

    def _is_busy(self):
        try:
            return self._on_busy is not None and self._on_busy()
        except Exception as error:
            self.error(-310, told("exception", error))
            return False

    def _forget_completion(self):
        self._drop_held()
        self._completion_wanted = False

    def _drop_held(self):
        if self._held is not None and self._held_frame:
            self.checked.close(b"", self.errors.text(-410))
        self._held = None

    # Handlers of the standard commands

    def clear_status(self):
        self.errors.clear()
        self.status.clear()
        self._forget_completion()

    def identify(self):
        self.interpreter.indefinite = True
        return self.identity

    def note_completion(self):
        self._completion_wanted = True
        self._settle()

    def wait_completion(self):
        self._hold = self._is_busy()
        return 1

    def wait(self):
        """*WAI"""

    def reset(self):
        self._forget_completion()
        if self._on_reset:
            self._on_reset()

    def self_test(self):
        return self._on_test() if self._on_test else 0

    def status_byte(self):
        return self.status.byte(len(self.errors), len(self._replies))

    def headers(self):
        if self.on_long is not None:
            self.on_long()
        found = borrowed("listing", "headers")(self.interpreter.tables)
        forget("listing")
        return found
