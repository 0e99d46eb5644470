"""Programs as text that a person can read: one program a text, one statement a line.

    program N01
    name: Quadriceps after ACL surgery
    class: strength
    purpose: ...            electrodes: ...            intensity: ...
    source V: rate, width; where the numbers of these words were read
    session: length 15 min, pattern simultaneous
    both channels: rate 50 Hz, width 400 us, gap 100 us
    channel 2: ...          when the channels differ, each has lines of its own

A source is marked V (read in the source), G (general knowledge, not verified) or P (the project's
own choice). docs/programs.md lists the words. Used on the device (imported when needed and then
dropped) and on the host. Every mistake is refused with its line.
"""

from firmware.core.refused import Refused
from firmware.core.settings import CHANNEL, SESSION, words_of
from scpi.errors import ScpiError
from scpi.numbers import format_quantity, parse_quantity
from scpi.refusals import describe

LONGEST_LINE = 200  # characters, so that a line fits a command
MOST_LINES = 60
LONGEST_ID = 12
CERTAINTIES = ("V", "G", "P")
HEADS = ("name", "class", "purpose", "electrodes", "intensity")
WITHOUT_END = "without end"

# (field, word, value of a text that doesn't say it -- None: it must be said, line it stands in).
# Fields that belong to the person and not to a program are not here: enabled, pad_mm2.
CHANNEL_WORDS = (
    ("rate_mhz", "rate", None, 0),
    ("width_ns", "width", None, 0),
    ("gap_ns", "gap", None, 0),
    ("polarity", "polarity", 0, 0),
    ("count", "pulses", 1, 0),
    ("interval_ns", "interval", 5_000_000, 0),
    ("opening_ns", "opening", 0, 0),
    ("jitter_ns", "jitter", 0, 0),
    ("on_ms", "on", None, 1),
    ("off_ms", "off", 0, 1),
    ("ramp_up_ms", "ramp up", None, 1),
    ("ramp_down_ms", "ramp down", None, 1),
    ("ramp_by", "ramp of", 0, 1),
    ("block_ms", "block", 0, 1),
    ("pause_ms", "pause", 0, 1),
    ("delay_us", "delay", 0, 1),
    ("crank_from", "from angle", 0, 1),
    ("crank_to", "to angle", 0, 1),
    ("modulation", "modulation", 0, 2),
    ("rate_to_mhz", "to rate", 0, 2),
    ("width_to_ns", "to width", 0, 2),
    ("mod_ms", "period", 1_000, 2),
    ("mod_steps", "steps", 2, 2),
    ("rest_rate_mhz", "rest rate", 0, 3),
    ("rest_up_ms", "rest ramp up", 0, 3),
    ("rest_down_ms", "rest ramp down", 0, 3),
    ("limit_ua", "ceiling", None, 4),
)
SESSION_WORDS = (
    ("duration_ms", "length", None, 0),
    ("pattern", "pattern", 3, 0),
    ("seed", "seed", 1, 0),
    ("trigger", "trigger", 0, 1),
    ("extend_ms", "extension", 0, 1),
    ("timeout_ms", "time-out", 20_000, 1),
    ("trigger_mode", "trigger mode", 0, 1),
    ("slope", "trigger slope", 0, 1),
    ("debounce_us", "debounce", 20_000, 1),
    ("wait_ms", "wait", 5_000, 1),
    ("level_mv", "trigger level", 1_000, 1),
    ("hysteresis_mv", "hysteresis", 100, 1),
    ("least_rpm", "least cadence", 10, 1),
    ("most_rpm", "most cadence", 60, 1),
    ("warm_ms", "warm-up", 0, 2),
    ("warm_rate_mhz", "warm-up rate", 0, 2),
    ("warm_up_ms", "warm-up ramp up", 0, 2),
    ("warm_down_ms", "warm-up ramp down", 0, 2),
    ("cool_ms", "cool-down", 0, 3),
    ("cool_rate_mhz", "cool-down rate", 0, 3),
    ("cool_up_ms", "cool-down ramp up", 0, 3),
    ("cool_down_ms", "cool-down ramp down", 0, 3),
)
_LINES = (
    ("session", SESSION_WORDS, SESSION, ()),
    ("both channels", CHANNEL_WORDS, CHANNEL, (0, 1)),
    ("channel 1", CHANNEL_WORDS, CHANNEL, (0,)),
    ("channel 2", CHANNEL_WORDS, CHANNEL, (1,)),
)


