/**
 * RDRAND and RDSEED (SDM vol. 1 section 7.3.17). Equal runs are the point of this machine: the numbers are those of a
 * generator whose state is the processor's (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", 2014), good as noise, no secret. There always is one: CF is 1.
 */
import { ARITHMETIC_FLAGS, RFLAGS } from '../../x86/registers';
import type { SystemMeaning } from '../instruction';
import { writeOperand } from '../operands';

const GAMMA = 0x9e37_79b9_7f4a_7c15n;
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

export const random: SystemMeaning = (cpu, insn) => {
  const { state } = cpu;
  let z = u64(state.system('random') + GAMMA);
  state.setSystem('random', z);
  z = u64((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
  z = u64((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
  writeOperand(cpu, insn, 0, z ^ (z >> 31n));
  state.rflags = (state.rflags & ~ARITHMETIC_FLAGS) | RFLAGS.CF;
};
