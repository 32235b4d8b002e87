// The page on the founding case as a recorder keeps it: a JVM that makes a pool of one thread each second and never shuts
// it down. One JVM, one recorder, one server for all of it.

import { readdirSync } from 'node:fs';
import { test } from 'node:test';

import { folder, startFlatfoot, startLeaker, until } from '../launch.mjs';
import { handling } from './handling.mjs';
import { parts } from './parts.mjs';
import { serveFor } from './support.mjs';

/** The leak's finding, as soon as the server's judge has it. */
async function findingOf(url, pid) {
    return until(`a finding of ${pid}`, async () => {
        const overview = await (await fetch(`${url}/api/v1/overview?pixels=16`)).json();
        return overview.findings.find((finding) => finding.process.pid === pid);
    }, 120_000);
}

/** The id that the API has for a process. */
async function idOf(url, pid) {
    const answer = await (await fetch(`${url}/api/v1/processes?filter=${pid}`)).json();
    return answer.processes.find((process) => process.pid === pid).id;
}

test('the founding case, recorded', async (t) => {
    const leaker = await startLeaker(t, 'run-java.sh', ['leak', '* * * * * ?']);
    const store = `${folder(t)}/store.flatfoot`;
    const recorder = startFlatfoot(t, ['record', '--store', store, '--interval', '1s']);
    await recorder.says(/Recording into/);
    await until('a minute of births', () => readdirSync(`/proc/${leaker.pid}/task`).length > 80, 120_000);
    const server = await serveFor(t, ['--store', store]);
    const finding = await findingOf(server.url, leaker.pid);
    const at = { url: server.url, pages: server.pages, pid: leaker.pid, id: await idOf(server.url, leaker.pid), finding: finding.id, pattern: finding.subject };
    await handling(t, at);
    await parts(t, at, 'recorded');
});
