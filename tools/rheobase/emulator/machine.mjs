// An emulated Pico: rp2040js's chip, corrected where it matters to us, living through exact clocks.

import { RP2040 } from 'rp2040js';
import { Clock, NEVER } from './clock.mjs';
import { correctCore, makeCoreFast } from './cpu.mjs';
import { makeDmaExact } from './dma.mjs';
import { answerUniqueId, interceptFlashFunctions, loadImage } from './flash.mjs';
import { Pins } from './pins.mjs';
import { ExactPio } from './pio.mjs';
import { LazyPwm } from './pwm.mjs';
import { SerialHost } from './usb.mjs';

const FLASH = 0x10000000;
const FLASH_SIZE = 2 * 1024 * 1024;
const WATCHDOG = 0x40058;
const FIRST_ADC_PIN = 26;
const ADC_REFERENCE = 3.3;
const TEMPERATURE_CHANNEL = 4;
const ROOM_TEMPERATURE = Math.round((0.706 / ADC_REFERENCE) * 4095); // 27 C, data sheet 4.9.5
const UNIQUE_ID = [0xe6, 0x61, 0x52, 0x48, 0x45, 0x4f, 0x00, 0x01];

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export class Machine {
  /**
   * `image` and `bootrom` are file contents, `filesystem` null or { offset, bytes }.
   * `stockCpu` runs every instruction in rp2040js's own core, some ten times slower.
   */
  constructor({ image, bootrom, filesystem = null, stockCpu = false }) {
    this.clock = new Clock();
    this.pins = new Pins(this.clock);
    this.pins.onChange = (clock, levels, changed) => this.onPins?.(clock, levels, changed);
    this.flash = new Uint8Array(FLASH_SIZE).fill(0xff);
    this.sram = null;
    this.bootrom = bootrom;
    this.stockCpu = stockCpu;
    this.written = []; // [offset, length] of flash changes not yet asked for
    this.stalled = 0; // clocks the CPU has to stand still after what it is doing
    this.halted = false; // the CPU stands still, the hardware goes on
    this.cpuClock = 0; // the CPU has lived up to this clock
    this.stopRequested = false;
    this.limit = 0; // where run() ends
    this.resetRequested = null;
    this.flashOperations = 0; // erases and programs since the start
    this.cutAt = 0; // the one in which the power fails
    this.resets = 0;
    this.onSerial = null; // (bytes)
    this.onReset = null;
    this.onPwm = null; // ([clock, pin, counts high, counts in a period])
    this.onConversion = null; // (pin): the ADC begins to convert what is there
    this.pwmChanges = [];
    this.pwmEdges = false;
    this.adcVolts = new Map();
    this.portOpen = true;
    this.reading = true;
    loadImage(this.flash, image);
    if (filesystem) this.flash.set(filesystem.bytes, filesystem.offset);
    this.powerUp(null);
  }

  /** A new chip. `kept` holds what a watchdog reset leaves alone. */
  powerUp(kept) {
    const { clock, pins } = this;
    clock.made = [];
    clock.setFrequency(125e6);
    const chip = (this.chip = withoutConsole(() => new RP2040(clock)));
    chip.logger = quiet;
    chip.flash = this.flash;
    chip.flash16 = new Uint16Array(this.flash.buffer);
    chip.flashView = new DataView(this.flash.buffer);
    if (this.sram) {
      chip.sram = this.sram;
      chip.sramView = new DataView(this.sram.buffer);
    }
    this.sram = chip.sram;
    chip.bootrom.set(new Uint32Array(this.bootrom.buffer, this.bootrom.byteOffset, 4096));

    this.blocks = [0, 1].map((i) => new ExactPio(chip, `PIO${i}`, 7 + 2 * i, i, clock, pins));
    chip.pio = this.blocks;
    chip.peripherals[0x50200] = this.blocks[0];
    chip.peripherals[0x50300] = this.blocks[1];
    const pwm = new LazyPwm(chip, clock);
    pwm.changes = this.pwmChanges;
    pwm.edges = this.pwmEdges;
    pwm.onChange = (change) => this.onPwm?.(change);
    pwm.onLevels = () => pins.update(clock.now);
    chip.pwm = pwm;
    chip.peripherals[0x40050] = pwm;
    makeDmaExact(chip, clock);
    makeTimerExact(chip.peripherals[0x40054], clock);
    correctAdc(chip.adc);
    const { onADCRead } = chip.adc;
    chip.adc.onADCRead = (channel) => {
      onADCRead(channel);
      if (channel !== TEMPERATURE_CHANNEL) this.onConversion?.(FIRST_ADC_PIN + channel);
    };
    refuseSecondCore(chip);
    chip.adc.channelValues[TEMPERATURE_CHANNEL] = ROOM_TEMPERATURE;
    for (const [pin, volts] of this.adcVolts) this.setVolts(pin, volts);
    for (const block of this.blocks) block.programChanged();
    pins.attach(chip);

    interceptFlashFunctions(chip, {
      busy: (nanos) => this.stall(nanos),
      written: (offset, length) => this.written.push([offset, length]),
      begin: () => this.beginFlash(),
    });
    answerUniqueId(chip, UNIQUE_ID);
    this.serial = new SerialHost(chip, clock, {
      received: (bytes) => this.onSerial?.(bytes),
      open: () => this.portOpen,
    });
    this.serial.setReading(this.reading);
    chip.addClockListener((frequency) => clock.setFrequency(frequency));

    const watchdog = chip.peripherals[WATCHDOG];
    if (kept) {
      watchdog.scratchData.set(kept.scratch);
      watchdog.reason = kept.reason;
    }
    watchdog.onWatchdogTrigger = () => {
      watchdog.timer.enable = false; // or its alarm would fire for ever at this clock
      this.resetRequested = { scratch: watchdog.scratchData, reason: watchdog.reason };
      clock.touched = true;
    };
    correctCore(chip);
    if (!this.stockCpu) makeCoreFast(chip, clock);
    chip.core.reset();
    chip.core.PC = FLASH; // the second stage: the boot ROM's own way there needs the real SSI
    this.cpuClock = clock.now;
    this.asleep = 0; // clocks since the start that the CPU has slept through, to its last waking
  }

  /** As a watchdog does it: everything but flash, RAM, clocks passed and scratch registers. */
  reset({ scratch, reason, power }) {
    this.resetRequested = null;
    if (power) {
      this.powerCycle();
      this.onReset?.();
      return;
    }
    for (const alarm of [...this.clock.heap]) if (!alarm.outside) alarm.cancel();
    this.resets++;
    this.powerUp({ scratch, reason });
    this.onReset?.();
  }

  /** Power off and on: only the flash keeps what it has, and the outside what it drives. */
  powerCycle() {
    for (const alarm of [...this.clock.heap]) if (!alarm.outside) alarm.cancel();
    this.sram = null;
    this.resets++;
    this.powerUp(null);
  }

  /** How much of the erase or program that begins now is done; the power may fail in it. */
  beginFlash() {
    this.flashOperations++;
    if (this.resetRequested) return 0;
    if (this.flashOperations !== this.cutAt) return 1;
    this.cutAt = 0;
    this.resetRequested = { power: true };
    this.clock.touched = true;
    return 0.5;
  }

  /** The host opens the port (DTR) or closes it. */
  setPort(open) {
    this.portOpen = open;
    if (this.serial.connected) this.serial.cdcSetControlLineState();
  }

  /** The host reads what the device sends, or leaves it where it is. */
  setReading(reading) {
    this.reading = reading;
    this.serial.setReading(reading);
  }

  /** The CPU waits for `nanos` without seeing anything (flash being written). */
  stall(nanos) {
    this.stalled += Math.ceil((nanos * this.clock.frequency) / 1e9);
    this.clock.touched = true; // so that the core stops here
  }

  /** Calls `action` at `clock`, before the chip lives through it; a reset does not stop it. */
  at(clock, action) {
    this.clock.atFirst(clock, action).outside = true;
  }

  setVolts(pin, volts) {
    this.adcVolts.set(pin, volts);
    const value = Math.floor((volts / ADC_REFERENCE) * 4096);
    this.chip.adc.channelValues[pin - FIRST_ADC_PIN] = Math.max(0, Math.min(4095, value));
  }

  setPwmEdges(on) {
    this.pwmEdges = this.chip.pwm.edges = on;
    for (const slice of this.chip.pwm.slices) slice.plan();
    this.chip.pwm.refresh();
  }

  stop() {
    this.stopRequested = true;
    this.clock.touched = true;
  }

  /** Makes `run` end at `clock` at the latest. */
  stopAt(clock) {
    this.limit = Math.min(this.limit, clock);
    this.clock.touched = true;
  }

  /** Lives up to, not including, clock `target`; less if something calls stop() or stopAt(). */
  run(target) {
    const { clock } = this;
    this.limit = target;
    this.stopRequested = false;
    while (!this.stopRequested) {
      if (this.resetRequested) {
        this.reset(this.resetRequested);
        continue; // whoever was told may have stopped
      }
      const [first, second] = this.blocks;
      const { core } = this.chip;
      const due = Math.min(clock.due, first.due, second.due);
      const cpu = this.halted || core.waiting ? NEVER : this.cpuClock;
      const next = Math.min(due, cpu);
      if (next >= this.limit) {
        clock.now = Math.max(clock.now, this.limit);
        break;
      }
      clock.now = next;
      if (due <= cpu) {
        clock.fire();
        if (first.due <= next) first.advance(next + 1);
        if (second.due <= next) second.advance(next + 1);
        if (core.waiting) core.wakeIfDue();
        if (!core.waiting && this.cpuClock < next) {
          this.asleep += next - this.cpuClock;
          this.cpuClock = next;
        }
      } else {
        this.runCpu(core, Math.min(due, this.limit));
      }
    }
    return clock.now;
  }

  /** Lets the CPU live up to `limit`, or until it has changed what is due. */
  runCpu(core, limit) {
    const { clock } = this;
    clock.touched = false;
    this.stalled = 0;
    const now = core.run ? core.run(this.cpuClock, limit) : this.runStock(core, limit);
    this.cpuClock = now + this.stalled;
  }

  runStock(core, limit) {
    const { clock } = this;
    let now = this.cpuClock + core.takeInterrupts();
    while (now < limit && !core.waiting && !clock.touched && !core.interruptsUpdated) {
      clock.now = now;
      now += core.forgotten(core.readUint16(core.PC & ~1)) + core.executeInstruction();
    }
    return now;
  }
}