class Program:
    """A program: head (name, class, ... by name), sources [(certainty, words, text)], session and
    channels as dicts of fields; a channel that it doesn't use is None."""

    def __init__(self, id):
        self.id = id
        self.head = {}
        self.sources = []
        self.session = {}
        self.channels: list = [None, None]

    def __eq__(self, other):
        return isinstance(other, Program) and self.__dict__ == other.__dict__

    def complete(self):
        """Give what wasn't said its value; Refused (-221) names what must be said."""
        for name in HEADS:
            if name not in self.head:
                raise Refused(-221, f"{self.id}: no line for {name}")
        if not self.sources:
            raise Refused(-221, f"{self.id}: no source")
        self._complete(self.session, SESSION_WORDS, "session")
        if self.channels == [None, None]:
            raise Refused(-221, f"{self.id}: no channel")
        for i in (0, 1):
            if self.channels[i] is not None:
                self._complete(self.channels[i], CHANNEL_WORDS, f"channel {i + 1}")
        return self

    def _complete(self, values, words, what):
        for field, word, usual, _ in words:
            if field not in values:
                if usual is None:
                    raise Refused(-221, f"{self.id}: {what} has no {word}")
                values[field] = usual


# -- from text -----------------------------------------------------------------------------------


def parse(lines):
    """The program in these lines (str); Refused (-224, -222) says in which line what is wrong."""
    program = None
    for number, line in enumerate(lines, 1):
        try:
            if number > MOST_LINES:
                raise Refused(-223, f"more than {MOST_LINES} lines")
            if len(line) > LONGEST_LINE:
                raise Refused(-223, f"{len(line)} characters above {LONGEST_LINE}")
            if program is None:
                program = Program(_id(line))
            else:
                _statement(program, line)
        except Refused as error:
            raise Refused(error.code, f"line {number}: {error.text}")
        except ScpiError as error:
            raise Refused(error.code, f"line {number}: {error.detail}")
    if program is None:
        raise Refused(-221, "an empty text")
    return program.complete()


def _id(line):
    if not line.startswith("program "):
        raise Refused(-224, "a program begins with: program ID")
    name = line[8:]
    if not 1 <= len(name) <= LONGEST_ID:
        raise Refused(-224, f"an id of {len(name)} characters, not 1 to {LONGEST_ID}")
    for letter in name:
        if not ("A" <= letter <= "Z" or "a" <= letter <= "z" or "0" <= letter <= "9"
                or letter in "-_"):
            raise Refused(-224, f"id {name} has other than letters, digits, - and _")
    return name


def _statement(program, line):
    for letter in line:
        if not " " <= letter <= "~" or letter == "!":  # which is the stop byte on a line
            raise Refused(-101, "a character other than plain ASCII without !")
    at = line.find(": ")
    text = line[at + 2 :]
    if at < 1 or not text or text != text.strip():
        raise Refused(-224, "not of the form: word: text")
    head = line[:at]
    if head in HEADS:
        if head in program.head:
            raise Refused(-224, f"{head} is said twice")
        program.head[head] = text
    elif head.startswith("source "):
        _source(program, head[7:], text)
    else:
        for name, words, fields, channels in _LINES:
            if head == name:
                _values(program, text, words, fields, channels)
                return
        raise Refused(-224, f"unknown: {head}")


