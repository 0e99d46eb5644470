"""measure, log and config: what the command line tells of a board, and changes in it."""

import csv
import io
import json
import tomllib

import pytest
from cli_rig import ask, at_every_port
from host_rig import Host

from firmware.safety.config import fields
from rheobase import docs
from rheobase.records.measured import COLUMNS

KEY = "open sesame"


@pytest.fixture
def host(monkeypatch):
    host = Host()
    at_every_port(monkeypatch, host)
    return host


def board(*arguments, **options):
    return ask(*arguments, "--port", "here", **options)


# -- measure ------------------------------------------------------------------------------------


def test_measure_tells_what_flows_and_stops_nothing(host):
    host.start(rate_hz=50, width_us=200)
    list(host.stimulator.raise_current(1, 2))
    host.port.sleep(1.2)
    result = board("measure")
    assert result.code == 0, result.text
    assert "RUNNING" in result.said and "set, mA 2.000 0.000" in result.said
    first = float(result.said.split("first phase, mA ")[1].split()[0])
    assert first == pytest.approx(2, abs=0.1)
    count = len(host.pulses())
    host.port.sleep(0.5)
    assert len(host.pulses()) > count + 20


def test_watching_writes_a_line_for_each_channel_at_each_look(host, tmp_path):
    host.start(rate_hz=50, width_us=200)
    list(host.stimulator.raise_current(1, 2))
    path = tmp_path / "out.csv"
    result = board("measure", "--watch", "--every", "0.5", "--seconds", "4", "--csv", path)
    assert result.code == 0, result.text
    rows = list(csv.DictReader(path.open()))
    assert [row["channel"] for row in rows[:4]] == ["1", "2", "1", "2"]
    assert 7 <= len(rows) / 2 <= 9
    times = [float(row["session_s"]) for row in rows[::2]]
    steps = [b - a for a, b in zip(times, times[1:], strict=False)]
    assert all(0.5 <= step < 0.7 for step in steps)
    last, silent = rows[-2:]
    assert last["state"] == "RUNNING" and float(last["rms_ma"]) == pytest.approx(0.283, rel=0.1)
    assert float(silent["rms_ma"]) == 0
    whole_uc = sum(abs(p.charge_1_c) + abs(p.charge_2_c) for p in host.pulses()) * 1e6
    assert float(last["charge_session_uc"]) == pytest.approx(whole_uc, rel=0.1)


def test_measure_on_the_screen_as_csv_is_nothing_but_csv(host):
    rows = list(csv.reader(io.StringIO(board("measure", "--csv", "-").text)))
    assert len(rows) == 3 and rows[1][2:4] == ["IDLE", "1"]


def test_every_column_is_in_the_page():
    page = (docs.ROOT / "docs" / "host.md").read_text()
    assert [column for column in COLUMNS if f"`{column}`" not in page] == []


# -- log ----------------------------------------------------------------------------------------


def test_log_lists_and_shows_a_fault(host):
    host.stimulator.set_clock(1_777_777_777)
    host.start(rate_hz=50, width_us=200)
    list(host.stimulator.raise_current(1, 2))
    host.port.sleep(0.3)
    host.bench.press_stop()
    host.port.sleep(1)
    record = host.stimulator.log[0]
    table = board("log")
    assert table.code == 0 and f"{record.number} 2026-05-0" in table.said
    assert "stop RUNNING" not in table.said and record.reason[:20] in table.said
    told = json.loads(board("log", "--as", "json").text)
    assert told[0]["fault"] == record.fault and told[0]["channels"][0]["commanded_ma"] == 2
    rows = list(csv.DictReader(io.StringIO(board("log", "--as", "csv").text)))
    assert rows[0]["number"] == str(record.number) and rows[0]["width_us_1"] == "200.0"
    one = board("log", record.number)
    assert "commanded_ma_1 2.0" in one.said and "RUNNING" in one.said
    assert "SOUR1:CURR" in one.said  # a command line in the black box
    box = json.loads(board("log", record.number, "--as", "json").text)["black_box"]
    assert box["pulses"][0]["commanded_ma"] == pytest.approx(1.98)


def test_log_of_a_board_that_never_had_a_fault(host):
    assert json.loads(board("log", "--as", "json").text) == []
    assert board("log", "--as", "csv").said == "number"
    assert board("log").said == "no fault is recorded"
    missing = board("log", "3")
    assert missing.code == 1 and "no record 3" in missing.said


def test_the_log_is_emptied_only_with_the_key(host):
    host.stimulator.configuration.set_key(KEY)
    host.stimulator.configuration.lock()
    refused = board("log", "--clear")
    assert refused.code == 1 and "needs the clinician's key" in refused.said
    assert "rheobase config new-key" in refused.said
    assert board("log", "--clear", "--key", KEY).code == 0
    refused = board("log", "--clear")
    assert refused.code == 1, "it was left open"


# -- config -------------------------------------------------------------------------------------


def test_config_show_names_every_field_with_its_meaning(host):
    result = board("config", "show")
    for field in fields():
        assert f"{field[0]} {field[3]} {field[5]}" in result.said
    some = board("config", "show", "motor", "link_end")
    assert "motor_ua_2 0" in some.said and "pad" not in some.said
    wrong = board("config", "show", "motr")
    assert wrong.code == 1 and "no field motr; there are clinician_ua_1" in wrong.said


