/**
 * How long an instruction takes: a processor of 100 million instructions a second, so that a second of guest time is about
 * a second of the interpreter's, and a guest that waits by spinning does not spin for minutes. The TSC counts instructions.
 */
export const NS_PER_INSTRUCTION = 10;
/** What the timers of the local APICs count, one tick a nanosecond; CPUID leaf 15H says so. */
export const APIC_CRYSTAL_HZ = 1_000_000_000;
export const INSTRUCTIONS_PER_SECOND = 1_000_000_000 / NS_PER_INSTRUCTION;
