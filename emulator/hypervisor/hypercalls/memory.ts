/** Page tables by hypercall (xen.h): mmu_update, update_va_mapping, mmuext_op. Every update is validated; a batch stops at the first refusal. */
import { PAGE_BYTES } from '../../mmu/physical-memory';
import { otherDomain } from '../xen/authority';
import type { PvDomain } from '../xen/domain';
import { refuse } from '../xen/errno';
import { isTable } from '../xen/page-tables';
import { hexFrame, TYPE } from '../xen/typed-pages';
import type { PageType } from '../xen/typed-pages';
import { asUint, wide } from './call';
import type { Call } from './call';
import { setLdt } from './descriptors';

const MMU = { NORMAL: 0, MACHPHYS: 1, PRESERVE_AD: 2, NO_TRANSLATE: 3 } as const;
const UPDATE_BYTES = 16;
const MOST = 0x1_0000;
const UVMF = { TYPE: 3, TLB_FLUSH: 1, INVLPG: 2 } as const;

/** Whose frames are mapped; undefined: its own. Only a privileged domain maps others' but by grants. */
const ownerOf = ({ domain, parts }: Call, domid: number): PvDomain | undefined =>
  otherDomain(domain, domid, (id) => parts.peer(id)?.domain);

export function mmuUpdate(call: Call): void {
  const [updates, count, done, foreign] = call.args;
  const domids = asUint(foreign);
  const owner = ownerOf(call, domids & 0xffff);
  if (domids >>> 16 && ownerOf(call, (domids >>> 16) - 1)) refuse('EPERM', 'a domain changes its own page tables only');
  if (asUint(count) > MOST) refuse('E2BIG', `${count} updates at once are more than ${MOST}`);
  let i = 0;
  try {
    for (; i < asUint(count); i++) {
      const at = updates + BigInt(i * UPDATE_BYTES);
      update(call, call.caller.read64(at), call.caller.read64(at + 8n), owner);
    }
  } finally {
    if (done !== 0n) call.caller.write(done, 4, i);
  }
}

function update({ domain }: Call, pointer: bigint, value: bigint, owner?: PvDomain): void {
  const command = Number(pointer & 3n);
  const mfn = Number(pointer >> 12n);
  const offset = Number(pointer & 0xff8n);
  if (command === MMU.MACHPHYS) {
    const of = owner ?? domain;
    if (!of.owns(mfn)) refuse('EINVAL', `frame ${hexFrame(mfn)} is none of the domain's`);
    of.space.setGuestFrame(mfn, value);
    return;
  }
  if (isTable(domain.pages.usedAs(mfn))) {
    domain.tables.exchange(mfn, offset, value, { keepAccess: command === MMU.PRESERVE_AD, owner });
    return;
  }
  domain.pages.getAs(mfn, TYPE.writable);
  domain.memory.write64(mfn, offset, value);
  domain.pages.putAs(mfn);
}

export function updateVaMapping(call: Call): void {
  const { value, next } = wide(call, 1);
  mapAt(call, value, asUint(call.args[next]));
}
export function updateVaMappingOtherdomain(call: Call): void {
  const { value, next } = wide(call, 1);
  mapAt(call, value, asUint(call.args[next]), ownerOf(call, asUint(call.args[next + 1])));
}
function mapAt({ args, domain, cpu }: Call, value: bigint, flags: number, owner?: PvDomain): void {
  const { mfn, offset } = domain.entryFor(args[0]);
  domain.tables.exchange(mfn, offset, value, { owner });
  if ((flags & UVMF.TYPE) === UVMF.TLB_FLUSH) domain.flush();
  else if ((flags & UVMF.TYPE) === UVMF.INVLPG) flushPage(domain.guest.cpus, args[0]);
  else cpu.flushTlb(args[0]);
}
const flushPage = (cpus: Call['domain']['guest']['cpus'], gva: bigint): void => {
  for (const cpu of cpus) cpu.flushTlb(gva);
};

// --- mmuext_op

/** struct mmuext_op: arguments are words, at these offsets. */
const EXT = { 8: { bytes: 24, arg1: 8, arg2: 16 }, 4: { bytes: 12, arg1: 4, arg2: 8 } } as const;
interface ExtOp {
  arg1: bigint;
  arg2: bigint;
  mfn: number;
}
type Ext = (call: Call, op: ExtOp) => void;

const pin =
  (type: PageType): Ext =>
  ({ domain }, { mfn }) =>
    domain.pages.pin(mfn, type);

