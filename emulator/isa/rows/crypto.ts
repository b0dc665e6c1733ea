/** AES-NI, PCLMULQDQ, the SHA extensions. SDM vol. 2D tables. RDRAND is with the system instructions. */
import type { RowAttributes } from '../instruction';
import { called, emitted } from '../row';
import type { RowSpec } from '../row';
import * as crypto from '../semantics/crypto';
import { pclmulqdq } from '../semantics/sse4';

const aes: RowAttributes = { feature: 'aes' };
const sha: RowAttributes = { feature: 'sha' };

/** Those that have a form with a VEX prefix. */
export const aesRows: readonly RowSpec[] = [
  called('66 0f 38 db /r', 'aesimc', 'V,W', crypto.aesimc, aes),
  called('66 0f 38 dc /r', 'aesenc', 'V,W', crypto.aesenc, aes),
  called('66 0f 38 dd /r', 'aesenclast', 'V,W', crypto.aesenclast, aes),
  called('66 0f 38 de /r', 'aesdec', 'V,W', crypto.aesdec, aes),
  called('66 0f 38 df /r', 'aesdeclast', 'V,W', crypto.aesdeclast, aes),
  called('66 0f 3a df /r', 'aeskeygenassist', 'V,W,Ib', crypto.aeskeygenassist, aes),
  emitted('66 0f 3a 44 /r', 'pclmulqdq', 'V,W,Ib', pclmulqdq, { feature: 'pclmulqdq' }),
];

export const cryptoRows: readonly RowSpec[] = [
  ...aesRows,
  called('np 0f 38 c8 /r', 'sha1nexte', 'V,W', crypto.sha1nexte, sha),
  called('np 0f 38 c9 /r', 'sha1msg1', 'V,W', crypto.sha1msg1, sha),
  called('np 0f 38 ca /r', 'sha1msg2', 'V,W', crypto.sha1msg2, sha),
  called('np 0f 38 cb /r', 'sha256rnds2', 'V,W,XMM0', crypto.sha256rnds2, sha),
  called('np 0f 38 cc /r', 'sha256msg1', 'V,W', crypto.sha256msg1, sha),
  called('np 0f 38 cd /r', 'sha256msg2', 'V,W', crypto.sha256msg2, sha),
  called('np 0f 3a cc /r', 'sha1rnds4', 'V,W,Ib', crypto.sha1rnds4, sha),
];
