/** From the machine's values to what JSON can hold. */
import type { Json } from './protocol';

/** The value with every bigint as a string, for JSON. */
export const toJson = <T>(value: T): Json<T> => {
  if (typeof value === 'bigint') return `0x${BigInt.asUintN(64, value).toString(16)}` as Json<T>;
  if (Array.isArray(value)) return value.map(toJson) as Json<T>;
  if (value instanceof Uint8Array) return Array.from(value) as Json<T>;
  if (value instanceof Map) return toJson(Object.fromEntries(value)) as Json<T>;
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toJson(each)])) as Json<T>;
  }
  return value as Json<T>;
};
