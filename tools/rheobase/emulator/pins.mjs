// The 30 pins: who drives them, what level they have, and when it changed.

export const PIN_COUNT = 30;
const ALL = (1 << PIN_COUNT) - 1;

const FUNCTION_PWM = 4;
const FUNCTION_SIO = 5;
const FUNCTION_PIO0 = 6;
const FUNCTION_PIO1 = 7;

const PAD_RESET = 0x56; // input enabled, pull-down, 4 mA, Schmitt trigger (datasheet 2.19.6.3)
const PAD_PULL_DOWN = 1 << 2;
const PAD_PULL_UP = 1 << 3;
const PAD_INPUT_ENABLE = 1 << 6;
const PAD_OUTPUT_DISABLE = 1 << 7;

const IRQ_LEVEL_LOW = 1 << 0;
const IRQ_LEVEL_HIGH = 1 << 1;
const IRQ_EDGE_LOW = 1 << 2;
const IRQ_EDGE_HIGH = 1 << 3;

const SYNCHRONISER_CLOCKS = 2;

/** Edges as two columns that grow: clocks, and the levels of all pins from that clock on. */
export class Recorder {
  constructor() {
    this.clear();
  }

  clear() {
    this.clocks = new Float64Array(1024);
    this.levels = new Uint32Array(1024);
    this.count = 0;
  }

  add(clock, levels) {
    const { count } = this;
    if (count && this.clocks[count - 1] === clock) {
      this.levels[count - 1] = levels;
      return;
    }
    if (count === this.clocks.length) {
      this.clocks = grown(this.clocks);
      this.levels = grown(this.levels);
    }
    this.clocks[count] = clock;
    this.levels[count] = levels;
    this.count = count + 1;
  }
}

function grown(column) {
  const larger = new column.constructor(column.length * 2);
  larger.set(column);
  return larger;
}

export class Pins {
  constructor(clock) {
    this.clock = clock;
    this.recorder = new Recorder();
    this.recorded = ALL;
    this.synchronised = true; // the two flip-flops before the PIO inputs
    this.driven = 0; // pins that something outside drives
    this.drive = 0; // their levels
    this.levels = 0;
    this.level = 0;
    this.onChange = null; // (clock, levels, changed), of the recorded pins
    this.onFunction = null; // (clock): a pin was given to another part of the chip
    this.onLevels = null; // the same of all pins, for whatever is wired to them
  }

  /** Belongs to this chip from now on (a reset makes a new one; what is outside stays). */
  attach(rp2040) {
    this.rp2040 = rp2040;
    this.select = { pwm: 0, sio: 0, pio0: 0, pio1: 0 };
    this.outXor = this.outAnd = this.outOr = 0;
    this.oeXor = this.oeAnd = this.oeOr = 0;
    this.inXor = this.inAnd = this.inOr = 0;
    this.pullUp = this.pullDown = this.inputEnabled = this.outputDisabled = 0;
    this.inputs = 0;
    rp2040.gpio.forEach((pin, index) => {
      pin.padValue = PAD_RESET;
      pin.irqStatus = IRQ_LEVEL_LOW;
      const known = (pin.known = { ctrl: -1, pad: -1 });
      pin.checkForUpdates = () => {
        if (pin.ctrl !== known.ctrl || pin.padValue !== known.pad) {
          known.ctrl = pin.ctrl;
          known.pad = pin.padValue;
          this.configure(index, pin);
        }
        this.update(this.clock.now + 1);
      };
      pin.refreshInput = () => {};
      Object.defineProperty(pin, 'rawInputValue', {
        get: () => ((this.level >>> index) & 1) === 1,
        set() {},
      });
      pin.checkForUpdates();
    });
    Object.defineProperty(rp2040, 'gpioValues', { get: () => this.readInputs() });
  }

  configure(index, pin) {
    const bit = 1 << index;
    const put = (mask, on) => (on ? mask | bit : mask & ~bit);
    const { select } = this;
    select.pwm = put(select.pwm, pin.functionSelect === FUNCTION_PWM);
    select.sio = put(select.sio, pin.functionSelect === FUNCTION_SIO);
    select.pio0 = put(select.pio0, pin.functionSelect === FUNCTION_PIO0);
    select.pio1 = put(select.pio1, pin.functionSelect === FUNCTION_PIO1);
    // An override value 0..3 is: as it is, inverted, low, high.
    for (const [name, override] of [
      ['out', pin.outputOverride],
      ['oe', pin.outputEnableOverride],
      ['in', pin.inputOverride],
    ]) {
      this[`${name}Xor`] = put(this[`${name}Xor`], override === 1);
      this[`${name}And`] = put(this[`${name}And`], override === 2);
      this[`${name}Or`] = put(this[`${name}Or`], override === 3);
    }
    this.pullUp = put(this.pullUp, pin.padValue & PAD_PULL_UP);
    this.pullDown = put(this.pullDown, pin.padValue & PAD_PULL_DOWN);
    this.inputEnabled = put(this.inputEnabled, pin.padValue & PAD_INPUT_ENABLE);
    this.outputDisabled = put(this.outputDisabled, pin.padValue & PAD_OUTPUT_DISABLE);
    this.rp2040.pwm.pinsSelected?.(select.pwm);
    this.onFunction?.(this.clock.now + 1);
  }

