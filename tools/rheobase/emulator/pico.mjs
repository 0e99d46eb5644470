// Drives an emulated Pico by JSON lines: one request a line on stdin, one reply a line on stdout.
//
// A request is {"do": name, ...}; the reply {"ok": ...} or {"error": text}. Clocks are cycles of
// clk_sys since power-up. Bytes travel as base64, larger pieces of memory zlib-compressed too.

import fs from 'node:fs';
import readline from 'node:readline';
import zlib from 'node:zlib';
import { Machine } from './machine.mjs';
import { Recorder } from './pins.mjs';
import { Snapshot } from './snapshot.mjs';

const base64 = (bytes) =>
  Buffer.from(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength).toString('base64');
const snapshots = new Map(); // by number
const unpacked = (text) => zlib.inflateSync(Buffer.from(text, 'base64'));

class Session {
  constructor() {
    this.machine = null;
    this.output = []; // [clock, bytes] of serial output not yet handed over
    this.condition = null;
    this.reason = null;
    this.bench = null;
  }

  get now() {
    return this.machine.clock.now;
  }

  boot({ image, bootrom, filesystem, stock_cpu, halted, ...settings }) {
    const machine = (this.machine = new Machine({
      image: fs.readFileSync(image),
      bootrom: fs.readFileSync(bootrom),
      filesystem: filesystem && { offset: filesystem.offset, bytes: unpacked(filesystem.zlib) },
      stockCpu: stock_cpu ?? false,
    }));
    this.settings(settings);
    machine.halted = halted ?? false;
    machine.onSerial = (bytes) => {
      this.output.push([this.now, bytes]);
      if (this.condition?.serial) this.lookForText(bytes);
    };
    machine.onPins = (clock, levels, changed) => {
      if (this.condition?.pins) this.lookAtPins(clock, levels, changed);
    };
    machine.pins.onFunction = (clock) => {
      if (this.condition?.taken) this.lookForTaken(clock);
    };
    machine.onReset = () => {
      if (this.condition?.reset) this.stop({ reset: true });
      if (this.bench) machine.stop(); // what is wired to the pins sees it first
    };
    return { now: this.now };
  }

  settings({ synchronised, recorded, pwm_edges }) {
    const { pins } = this.machine;
    if (synchronised !== undefined) pins.synchronised = synchronised;
    if (recorded !== undefined) {
      pins.recorded = recorded;
      pins.levels &= recorded;
    }
    if (pwm_edges !== undefined) this.machine.setPwmEdges(pwm_edges);
    return {};
  }

  /**
   * Lives until clock `until`, or until the first of: `serial` ({ wanted, tail }: these bytes
   * appear in the output, which so far ends with `tail`), `pins` ({ mask, level }: one of these
   * pins changes, to `level` if given), `taken` (none of this mask of pins is a PIO's any more),
   * `reset` (the chip is reset).
   */
  run({ until, serial, pins, taken, reset }) {
    const wanted = serial && Buffer.from(serial.wanted, 'base64');
    this.condition = serial || pins || taken || reset ? { serial: wanted, pins, taken, reset } : null;
    this.text = Buffer.from(serial?.tail ?? '', 'base64');
    this.reason = null;
    const now = this.machine.run(until);
    this.condition = null;
    const bench = this.bench && this.forBench();
    const output = this.output.map(([clock, bytes]) => [clock, base64(bytes)]);
    this.output = [];
    return { now, reason: this.reason, output, resets: this.machine.resets, bench };
  }

  /**
   * What is wired to the pins lives outside, and has to know what happens here. It wants to be
   * told of changes of `pins` and of PWM duties, and asked for the voltage at the `adc` pins.
   * `run` ends at a rise of a pin in `rises`, and -- while the outside may answer an edge at once --
   * at changes of `prompt` pins, and of any duty if there are such pins.
   */
  wire({ pins, adc, rises, prompt }) {
    const { machine } = this;
    const bench = this.bench ?? {
      edges: new Recorder(),
      duties: [],
      conversions: [],
    };
    this.bench = Object.assign(bench, { pins, adc, rises, prompt });
    machine.pins.onLevels = (clock, levels, changed) => {
      if (!(changed & bench.pins)) return;
      bench.edges.add(clock, levels);
      if (changed & (bench.prompt | (bench.rises & levels))) machine.stopAt(clock);
    };
    machine.onPwm = (change) => {
      bench.duties.push(change);
      if (bench.prompt) machine.stopAt(change[0]);
    };
    machine.onConversion = (pin) => {
      if (!(bench.adc & (1 << pin))) return;
      bench.conversions.push(pin);
      machine.stop();
    };
    return {};
  }

  /** What has happened for the bench since it was last told. */
  forBench() {
    const { edges, duties, conversions } = this.bench;
    const { count } = edges;
    if (!count && !duties.length && !conversions.length) return undefined;
    const told = {
      clocks: base64(edges.clocks.subarray(0, count)),
      levels: base64(edges.levels.subarray(0, count)),
      duties,
      conversions,
    };
    edges.count = 0;
    this.bench.duties = [];
    this.bench.conversions = [];
    return told;
  }

  stop(reason) {
    this.reason ??= reason;
    this.machine.stop();
  }