def test_config_set_changes_all_or_nothing(host):
    result = board("config", "set", "motor_ua_1=9000", "sensory_ua_1 = 4000")
    assert result.code == 0, result.text
    assert result.said == "motor_ua_1: 0 -> 9000 sensory_ua_1: 0 -> 4000"
    assert host.stimulator.channel(1).thresholds_ma == {"motor": 9.0, "sensory": 4.0}
    refused = board("config", "set", "motor_ua_1=8000", "motor_ua_2=130000")
    assert refused.code == 1 and "motor_ua_2 130000 above 120000" in refused.said
    assert host.stimulator.configuration["motor_ua_1"] == 9000
    assert board("config", "set", "motor_ua_1=9000").said == "nothing to change"


@pytest.mark.parametrize("text", ("motor_ua_1", "motor_ua_1=9mA", "motor_ua_1=", "=5.0"))
def test_config_set_wants_name_and_whole_number(text):
    result = board("config", "set", text)
    assert result.code == 2 and "NAME=VALUE" in result.said


@pytest.mark.parametrize("name", ("board.toml", "board.json"))
def test_a_saved_configuration_is_loaded_again(host, tmp_path, name):
    path = tmp_path / name
    configuration = host.stimulator.configuration
    configuration.set_key(KEY)
    configuration.change(person_ua_1=20_000, sense_zero_ua_1=-120, motor_ua_2=11_000)
    configuration.lock()
    wanted = configuration.read()
    assert board("config", "save", path).code == 0
    content = path.read_text()
    saved = json.loads(content) if name.endswith("json") else tomllib.loads(content)
    assert {key: saved[key] for key in wanted} == wanted
    assert "code" not in saved and KEY not in content
    assert board("config", "restore", "--yes", "--key", KEY).code == 0
    assert configuration.read() != wanted
    refused = board("config", "load", path)
    assert refused.code == 1 and "needs the clinician's key" in refused.said
    done = board("config", "load", path, "--key", KEY)
    assert done.code == 0 and "person_ua_1: 30000 -> 20000" in done.said
    assert configuration.read() == wanted


@pytest.mark.parametrize(
    ("content", "words"),
    (
        ("schema = 1\nmotor_ua_1 = 5000\nmotor_ua_2 = 1.5\n", "motor_ua_2: a whole number"),
        ("schema = 1\nmotor_ua_1 = 5000\nunknown = 1\n", "no field unknown"),
        ("schema = 2\nmotor_ua_1 = 5000\n", "schema 2, the board's is 1"),
        ("motor_ua_1 = 5000\n", "schema None"),
        ("this is no TOML", "Expected"),
        (None, "No such file"),
    ),
)
def test_a_file_that_is_no_configuration_changes_nothing(host, tmp_path, content, words):
    path = tmp_path / "board.toml"
    if content is not None:
        path.write_text(content)
    before = host.stimulator.configuration.read()
    result = board("config", "load", path)
    assert result.code == 1 and words in result.said, result.said
    assert host.stimulator.configuration.read() == before


@pytest.mark.parametrize("what", ("sense_1", "sink_1"))
def test_a_calibration_by_one_reading_makes_told_and_true_agree(host, what):
    """An amplifier 4 % off, a sink 5 % off: a session, a meter, a command, another session."""
    if what == "sense_1":
        host.bench.sense[1].gain_error = 0.04
    else:
        host.bench.set_imbalance(1, plus=0.95, minus=0.95)
    host.stimulator.configuration.set_key(KEY)

    def session_ma():
        """Set, told by the board, and read by a meter in the electrode lead."""
        host.start(rate_hz=50, width_us=300)
        list(host.stimulator.raise_current(1, 12))
        host.port.sleep(0.5)
        told = host.stimulator.channel(1).measured.current_ma[0]
        host.stimulator.abort()
        host.port.sleep(0.5)
        return 12.0, told, host.pulses()[-3].delivered_1_a * 1e3

    set_ma, told_ma, true_ma = session_ma()
    before = set_ma if what == "sink_1" else told_ma
    assert abs(before / true_ma - 1) > 0.03
    done = board("config", "calibrate", what, "--told", before, "--true", true_ma, "--key", KEY)
    assert done.code == 0 and "_gain_ppm_1: " in done.said, done.said
    set_ma, told_ma, true_ma = session_ma()
    assert (set_ma if what == "sink_1" else told_ma) == pytest.approx(true_ma, rel=0.008)


@pytest.mark.parametrize(
    ("what", "told", "true", "words"),
    (
        ("sense", 1, 1, "one of sense_1"),
        ("sense_1", 0, 1, "must both be above 0"),
        ("sense_1", 2, 1, "sense_gain_ppm_1 2000000 above 1200000"),
    ),
)
def test_a_calibration_that_can_t_be_changes_nothing(host, what, told, true, words):
    before = host.stimulator.configuration.read()
    done = board("config", "calibrate", what, "--told", told, "--true", true)
    assert done.code == 1 and words in done.said
    assert host.stimulator.configuration.read() == before


def test_the_first_key_and_another_one(host):
    assert board("config", "new-key", input="first\nfirst\n").code == 0
    refused = board("config", "set", "person_ua_1=20000")
    assert refused.code == 1 and "needs the clinician's key: give it" in refused.said
    assert board("config", "new-key", input="second\nsecond\n").code == 1
    assert board("config", "new-key", "--new", "second", "--key", "first").code == 0
    asked = board("config", "set", "person_ua_1=20000", "--key", input="second\n")
    assert asked.code == 0, asked.text
    assert "second" not in asked.text
    assert board("config", "set", "person_ua_1=20000", "--key", "a!").code == 1


def test_while_the_output_is_on_nothing_of_it_is_touched(host):
    host.start(rate_hz=50)
    for arguments in (("config", "show"), ("log",), ("config", "set", "motor_ua_1=5000")):
        result = board(*arguments)
        assert result.code == 1 and "only with the output off" in result.said
    assert host.stimulator.state == "RUNNING"
