// The page on the founding case: JRuby's jobs on Quartz, a pool of one thread each second that nobody shuts down; as a
// recorder keeps it, and as a case file.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';

import { expectAccessible, flatfoot, folder, startFlatfoot, startLeaker, until } from '../launch.mjs';
import { handling } from './handling.mjs';
import { SAYS, parts } from './parts.mjs';
import { expectSound, openAt, openPart, serveFor } from './support.mjs';

/** The leak's finding, as soon as the server's judge has it. */
async function findingOf(url, pid) {
    return until(`a finding of ${pid}`, async () => {
        const overview = await (await fetch(`${url}/api/v1/overview?pixels=16`)).json();
        return overview.findings.find((finding) => finding.process.pid === pid);
    }, 120_000);
}

/** The id that the API has for a process. */
async function idOf(url, pid) {
    return until(`the process ${pid}`, async () => {
        const answer = await (await fetch(`${url}/api/v1/processes?filter=${pid}`)).json();
        return answer.processes?.find((one) => one.pid === pid)?.id;
    });
}

test('the founding case, recorded', async (t) => {
    const leaker = await startLeaker(t, 'run-jruby.sh', ['leak', '* * * * * ?']);
    const store = `${folder(t)}/store.flatfoot`;
    const recorder = startFlatfoot(t, ['record', '--store', store, '--interval', '1s']);
    await recorder.says(/Recording into/);
    await until('a minute of births', () => readdirSync(`/proc/${leaker.pid}/task`).length > 80, 120_000);
    const server = await serveFor(t, ['--store', store]);
    const finding = await findingOf(server.url, leaker.pid);
    const at = { url: server.url, pages: server.pages, pid: leaker.pid, id: await idOf(server.url, leaker.pid), finding: finding.id, pattern: finding.subject };
    await handling(t, at);
    await parts(t, at, 'recorded');
    await t.test('each command that is shown runs', async (t) => {
        const commands = new Set();
        for (const query of ['', `?page=process&id=${at.id}`, `?page=threads&id=${at.id}`, `?page=map&id=${at.id}`, `?page=finding&id=${at.finding}`, `?page=compare&process=${at.id}`]) {
            const page = await openPart(t, server, query);
            const shown = await page.locator('.as-command code, .command code').allInnerTexts();
            assert.ok(shown.some((command) => command.startsWith('flatfoot ')), `${query} says no command`);
            // What loads or saves something, and what waits, is tried by its own tests.
            for (const command of shown) if (/^flatfoot (?!save|heap)/.test(command) && !/--access|--for/.test(command)) commands.add(command);
        }
        assert.ok(commands.size >= 6, [...commands].join('\n'));
        for (const command of commands) await flatfoot(t, command.split(' ').slice(1));
    });
});

test('a case file, on a machine that knows nothing of it', async (t) => {
    const leaker = await startLeaker(t, 'run-java.sh', ['leak', '250']);
    const file = `${folder(t)}/case.flatfoot`;
    await flatfoot(t, ['save', leaker.pid, '--for', '10s', '-o', file]);
    await leaker.kill();
    const server = await serveFor(t, [file]);
    const finding = await findingOf(server.url, leaker.pid);
    const id = await idOf(server.url, leaker.pid);
    const queries = { overview: '', process: `?page=process&id=${id}`, threads: `?page=threads&id=${id}`, map: `?page=map&id=${id}`, finding: `?page=finding&id=${finding.id}` };
    for (const [part, query] of Object.entries(queries)) {
        await t.test(part, async (t) => {
            const page = await openPart(t, server, query);
            await expectSound(page, `case-${part}`);
            if (part === 'finding') await SAYS.finding(page, { finding: finding.id });
            await page.locator('#status').getByText(/recorded|ended/).waitFor();
        });
    }
    await t.test('compare says why it cannot', async (t) => {
        const page = await openAt(t, server, { path: `/?page=compare&process=${id}` });
        page.expectTrouble(/400|404/);
        assert.match(await page.getByRole('alert').innerText(), /compare[\s\S]*hint:/);
        await expectAccessible(page);
    });
});
