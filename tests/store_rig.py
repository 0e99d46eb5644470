"""Small firmwares that write files, and a cut of power at each write that flash does."""

import textwrap

from rheobase.sim.board import REPOSITORY, VirtualBoard

STORE = ("core/refused", "hal/permit", "hal/files", "hal/texts", "hal/log", "hal/copies")
END = "-- end"


def store_board(main, data=None):
    """A board with the store's modules and a main.py; `data`: files of /data by name."""
    files = {f"/data/{name}": content for name, content in (data or {}).items()}
    for folder in ("firmware", "firmware/core", "firmware/hal"):
        files[f"/{folder}/__init__.py"] = b""
    for name in STORE:
        files[f"/firmware/{name}.py"] = REPOSITORY / "firmware" / f"{name}.py"
    body = "import time\ntime.sleep_ms(500)\n" + textwrap.dedent(main) + f"\nprint({END!r})\n"
    files["/main.py"] = body.encode()
    return VirtualBoard(files)


def output(board, limit_s=30.0):
    """Power up and run main.py to its end; the lines it printed, or None if power was cut."""
    board.power_on()
    text = ""

    def unfinished():
        nonlocal text
        text += board.usb.read().decode()
        return board.powered and END not in text

    assert board.run_while(unfinished, limit_s, 0.05)
    if not board.powered:
        return None
    return text.split(END)[0].replace("\r\n", "\n").splitlines()


def after_each_cut(change, look, before="", data=None):
    """What `look` prints when power is lost in each flash operation of `change`, in order.

    `before` runs ahead of them, uncut. The last entry is that of the change uncut.
    """
    seen = []
    ready = store_board(before, data)
    assert output(ready) is not None
    kept = {path: content for path, content in ready.flash.files.items() if "/data/" in path}
    start = {path[len("/data/") :]: content for path, content in kept.items()}
    cut = 1
    while True:
        board = store_board(change, start)
        board.flash.cut_power_at(cut)
        finished = output(board) is not None
        board.flash.cut_power_at(0)  # never
        board.power_off()
        board.flash.install("/main.py", store_board(look).flash.files["/main.py"])
        seen.append(output(board))
        if finished:
            return seen
        cut += 1
        assert cut < 200