def _source(program, certainty, text):
    if certainty not in CERTAINTIES:
        raise Refused(-224, f"source {certainty} is none of {', '.join(CERTAINTIES)}")
    at = text.find("; ")
    if at < 1 or at + 2 >= len(text):
        raise Refused(-224, "a source is: words it is for; where they stand")
    words = text[:at].split(", ")
    for word in words:
        if not any(word == row[1] for row in CHANNEL_WORDS + SESSION_WORDS):
            raise Refused(-224, f"unknown word: {word}")
    program.sources.append((certainty, words, text[at + 2 :]))


def _values(program, text, words, fields, channels):
    for item in text.split(", "):
        field, value = _item(item, words, fields)
        targets = [program.session]
        if channels:
            targets = []
            for i in channels:
                if program.channels[i] is None:
                    program.channels[i] = {}
                targets.append(program.channels[i])
        for target in targets:
            if field in target:
                raise Refused(-224, f"said twice: {item}")
            target[field] = value


def _item(item, words, fields):
    """(field, value) of "ramp up 2 s"."""
    best = None
    for row in words:
        if item.startswith(row[1] + " ") and (best is None or len(row[1]) > len(best[1])):
            best = row
    if best is None:
        raise Refused(-224, f"unknown: {item}")
    text = item[len(best[1]) + 1 :]
    field = _field(best[0], fields)
    name, _, scale, unit, low, high = field[:6]
    if scale is None:
        choices = [choice.lower() for choice in words_of(name)]
        if text not in choices:
            raise Refused(-224, f"{item}: none of {', '.join(choices)}")
        return name, choices.index(text)
    if name == "on_ms" and text == WITHOUT_END:
        return name, 0
    if not "0" <= text[:1] <= "9":
        raise Refused(-224, f"{item}: not a number")
    value = parse_quantity(text, unit or None, -scale, True)
    if unit and text[-1] <= "9":
        raise Refused(-131, f"{item}: without a unit")
    if not (value == 0 and best[2] == 0):
        if value < low:
            raise Refused(-222, f"{item} below {shown(field, low)}")
        if value > high:
            raise Refused(-222, f"{item} above {shown(field, high)}")
    return name, value


def _field(name, fields):
    for field in fields:
        if field[0] == name:
            return field
    raise Refused(-224, f"no setting {name}")


# -- to text -------------------------------------------------------------------------------------


def shown(field, value):
    """A value of a settings field for a reader; parse() takes it back exactly."""
    name, _, scale, unit = field[:4]
    if scale is None:
        return words_of(name)[value].lower()
    if name == "on_ms" and value == 0:
        return WITHOUT_END
    if unit == "S" and value:
        second = 10**-scale
        if value >= 120 * second and value % (60 * second) == 0:
            return f"{value // (60 * second)} min"
        if value >= second:
            return format_quantity(value, -scale) + " s"
    return describe(value, -scale, unit or None)


def lines(program):
    """The lines of a program, in the one order and form that a stored text has."""
    yield "program " + program.id
    for name in HEADS:
        yield name + ": " + program.head[name]
    for certainty, words, text in program.sources:
        yield f"source {certainty}: {', '.join(words)}; {text}"
    for line in _said("session", SESSION_WORDS, SESSION, program.session):
        yield line
    one, two = program.channels
    parts = [("both channels", one)]
    if one != two:
        parts = [("channel 1", one), ("channel 2", two)]
    for head, values in parts:
        if values is not None:
            for line in _said(head, CHANNEL_WORDS, CHANNEL, values):
                yield line


def _said(head, words, fields, values):
    items = []
    at = 0
    for field, word, usual, place in words:
        if place != at and items:
            yield head + ": " + ", ".join(items)
            items = []
        at = place
        if values[field] != usual:
            items.append(word + " " + shown(_field(field, fields), values[field]))
    if items:
        yield head + ": " + ", ".join(items)


def text_of(program):
    """The whole text, each line ended."""
    return "".join([line + "\n" for line in lines(program)])


def lines_of(text):
    """The lines of a stored text; its last one is ended too."""
    parts = text.split("\n")
    if parts[-1] == "":
        parts.pop()
    return parts
