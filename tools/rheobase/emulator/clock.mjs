// The emulated board's only clock: whole cycles of clk_sys since power-up, and what is due at them.

export const NEVER = Infinity;
const EARLY = 2 ** 50;

/** Something that is due at a clock. */
class Alarm {
  constructor(clock, action) {
    this.clock = clock;
    this.action = action;
    this.due = NEVER;
    this.nanos = -1; // >= 0: asked for in nanoseconds, moves when clk_sys changes
    this.order = 0;
    this.index = -1;
  }

  get scheduled() {
    return this.index >= 0;
  }

  /** Due `nanos` from now (the interface rp2040js's peripherals use). */
  schedule(nanos) {
    this.nanos = this.clock.nanos + nanos;
    this.clock.put(this, this.clock.clockOfNanos(this.nanos));
  }

  /** Due at clock `due`. */
  at(due) {
    this.nanos = -1;
    this.clock.put(this, due);
  }

  cancel() {
    if (this.index >= 0) this.clock.take(this.index);
  }
}

/** Takes the place of rp2040js's SimulationClock, which counts in fractions of nanoseconds. */
export class Clock {
  constructor() {
    this.now = 0; // clocks
    this.due = NEVER; // clock of the first alarm
    this.touched = false; // something became due, or was called off, since this was last cleared
    this.heap = [];
    this.made = []; // alarms that are put again and again, on the heap or not
    this.order = 0;
    this.frequency = 125e6;
    this.baseClock = 0;
    this.baseNanos = 0;
  }

  get nanos() {
    return this.baseNanos + ((this.now - this.baseClock) * 1e9) / this.frequency;
  }

  get micros() {
    return this.nanos / 1000;
  }

  clockOfNanos(nanos) {
    const clocks = ((nanos - this.baseNanos) * this.frequency) / 1e9;
    return this.baseClock + Math.ceil(clocks - 1e-6);
  }

  /** clk_sys runs at `frequency` Hz from now on. */
  setFrequency(frequency) {
    this.baseNanos = this.nanos;
    this.baseClock = this.now;
    this.frequency = frequency;
    const alarms = this.heap;
    this.heap = [];
    this.due = NEVER;
    for (const alarm of alarms) {
      alarm.index = -1;
      this.put(alarm, alarm.nanos >= 0 ? this.clockOfNanos(alarm.nanos) : alarm.due, alarm.order);
    }
  }

  createAlarm(action) {
    const alarm = new Alarm(this, action);
    this.made.push(alarm);
    return alarm;
  }

  /** Calls `action` at clock `due`. */
  at(due, action) {
    const alarm = new Alarm(this, action);
    alarm.at(due);
    return alarm;
  }

  /** The same, but before whatever else is due then: inputs change before anybody looks. */
  atFirst(due, action) {
    const alarm = new Alarm(this, action);
    this.put(alarm, due, ++this.order - EARLY);
    return alarm;
  }

  /** Fires everything due at or before `now`, in order. */
  fire() {
    while (this.due <= this.now) {
      const alarm = this.heap[0];
      this.take(0);
      alarm.action();
    }
  }

  put(alarm, due, order = ++this.order) {
    if (alarm.index >= 0) this.take(alarm.index);
    alarm.due = due < this.now ? this.now : due;
    alarm.order = order;
    alarm.index = this.heap.length;
    this.heap.push(alarm);
    this.rise(alarm.index);
    this.due = this.heap[0].due;
    this.touched = true;
  }

  take(index) {
    const { heap } = this;
    const gone = heap[index];
    const last = heap.pop();
    gone.index = -1;
    if (last !== gone) {
      heap[index] = last;
      last.index = index;
      this.rise(index);
      this.sink(last.index);
    }
    this.due = heap.length ? heap[0].due : NEVER;
    this.touched = true;
  }

  rise(index) {
    const { heap } = this;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!earlier(heap[index], heap[parent])) return;
      this.swap(index, parent);
      index = parent;
    }
  }

  sink(index) {
    const { heap } = this;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) return;
      if (child + 1 < heap.length && earlier(heap[child + 1], heap[child])) child++;
      if (!earlier(heap[child], heap[index])) return;
      this.swap(index, child);
      index = child;
    }
  }

  swap(a, b) {
    const { heap } = this;
    const alarm = heap[a];
    heap[a] = heap[b];
    heap[b] = alarm;
    heap[a].index = a;
    heap[b].index = b;
  }
}

function earlier(a, b) {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
