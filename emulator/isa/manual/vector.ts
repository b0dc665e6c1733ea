/** x87, MMX, SSE and AVX: families by their names, and the rest one by one (SDM vol. 2). */

const FLOAT_SHAPES: Readonly<Record<string, string>> = {
  ps: 'four packed single-precision floats', pd: 'two packed double-precision floats', ss: 'the lowest single-precision float', sd: 'the lowest double-precision float',
}; // prettier-ignore
const FLOAT_VERBS: Readonly<Record<string, string>> = {
  add: 'Adds', sub: 'Subtracts', mul: 'Multiplies', div: 'Divides', min: 'Takes the smaller of', max: 'Takes the larger of', sqrt: 'Square root of', rcp: 'Approximate reciprocal (12 bits) of',
  rsqrt: 'Approximate reciprocal square root (12 bits) of', cmp: 'Compares, by the predicate in the immediate, to masks of ones or zeros:', hadd: 'Adds neighbours of', hsub: 'Subtracts neighbours of',
  addsub: 'Subtracts in even and adds in odd lanes of', and: 'Bitwise AND of', andn: 'Bitwise AND of the source and the inverted destination, as', or: 'Bitwise OR of', xor: 'Bitwise exclusive OR of',
  shuf: 'Picks lanes of both operands by the immediate:', unpckl: 'Interleaves the lower halves of', unpckh: 'Interleaves the upper halves of', movmsk: 'Collects the signs in a general register, of',
  mova: 'Copies, aligned (#GP otherwise),', movu: 'Copies, at any address,', movnt: 'Stores past the caches, aligned,', movl: 'Copies the lower half, to or from memory, of', movh: 'Copies the upper half, to or from memory, of',
  round: 'Rounds to integers, as the immediate says,', blend: 'Picks lanes by the immediate:', blendv: 'Picks lanes by the signs of the mask register:', dp: 'Dot product, of the lanes that the immediate names:',
  mov: 'Copies', perm: 'Picks any lanes of', ucomi: 'Compares to ZF, PF and CF; only a signalling NaN is invalid:', comi: 'Compares to ZF, PF and CF; any NaN is invalid:', test: 'ANDs the signs to ZF and CF, of', permil: 'Picks lanes within each 128 bits, of', maskmov: 'Copies the lanes whose mask has its sign set, of',
}; // prettier-ignore

const LANES: Readonly<Record<string, string>> = { b: 'bytes', w: 'words', d: 'doublewords', q: 'quadwords' };
const INTEGER_VERBS: Readonly<Record<string, string>> = {
  padd: 'Adds', psub: 'Subtracts', padds: 'Adds with signed saturation', psubs: 'Subtracts with signed saturation', paddus: 'Adds with unsigned saturation', psubus: 'Subtracts with unsigned saturation',
  pcmpeq: 'Compares for equality, to masks of ones or zeros,', pcmpgt: 'Compares signed for greater, to masks of ones or zeros,', pmins: 'Takes the signed minimum of', pminu: 'Takes the unsigned minimum of', pmaxs: 'Takes the signed maximum of', pmaxu: 'Takes the unsigned maximum of',
  pavg: 'Rounded average of unsigned', psll: 'Shifts to the left', psrl: 'Shifts to the right with zeros', psra: 'Shifts to the right with the sign', psllv: 'Shifts each to the left by its own count:', psrlv: 'Shifts each to the right by its own count:', psrav: 'Shifts each to the right by its own count, with the sign:',
  pabs: 'Absolute value of', psign: 'Negates, clears or keeps by the sign of the source:', phadd: 'Adds neighbours of', phsub: 'Subtracts neighbours of', pmull: 'Low half of the products of signed', pmulh: 'High half of the products of signed',
  pinsr: 'Puts a general register or memory into one lane of', pextr: 'Copies one lane to a general register or memory, of', pblend: 'Picks by the immediate among', pbroadcast: 'Copies the lowest to all of the', perm: 'Picks any lanes of', pmaskmov: 'Copies where the mask has its sign set, of',
}; // prettier-ignore

