// Reports of real cases: made once by the test that asks for them.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { flatfoot, folder, startFlatfoot, startLeaker, until } from '../launch.mjs';

/** Threads of a process, as the kernel lists them. */
export const threads = (pid) => readdirSync(`/proc/${pid}/task`).length;

/** The only case file of a state folder. */
export function caseFile(state) {
    const cases = join(state, 'flatfoot');
    const found = existsSync(cases) ? readdirSync(cases).filter((name) => name.endsWith('.flatfoot')) : [];
    return found.length === 1 ? join(cases, found[0]) : null;
}

/** Writes the report of something; gives its path. */
export async function report(t, args, name = 'report.html') {
    const path = join(folder(t), name);
    await flatfoot(t, ['report', ...args, '-o', path], { codes: [0] });
    return path;
}

/**
 * The founding case: an application in JRuby whose job makes a pool of one thread at each firing, diagnosed with the agent.
 * Gives the case file.
 */
export async function foundingCase(t) {
    const app = await startLeaker(t, 'run-jruby.sh', ['leak', '* * * * * ?']);
    const before = threads(app.pid);
    await until('twelve births', () => threads(app.pid) >= before + 12);
    const state = folder(t);
    const args = ['diagnose', app.pid, '--access', 'agent'];
    await flatfoot(t, args, { codes: [1], env: { XDG_STATE_HOME: state } });
    return caseFile(state);
}

/** A process that leaks a thread each 100 ms, recorded for some seconds; gives its pid and the store. */
export async function recorded(t) {
    const leaker = await startLeaker(t, 'leak', ['threads-detached', '100', '0', 'pool-#-thread-1']);
    await until('births', () => threads(leaker.pid) >= 30);
    const store = join(folder(t), 'store.flatfoot');
    const run = startFlatfoot(t, ['record', '--store', store, '--interval', '250ms', '--for', '12s']);
    await run.end();
    return { pid: leaker.pid, store };
}
