/** The disks of a paravirtualised domain: one back end each, xvda and so on in their order. */
import type { XenDomain } from '../ports';
import { restoreNodes, saveNodes } from '../store/nodes';
import type { SavedNodes } from '../store/nodes';
import { BlockDevice, backEndsOf } from './block-device';
import type { BlockSaved, BlockWiring } from './block-device';
import type { BlockMedium } from './block-requests';

/** What is on the disks is saved with the disks. */
export interface BlockDevicesSaved {
  devices: BlockSaved[];
  nodes: SavedNodes;
}

export class BlockDevices {
  private readonly devices: readonly BlockDevice[];

  constructor(
    private readonly domain: XenDomain,
    media: readonly BlockMedium[],
    private readonly wiring: BlockWiring,
  ) {
    this.devices = media.map((medium, index) => new BlockDevice(domain, medium, index, wiring));
  }

  /** The domain's home in xenstore is there. */
  announce(): void {
    for (const device of this.devices) device.announce();
  }
  /** The domain ends: its pages and ports are its own again. */
  discard(): void {
    for (const device of this.devices) {
      device.disconnect();
      device.reset();
    }
    this.wiring.store.remove(backEndsOf(this.domain.id));
  }
  save(): BlockDevicesSaved {
    return {
      devices: this.devices.map((device) => device.save()),
      nodes: saveNodes(this.wiring.store, backEndsOf(this.domain.id)),
    };
  }
  restore({ devices, nodes }: BlockDevicesSaved): void {
    restoreNodes(this.wiring.store, backEndsOf(this.domain.id), nodes);
    this.devices.forEach((device, i) => device.restore(devices[i]));
  }
  inspect(): Record<string, Record<string, number | string | boolean>> {
    return Object.fromEntries(this.devices.map((device) => [device.name, device.inspect()]));
  }
}
