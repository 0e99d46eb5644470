# Everything here builds what it needs first; nothing has to be installed by hand.

PYTHON ?= python3
BIN := .venv/bin
IMAGE ?= $(RHEOBASE_PICO_IMAGE)
BOOTROM ?= $(RHEOBASE_PICO_BOOTROM)
WORKERS ?= 2

.PHONY: help demo test nightly mutation safety style check programs sim flash repl emulate bench sim-bench device-bench clean

help:
	@echo "make demo          a two-channel session on the virtual board: picture, VCD, CSV, table"
	@echo "make sim           the virtual board behind a pseudo-terminal; prints the port"
	@echo "make test          all checks and tests"
	@echo "make check         ruff, types, import rule, mpy-cross for three architectures"
	@echo "make programs      every program of the library played and measured against its data"
	@echo "make safety        every fault in every state, against its bound"
	@echo "make nightly       the property tests on new and many more examples, and make safety"
	@echo "make mutation      changes what guards the output, spot by spot: do the tests notice?"
	@echo "make flash         MicroPython and the firmware onto a board: make flash PORT=/dev/ttyACM0"
	@echo "make repl          a terminal to a board: make repl PORT=/dev/ttyACM0"
	@echo "make bench         every promise with dummy load and oscilloscope: make bench PORT=..."
	@echo "make emulate       the firmware on genuine MicroPython: make emulate IMAGE=... BOOTROM=..."
	@echo "make sim-bench     speed of the virtual board against real time"
	@echo "make device-bench  speed and memory of the firmware on the emulated Pico"
	@echo "make clean         forget all that was built"

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@

node_modules/ready: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	touch $@

typings/ready: pyproject.toml .venv/ready
	$(BIN)/python -m pip install --quiet --target typings --upgrade --no-deps \
		micropython-rp2-stubs==1.29.0.post1 micropython-stdlib-stubs==1.29.0.post2
	touch $@

demo: .venv/ready
	$(BIN)/python -m rheobase.demo

test: style
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

safety: .venv/ready
	$(BIN)/python -m rheobase.safety --workers $(WORKERS)

nightly: .venv/ready node_modules/ready
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
	$(MAKE) safety

.venv/mutation: .venv/ready
	$(BIN)/python -m pip install --quiet --editable ".[test,mutation]"
	touch $@

# ONLY=limits.py tries one file; MOST=100 a sample of each file, the same one every time;
# RECORD=1 puts what was found into the table of docs/safety.md (by python -m rheobase.docs).
mutation: .venv/mutation
	PYTHONPATH=tests:tools $(BIN)/python -m mutation --workers $(WORKERS) \
		$(if $(MOST),--most $(MOST)) $(if $(RECORD),--record) $(ONLY)

style: .venv/ready node_modules/ready typings/ready
	$(BIN)/ruff check .
	$(BIN)/mypy --config-file mypy-device.ini
	$(BIN)/mypy --config-file mypy-host.ini

check: style
	$(BIN)/python -m pytest -q tests/test_import_rule.py tests/test_mpy_cross.py

programs: .venv/ready
	$(BIN)/python -m rheobase.programs

sim: .venv/ready
	$(BIN)/rheobase sim

sim-bench: .venv/ready
	$(BIN)/python -m rheobase.sim.benchmark

# Needs RHEOBASE_PICO_IMAGE and RHEOBASE_PICO_BOOTROM.
device-bench: .venv/ready node_modules/ready
	$(BIN)/python -m rheobase.emulator.device_bench

# PORT=sim and PORT=emulator let the virtual bench test itself. LOAD_OHM=500 is the dummy load.
bench: .venv/ready
	$(BIN)/rheobase bench $(if $(PORT),--port $(PORT)) $(if $(LOAD_OHM),--load-ohm $(LOAD_OHM))

emulate: .venv/ready node_modules/ready
	$(BIN)/rheobase emulate --image "$(IMAGE)" --bootrom "$(BOOTROM)"

# PORT may be left out if one board is plugged in. BOARD=pico|pico2|esp32, IMAGE=MicroPython as
# downloaded (asked for if the board has none), IMAGE_ONLY=1 for MicroPython without the firmware.
flash: .venv/ready
	$(BIN)/rheobase flash $(if $(PORT),--port $(PORT)) --board $(or $(BOARD),pico) \
		$(if $(filter command line,$(origin IMAGE)),--image "$(IMAGE)") \
		$(if $(IMAGE_ONLY),--image-only)

# The firmware's own terminal; Ctrl-C ends the firmware (output off) and gives Python's prompt.
repl: .venv/ready
	$(BIN)/mpremote connect $(or $(PORT),auto) resume repl

clean:
	rm -rf .venv node_modules typings build .pytest_cache .hypothesis .mypy_cache .ruff_cache