/** rp2040js greets the console from its constructors. */
function withoutConsole(action) {
  const { log, warn, debug, info, error } = console;
  console.log = console.warn = console.debug = console.info = console.error = () => {};
  try {
    return action();
  } finally {
    Object.assign(console, { log, warn, debug, info, error });
  }
}

/** rp2040js lets an alarm fire up to a microsecond early, before the counter shows its time. */
function makeTimerExact(timer, clock) {
  const { writeUint32 } = timer;
  timer.writeUint32 = (offset, value) => {
    writeUint32.call(timer, offset, value);
    const index = (offset - 0x10) >> 2;
    if (offset >= 0x10 && index < 4) {
      const micros = Math.floor(clock.nanos / 1000);
      const ahead = (value - micros) >>> 0;
      timer.alarms[index].clockAlarm.schedule((micros + ahead) * 1000 - clock.nanos);
    }
  };
}

/**
 * Only one core is there. The mailbox holds what the other one sends after its reset (a zero),
 * which is all that a soft reset waits for; starting it is refused.
 */
function refuseSecondCore({ sio, peripherals }) {
  const FIFO_ST = 0x50;
  const FIFO_WR = 0x54;
  const FIFO_RD = 0x58;
  const VALID = 1;
  const READY = 2;
  const PSM_FRCE_OFF = 0x4;
  const PROC1 = 1 << 16;
  const mail = (sio.mail = []);
  const { readUint32, writeUint32 } = sio;
  sio.readUint32 = (offset) => {
    if (offset === FIFO_ST) return READY | (mail.length ? VALID : 0);
    return offset === FIFO_RD ? (mail.shift() ?? 0) : readUint32.call(sio, offset);
  };
  sio.writeUint32 = (offset, value) => {
    if (offset === FIFO_WR) {
      if (value !== 0) throw new Error('the second core is not modelled: no _thread');
      mail.push(0);
    } else if (offset !== FIFO_ST) {
      writeUint32.call(sio, offset, value);
    }
  };
  const psm = peripherals[0x40010];
  const writePsm = psm.writeUint32;
  psm.writeUint32 = (offset, value) => {
    if (offset === PSM_FRCE_OFF && psm.frceOff & PROC1 && !(value & PROC1)) mail.push(0);
    writePsm.call(psm, offset, value);
  };
}

/** rp2040js masks the next round-robin channel with a shift count. */
function correctAdc(adc) {
  const SHIFT = 12;
  const MASK = 7;
  Object.defineProperty(adc, 'activeChannel', {
    get: () => (adc.cs >> SHIFT) & MASK,
    set: (channel) => {
      adc.cs = (adc.cs & ~(MASK << SHIFT)) | ((channel & MASK) << SHIFT);
    },
  });
}