const newRoot: Ext = ({ domain, cpu, vcpu }, { mfn }) => {
  if (mfn !== vcpu.kernelRoot) {
    domain.pages.getAs(mfn, domain.word === 8 ? TYPE.l4 : TYPE.l3);
    const old = vcpu.kernelRoot;
    vcpu.kernelRoot = mfn;
    domain.loadRoot(cpu);
    domain.pages.putAs(old);
  } else domain.loadRoot(cpu);
};
const newUserRoot: Ext = ({ domain, vcpu }, { mfn }) => {
  if (domain.word === 4) refuse('EOPNOTSUPP', 'a 32-bit guest has one root');
  if (mfn !== 0 && mfn !== vcpu.userRoot) domain.pages.getAs(mfn, TYPE.l4);
  const old = vcpu.userRoot;
  if (old === mfn) return;
  vcpu.userRoot = mfn;
  if (old !== 0) domain.pages.putAs(old);
};
const ownWritable = ({ domain }: Call, mfn: number, act: () => void): void => {
  domain.pages.getAs(mfn, TYPE.writable);
  act();
  domain.pages.putAs(mfn);
};
const flushAll: Ext = ({ domain }) => domain.flush();
const flushOne: Ext = ({ domain }, { arg1 }) => flushPage(domain.guest.cpus, arg1);
const nothing: Ext = () => {};

export const MMUEXT: readonly ({ name: string; run: Ext } | undefined)[] = [
  { name: 'pin_l1_table', run: pin(TYPE.l1) },
  { name: 'pin_l2_table', run: pin(TYPE.l2) },
  { name: 'pin_l3_table', run: pin(TYPE.l3) },
  {
    name: 'pin_l4_table',
    run: (call, op) => {
      if (call.domain.word === 4) refuse('EINVAL', 'a PAE guest has no L4');
      pin(TYPE.l4)(call, op);
    },
  },
  { name: 'unpin_table', run: ({ domain }, { mfn }) => domain.pages.unpin(mfn) },
  { name: 'new_baseptr', run: newRoot },
  { name: 'tlb_flush_local', run: ({ cpu }) => cpu.flushTlb('all') },
  { name: 'invlpg_local', run: ({ cpu }, { arg1 }) => cpu.flushTlb(arg1) },
  { name: 'tlb_flush_multi', run: flushAll },
  { name: 'invlpg_multi', run: flushOne },
  { name: 'tlb_flush_all', run: flushAll },
  { name: 'invlpg_all', run: flushOne },
  { name: 'flush_cache', run: nothing },
  { name: 'set_ldt', run: (call, { arg1, arg2 }) => setLdt(call, arg1, asUint(arg2)) },
  undefined,
  { name: 'new_user_baseptr', run: newUserRoot },
  { name: 'clear_page', run: (call, { mfn }) => ownWritable(call, mfn, () => call.domain.memory.clear(mfn)) },
  {
    name: 'copy_page',
    run: (call, { mfn, arg2 }) => {
      const from = Number(arg2);
      if (!call.domain.owns(from)) refuse('EINVAL', `frame ${hexFrame(from)} is none of the domain's`);
      ownWritable(call, mfn, () =>
        call.domain.memory.writeBytes(mfn, 0, call.domain.memory.readBytes(from, 0, PAGE_BYTES)),
      );
    },
  },
  { name: 'flush_cache_global', run: nothing },
];

/** What a builder does to another domain's frames. */
const FOR_OTHERS: ReadonlySet<string> = new Set(['pin_l1_table', 'pin_l2_table', 'pin_l3_table', 'pin_l4_table', 'unpin_table', 'clear_page']); // prettier-ignore

export function mmuextOp(call: Call): void {
  const [ops, count, done, domid] = call.args;
  const owner = ownerOf(call, asUint(domid) & 0xffff);
  const on = owner ? { ...call, domain: owner } : call;
  if (asUint(count) > MOST) refuse('E2BIG', `${count} operations at once are more than ${MOST}`);
  const { caller, domain } = call;
  const { bytes, arg1, arg2 } = EXT[domain.word];
  let i = 0;
  try {
    for (; i < asUint(count); i++) {
      const at = ops + BigInt(i * bytes);
      const command = caller.read(at, 4);
      const operation = MMUEXT[command] ?? refuse('ENOSYS', `mmuext command ${command} is not known`);
      const first = caller.readWord(at + BigInt(arg1));
      const op = { arg1: first, arg2: caller.readWord(at + BigInt(arg2)), mfn: Number(first) };
      if (owner && !FOR_OTHERS.has(operation.name)) refuse('EPERM', `${operation.name} is not for another domain`);
      on.domain.history.during(`mmuext_op (${operation.name})`, () => operation.run(on, op));
    }
  } finally {
    if (done !== 0n) call.caller.write(done, 4, i);
  }
}
