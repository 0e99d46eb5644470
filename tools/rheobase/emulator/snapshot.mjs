// A graph of objects as it is now, put back later into the same objects, so that whoever holds
// one of them, closures too, goes on with what it was.

/** What a closure hides can't be put back: state is kept in fields, arrays and maps. */
export class Snapshot {
  /** Keeps all that can be reached from `root`, but for functions and Node's buffers. */
  constructor(root) {
    this.kept = new Map(); // object -> what puts it back
    const found = [root];
    const meet = (value) => {
      if (typeof value !== 'object' || value === null || this.kept.has(value)) return;
      if (value instanceof Date || value instanceof Buffer) return; // never changed in place
      this.kept.set(value, null);
      found.push(value);
    };
    while (found.length) {
      const object = found.pop();
      this.kept.set(object, keep(object, meet));
    }
  }

  putBack() {
    for (const restore of this.kept.values()) restore();
  }
}

function keep(object, meet) {
  if (object instanceof ArrayBuffer) return keepBytes(object);
  if (ArrayBuffer.isView(object)) {
    meet(object.buffer);
    return nothing;
  }
  if (Array.isArray(object)) return keepArray(object, meet);
  const fields = keepFields(object, meet);
  if (object instanceof Map) {
    const entries = [...object];
    for (const entry of entries) entry.forEach(meet);
    return () => {
      fields();
      object.clear();
      for (const [key, value] of entries) object.set(key, value);
    };
  }
  if (object instanceof Set) {
    const values = [...object];
    values.forEach(meet);
    return () => {
      fields();
      object.clear();
      for (const value of values) object.add(value);
    };
  }
  const known = Object.prototype.toString.call(object);
  if (known !== '[object Object]') throw new Error(`${known} can't be put back`);
  return fields;
}

const nothing = () => {};

function keepBytes(buffer) {
  const bytes = new Uint8Array(buffer);
  const copy = bytes.slice();
  return () => bytes.set(copy);
}

function keepArray(array, meet) {
  const copy = [...array];
  copy.forEach(meet);
  return () => {
    array.length = copy.length;
    for (let i = 0; i < copy.length; i++) array[i] = copy[i];
  };
}

function keepFields(object, meet) {
  const fields = Object.entries(Object.getOwnPropertyDescriptors(object)).filter(
    ([, field]) => field.writable,
  );
  const names = fields.map(([name]) => name);
  const values = fields.map(([, field]) => field.value);
  const known = new Set(names);
  values.forEach(meet);
  return () => {
    for (let i = 0; i < names.length; i++) {
      if (object[names[i]] !== values[i]) object[names[i]] = values[i];
    }
    for (const name of Object.keys(object)) {
      if (!known.has(name) && Object.getOwnPropertyDescriptor(object, name).writable) {
        delete object[name];
      }
    }
  };
}
