"""The instrument as a whole: lines, replies, the status model, completion, and a person typing."""

import pytest
from scpi_device import IDENTITY, Device

from scpi.errors import ErrorQueue, ScpiError
from scpi.instrument import MOST_REPLIES, Instrument
from scpi.interpreter import Interpreter
from scpi.refusals import MESSAGES
from scpi.rows import Rows
from scpi.status import Status


@pytest.fixture
def device():
    device = Device()
    device.ask("*CLS")
    return device


def started():
    return Device()


# Lines


def test_only_queries_answer_and_the_answers_of_a_line_are_joined(device):
    assert device.ask("CURR 1mA;PULS:WIDT 300us") == []
    assert device.ask("CURR?;PULS:WIDT?;POL?;*OPC?") == ["0.001;0.0003;POS;1"]


def test_each_line_has_a_reply_of_its_own(device):
    device.send("CURR?\nOUTP?\r\n\n*OPC?\r")
    assert device.replies() == ["0", "0", "1"]


def test_a_refused_unit_ends_its_line_but_not_what_stood_before_it(device):
    assert device.ask("CURR 1mA;CURR?;PULS:WIDT 9;:CURR 2mA;*IDN?") == ["0.001"]
    assert device.errors() == [-222]
    assert device.calls == [("current", 1, 1000)]
    assert device.ask("CURR?") == ["0.001"]


def test_the_application_gets_a_turn_behind_every_second_unit(device):
    turns = []
    device.instrument.on_unit = lambda: turns.append(1)
    device.send("CURR?\n")
    assert turns == []
    device.send("CURR?;OUTP?;*OPC?;CURR?;OUTP?\n")
    assert len(turns) == 2
    assert device.replies() == ["0", "0;0;1;0;0"]


def test_the_path_ends_with_the_line(device):
    device.ask("SOUR2:PULS:WIDT 300us")
    assert device.ask("WIDT?") == []
    assert device.errors() == [-113]


def test_identity_must_be_the_last_answer_of_a_line(device):
    assert device.ask("CURR?;*IDN?") == ["0;" + IDENTITY]
    assert device.ask("*IDN?;CURR 1mA;:OUTP ON") == [IDENTITY]
    assert device.errors() == []
    assert device.ask("*IDN?;SYST:ERR?;:CURR 2mA") == [IDENTITY]
    assert device.errors() == [-440]
    assert device.current[1] == 1000


def test_bytes_that_make_no_line_are_refused_as_a_line(device):
    device.send(b"CURR\0 5mA\nCURR \xb5\n" + b"x" * 257 + b"\n*OPC?\n")
    assert device.error_texts() == [
        '-101,"Invalid character;byte 0"',
        '-101,"Invalid character;byte 181"',
        '-363,"Input buffer overrun"',
    ]
    assert device.replies() == ["1"]
    assert device.calls == []


def test_a_line_of_256_bytes_is_taken(device):
    line = "CURR 1mA".ljust(250) + ";CURR?"
    assert len(line) == 256
    assert device.ask(line) == ["0.001"]
    assert device.ask(" " + line) == []
    assert device.errors() == [-363]


def test_receive_takes_a_count_of_a_buffer(device):
    buffer = bytearray(b"CURR?\nOUTP?\n")
    device.instrument.receive(buffer, 6)
    assert device.replies() == ["0"]
    device.instrument.receive(memoryview(buffer)[6:], 6)
    assert device.replies() == ["0"]


def test_a_stop_byte_is_reported_before_what_follows_it(device):
    device.send("CURR 1mA\nCURR 2mA!;CURR 3mA\nOUTP ON\n\x03")
    assert device.stops == [33, 3]
    assert device.calls == [("current", 1, 1000), ("on", 1, True)]
    assert device.errors() == []


def test_a_stop_handler_that_fails_is_an_error_and_no_end():
    def fail(byte):
        raise RuntimeError("no")

    instrument = Instrument("a,b,c,d", immediate=b"!", on_immediate=fail)
    instrument.receive(b"!*OPC?\n")
    assert instrument.take_reply() == b"1"
    assert instrument.errors.pop() == '-310,"System error;RuntimeError no"'


def test_replies_that_nobody_takes_are_dropped_with_an_error(device):
    device.send("*OPC?\n" * MOST_REPLIES)
    assert device.errors() == []
    device.send("*OPC?\n" * 3)
    assert device.errors() == [-430]
    assert device.replies() == ["1", "1"]


def test_clear_forgets_what_is_on_its_way(device):
    device.send("CURR?\nCURR 5m")
    device.instrument.clear()
    assert device.ask("A;CURR?") == []
    assert device.errors() == [-113]


