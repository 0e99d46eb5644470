"""The instrument: bytes in, replies out, and no I/O in between."""

from .common import STANDARD_COMMANDS
from .errors import ErrorQueue, ScpiError, printable
from .interpreter import Interpreter
from .lines import IMMEDIATE, INVALID, LINE, NOTHING, LineAssembler
from .status import OPERATION_COMPLETE, Status
from .tree import CommandTree
from .units import unit_end

MOST_REPLIES = 64  # lines waiting to be taken; more means that nobody reads them


class Instrument:
    """An SCPI instrument made of tables of commands (scpi.tree tells what their rows are).

    A set handler is called with the header's numeric suffixes and then the parameters; it
    returns nothing, or raises ScpiError and must then have changed nothing. A query handler is
    called with the suffixes and returns int, bool, str, or a tuple of them. If its row can also
    set, the result is answered in the form that setting takes, and MINimum, MAXimum and DEFault
    are answered from the row; otherwise the row's parameters are the query's own.

    Functions the application may supply:
    `reset()` for *RST; `self_test()` for *TST?, 0 if all is well; `busy()`, whether an operation
    begun is still going on, for *OPC; `on_immediate(byte)`, called for a byte of `immediate`
    before anything that came after it is looked at. `messages` are the texts of positive
    error numbers. `owner` has the handlers that rows name. `explain(exception)` returns
    (code, detail) for the application's own way to refuse, None for what is a bug.
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
        messages=None,
        owner=None,
        explain=None,
        line_size=256,
    ):
        self.identity = identity
        self.status = Status()
        self.errors = ErrorQueue(16, messages)
        self.on_line = None  # called with each line (bytes) before it is executed
        self.prompt = False  # True: a person is typing, so every line is answered
        self._lines = LineAssembler(line_size, immediate)
        self._on_reset = reset
        self._on_test = self_test
        self._on_busy = busy
        self._on_immediate = on_immediate
        self._replies = []
        self._hold = False  # the line in execution asks *OPC? too early
        self._held = None  # its reply, waiting for the end of the operation
        self._completion_wanted = False  # *OPC
        self._explain = explain
        self.tree = CommandTree(STANDARD_COMMANDS, self)
        for table in tables:
            self.tree.add(table, owner)
        self._interpreter = Interpreter(self.tree)

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
                self.execute(lines.line())
            elif event == IMMEDIATE:
                self._immediate(lines.byte)
            elif event != NOTHING:
                self.error(event, "byte " + str(lines.byte) if event == INVALID else "")

    def take_reply(self):
        """The oldest reply line, without its end, as str; None if there is none."""
        self._settle()
        return self._replies.pop(0) if self._replies else None

    def execute(self, line):
        """Execute one line (bytes): its units in turn, up to the first that is refused."""
        if self.on_line is not None:
            self.on_line(line)
        self._settle()
        self._hold = False
        self._interpreter.begin_line()
        answers = []
        code = start = 0
        detail = ""
        try:
            while start < len(line):
                end = unit_end(line, start)
                unit = (line if end - start == len(line) else line[start:end]).strip()
                if unit:
                    answer = self._interpreter.run(unit)
                    if answer is not None:
                        answers.append(answer)
                start = end + 1
        except ScpiError as error:
            code = error.code
            detail = error.detail
        except Exception as error:
            code, detail = (self._explain and self._explain(error)) or (-310, _told(error))
        if answers:
            self._answer(";".join(answers))
        if code:
            self.error(code, detail)
        elif self.prompt and not answers:
            self._put("OK")

    def error(self, code, detail=""):
        """Report an error or a fault: to the queue, or at once to the person at the terminal."""
        self.status.note_error(code)
        if self.prompt:
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
            self.error(-310, _told(error))

    def _answer(self, text):
        if self._held is not None:
            self._held = None
            self.error(-410, "*OPC? was still waiting")
        if self._hold:
            self._held = text
        else:
            self._put(text)

    def _put(self, text):
        if len(self._replies) < MOST_REPLIES:
            self._replies.append(text)
            return
        self._replies.clear()
        self.error(-430, "replies are not read")

    # Completion of operations

    def _settle(self):
        """Answer *OPC? and note *OPC if what they wait for has ended."""
        if (self._held is not None or self._completion_wanted) and not self._is_busy():
            if self._completion_wanted:
                self.status.event |= OPERATION_COMPLETE
            held = self._held
            self._forget_completion()
            if held is not None:
                self._put(held)

    def _is_busy(self):
        try:
            return self._on_busy is not None and self._on_busy()
        except Exception as error:
            self.error(-310, _told(error))
            return False

    def _forget_completion(self):
        self._held = None
        self._completion_wanted = False

    # Handlers of the standard commands

    def clear_status(self):
        self.errors.clear()
        self.status.clear()
        self._forget_completion()

    def identify(self):
        self._interpreter.indefinite = True
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

    def set_prompt(self, on):
        self.prompt = on

    def headers(self):
        return ",".join(self.tree.headers())


def _told(error):
    """An unexpected exception in a few words; it may be a MemoryError, so in few bytes too."""
    try:
        return type(error).__name__ + " " + printable(str(error).encode(), 80)
    except Exception:
        return ""
