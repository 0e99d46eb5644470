"""Parameters of every kind, through whole command lines of a small device."""

import pytest
from scpi_device import Device

from scpi.errors import ScpiError
from scpi.kinds import INFINITY, Boolean, Choice, Integer, Quantity, Text

W = "SOUR1:PULS:WIDT"


@pytest.fixture
def device():
    return Device()


@pytest.mark.parametrize(("line", "reply"), [
    (f"{W} 400us;WIDT?", "0.0004"), (f"{W} 0.4 ms;WIDT?", "0.0004"), (f"{W} 4E-4;WIDT?", "0.0004"),
    (f"{W}\t400US ;WIDT?", "0.0004"), (f"  {W}   400us  ;  WIDT?  ", "0.0004"),
    (f"{W} MIN;WIDT?", "0.00002"), (f"{W} maximum;WIDT?", "0.001"), (f"{W} Def;WIDT?", "0.0002"),
    (f"{W}? MIN;WIDT? MAXIMUM;WIDT? DEFAULT", "0.00002;0.001;0.0002"),
    ("CURR? MAX;:SOUR2:CURR? MAX", "0.05;0.12"), ("SOUR2:CURR MAX;CURR?", "0.12"),
    ("SOUR1:CURR MAX;CURR?", "0.05"), ("CURR 12.345678 mA;CURR?", "0.012346"),
    ("PULS:POL NEG;POL?", "NEG"), ("PULS:POL alternating;POL?", "ALT"), ("PULS:POL?", "POS"),
    ("OUTP ON;OUTP?", "1"), ("OUTP 1;:OUTP?", "1"), ("OUTP off;:OUTP?", "0"), ("OUTP2 0E3;:OUTP2?",
    "0"), ("OUTP 1.0;:OUTP?", "1"),
    ("ELEC:WIND 200, 3 KOHM;WIND?", "200,3000"), ("ELEC:WIND MIN,MAX;WIND?", "100,5000"),
    ("TRA:COUN 25;COUN?", "25"), ("TRA:COUN 2.5E1;COUN?", "25"), ("TRA:COUN #H1F;COUN?", "31"),
    ("TRA:COUN #q17;COUN?", "15"), ("TRA:COUN #b101;COUN?", "5"), ("TRA:COUN INF;COUN?", INFINITY),
    ("TRA:COUN 9.9E37;COUN?", INFINITY), ("TRA:COUN infinity;COUN?", INFINITY),
    ('SYST:NAME "a;b, c";NAME?', '"a;b, c"'), ("SYST:NAME 'it''s';NAME?", '"it\'s"'),
    ("SYST:NAME 'say \"x\"';NAME?", '"say ""x"""'), ('SYST:NAME "";NAME?', '""'),
    ('SYST:NAME "\'";:MEAS:IMP?', "1050"), ("MEAS2:IMP?", "2050"), ("MEAS:IMP? 2mA", "3000"),
    ("TRIG;*OPC?", "1"), ("TRIG 2;*OPC?", "1"), (";;*OPC?;", "1"),
    ("SOUR1:CURR 1mA;;CURR?", "0.001"),
])
def test_taken_and_answered(device, line, reply):
    assert device.ask(line) == [reply]
    assert device.errors() == []


