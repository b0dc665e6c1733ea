/** PCI capabilities by which a driver finds a virtio device's registers. Source: VIRTIO 1.1 section 4.1.4. */

/** cfg_type */
const TYPE = { COMMON: 1, NOTIFY: 2, ISR: 3, DEVICE: 4, PCI: 5 } as const;
const VENDOR_SPECIFIC = 0x09;
const AT = { COMMON: 0x40, ISR: 0x50, DEVICE: 0x60, NOTIFY: 0x70, WINDOW: 0x84, MSIX: 0x98 } as const;
/** Bytes between the notification addresses of neighbouring queues. */
const NOTIFY_MULTIPLIER = 4;

type Bytes = readonly (readonly [offset: number, values: readonly number[]])[];

const u32 = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];

/** Register areas of `areaBytes` each, in `bar`, in the order common, ISR, device, notify. The MSI-X capability is last. */
export function capabilities(
  bar: number,
  areaBytes: number,
): { defaults: Bytes; writable: Bytes; windowAt: number; msixAt: number } {
  const area = (type: number, next: number, index: number, more: number[] = []): number[] => [
    VENDOR_SPECIFIC, next, 16 + more.length, type, bar, 0, 0, 0, ...u32(index * areaBytes), ...u32(areaBytes), ...more,
  ]; // prettier-ignore
  return {
    defaults: [
      [0x06, [0x10, 0x00]],
      [0x34, [AT.COMMON]],
      [AT.COMMON, area(TYPE.COMMON, AT.ISR, 0)],
      [AT.ISR, area(TYPE.ISR, AT.DEVICE, 1)],
      [AT.DEVICE, area(TYPE.DEVICE, AT.NOTIFY, 2)],
      [AT.NOTIFY, area(TYPE.NOTIFY, AT.WINDOW, 3, u32(NOTIFY_MULTIPLIER))],
      [AT.WINDOW, [VENDOR_SPECIFIC, AT.MSIX, 20, TYPE.PCI, ...u32(0), ...u32(0), ...u32(0), ...u32(0)]],
    ],
    // The window's BAR, offset, length and data.
    writable: [[AT.WINDOW + 4, [0xff, 0, 0, 0, ...new Array<number>(12).fill(0xff)]]],
    windowAt: AT.WINDOW,
    msixAt: AT.MSIX,
  };
}