  /** Something outside drives `pin` to `level` (0, 1), or lets go of it (null), from now on. */
  setDrive(pin, level) {
    const bit = 1 << pin;
    this.driven = level === null ? this.driven & ~bit : this.driven | bit;
    this.drive = level ? this.drive | bit : this.drive & ~bit;
    this.update(this.clock.now);
  }

  /** Works out all levels; what has changed has changed at `clock`. */
  update(clock) {
    const { rp2040, select } = this;
    const { sio, pwm, pio } = rp2040;
    let out =
      (sio.gpioValue & select.sio) |
      (pio[0].pinValues & select.pio0) |
      (pio[1].pinValues & select.pio1) |
      (pwm.gpioValue & select.pwm);
    let enable =
      (sio.gpioOutputEnable & select.sio) |
      (pio[0].pinDirections & select.pio0) |
      (pio[1].pinDirections & select.pio1) |
      (pwm.gpioDirection & select.pwm);
    out = ((out ^ this.outXor) & ~this.outAnd) | this.outOr;
    enable = (((enable ^ this.oeXor) & ~this.oeAnd) | this.oeOr) & ~this.outputDisabled;
    const keeper = this.pullUp & this.pullDown & this.level;
    const pulled = (this.pullUp & ~this.pullDown) | keeper;
    const outside = (this.drive & this.driven) | (pulled & ~this.driven);
    const level = ((out & enable) | (outside & ~enable)) & ALL;
    this.contended = this.driven & enable & (out ^ this.drive);
    const before = this.level;
    this.level = level;
    if (level !== before) this.onLevels?.(clock, level, level ^ before);
    const shown = level & this.recorded;
    const changed = shown ^ this.levels;
    if (changed) {
      this.levels = shown;
      this.recorder.add(clock, shown);
      this.onChange?.(clock, shown, changed);
    }
    const seen = level & this.inputEnabled;
    const inputs = ((seen ^ this.inXor) & ~this.inAnd) | this.inOr;
    if (inputs !== this.inputs) this.inputsChanged(inputs, clock);
  }

  readInputs() {
    const { pwm } = this.rp2040;
    let inputs = this.inputs & ALL;
    // PWM outputs are not followed edge by edge: ask what they are just now.
    const asked = pwm.edges ? 0 : this.select.pwm & this.inputEnabled & pwm.gpioDirection;
    for (let bits = asked; bits; bits &= bits - 1) {
      const pin = 31 - Math.clz32(bits & -bits);
      inputs = pwm.levelOf(pin) ? inputs | (1 << pin) : inputs & ~(1 << pin);
    }
    return inputs;
  }

  inputsChanged(inputs, clock) {
    const changed = inputs ^ this.inputs;
    this.inputs = inputs;
    const { gpio, pio } = this.rp2040;
    let interrupt = false;
    for (let bits = changed & ALL; bits; bits &= bits - 1) {
      const index = 31 - Math.clz32(bits & -bits);
      const pin = gpio[index];
      const high = (inputs >>> index) & 1;
      pin.irqStatus &= ~(IRQ_LEVEL_LOW | IRQ_LEVEL_HIGH);
      pin.irqStatus |= high ? IRQ_LEVEL_HIGH | IRQ_EDGE_HIGH : IRQ_LEVEL_LOW | IRQ_EDGE_LOW;
      if (pin.irqEnableMask) interrupt = true;
      if (this.select.pwm & (1 << index)) this.rp2040.pwm.gpioOnInput(index);
    }
    if (interrupt) this.rp2040.updateIOInterrupt();
    for (const block of pio) this.showToPio(block, inputs, clock);
  }

  showToPio(block, inputs, clock) {
    const changed = (inputs ^ block.inputs) & ALL;
    const late = this.synchronised ? changed & block.watched & ~block.inputSyncBypass : 0;
    if (late) {
      this.clock.atFirst(clock + SYNCHRONISER_CLOCKS, () => {
        block.setInputs((block.inputs & ~late) | (inputs & late), this.clock.now);
      });
    }
    block.setInputs((inputs & ~late) | (block.inputs & late), clock);
  }
}