@pytest.mark.parametrize(("line", "text"), [
    (f"{W} 5 ms", '-222,"Data out of range;SOUR1:PULS:WIDT 5 ms above 1 ms"'),
    (f"{W} 1E-6", '-222,"Data out of range;SOUR1:PULS:WIDT 1 us below 20 us"'),
    ("SOUR1:CURR 60 mA", '-222,"Data out of range;SOUR1:CURR 60 mA above 50 mA"'),
    ("sour2:current:level 0.13", '-222,"Data out of range;SOUR2:CURR:LEV 130 mA above 120 mA"'),
    ("CURR -1mA", '-222,"Data out of range;CURR -1 mA below 0 A"'),
    ("CURR -9E99", '-222,"Data out of range;CURR -9E99 below 0 A"'),
    ("CURR 9E99", '-222,"Data out of range;CURR 9E99 above 50 mA"'),
    ("CURR 9.9E37", '-222,"Data out of range;CURR 99000000000000000000000000000000000 kA'
     ' above 50 mA"'),
    ("TRA:COUN 10001", '-222,"Data out of range;TRA:COUN 10001 above 10000"'),
    ("TRA:COUN #HFFFF", '-222,"Data out of range;TRA:COUN 65535 above 10000"'),
    ("*ESE 256", '-222,"Data out of range;*ESE 256 above 255"'),
    ("TRA:COUN 2.5", '-224,"Illegal parameter value;TRA:COUN 2.5 is not a multiple of 1"'),
    ("OUTP 2", '-224,"Illegal parameter value;OUTP 2 is not ON|OFF|1|0"'),
    ("OUTP 0.5", '-224,"Illegal parameter value;OUTP 0.5 is not a multiple of 1"'),
    ("OUTP -1", '-224,"Illegal parameter value;OUTP -1 is not ON|OFF|1|0"'),
    ("OUTP YES", '-141,"Invalid character data;OUTP YES is not ON|OFF|1|0"'),
    ("PULS:POL UP",
     '-141,"Invalid character data;PULS:POL UP is not POSitive|NEGative|ALTernating"'),
    (f"{W} BIG", '-141,"Invalid character data;SOUR1:PULS:WIDT BIG is not a number'
     '|MINimum|MAXimum|DEFault"'),
    (f"{W} INF", '-141,"Invalid character data;SOUR1:PULS:WIDT INF is not a number'
     '|MINimum|MAXimum|DEFault"'),
    ("CURR DEF", '-141,"Invalid character data;CURR DEF is not a number|MINimum|MAXimum"'),
    (f"{W}? BIG", '-141,"Invalid character data;SOUR1:PULS:WIDT? BIG is not a number'
     '|MINimum|MAXimum|DEFault"'),
    ("TRA:COUN ALL", '-141,"Invalid character data;TRA:COUN ALL is not a number'
     '|MINimum|MAXimum|INFinity"'),
    ("OUTP ABCDEFGHIJKL", '-141,"Invalid character data;OUTP ABCDEFGHIJKL is not ON|OFF|1|0"'),
    ("OUTP ZERO", '-141,"Invalid character data;OUTP ZERO is not ON|OFF|1|0"'),
    (f"{W} 4 A", '-131,"Invalid suffix;SOUR1:PULS:WIDT A where s is expected"'),
    ("TRA:COUN 4 S", '-138,"Suffix not allowed;TRA:COUN S"'),
    (f"{W} 4..5", '-121,"Invalid character in number;SOUR1:PULS:WIDT 4..5"'),
    (f"{W} .", '-120,"Numeric data error;SOUR1:PULS:WIDT ."'),
    (f"{W} +", '-120,"Numeric data error;SOUR1:PULS:WIDT +"'),
    ("TRA:COUN #H", '-120,"Numeric data error;TRA:COUN #H"'),
    ("TRA:COUN #HXY", '-121,"Invalid character in number;TRA:COUN #HXY"'),
    ("TRA:COUN #B102", '-121,"Invalid character in number;TRA:COUN #B102"'),
    ("TRA:COUN #B1 1", '-121,"Invalid character in number;TRA:COUN #B1 1"'),
    ("TRA:COUN #15", '-168,"Block data not allowed;TRA:COUN #15"'),
    ("TRA:COUN #", '-168,"Block data not allowed;TRA:COUN #"'),
    (f"{W} #H5", '-128,"Numeric data not allowed;SOUR1:PULS:WIDT #H5"'),
    (f"{W} #15ABCDE", '-168,"Block data not allowed;SOUR1:PULS:WIDT #15ABCDE"'),
    (f"{W} (1+1)", '-178,"Expression data not allowed;SOUR1:PULS:WIDT (1+1)"'),
    (f"{W} $5", '-104,"Data type error;SOUR1:PULS:WIDT $5 is not a number"'),
    (f"{W} '5'", "-158,\"String data not allowed;SOUR1:PULS:WIDT '5'\""),
    ("OUTP 'ON'", "-158,\"String data not allowed;OUTP 'ON'\""),
    ("OUTP $", '-102,"Syntax error;OUTP $"'),
    ("PULS:POL 1", '-128,"Numeric data not allowed;PULS:POL 1"'),
    ("PULS:POL ABCDEFGHIJKLM", '-144,"Character data too long;PULS:POL ABCDEFGHIJKLM"'),
    ("SYST:NAME fred", '-148,"Character data not allowed;SYST:NAME fred"'),
    ("SYST:NAME 5", '-128,"Numeric data not allowed;SYST:NAME 5"'),
    ('SYST:NAME "ab', '-151,"Invalid string data;SYST:NAME ""ab"'),
    ('SYST:NAME "', '-151,"Invalid string data;SYST:NAME """'),
    ('SYST:NAME "a"b"', '-151,"Invalid string data;SYST:NAME ""a""b"""'),
    ("'b'", '-102,"Syntax error;\'b\'"'),
    ('SYST:NAME "1234567890123"', '-223,"Too much data;SYST:NAME more than 12 characters"'),
    (W, '-109,"Missing parameter;SOUR1:PULS:WIDT"'),
    ("ELEC:WIND 200", '-109,"Missing parameter;ELEC:WIND"'),
    ("ELEC:WIND 200,", '-109,"Missing parameter;ELEC:WIND"'),
    ("ELEC:WIND ,200", '-109,"Missing parameter;ELEC:WIND"'),
    ("TRIG ,", '-108,"Parameter not allowed;TRIG "'),
    (f"{W} 1ms,2ms", '-108,"Parameter not allowed;SOUR1:PULS:WIDT 2ms"'),
    (f"{W} 1 2", '-121,"Invalid character in number;SOUR1:PULS:WIDT 1 2"'),
    ("*RST 1", '-108,"Parameter not allowed;*RST 1"'),
    ("*IDN? 1", '-108,"Parameter not allowed;*IDN? 1"'),
    ("PULS:POL? MAX", '-108,"Parameter not allowed;PULS:POL? MAX"'),
    ("ELEC:WIND? MAX", '-108,"Parameter not allowed;ELEC:WIND? MAX"'),
    (f"{W}? MAX,MIN", '-108,"Parameter not allowed;SOUR1:PULS:WIDT? MIN"'),
    (f"{W}? 5", '-128,"Numeric data not allowed;SOUR1:PULS:WIDT? 5"'),
    ("MEAS:IMP? 10mA", '-222,"Data out of range;MEAS:IMP? 10 mA above 9 mA"'),
    ("FOO:BAR 1", '-113,"Undefined header;FOO:BAR"'), ("*FOO", '-113,"Undefined header;*FOO"'),
    ("MEAS:IMP 5", '-113,"Undefined header;MEAS:IMP without ?"'),
    ("TRIG?", '-113,"Undefined header;TRIG?"'), ("?", '-102,"Syntax error;?"'),
    ("SOUR3:CURR 1mA", '-114,"Header suffix out of range;SOUR3:CURR is not 1..2"'),
    ("TRA2:COUN 1", '-114,"Header suffix out of range;TRA2:COUN"'),
    ("CURR=5", '-111,"Header separator error;CURR=5"'),
    ("CURR,5", '-103,"Invalid separator;CURR,5"'),
    ("ELEC:WIND 300,200", '-221,"Settings conflict;low above high"'),
    ("DIAG:FAIL", "-310,\"System error;KeyError 'wire'\""),
    ("DIAG:NOTH?", '-310,"System error;TypeError no answer: None"'),
])
def test_refused_with_a_number_and_a_reason(device, line, text):
    before = device.state()
    assert device.ask(line) == []
    assert device.error_texts() == [text]
    assert device.state() == before
    assert device.calls == []
    assert device.ask("*OPC?") == ["1"]