const SINGLE: Readonly<Record<string, string>> = {
  movd: 'Copies 32 bits (64 with REX.W) between a general register or memory and a vector register.', movq: 'Copies 64 bits; a vector destination is filled with zeros.', movdqa: 'Copies 128 bits, aligned (#GP otherwise).', movdqu: 'Copies 128 bits at any address.', lddqu: 'Loads 128 bits at any address.',
  movntdq: 'Stores 128 bits past the caches, aligned.', movntdqa: 'Loads 128 aligned bits as a stream.', movntq: 'Stores an MMX register past the caches.', movq2dq: 'Copies an MMX register to the lower half of an XMM register.', movdq2q: 'Copies the lower half of an XMM register to an MMX register.',
  movhlps: 'Copies the upper half of the source to the lower half.', movlhps: 'Copies the lower half of the source to the upper half.', movddup: 'Copies the lower double to both.', movsldup: 'Copies the even singles to their right neighbours.', movshdup: 'Copies the odd singles to their left neighbours.',
  pmovmskb: 'Collects the top bits of all bytes in a general register.', maskmovdqu: 'Stores the bytes whose mask has its top bit set to DS:rDI, past the caches.', maskmovq: 'Stores the bytes whose mask has its top bit set to DS:rDI.', ldmxcsr: 'Loads MXCSR: rounding, masks and flags of SSE. #GP for reserved bits.', stmxcsr: 'Stores MXCSR.',
  packsswb: 'Narrows words to bytes with signed saturation.', packuswb: 'Narrows words to bytes with unsigned saturation.', packssdw: 'Narrows doublewords to words with signed saturation.', packusdw: 'Narrows doublewords to words with unsigned saturation.',
  pand: 'Bitwise AND.', pandn: 'Bitwise AND of the source and the inverted destination.', por: 'Bitwise OR.', pxor: 'Bitwise exclusive OR.', ptest: 'ZF tells whether the AND is 0, CF whether the AND with the inverted destination is.',
  pmaddwd: 'Products of signed words, neighbours added to doublewords.', pmaddubsw: 'Products of unsigned and signed bytes, neighbours added to words with saturation.', pmulhuw: 'High half of the products of unsigned words.', pmulhrsw: 'Products of signed words, rounded and scaled.', pmuludq: 'Products of the even unsigned doublewords, 64 bits each.', pmuldq: 'Products of the even signed doublewords, 64 bits each.',
  psadbw: 'Sums of absolute differences of unsigned bytes.', mpsadbw: 'Sums of absolute differences of four bytes at eight offsets.', psrldq: 'Shifts the whole register to the right by bytes.', pslldq: 'Shifts the whole register to the left by bytes.',
  pshufd: 'Picks doublewords by the immediate.', pshuflw: 'Picks words of the lower half by the immediate.', pshufhw: 'Picks words of the upper half by the immediate.', pshufw: 'Picks words of an MMX register by the immediate.', pshufb: 'Picks bytes by the source; those with the top bit set become 0.', palignr: 'Takes 16 bytes out of both operands put together, from the byte that the immediate says.',
  phaddsw: 'Adds neighbours of words with saturation.', phsubsw: 'Subtracts neighbours of words with saturation.', phminposuw: 'Smallest of eight unsigned words, and where it is.', pblendvb: 'Picks bytes by the top bits of the mask register.', extractps: 'Copies one single to a general register or memory.', insertps: 'Puts one single into a lane; the immediate may clear others.',
  pcmpestrm: 'Compares two strings of given lengths; the result is a mask.', pcmpestri: 'Compares two strings of given lengths; the result is an index in ECX.', pcmpistrm: 'Compares two strings that end with 0; the result is a mask.', pcmpistri: 'Compares two strings that end with 0; the result is an index in ECX.',
  emms: 'Marks all x87 registers empty: after MMX code.', aesimc: 'Turns a round key for decryption.', aesenc: 'One round of AES encryption.', aesenclast: 'The last round of AES encryption.', aesdec: 'One round of AES decryption.', aesdeclast: 'The last round of AES decryption.', aeskeygenassist: 'Helps to make the next round key of AES.', pclmulqdq: 'Product without carries of two quadwords, which the immediate picks.',
  sha1nexte: 'Next E of SHA-1, added to words.', sha1msg1: 'First half of the message schedule of SHA-1.', sha1msg2: 'Second half of the message schedule of SHA-1.', sha1rnds4: 'Four rounds of SHA-1.', sha256rnds2: 'Two rounds of SHA-256; the words are in XMM0.', sha256msg1: 'First half of the message schedule of SHA-256.', sha256msg2: 'Second half of the message schedule of SHA-256.',
  vzeroupper: 'Clears the upper halves of all YMM registers: before SSE code.', vzeroall: 'Clears all YMM registers.', vbroadcastf128: 'Copies 128 bits of memory to both halves.', vbroadcasti128: 'Copies 128 bits of memory to both halves.', vbroadcastss: 'Copies a single to all lanes.', vbroadcastsd: 'Copies a double to all lanes.',
  vinsertf128: 'Puts 128 bits into one half.', vinserti128: 'Puts 128 bits into one half.', vextractf128: 'Takes one half out.', vextracti128: 'Takes one half out.', vperm2f128: 'Picks halves of both sources.', vperm2i128: 'Picks halves of both sources.',
  vcvtph2ps: 'Half-precision to single-precision floats.', vcvtps2ph: 'Single-precision to half-precision floats, rounded as the immediate says.',
}; // prettier-ignore

