"""A small SCPI instrument under MicroPython: the whole way from bytes to replies."""

import gc

from scpi.checked import Checked
from scpi.errors import ScpiError
from scpi.instrument import Instrument
from scpi.interpreter import Interpreter
from scpi.kinds import Boolean, Choice, Integer, Optional, Quantity, Text
from scpi.rows import Rows

KEPT = []
# By Python's binascii.crc_hqx(data, 0xFFFF).
KNOWN = {
    "plain": "#? NAK checked mode is on; it ends by #0 SYST:CHEC OFF *EDCA *DD94",
    "bad": "#? NAK checksum *A0B8",
    "sent": "#1 OUTP ON;:OUTP? *0B3D",
    "answered": "#1 OK 1 *5298",
}



class Device:
    def __init__(self):
        self.width = [None, 200_000, 200_000]
        self.on = False
        self.name = ""
        self.polarity = 0
        self.count = 1
        self.working = False
        self.stops = []
        self.faults = 0
        self.instrument = Instrument(
            "Maker,Model,7,1.0",
            Rows((
                ("[SOURce[1|2]]:PULSe:WIDTh", self.set_width, lambda channel: self.width[channel],
                 Quantity("S", 9, 20_000, lambda channel: channel * 1_000_000, 200_000)),
                ("OUTPut[:STATe]", self.switch, lambda: self.on, Boolean()),
                ("SYSTem:NAME", self.set_name, lambda: self.name, Text(20)),
                ("PULSe:POLarity", self.set_polarity, lambda: self.polarity,
                 Choice("POSitive|NEGative")),
                ("TRAin:COUNt", self.set_count, lambda: self.count, Integer(1, 99, infinity=0)),
                ("MEASure[1|2]:IMPedance", None, lambda channel, test: channel * 1000 + test,
                 Optional(Integer(0, 99), 5)),
                ("DIAGnostic:FAIL", lambda: {}["wire"], None),
                ("DIAGnostic:REFuse", self.refuse, None),
            )),
            busy=lambda: self.working,
            immediate=b"!",
            on_immediate=self.stops.append,
            checked=Checked(5, self.faults_add),
        )

    def faults_add(self):
        self.faults += 1

    def set_width(self, channel, width_ns):
        self.width[channel] = width_ns

    def switch(self, on):
        self.on = on

    def set_name(self, name):
        self.name = name

    def set_polarity(self, polarity):
        self.polarity = polarity

    def set_count(self, count):
        self.count = count

    def refuse(self):
        raise ScpiError(-221, "not now")

    def ask(self, line):
        self.instrument.receive(line.encode() + b"\n")
        replies = []
        while True:
            reply = self.instrument.take_reply()
            if reply is None:
                return replies
            replies.append(reply.decode())

    def errors(self):
        return [self.instrument.errors.pop() for _ in range(len(self.instrument.errors))]


def same(found, wanted):
    if found != wanted:
        raise AssertionError("{!r} is not {!r}".format(found, wanted))


def test_settings_and_replies():
    device = Device()
    for line, replies in (
        ("*IDN?", ["Maker,Model,7,1.0"]),
        ("sour2:puls:widt 0.4 ms;widt?", ["0.0004"]),
        ("PULSE:WIDTH? MAX;:SOUR2:PULS:WIDT? MAX", ["0.001;0.002"]),
        ("OUTP ON;*OPC?;:OUTP:STAT?", ["1;1"]),
        ("SYST:NAME 'a;b, \"c\"';NAME?", ['"a;b, ""c"""']),
        ("PULS:POL NEG;POL?", ["NEG"]),
        ("TRA:COUN INF;COUN?;COUN #H1F;COUN?", ["9.9E37;31"]),
        ("MEAS2:IMP?;IMP? 7", ["2005;2007"]),
        ("STAT:OPER:ENAB 3;ENAB?;:STAT:QUES?;*ESE 255;*ESE?", ["3;0;255"]),
        ("*ESR?;*ESR?", ["128;0"]),
        ("*CLS;*RST;*WAI;*TST?;SYST:VERS?", ["0;1999.0"]),
        ("SYST:PROM ON", ["OK"]),
        ("BAD", ['-113,"Undefined header;BAD"']),
        ("SYST:PROM OFF;PROM?", ["0"]),
    ):
        same(device.ask(line), replies)
        same(device.errors(), [])
    if len(device.ask("SYST:HELP:HEAD?")[0].split(",")) != len(device.instrument.interpreter):
        raise AssertionError("headers")


