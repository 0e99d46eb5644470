"""Ports: the right one is found, and why one does not open is said in words."""


import pytest
import serial

import rheobase
from rheobase.client import PortError, find


class FakePort:
    def __init__(self, device, vid=None, pid=None):
        self.device, self.vid, self.pid = device, vid, pid

    def __lt__(self, other):
        return self.device < other.device


def test_finds_boards_by_their_usb_ids(monkeypatch):
    ports = [
        FakePort("/dev/ttyS0"),
        FakePort("/dev/ttyACM1", 0x2E8A, 0x0005),
        FakePort("/dev/ttyACM2", 0x303A, 0x4001),
        FakePort("/dev/ttyUSB0", 0x10C4, 0xEA60),
    ]
    monkeypatch.setattr(find.list_ports, "comports", lambda: ports)
    assert find.candidates() == ["/dev/ttyACM1", "/dev/ttyACM2"]
    asked = []

    def only_the_second(name):
        asked.append(name)
        if name != "/dev/ttyACM2":
            raise PortError(f"{name}: something else")

    assert find.find_port(only_the_second) == "/dev/ttyACM2"
    assert asked == ["/dev/ttyACM1", "/dev/ttyACM2"]
    with pytest.raises(PortError, match="more than one stimulator: /dev/ttyACM1, /dev/ttyACM2"):
        find.find_port(lambda name: None)

    def none(name):
        raise PortError(f"{name}: a meter")

    with pytest.raises(PortError, match="ttyACM1: a meter; /dev/ttyACM2: a meter"):
        find.find_port(none)
    monkeypatch.setattr(find.list_ports, "comports", lambda: ports[:1])
    with pytest.raises(PortError, match="no MicroPython board.*ports present: /dev/ttyS0"):
        rheobase.Stimulator.find()


@pytest.mark.parametrize(
    ("error", "words"),
    (
        (serial.SerialException(13, "Permission denied"), "no permission for /dev/x: join"),
        (serial.SerialException(2, "No such file"), "no port /dev/x;"),
        (serial.SerialException(16, "busy"), "/dev/x is in use by another program"),
        (serial.SerialException("Could not exclusively lock port"), "in use by another program"),
        (serial.SerialException("(25, 'Inappropriate ioctl for device')"), "is no serial port"),
        (serial.SerialException("what?"), "can't be opened: what?"),
    ),
)
def test_why_a_port_does_not_open(error, words):
    assert words in find.reason_it_did_not_open("/dev/x", error)


def test_a_port_that_is_not_there():
    with pytest.raises(PortError, match="no port /dev/not-there"):
        rheobase.Stimulator("/dev/not-there")