def test_a_line_full_of_text_makes_no_endless_error(device):
    device.ask("CURR " + "9" * 240)
    device.ask("A" * 250)
    device.ask("SYST:NAME " + '"' * 239)
    texts = device.error_texts()
    assert [text[:4] for text in texts] == ["-124", "-112", "-151"]
    assert max(map(len, texts)) < 255


@pytest.mark.parametrize("kind", [
    Quantity("S", 9, 0, 10**9), Integer(0, 99), Boolean(), Choice("AB|CD"), Text(),
])
def test_every_kind_gives_every_token_a_value_or_a_refusal(kind):
    tokens = ["1", "-1", "ON", "ab", "'x'", '"', "#H1", "#15ABCDE", "(", "$", "~", "1E99"]
    for token in [*tokens, "A" * 99]:
        try:
            kind.format(kind.parse(token.encode()))
        except ScpiError as error:
            assert error.code in (
                -102, -104, -108, -121, -128, -131, -138, -141, -144, -148, -151, -158, -168,
                -178, -222, -223, -224,
            )


def test_check_is_the_range_check_for_values_that_come_another_way():
    kind = Quantity("A", 6, low=0, high=lambda channel: channel * 1000)
    assert kind.check(1500, (2,)) == 1500
    with pytest.raises(ScpiError) as caught:
        kind.check(1500, (1,))
    assert (caught.value.code, caught.value.detail) == (-222, "1.5 mA above 1 mA")
    assert Quantity("A", 6).check(10**40) == 10**40
    with pytest.raises(ScpiError) as caught:
        Quantity("A", 6).parse(b"1E99")
    assert (caught.value.code, caught.value.detail) == (-222, "1E99")


def test_choices_without_values_count_from_zero():
    kind = Choice("IMMediate|BUS|EXTernal")
    assert [kind.parse(token) for token in (b"imm", b"BUS", b"EXTERNAL")] == [0, 1, 2]
    assert [kind.format(value) for value in range(3)] == ["IMM", "BUS", "EXT"]


def test_exact_quantities_refuse_what_is_finer_than_their_unit():
    kind = Quantity("S", 3, exact=True)
    assert kind.parse(b"1.5 s") == 1500
    with pytest.raises(ScpiError) as caught:
        kind.parse(b"1.5 ms")
    assert (caught.value.code, caught.value.detail) == (-224, "1.5 ms is not a multiple of 1 ms")
