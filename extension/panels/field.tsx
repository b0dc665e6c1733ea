/** Fields for an address: submitted by Enter or a button, with the way back. */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

interface Field {
  /** Of the element. */
  own: { ref: RefObject<HTMLInputElement | null>; onKeyDown(event: KeyboardEvent): void };
  submit(event: Event): void;
}

/** It keeps its own text: Enter may come before what was typed is rendered. `value`: what stands there unless the user types something else. */
export function useField(value: string, onSubmit: (text: string) => void): Field {
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (ref.current) ref.current.value = value;
  }, [value]);
  const submit = (event: Event): void => {
    event.preventDefault();
    onSubmit(ref.current?.value.trim() ?? '');
  };
  return { own: { ref, onKeyDown: (event) => void (event.key === 'Enter' && submit(event)) }, submit };
}

export interface Trail {
  /** Looked at now; empty: none was asked for. */
  address: string;
  go(address: string): void;
  /** To the one before; absent: there was none. */
  back: (() => void) | undefined;
}

/** Addresses that were looked at, the way back included. An empty one ends it. */
export function useTrail(first = ''): Trail {
  const [trail, setTrail] = useState<readonly string[]>(first === '' ? [] : [first]);
  const go = (to: string): void =>
    setTrail((before) => (to === '' ? [] : to === before.at(-1) ? before : [...before, to]));
  const back = (): void => setTrail((before) => before.slice(0, -1));
  return { address: trail.at(-1) ?? '', go, back: trail.length > 0 ? back : undefined };
}