const CONVERTED: Readonly<Record<string, string>> = { si: 'a signed integer', ss: 'a single', sd: 'a double', ps: 'packed singles', pd: 'packed doubles', dq: 'packed signed doublewords', pi: 'packed signed doublewords (MMX)' }; // prettier-ignore

/** Whose result is no vector: flags, a general register, memory, MXCSR. */
const NO_VECTOR =
  /^(u?comis[sd]|p?test(p[sd])?|p?movmsk\w+|pextr[bwdq]|extractps|cvtt?s[sd]2si|pcmp[ei]str\w|(ld|st)mxcsr|maskmovdqu|movnt(dq|p[sd]))$/;
/** Of one operand beside the destination. */
const ONE_SOURCE =
  /^(sqrtp|rcpp|rsqrtp|roundp|pabs|pmov[sz]x|mov(a|u)p|movdq[au]|movntdqa|lddqu|movddup|movs[lh]dup|mov[dq]$|pshuf(d|lw|hw)$|phminposuw|aesimc|aeskeygenassist|cvtt?(p[sd]|dq)2)/;
/** What is different under a VEX prefix (SDM vol. 2A 2.3.5, 2.3.6). */
function vexText(legacy: string): string {
  if (NO_VECTOR.test(legacy)) return '';
  const own = ONE_SOURCE.test(legacy) ? '' : 'a destination of its own; ';
  return ` VEX form: ${own}in a vector register the bits above the result become 0.`;
} // prettier-ignore

/** Of an SSE or AVX mnemonic; undefined for others. */
export function vectorText(name: string): string | undefined {
  if (Object.hasOwn(SINGLE, name)) return SINGLE[name];
  if (name.startsWith('v')) {
    const fma = /^vf(n?)m(add|sub|addsub|subadd)(132|213|231)(\w\w)$/.exec(name);
    if (fma) return `Fused ${fma[1] ? 'negated ' : ''}multiply-${fma[2]}, rounded once, of ${FLOAT_SHAPES[fma[4]].replace(/^(four|two) /, '')}; ${fma[3]} is the order of the operands.`; // prettier-ignore
    const gather = /^v(p?)gather([dq])(\w\w?)$/.exec(name);
    if (gather) return `Loads lanes from scattered addresses (${LANES[gather[2]]} as indices) where the mask has its sign set, and clears the mask.`; // prettier-ignore
    // As many lanes as the register has.
    const legacy = vectorText(name.slice(1))
      ?.replace(/\b(four|two) packed/, 'packed')
      .replace(/^(\w+) 128( aligned)? bits/, '$1 128 or 256$2 bits');
    return legacy && `${legacy}${vexText(name.slice(1))}`;
  }
  const convert = /^cvt(t?)(si|ss|sd|ps|pd|dq|pi)2(si|ss|sd|ps|pd|dq|pi)$/.exec(name);
  if (convert)
    return `Converts ${CONVERTED[convert[2]]} to ${CONVERTED[convert[3]]}${convert[1] ? ', towards 0' : ''}.`;
  const extend = /^pmov([sz])x([bwd])([wdq])$/.exec(name);
  if (extend)
    return `Widens ${LANES[extend[2]]} to ${LANES[extend[3]]} with ${extend[1] === 's' ? 'the sign' : 'zeros'}.`;
  const unpack = /^punpck([lh])(bw|wd|dq|qdq)$/.exec(name);
  if (unpack) return `Interleaves the ${LANES[unpack[2][0]]} of the ${unpack[1] === 'l' ? 'lower' : 'upper'} halves of both operands.`; // prettier-ignore
  const float = /^([a-z]+?)(ps|pd|ss|sd)$/.exec(name);
  if (float && Object.hasOwn(FLOAT_VERBS, float[1])) return `${FLOAT_VERBS[float[1]]} ${FLOAT_SHAPES[float[2]]}.`;
  const integer = /^(p?[a-z]+?)([bwdq])$/.exec(name);
  if (integer && Object.hasOwn(INTEGER_VERBS, integer[1])) return `${INTEGER_VERBS[integer[1]]} packed ${LANES[integer[2]]}.`; // prettier-ignore
  return undefined;
}
