/** The custom elements of @vscode-elements/elements that our views use, for JSX. */
import type { HTMLAttributes } from 'preact';

type Common = HTMLAttributes<HTMLElement>;

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'vscode-textfield': Common & { label?: string; placeholder?: string; value?: string };
      'vscode-single-select': Common & { label?: string; value?: string };
      'vscode-option': Common & { value?: string; selected?: boolean };
      'vscode-button': Common & { secondary?: boolean; disabled?: boolean };
      'vscode-checkbox': Common & { label?: string; checked?: boolean };
    }
  }
}