def test_refusals():
    device = Device()
    for line, text in (
        ("SOUR1:PULS:WIDT 5 ms", '-222,"Data out of range;SOUR1:PULS:WIDT 5 ms above 1 ms"'),
        ("SOUR3:PULS:WIDT 1 ms", '-114,"Header suffix out of range;SOUR3:PULS:WIDT is not 1..2"'),
        ("PULS:WIDT 1E300", '-222,"Data out of range;PULS:WIDT 1E300 above 1 ms"'),
        ("PULS:WIDT 4 A", '-131,"Invalid suffix;PULS:WIDT A where s is expected"'),
        ("PULS:POL UP", '-141,"Invalid character data;PULS:POL UP is not POSitive|NEGative"'),
        ("DIAG:REF;:OUTP ON", '-221,"Settings conflict;not now"'),
        ("DIAG:FAIL", '-310,"System error;KeyError wire"'),
        ("OUTP", '-109,"Missing parameter;OUTP"'),
        ("CURR=5", '-111,"Header separator error;CURR=5"'),
        ("\x01", '-101,"Invalid character;byte 1"'),
        ("x" * 300, '-363,"Input buffer overrun"'),
    ):
        same(device.ask(line), [])
        same(device.errors(), [text])
    same(device.width, [None, 200_000, 200_000])
    same(device.on, False)


def test_stop_and_completion():
    device = Device()
    device.working = True
    same(device.ask("*OPC?"), [])
    same(device.ask("OUTP OFF!;:OUTP ON"), [])
    same((device.stops, device.on), ([33], False))
    device.working = False
    same(device.ask(""), ["1"])


def test_a_set_command_takes_less_than_a_kilobyte_of_heap():
    device = Device()
    line = b"SOUR1:PULS:WIDT 400 us\n"
    device.instrument.receive(line)
    before = gc.mem_alloc()
    device.instrument.receive(line)
    used = gc.mem_alloc() - before
    print(used, "bytes")
    if used > 1000:
        raise AssertionError("{} bytes of heap for one command".format(used))


def test_a_hundred_commands_are_declared():
    """Between two tests the heap is collected, so that the next one can weigh what is left."""
    commands = []
    for number in range(100):
        tens, ones = chr(65 + number // 10), chr(65 + number % 10)
        commands.append(("[SOURce[1|2]]:{}PART:{}ITem".format(tens, ones), None, None))
    KEPT.append(Rows(commands))


def test_checked_mode():
    device = Device()
    same(device.ask("#0 SYST:CHEC ON *4554"), ["#0 OK *B918"])
    same(device.ask("OUTP ON"), [KNOWN["plain"]])
    same(device.on, False)
    same(device.ask("#1 OUTP ON *0000"), [KNOWN["bad"]])
    for _ in range(2):
        same(device.ask(KNOWN["sent"]), [KNOWN["answered"]])
    same(device.on, True)
    for _ in range(5):
        device.ask("#1 OUTP ON *0000")
    same(device.faults, 1)


def test_and_compiled_they_are_small():
    KEPT.append(gc.mem_alloc())
    KEPT.append(Interpreter(KEPT[0]))


def test_which_is_weighed_here():
    used = gc.mem_alloc() - KEPT[1]
    print(used, "bytes")
    same(len(KEPT[2]), 100)
    if used > 1200:
        raise AssertionError("the lookup of 100 commands takes {} bytes".format(used))
