"""A small two-channel device with every kind of parameter, for the tests of scpi."""

from scpi.errors import ScpiError
from scpi.instrument import Instrument
from scpi.kinds import Boolean, Choice, Integer, Optional, Quantity, Text
from scpi.rows import Rows

IDENTITY = "Maker,Model,7,1.0"


class Device:
    """Settings by channel. Every set handler notes its call in `calls`."""

    def __init__(self, checked=None):
        self.calls = []
        self.stops = []
        self.heard = 0
        self.resets = 0
        self.working = False
        self.ceiling = {1: 50_000, 2: 120_000}
        self.defaults()
        self.instrument = Instrument(
            IDENTITY,
            Rows(self.commands()),
            reset=self.reset,
            self_test=lambda: 0,
            busy=lambda: self.working,
            immediate=b"!\x03",
            on_immediate=self.stops.append,
            on_heard=self.note_heard,
            messages={101: "Electrode open"},
            checked=checked,
        )

    def note_heard(self):
        self.heard += 1

    def defaults(self):
        self.width = {1: 200_000, 2: 200_000}
        self.current = {1: 0, 2: 0}
        self.window = (100, 5000)
        self.polarity = {1: 1, 2: 1}
        self.on = {1: False, 2: False}
        self.count = 1
        self.name = ""

    def reset(self):
        self.resets += 1
        self.defaults()

    def state(self):
        return (
            tuple(self.width.items()), tuple(self.current.items()), self.window,
            tuple(self.polarity.items()), tuple(self.on.items()), self.count, self.name,
        )

    def commands(self):
        return (
            ("[SOURce[1|2]]:PULSe:WIDTh", self.put("width"), self.width_of,
             Quantity("S", 9, low=20_000, high=1_000_000, default=200_000)),
            ("[SOURce[1|2]]:CURRent[:LEVel][:AMPLitude]", self.set_current, self.current_of,
             Quantity("A", 6, low=0, high=lambda channel: self.ceiling[channel])),
            ("[SOURce[1|2]]:PULSe:POLarity", self.put("polarity"), self.polarity_of,
             Choice("POSitive|NEGative|ALTernating", (1, -1, 0))),
            ("OUTPut[1|2][:STATe]", self.put("on"), self.is_on, Boolean()),
            ("ELECtrode:WINDow", self.set_window, lambda: self.window,
             Quantity("OHM", 0, 100, 5000), Quantity("OHM", 0, 100, 5000)),
            ("TRAin:COUNt", self.set_count, lambda: self.count,
             Integer(1, 10_000, infinity=0)),
            ("SYSTem:NAME", self.set_name, lambda: self.name, Text(12)),
            ("MEASure[1|2]:IMPedance", None, self.measure,
             Optional(Quantity("A", 6, 0, 9000), 50)),
            ("TRIGger", self.trigger, None, Optional(Integer(1, 2), 1)),
            ("DIAGnostic:FAIL", self.fail, self.fail),
            ("DIAGnostic:NOTHing", None, lambda: None),
        )

    def put(self, name):
        def put(channel, value):
            self.calls.append((name, channel, value))
            getattr(self, name)[channel] = value

        return put

    def width_of(self, channel):
        return self.width[channel]

    def current_of(self, channel):
        return self.current[channel]

    def polarity_of(self, channel):
        return self.polarity[channel]

    def is_on(self, channel):
        return self.on[channel]

    def set_current(self, channel, current_ua):
        if self.on[channel] and current_ua > self.current[channel] + 1000:
            raise ScpiError(-221, "more than 1 mA up while on")
        self.put("current")(channel, current_ua)

    def set_window(self, low, high):
        if low > high:
            raise ScpiError(-221, "low above high")
        self.calls.append(("window", low, high))
        self.window = (low, high)

    def set_count(self, count):
        self.calls.append(("count", count))
        self.count = count

    def set_name(self, name):
        self.calls.append(("name", name))
        self.name = name

    def measure(self, channel, current_ua):
        return channel * 1000 + current_ua

    def trigger(self, channel):
        self.calls.append(("trigger", channel))

    def fail(self):
        raise KeyError("wire")

    def send(self, text):
        self.instrument.receive(text.encode() if isinstance(text, str) else text)

    def replies(self):
        replies = []
        while True:
            reply = self.instrument.take_reply()
            if reply is None:
                return replies
            replies.append(reply.decode())

    def ask(self, text):
        """All replies to one line."""
        self.send(text + "\n")
        return self.replies()

    def errors(self):
        """The codes in the error queue, which is then empty."""
        return [int(text.split(",")[0]) for text in self.error_texts()]

    def error_texts(self):
        queue = self.instrument.errors
        return [queue.pop() for _ in range(len(queue))]
