/** Registers of devices by name in expressions: `$pic.master.imr`, `$local_apic0.tpr`. A dash of a device's name would be a minus. */
import type { Inspector } from '../emulator/machine/api';

export const expressionOf = (device: string, register: string): string => `$${device.replaceAll('-', '_')}.${register}`;

/** The parts of such a name, `$` left out. */
function partsOf(inspect: Inspector, cpu: number, name: string): { device: string; register: string } | undefined {
  const [first, register] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)];
  const device = Object.keys(inspect.structures(cpu)).find((each) => each.replaceAll('-', '_') === first);
  return device === undefined ? undefined : { device, register };
}

/** Undefined: there is no such register, or it is no number. */
export function deviceRegister(
  inspect: Inspector,
  cpu: number,
  name: string,
): { bytes: number; read: () => bigint } | undefined {
  if (!name.includes('.')) return undefined;
  const parts = partsOf(inspect, cpu, name);
  const read = (): bigint | undefined => {
    const value = parts && (inspect.structures(cpu)[parts.device] as Record<string, unknown>)[parts.register];
    return typeof value === 'number' || typeof value === 'boolean' ? BigInt(Number(value)) : undefined;
  };
  return read() === undefined ? undefined : { bytes: 4, read: () => read() ?? 0n };
}

/** False: nobody may set it. */
export function setDeviceRegister(inspect: Inspector, cpu: number, name: string, value: bigint): boolean {
  const parts = partsOf(inspect, cpu, name);
  return (
    parts !== undefined && inspect.setDevice(`${parts.device}.${parts.register}`, Number(BigInt.asUintN(32, value)))
  );
}