  lookForText(bytes) {
    const wanted = this.condition.serial;
    this.text = Buffer.concat([this.text, bytes]);
    if (this.text.includes(wanted)) this.stop({ serial: true });
    else this.text = this.text.subarray(-wanted.length);
  }

  lookAtPins(clock, levels, changed) {
    const { mask, level } = this.condition.pins;
    const hit = changed & mask & (level === undefined ? -1 : level ? levels : ~levels);
    if (hit) this.stop({ pins: hit, clock, levels });
  }

  lookForTaken(clock) {
    const { pio0, pio1 } = this.machine.pins.select;
    if (!((pio0 | pio1) & this.condition.taken)) this.stop({ taken: true, clock });
  }

  /** Sends bytes to the device, now or at clock `at`. */
  write({ bytes, at }) {
    const data = Buffer.from(bytes, 'base64');
    this.soon(at, () => this.machine.serial.write(data));
    return { connected: this.machine.serial.connected };
  }

  /** The host opens or closes the port, reads or stops reading. */
  port({ open, reading }) {
    if (open !== undefined) this.machine.setPort(open);
    if (reading !== undefined) this.machine.setReading(reading);
    return { connected: this.machine.serial.connected };
  }

  /** Drives a pin from outside to `level` 0 or 1, or lets go of it (null), now or at `at`. */
  drive({ pin, level, at }) {
    this.soon(at, () => this.machine.pins.setDrive(pin, level));
    return {};
  }

  adc({ pin, volts, at }) {
    this.soon(at, () => this.machine.setVolts(pin, volts));
    return {};
  }

  soon(at, action) {
    if (at === undefined || at <= this.now) action();
    else this.machine.at(at, action);
  }

  edges({ clear }) {
    const { recorder } = this.machine.pins;
    const { count } = recorder;
    const clocks = base64(recorder.clocks.subarray(0, count));
    const levels = base64(recorder.levels.subarray(0, count));
    if (clear) recorder.clear();
    return { count, clocks, levels };
  }

  levels() {
    return { levels: this.machine.pins.level >>> 0 };
  }

  pwm({ clear }) {
    const changes = [...this.machine.pwmChanges];
    if (clear) this.machine.pwmChanges.length = 0;
    return { changes };
  }

  halt({ on }) {
    const { machine } = this;
    machine.halted = on;
    if (!on) machine.cpuClock = Math.max(machine.cpuClock, machine.clock.now); // time was lost
    return {};
  }

  reset() {
    this.machine.powerCycle();
    return { now: this.now };
  }

  cut({ after }) {
    const { machine } = this;
    machine.cutAt = after ? machine.flashOperations + after : 0;
    return { operations: machine.flashOperations };
  }

  /** Keeps everything as it is now under a number. */
  snapshot({ number }) {
    snapshots.set(number, new Snapshot(this));
    return {};
  }

  restore({ number }) {
    snapshots.get(number).putBack();
    return { now: this.now };
  }

  forget({ number }) {
    snapshots.delete(number);
    return {};
  }

  registers() {
    const { core } = this.machine.chip;
    return {
      registers: [...core.registers],
      flags: ['N', 'Z', 'C', 'V'].filter((flag) => core[flag]).join(''),
      clock: this.machine.cpuClock,
      waiting: core.waiting,
      asleep: this.machine.asleep,
    };
  }

  peek({ address, length, size }) {
    this.machine.clock.fire(); // what is due now comes before whoever looks now
    const { chip } = this.machine;
    if (size === 4) return { value: chip.readUint32(address) >>> 0 };
    const bytes = Uint8Array.from({ length }, (_, i) => chip.readUint8(address + i));
    return { zlib: zlib.deflateSync(bytes).toString('base64') };
  }

  poke({ address, value, bytes }) {
    this.machine.clock.fire();
    const { chip } = this.machine;
    if (bytes === undefined) chip.writeUint32(address, value);
    else unpacked(bytes).forEach((byte, i) => chip.writeUint8(address + i, byte));
    return {};
  }

  /** Part of the flash as it is now, and whether it was written since this was last asked. */
  flash({ offset, length }) {
    const { machine } = this;
    const written = machine.written.length > 0;
    machine.written.length = 0;
    const bytes = machine.flash.subarray(offset, offset + length);
    return { written, zlib: zlib.deflateSync(bytes).toString('base64') };
  }
}

// prettier-ignore
const REQUESTS = new Set([
  'boot', 'settings', 'run', 'write', 'port', 'drive', 'adc', 'edges', 'levels', 'pwm', 'halt',
  'reset', 'registers', 'peek', 'poke', 'flash', 'wire', 'cut', 'snapshot', 'restore', 'forget',
]);

console.warn = () => {}; // rp2040js reports every access to what it lacks
const session = new Session();
const input = readline.createInterface({ input: process.stdin, crlfDelay: Infinity });
input.on('line', (line) => {
  let reply;
  try {
    const request = JSON.parse(line);
    if (!REQUESTS.has(request.do)) throw new Error(`unknown request ${request.do}`);
    if (!session.machine && request.do !== 'boot') throw new Error('not booted');
    reply = { ok: session[request.do](request) };
  } catch (error) {
    reply = { error: String(error.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
});
input.on('close', () => process.exit(0));
