/**
 * What is plugged into a board besides its soldered parts: disks, the virtio console, the entropy source. Slots on PCI bus 0
 * are given in a fixed order, so that equal launches find equal machines.
 */
import { AtaDisk } from '../devices/ata-disk';
import { AtapiCdrom } from '../devices/atapi-cdrom';
import type { Clock, Device, GuestMemory, Line, Unsupported } from '../devices/bus';
import { Disk } from '../devices/disk';
import type { MakeDrive } from '../devices/ide-channel';
import { ISA_BRIDGE_SLOT } from '../devices/pci';
import { PciIde } from '../devices/pci-ide';
import { VirtioBlock } from '../devices/virtio-block';
import { VirtioConsole } from '../devices/virtio-console';
import { VirtioEntropy } from '../devices/virtio-entropy';
import { VirtioPci } from '../devices/virtio-pci';
import type { VirtioKind } from '../devices/virtio-pci';
import { UserError } from '../util/assert';
import type { DiskInput, Equipment } from './api';

const SLOT = { ENTROPY: 2, CONSOLE: 3, DISKS: 4 } as const;
const MAX_IDE = 4;
const MAX_VIRTIO = 16;

export interface EquipmentHost {
  clock: Clock;
  memory: GuestMemory;
  /** Of the two IDE channels. */
  irqs: readonly [primary: Line, secondary: Line];
  sendMsi(address: number, data: number): void;
  onConsole(byte: number): void;
  unsupported: Unsupported;
}

export class Sockets {
  readonly ide: PciIde;
  virtio: VirtioPci[] = [];
  disks: Disk[] = [];
  /** Open Firmware paths of the disks as SeaBIOS names them, in the order in which they were given. */
  paths: string[] = [];
  /** What a snapshot must find again: connectors, sizes, media. */
  summary = '';
  private console: { kind: VirtioConsole; device: VirtioPci } | undefined;

  constructor(private readonly host: EquipmentHost) {
    this.ide = new PciIde(host.clock, host.irqs, host.memory, ISA_BRIDGE_SLOT);
  }

  get devices(): readonly Device[] {
    return [this.ide, ...this.virtio];
  }

  /** UserError: more disks than there are connectors, or one that does not fit. */
  plug({ disks = [], console }: Equipment): void {
    check(disks);
    this.disks = disks.map(({ name, content, readOnly, media }) => new Disk(name, content, readOnly || media === 'cdrom'));
    this.virtio = [this.device(new VirtioEntropy(), SLOT.ENTROPY)];
    this.console = undefined;
    if (console === 'virtio') {
      const kind = new VirtioConsole((byte) => this.host.onConsole(byte));
      this.console = { kind, device: this.device(kind, SLOT.CONSOLE) };
      this.virtio.push(this.console.device);
    }
    const drives: MakeDrive[] = [];
    let slot: number = SLOT.DISKS;
    this.paths = disks.map((input, i) => {
      const disk = this.disks[i]!;
      const serial = `RINGSIDE${String(i).padStart(4, '0')}`;
      if (input.interface === 'virtio') {
        this.virtio.push(this.device(new VirtioBlock(`disk${i}`, disk, serial), slot));
        return `/pci@i0cf8/scsi@${(slot++).toString(16)}/disk@0,0`;
      }
      drives.push(driveOf(input, disk, serial));
      const at = drives.length - 1;
      return `/pci@i0cf8/ide@${ISA_BRIDGE_SLOT},1/drive@${at >> 1}/disk@${at & 1}`;
    });
    this.ide.plug(drives);
    const kinds = disks.map(({ interface: connector, media, content }) => `${connector} ${media} of ${content.bytes} bytes`);
    this.summary = [...kinds, `${console ?? 'serial'} console`].join(', ');
  } // prettier-ignore

  /** Input for the virtio console; false: there is none. */
  type(bytes: ArrayLike<number>): boolean {
    if (!this.console) return false;
    this.console.kind.enter(bytes);
    this.console.device.kick(0);
    return true;
  }

  private device(kind: VirtioKind, slot: number): VirtioPci {
    const { clock, memory, sendMsi, unsupported } = this.host;
    return new VirtioPci(kind, slot, { clock, memory, sendMsi, unsupported });
  }
}

const driveOf =
  ({ media }: DiskInput, disk: Disk, serial: string): MakeDrive =>
  (clock, linesChanged) =>
    media === 'cdrom'
      ? new AtapiCdrom(disk, serial, clock, linesChanged)
      : new AtaDisk(disk, serial, clock, linesChanged);

function check(disks: readonly DiskInput[]): void {
  for (const [kind, most, remedy] of [['ide', MAX_IDE, 'give the others with if=virtio'], ['virtio', MAX_VIRTIO, 'leave some out']] as const) {
    const beyond = disks.filter((disk) => disk.interface === kind)[most];
    if (beyond) throw new UserError(`${beyond.name}: the machine takes ${most} ${kind} disks; ${remedy}.`);
  }
  for (const { name, media, content, interface: connector } of disks) {
    if (media === 'cdrom' && connector !== 'ide') throw new UserError(`${name}: a CD-ROM needs if=ide; leave if=${connector} out.`);
    if (content.bytes === 0) throw new UserError(`${name}: the disk image is empty; give one of at least a sector.`);
  }
} // prettier-ignore
