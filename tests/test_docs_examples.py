"""The examples of README and docs/ run as they are written, on the virtual board."""

import re
from itertools import islice

import pytest
from host_rig import Host, behind_a_port
from rig import Rig

from rheobase import client, docs
from rheobase.client import State

PAGES = {path.name: path for path in (docs.ROOT / "README.md", *docs.ROOT.glob("docs/*.md"))}
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
PORT = "/dev/ttyACM0"


def python_of(page):
    return PYTHON.findall(PAGES[page].read_text())


def typed_in(page, first):
    """The lines of the indented block that begins with `first`, without what is said of them."""
    text = PAGES[page].read_text()
    block = text[text.index("\n" + first) + 1 :].split("\n\n")[0]
    return [re.split(r" {4,}", line.strip())[0] for line in block.splitlines()]


@pytest.mark.parametrize(
    ("page", "place"),
    [(page, place) for page in PAGES for place in range(len(python_of(page)))
     if "import Stimulator" in python_of(page)[place]],
)  # fmt: skip
def test_the_client_s_examples_run_in_virtual_time(page, place, monkeypatch, capsys):
    host = Host()
    watch = client.Stimulator.watch
    monkeypatch.setattr(client.Stimulator, "watch", lambda one: islice(watch(one), 5))
    monkeypatch.setattr(
        client,
        "Stimulator",
        type("Here", (), {"find": staticmethod(lambda: host.stimulator),
                          "__new__": lambda cls, port: host.stimulator}),
    )  # fmt: skip
    exec(compile(python_of(page)[place], page, "exec"), {})
    assert host.port.closed and host.legs() == 0
    assert max(pulse.commanded_a for pulse in host.pulses()) >= 4.9e-3
    assert capsys.readouterr().out


@pytest.mark.parametrize("library", ("pyvisa", "pymeasure"))
@pytest.mark.filterwarnings("ignore")  # of interfaces that this computer does not have
def test_an_example_of_another_client_runs_as_it_is_written(library, capsys):
    (text,) = [text for text in python_of("host.md") if f"{library}" in text.splitlines()[0]]
    assert PORT in text
    with behind_a_port(keep=()) as board:
        exec(compile(text.replace(PORT, board.port), library, "exec"), {})
        said = capsys.readouterr().out
        assert board.legs() == 0
    assert said.startswith("Rheobase,")
    assert '0,"No error" RUNNING' in said or "0.00025 []" in said


@pytest.mark.parametrize(
    ("page", "first"),
    (("README.md", "       *IDN?"), ("commands.md", '    PROG:LOAD "N01",1')),
    ids=("README", "commands"),
)
def test_a_typed_session_runs_as_it_is_written(page, first):
    lines = typed_in(page, first)
    assert len(lines) > 8
    rig = Rig()
    for line in lines:
        if line.startswith('ARM "'):
            line = f"ARM {rig.ask('ARM:HASH?')}"
        rig.say(line, wait=0.6)
        rig.settle()
        if line.startswith("OUTP"):
            assert rig.state == State.RUNNING
        if line.startswith("SOUR1:CURR"):
            rig.wait(1)
    rig.wait(2)
    assert rig.state == State.IDLE
    assert rig.ask("SYST:ERR?").endswith('0,"No error"')
    assert max(pulse.commanded_a for pulse in rig.pulses(1)) == pytest.approx(1.02e-3)
