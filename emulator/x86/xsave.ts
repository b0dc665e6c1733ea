/** The XSAVE area: which state component lies where (SDM vol. 1 chapter 13). No behaviour. */

/** State components, as bits of XCR0, IA32_XSS and XSTATE_BV. */
export const XSTATE = { X87: 1, SSE: 2, AVX: 4 } as const;

/** x87 and SSE as FXSAVE lays them out; the header after it. Bytes. */
export const LEGACY_BYTES = 512;
export const HEADER_BYTES = 64;
export const EXTENDED_AT = LEGACY_BYTES + HEADER_BYTES;
/** Header (13.4.2). */
export const XSAVE_HEADER = { XSTATE_BV: 512, XCOMP_BV: 520 } as const;
/** XCOMP_BV: the area is in compacted form. */
export const COMPACTED = 1n << 63n;

/** Component 2: the upper halves of sixteen YMM registers; its place in the standard form. */
export const AVX_AREA = { at: EXTENDED_AT, bytes: 256 } as const;

/** Bytes of an area that holds the components of `mask`; both forms agree as long as AVX is the last. */
export const xsaveBytes = (mask: number): number => EXTENDED_AT + (mask & XSTATE.AVX ? AVX_AREA.bytes : 0);
