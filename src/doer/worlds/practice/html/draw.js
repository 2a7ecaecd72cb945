// Chance by seed: all that differs from episode to episode comes out of one Draw.
"use strict";

class Draw {
  constructor(seed) {
    // A string to a number that is not 0: multiply and add, character by character.
    let state = 0x2545f491;
    for (const c of seed) state = Math.imul(state ^ c.codePointAt(0), 0x5bd1e995) ^ (state >>> 15);
    this.state = state || 1;
    for (let n = 0; n < 8; n++) this.fraction();
  }

  // 0 <= x < 1. Marsaglia, Xorshift RNGs (2003), 32 bits with the shifts 13, 17, 5.
  fraction() {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return (Math.imul(x, 0x9e3779b1) >>> 0) / 2 ** 32;
  }

  // A whole number, both ends included.
  int(low, high) {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  chance(share) {
    return this.fraction() < share;
  }

  pick(list) {
    return list[this.int(0, list.length - 1)];
  }

  shuffled(list) {
    const left = [...list];
    return list.map(() => left.splice(this.int(0, left.length - 1), 1)[0]);
  }

  // So many different ones, in no order.
  some(list, count) {
    return this.shuffled(list).slice(0, count);
  }
}