def test_an_interrupt_in_a_handler_passes_through_and_leaves_a_sound_parser():
    def interrupt():
        raise KeyboardInterrupt

    instrument = Instrument("a,b,c,d", Rows([("HALT", interrupt, None)]))
    with pytest.raises(KeyboardInterrupt):
        instrument.receive(b"HALT\n*OPC?\n")
    instrument.receive(b"*OPC?\n")
    assert instrument.take_reply() == b"1"


def test_a_second_interpreter_replays_commands_without_disturbing_the_line():
    def recall():
        replay = Interpreter(*device.instrument.interpreter.tables)
        replay.run(b"SOUR2:CURR 3 mA")
        assert replay.run(b"CURR?") == b"0.003"
        with pytest.raises(ScpiError):
            replay.run(b"CURR 3 A")

    device = Device()
    commands = (*device.commands(), ("RECall", recall, None))
    device.instrument = Instrument(IDENTITY, Rows(commands))
    assert device.ask("SOUR1:PULS:WIDT 300us;:REC;:SOUR1:CURR?") == ["0"]
    assert device.ask("SOUR2:CURR?") == ["0.003"]


# Errors


def test_the_error_queue_keeps_the_first_and_marks_what_is_lost(device):
    for number in range(20):
        device.ask(f"BAD{number}")
    assert device.ask("SYST:ERR:COUN?;*ESR?") == ["16;40"]
    texts = [device.ask("SYST:ERR?")[0] for _ in range(17)]
    assert texts[0] == '-113,"Undefined header;BAD0"'
    assert texts[14] == '-113,"Undefined header;BAD14"'
    assert texts[15:] == ['-350,"Queue overflow"', '0,"No error"']
    assert device.ask("SYST:ERR:NEXT?;COUN?") == ['0,"No error";0']
    device.ask("BAD")
    assert device.ask("SYST:ERR?;ERR?") == ['-113,"Undefined header;BAD";0,"No error"']


@pytest.mark.parametrize(("code", "bit"), [
    (-100, 32), (-199, 32), (-200, 16), (-299, 16), (-310, 8), (-363, 8), (-410, 4), (-440, 4),
    (-500, 128), (-600, 64), (-700, 2), (-800, 1), (1, 8), (101, 8), (32767, 8),
])
def test_every_class_of_errors_has_its_event_bit(device, code, bit):
    status = Status()
    status.standard.take_event()
    status.note_error(code)
    assert status.standard.event == bit
    device.instrument.error(code)
    assert device.ask("*ESR?") == [str(bit)]


def test_all_messages_are_in_their_classes():
    for line in MESSAGES.strip().split("\n"):
        code, text = line.split(" ", 1)
        assert -440 <= int(code) <= 0
        assert len(text) <= 45


def test_a_devices_own_errors_have_its_own_words(device):
    device.instrument.error(101, "channel 2")
    device.instrument.error(102, "channel 1")
    assert device.error_texts() == [
        '101,"Electrode open;channel 2"',
        '102,"Device-specific error;channel 1"',
    ]


def test_long_details_are_cut():
    assert len(ErrorQueue().text(-310, "x" * 1000)) < 255


# Status


def test_power_on_is_an_event():
    device = started()
    assert device.ask("*ESR?;*ESR?") == ["128;0"]


@pytest.mark.parametrize("register", ["OPER", "QUES"])
def test_a_condition_that_rises_is_an_event_until_it_is_read(device, register):
    status = device.instrument.status
    source, summary = (
        (status.operation, 128) if register == "OPER" else (status.questionable, 8)
    )
    ask = device.ask
    assert ask(f"STAT:{register}?;{register}:COND?;ENAB?") == ["0;0;0"]
    source.update(0x8016)
    assert ask(f"STAT:{register}:COND?") == ["22"]
    assert ask("*STB?") == ["0"]
    assert ask(f"STAT:{register}:ENAB 2;ENAB?") == ["2"]
    assert ask("*STB?") == [str(summary)]
    source.update(0)
    assert ask("*STB?") == [str(summary)]
    assert ask(f"STAT:{register}:EVEN?;COND?") == ["22;0"]
    assert ask("*STB?") == ["0"]
    source.update(2)
    source.update(2)
    assert ask(f"STAT:{register}?;{register}?") == ["2;0"]
    assert ask(f"STAT:{register}:ENAB #HFFFF;ENAB?") == ["32767"]
    assert ask(f"STAT:PRES;{register}:ENAB?") == ["0"]


def test_the_status_byte_sums_up_everything(device):
    assert device.ask("*STB?") == ["0"]
    device.ask("BAD")
    assert device.ask("*STB?") == ["4"]
    assert device.ask("*ESE 32;*ESE?;*STB?") == ["32;36"]
    assert device.ask("*SRE 255;*SRE?;*STB?") == ["191;100"]
    assert device.ask("*SRE 8;*STB?") == ["36"]
    device.send("CURR?\n*STB?\n")
    assert device.replies() == ["0", "52"]
    assert device.ask("*ESR?;*STB?;SYST:ERR:COUN?") == ["32;4;1"]
    assert device.ask("SYST:ERR?;*STB?") == ['-113,"Undefined header;BAD";0']


