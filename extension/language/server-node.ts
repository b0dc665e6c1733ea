/** The language server as a process of its own, on the desktop and on remote hosts. */
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { serve } from './server';

serve(createConnection(ProposedFeatures.all));
