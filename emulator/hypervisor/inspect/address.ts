/** An address on its way through all spaces, and what every kind of access to it would do. */
import type { Paging, Translation } from '../../machine/api';
import type { AddressView, Verdict } from '../../machine/inspect-api';
import { walkStages } from '../../mmu/staged-walk';
import type { Looking, StagedWalk, Stages } from '../../mmu/staged-walk';

/** What becomes of an access whose walk is that. */
export type Judge = (walk: StagedWalk, looking: Looking) => Omit<Verdict, 'access' | 'user'>;

/** Without shadow tables: the processor walks what was walked here. */
export const judgeWalk: Judge = ({ fault }) => {
  if (!fault) return { outcome: 'done' };
  const { errorCode, reason } = fault;
  if (fault.tables === 'nested') return { outcome: 'exit', exit: 'nested-fault', reason };
  return { outcome: 'page-fault', errorCode, reason };
};

const ACCESSES: readonly Translation['access'][] = ['read', 'write', 'execute'];

export function viewAddress(
  stages: Stages,
  gva: bigint,
  looking: Looking,
  paging: Paging | 'none',
  judge: Judge = judgeWalk,
): AddressView {
  const { access, user } = looking;
  const verdict = (look: Looking): Verdict => ({
    access: look.access,
    user: look.user,
    ...judge(walkStages(stages, gva, look), look),
  });
  const verdicts = [false, true].flatMap((asUser) =>
    ACCESSES.map((each) => verdict({ ...looking, access: each, user: asUser })),
  );
  return { gva, access, user, paging, ...walkStages(stages, gva, looking), verdicts };
}