def test_clear_status_keeps_what_is_enabled(device):
    status = device.instrument.status
    status.operation.update(1)
    status.questionable.update(1)
    device.ask("BAD;*OPC?")
    assert device.ask("*ESE 1;*SRE 2;:STAT:OPER:ENAB 3;:STAT:QUES:ENAB 4;:BAD") == []
    device.ask("*CLS")
    assert device.ask("*STB?;*ESR?;SYST:ERR?") == ['0;0;0,"No error"']
    assert device.ask("STAT:OPER?;OPER:COND?;:STAT:QUES?;QUES:COND?") == ["0;1;0;1"]
    assert device.ask("*ESE?;*SRE?;STAT:OPER:ENAB?;:STAT:QUES:ENAB?") == ["1;2;3;4"]


def test_reset_resets_the_device_and_not_the_status(device):
    device.ask("CURR 1mA;*ESE 4;BAD")
    assert device.ask("*RST;CURR?;*ESE?") == ["0;4"]
    assert device.resets == 1
    assert device.errors() == [-113]


def test_what_an_application_does_not_supply_is_nothing():
    instrument = Instrument("a,b,c,d")
    instrument.receive(b"*RST;*TST?;*OPC?;*WAI;*IDN?\n")
    assert instrument.take_reply() == b"0;1;a,b,c,d"
    assert instrument.take_reply() is None


def test_version_and_headers(device):
    assert device.ask("SYST:VERS?") == ["1999.0"]
    (text,) = device.ask("SYSTEM:HELP:HEADERS?")
    headers = text.split(",")
    assert "*IDN?/qonly/" in headers
    assert "TRIGger/nquery/" in headers
    assert "[SOURce[1|2]]:CURRent[:LEVel][:AMPLitude]" in headers
    assert len(headers) == len(device.instrument.interpreter)


# Completion


def test_completion_of_what_is_already_complete(device):
    assert device.ask("*OPC?") == ["1"]
    assert device.ask("*OPC;*ESR?") == ["1"]


def test_completion_waits_for_the_operation(device):
    device.working = True
    assert device.ask("*OPC;*OPC?") == []
    assert device.ask("CURR 1mA") == []
    device.working = False
    assert device.replies() == ["1"]
    assert device.ask("*ESR?") == ["1"]


def test_all_answers_of_a_line_wait_with_it(device):
    device.working = True
    assert device.ask("CURR?;*OPC?;*ESE?") == []
    device.working = False
    assert device.replies() == ["0;1;0"]


def test_a_query_that_does_not_wait_interrupts_one_that_does(device):
    device.working = True
    assert device.ask("*OPC?") == []
    assert device.ask("CURR?") == ["0"]
    assert device.errors() == [-410]
    assert device.ask("*OPC?") == []
    assert device.ask("*OPC?") == []
    assert device.errors() == [-410]
    device.working = False
    assert device.replies() == ["1"]
    assert device.ask("*ESR?") == ["4"]


@pytest.mark.parametrize("command", ["*CLS", "*RST"])
def test_clear_and_reset_forget_completion(device, command):
    device.working = True
    device.ask("*OPC;*OPC?")
    device.ask(command)
    device.working = False
    assert device.replies() == []
    assert device.ask("*ESR?") == ["0"]


def test_wait_holds_nothing_so_that_switching_off_never_waits(device):
    device.ask("OUTP ON")
    device.working = True
    assert device.ask("*OPC;*WAI;:OUTP OFF;OUTP?") == ["0"]


def test_a_busy_function_that_fails_ends_the_waiting():
    def fail():
        raise RuntimeError("gone")

    instrument = Instrument("a,b,c,d", busy=fail)
    instrument.receive(b"*OPC?\n")
    assert instrument.take_reply() == b"1"
    assert instrument.errors.pop() == '-310,"System error;RuntimeError gone"'


# A person at a terminal


def test_prompt_mode_answers_every_line_at_once(device):
    assert device.ask("SYST:PROM?") == ["0"]
    assert device.ask("SYST:PROM ON") == ["OK"]
    assert device.ask("CURR 1mA") == ["OK"]
    assert device.ask("CURR?") == ["0.001"]
    assert device.ask("") == []
    assert device.ask("CURR 1A") == ['-222,"Data out of range;CURR 1 A above 50 mA"']
    assert device.ask("CURR?;BAD") == ["0.001", '-113,"Undefined header;BAD"']
    device.instrument.error(101, "channel 1")
    assert device.replies() == ['101,"Electrode open;channel 1"']
    assert device.ask("SYST:ERR:COUN?;*ESR?") == ["0;56"]
    assert device.ask("SYST:PROM OFF") == []
    assert device.ask("BAD") == []
    assert device.errors() == [-113]
