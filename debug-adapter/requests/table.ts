/** Which handler answers which request: one table, complete by type. */
import type { Command } from '../protocol';
import * as breakpoints from './breakpoints';
import { condition } from './condition';
import * as evaluate from './evaluate';
import { exitLines } from './exit-lines';
import * as exceptions from './exceptions';
import { explainStop, status } from './explain';
import { exits } from './exits';
import type { Handler } from './handler';
import * as lifecycle from './lifecycle';
import { domains } from './domains';
import { linux } from './linux';
import * as memory from './memory';
import * as pageTables from './page-tables';
import * as run from './run-control';
import * as screen from './screen';
import * as sources from './sources';
import * as stack from './stack';
import { structures } from './structures';
import * as translate from './translate';
import { stepTranslated, translated } from './translated';
import * as variables from './variables';

export const REQUESTS = {
  initialize: lifecycle.initialize,
  launch: lifecycle.launch,
  attach: lifecycle.attach,
  configurationDone: lifecycle.configurationDone,
  restart: lifecycle.restart,
  disconnect: lifecycle.disconnect,
  terminate: lifecycle.terminate,
  cancel: lifecycle.cancel,
  setBreakpoints: breakpoints.setBreakpoints,
  setFunctionBreakpoints: breakpoints.setFunctionBreakpoints,
  setInstructionBreakpoints: breakpoints.setInstructionBreakpoints,
  setDataBreakpoints: breakpoints.setDataBreakpoints,
  dataBreakpointInfo: breakpoints.dataBreakpointInfo,
  breakpointLocations: breakpoints.breakpointLocations,
  setExceptionBreakpoints: exceptions.setExceptionBreakpoints,
  exceptionInfo: exceptions.exceptionInfo,
  continue: run.continueRequest,
  pause: run.pause,
  next: run.next,
  stepIn: run.stepIn,
  stepOut: run.stepOut,
  goto: run.goto,
  gotoTargets: run.gotoTargets,
  threads: stack.threads,
  stackTrace: stack.stackTrace,
  scopes: stack.scopes,
  variables: variables.variables,
  setVariable: variables.setVariable,
  evaluate: evaluate.evaluate,
  setExpression: evaluate.setExpression,
  completions: evaluate.completions,
  disassemble: memory.disassemble,
  readMemory: memory.readMemory,
  writeMemory: memory.writeMemory,
  modules: sources.modules,
  loadedSources: sources.loadedSources,
  source: sources.source,
  'ringside/translate': translate.translate,
  'ringside/pageTables': pageTables.pageTables,
  'ringside/setEntry': pageTables.setEntry,
  'ringside/checkShadow': pageTables.checkShadow,
  'ringside/exits': exits,
  'ringside/translated': translated,
  'ringside/stepTranslated': stepTranslated,
  'ringside/domains': domains,
  'ringside/structures': structures,
  'ringside/linux': linux,
  'ringside/condition': condition,
  'ringside/exitLines': exitLines,
  'ringside/status': status,
  'ringside/explainStop': explainStop,
  'ringside/console': translate.consoleRequest,
  'ringside/consoleInput': translate.consoleInput,
  'ringside/screen': screen.screen,
  'ringside/keys': screen.keys,
} satisfies Record<Command, Handler> as Record<Command, Handler>;
