// Random numbers, exp and log that are the same in every browser.
MnistLab.part(function (MnistLab) {
  "use strict";

  /**
   * A seeded generator: the same seed gives the same numbers, here and in tests/lab/numpy_lab.py.
   * Source: T. Ettinger, mulberry32, 2017.
   */
  class Random {
    constructor(seed, stream = 0) {
      this.state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) >>> 0;
    }

    /** Draw a number from 0 to below 1, one of 2**32. */
    uniform() {
      this.state = (this.state + 0x6d2b79f5) >>> 0;
      let x = this.state;
      x = Math.imul(x ^ (x >>> 15), x | 1);
      x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
      return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
    }

    /** Draw a whole number from 0 to below `limit`. */
    below(limit) {
      return Math.floor(this.uniform() * limit);
    }

    /** Draw from the normal distribution of mean 0 and variance 1 (Marsaglia's polar method). */
    normal() {
      for (;;) {
        const x = 2 * this.uniform() - 1, y = 2 * this.uniform() - 1, square = x * x + y * y;
        if (square > 0 && square < 1) return x * Math.sqrt((-2 * log(square)) / square);
      }
    }

    /** Draw an order of the numbers from 0 to below `count`. */
    permutation(count) {
      const order = Uint32Array.from({ length: count }, (_, number) => number);
      for (let last = count - 1; last > 0; last--) {
        const other = this.below(last + 1);
        [order[last], order[other]] = [order[other], order[last]];
      }
      return order;
    }
  }

  // Browsers may round Math.exp and Math.log differently, and a training makes much of the last
  // bit. These two use nothing but +, -, *, / and powers of 2, which all round alike.
  // Source: fdlibm, e_exp.c and e_log.c (Sun Microsystems, 1993).
  const LN2_HIGH = 6.93147180369123816490e-1, LN2_LOW = 1.90821492927058770002e-10;

  function exp(x) {
    if (Number.isNaN(x)) return NaN;
    if (x > 709.782712893384) return Infinity;
    if (x < -745.1332191019411) return 0;
    const k = Math.floor(x * 1.4426950408889634 + 0.5);
    const high = x - k * LN2_HIGH, low = k * LN2_LOW, r = high - low, t = r * r;
    const c =
      r - t * (1.66666666666666019037e-1 + t * (-2.77777777770155933842e-3 +
      t * (6.61375632143793436117e-5 + t * (-1.6533902205465251539e-6 +
      t * 4.13813679705723846039e-8))));
    const y = 1 - (low - (r * c) / (2 - c) - high);
    const half = k >> 1; // in two steps, since 2**k alone may be too large or too small
    return y * power(half) * power(k - half);
  }

  const double = new Float64Array(1), words = new Uint32Array(double.buffer);
  double[0] = 1;
  const HIGH = words[0] === 0 ? 1 : 0; // which of the two words has the exponent

  /** 2 to the power of a whole number from -1022 to 1023. */
  function power(exponent) {
    words[1 - HIGH] = 0;
    words[HIGH] = (exponent + 1023) << 20;
    return double[0];
  }

  function log(x) {
    if (!(x > 0)) return x === 0 ? -Infinity : NaN;
    if (x === Infinity) return Infinity;
    if (x < 2.2250738585072014e-308) return log(x * 18014398509481984) - 54 * LN2_HIGH - 54 * LN2_LOW;
    double[0] = x;
    let k = (words[HIGH] >>> 20) - 1023;
    words[HIGH] = (words[HIGH] & 0x000fffff) | 0x3ff00000;
    if (double[0] > 1.4142135623730951) (double[0] /= 2), k++;
    const f = double[0] - 1, s = f / (2 + f), z = s * s, w = z * z, half = 0.5 * f * f;
    const r =
      w * (3.999999999940941908e-1 + w * (2.222219843214978396e-1 + w * 1.531383769920937332e-1)) +
      z * (6.666666666666735130e-1 + w * (2.857142874366239149e-1 +
      w * (1.818357216161805012e-1 + w * 1.479819860511658591e-1)));
    return k * LN2_HIGH - (half - (s * (half + r) + k * LN2_LOW) - f);
  }

  Object.assign(MnistLab, { Random, exp, log });
});
