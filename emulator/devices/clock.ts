/**
 * Ticks of a chip's own oscillator and nanoseconds of guest time, converted in exact integer arithmetic: every
 * platform raises every timer at the same instruction. Rounding is defined here and nowhere else: tick `n` happens at
 * the first whole nanosecond that is not before n/hz seconds.
 */
import { assert } from '../util/assert';

const NS_PER_SECOND = 1_000_000_000;
/** Above it, one second's worth of products no longer fits 53 bits. */
const MAX_ODD_HZ = 9_000_000;

/** Whole ticks of an oscillator of `hz` that have passed by `ns`. */
export function ticksAt(ns: number, hz: number): number {
  if (NS_PER_SECOND % hz === 0) return Math.floor(ns / (NS_PER_SECOND / hz));
  assert(hz <= MAX_ODD_HZ, `an oscillator of ${hz} Hz has inexact ticks`);
  const seconds = Math.floor(ns / NS_PER_SECOND);
  return seconds * hz + Math.floor(((ns - seconds * NS_PER_SECOND) * hz) / NS_PER_SECOND);
}

/** The first nanosecond at which `ticksAt` reaches `tick`. */
export function nsOfTick(tick: number, hz: number): number {
  if (NS_PER_SECOND % hz === 0) return tick * (NS_PER_SECOND / hz);
  assert(hz <= MAX_ODD_HZ, `an oscillator of ${hz} Hz has inexact ticks`);
  const seconds = Math.floor(tick / hz);
  return seconds * NS_PER_SECOND + Math.ceil(((tick - seconds * hz) * NS_PER_SECOND) / hz);
}
