"""Mutation testing of what guards the output: changes the firmware, one spot at a time, and asks
whether a test notices. Run by `make mutation`; see `python -m mutation --help` in tests/.

Every mutant runs in a process of its own, forked from one that has pytest loaded already, in a
copy of the tree. The time allowed is processor time, so that a busy machine changes nothing.
"""

import argparse
import csv
import hashlib
import importlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers

from mutation.judges import JUDGES
from mutation.mutants import mutants

ROOT = Path(__file__).parents[2]
STORE = ROOT / "build" / "mutation"
ACCEPTED = Path(__file__).with_name("accepted.toml")
MEASURED = Path(__file__).with_name("measured.csv")  # for docs/safety.md
BAR = 90  # per cent
PLAIN = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--assert=plain", "--tb=line")
COMMON = ("numpy", "greenlet", "hypothesis.strategies")  # what most tests import
FEW = 30  # examples of a property test
KILLED, SURVIVED, LATE = "killed", "survived", "late"


def main():
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("files", nargs="*", help="the end of a file's path; all without")
    parser.add_argument("--most", type=int, help="try only so many of each file, spread evenly")
    parser.add_argument("--again", action="store_true", help="only what survived or wasn't tried")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="only what the last runs found")
    parser.add_argument("--record", action="store_true", help=f"write it to {MEASURED.name}")
    asked = parser.parse_args()
    chosen = [f for f in JUDGES if not asked.files or any(f.endswith(e) for e in asked.files)]
    accepted = {_key(entry) for entry in tomllib.loads(ACCEPTED.read_text())["accepted"]}
    good = True
    total = [0, 0, 0]
    print(f"{'file':36} mutants  killed  accepted     new")
    for path in chosen:
        found = _recall(path) if asked.report else _run(path, asked)
        if found is None:
            print(f"{path:36} not run")
            continue
        left = [key for key, outcome in found.items() if outcome == SURVIVED]
        new = [key for key in left if (path, *key) not in accepted]
        killed = len(found) - len(left)
        share = 100 * killed / len(found)
        good = good and share >= BAR and not new
        print(f"{path:36} {len(found):7} {killed:7} {len(left) - len(new):9} {len(new):7}"
              f"  {share:5.1f} %", flush=True)
        for key in new:
            print("    {}: {}\n      -> {}".format(*key))
        if asked.record:
            _record(path, len(found), killed, len(left) - len(new))
        total = [a + b for a, b in zip(total, (len(found), killed, len(new)), strict=True)]
    if total[0]:
        print("all: {} mutants, {} killed, {:.1f} %, {} survivors without a reason".format(
            *total[:2], 100 * total[1] / total[0], total[2]))
    return 0 if good else 1


def _key(entry):
    return entry["file"], entry["in"], entry["was"], entry["now"]


def _record(path, tried, killed, accepted):
    """One file's row in the table of what was measured; the others' stay."""
    rows = list(csv.reader(MEASURED.open())) if MEASURED.exists() else []
    measured = {row[0]: row for row in rows[1:]}
    changes = len(mutants((ROOT / path).read_text()))
    measured[path] = [path, changes, tried, killed, accepted]
    with MEASURED.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("file", "changes", "tried", "killed", "accepted"))
        writer.writerows(measured[name] for name in sorted(measured))


def _store(path):
    return STORE / (path.replace("/", ".") + ".jsonl")


def _recall(path):
    """What the last runs of a file found: {key: outcome}; None if there were none."""
    if not _store(path).exists():
        return None
    rows = [json.loads(line) for line in _store(path).read_text().splitlines()]
    return {tuple(key): outcome for key, outcome in rows}


def _run(path, asked):
    text = (ROOT / path).read_text()
    tried = mutants(text)
    if asked.most and len(tried) > asked.most:
        # By a hash of the change: the same ones in every run, spread over the whole file.
        tried = sorted(tried, key=lambda m: hashlib.sha256(repr(m.key).encode()).digest())
        tried = tried[: asked.most]
    known = (_recall(path) or {}) if asked.again else {}
    todo = [m for m in tried if known.get(m.key, SURVIVED) == SURVIVED]
    STORE.mkdir(parents=True, exist_ok=True)
    store = _store(path)
    kept = {m.key: known[m.key] for m in tried if known.get(m.key, SURVIVED) != SURVIVED}
    store.write_text("".join(json.dumps([k, o]) + "\n" for k, o in kept.items()))
    pids = []
    for worker in range(asked.workers):
        pid = os.fork()
        if not pid:
            os._exit(_work(path, text, todo[worker :: asked.workers], store))
        pids.append(pid)
    for pid in pids:
        if os.waitpid(pid, 0)[1]:
            raise SystemExit(f"{path}: a worker failed")
    return _recall(path)


def _work(path, text, todo, store):
    """Try mutants one after the other in a copy of the tree."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        _copy(Path(folder))
        os.chdir(folder)
        for name in COMMON:
            importlib.import_module(name)  # once, not in every process that is forked
        outcome, allowed_s = _judged(path, 300, keep_bytecode=True)
        for stale in (Path(path).parent / "__pycache__").glob(Path(path).stem + ".*.pyc"):
            stale.unlink()
        if outcome != KILLED and outcome != LATE:
            allowed_s = 4 * allowed_s + 4
        else:
            print(f"{path}: its tests fail without any change", file=sys.stderr)
            print(Path("mutation.out").read_text()[-3000:], file=sys.stderr)
            return 1
        for mutant in todo:
            (Path(folder) / path).write_text(mutant.text)
            outcome, _ = _judged(path, allowed_s)
            with store.open("a") as out:
                out.write(json.dumps([mutant.key, outcome]) + "\n")
    return 0


def _copy(folder):
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    for name in names:
        source, target = ROOT / name, folder / name
        if source.is_file() and not source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _judged(path, allowed_s, keep_bytecode=False):
    """(outcome, processor seconds) of the file as it now stands in this folder."""
    pid = os.fork()
    if not pid:
        resource.setrlimit(resource.RLIMIT_CPU, (int(allowed_s) + 1, int(allowed_s) + 2))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        out = os.open("mutation.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        # Two mutants of one second would share the bytecode.
        sys.dont_write_bytecode = not keep_bytecode
        code = 70
        try:
            for test in JUDGES[path]:
                code = pytest.main([*PLAIN, test])
                if code:
                    break
        finally:
            os._exit(int(code))
    _, status, used = os.wait4(pid, 0)
    seconds = used.ru_utime + used.ru_stime
    if os.WIFSIGNALED(status):
        return LATE, seconds
    return (KILLED if os.WEXITSTATUS(status) else SURVIVED), seconds


def _fewer_examples():
    """No test tries more than FEW examples: a mutant that lives through many is rare."""
    was = hypothesis.settings.__init__

    def init(self, parent=None, **changes):
        if "max_examples" in changes:
            changes["max_examples"] = min(changes["max_examples"], FEW)
        was(self, parent, **changes)

    hypothesis.settings.__init__ = init
    # It would parse every local module for numbers to try, in every process anew.
    providers._get_local_constants = lambda: providers._local_constants


if __name__ == "__main__":
    _fewer_examples()
    os.environ["HYPOTHESIS_PROFILE"] = "mutation"
    sys.dont_write_bytecode = True
    sys.exit(main())
