// docs/walk.md is true: each of its commands is run here, in its order, on the founding case, and says what is written
// there. FLATFOOT_WALK=write writes the document anew, with the figures of this run.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, dirname } from 'node:path';
import { test } from 'node:test';

import { LEAKERS, Program, ROOT, expectAccessible, flatfootPath, folder, open, until } from '../launch.mjs';
import { blocks, match, plain, shape } from './walk.mjs';

const DOCUMENT = join(ROOT, 'docs/walk.md');

test('figures may differ, words may not', () => {
    const said = ['a 1 MiB', '12 × pool-*-thread-1, one every 1.00 s', 'LIMIT  x 5', 'end'];
    assert.deepEqual(match(['a 7,004 KiB', '…', 'end'], said).lines, ['a 1 MiB', '…', 'end']);
    assert.equal(match(['a 7 MiB', 'end'], said).missing, 'end', 'nothing may be left out unsaid');
    assert.deepEqual(match(['a 7 MiB'], said).more, said.slice(1));
    assert.equal(match(['…', '9 × other-*-thread-1, one every 1.00 s', '…'], said).missing, '9 × other-*-thread-1, one every 1.00 s');
    const twice = ['A 1', 'B', 'A 2', 'C', 'D'];
    assert.deepEqual(match(['…', 'A 9', 'C', '…'], twice).lines, ['…', 'A 2', 'C', '…'], 'what stands together is found together');
    assert.equal(match(['A 9', 'B', 'C'], twice).missing, 'C');
    assert.equal(shape('in 2 d 4 h (46 h 35 m to 2 d 19 h) left'), shape('in 8 h left'));
    assert.deepEqual(blocks('x\n```console\n$ a\nb\n…\n```\n$ no'), [{ command: 'a', lines: ['b', '…'], from: 3, to: 5 }]);
});

/** How many threads of a process the kernel calls `pool-…`. */
function pools(pid) {
    const names = readdirSync(`/proc/${pid}/task`).map((tid) => {
        try {
            return readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8');
        } catch {
            return ''; // It ended meanwhile.
        }
    });
    return names.filter((name) => name.startsWith('pool-')).length;
}

test('the walk', async (t) => {
    const home = folder(t);
    symlinkSync(join(ROOT, 'tests'), join(home, 'tests'));
    const env = {
        HOME: home,
        XDG_STATE_HOME: '',
        LEAKERS,
        NO_COLOR: '1',
        PATH: `${dirname(flatfootPath())}:${process.env.PATH}`,
    };
    const text = readFileSync(DOCUMENT, 'utf8').split('\n');
    // The document's pids, and those of this run.
    const pids = new Map();
    const now = (line) => line.replace(/\b\d{3,7}\b/g, (number) => pids.get(number) ?? number);
    const running = new Map();
    const run = (command) => new Program(t, 'bash', ['-c', command], { cwd: home, env });

    for (const block of blocks(text.join('\n'))) {
        let command = now(block.command);
        let said;
        if (command.startsWith('kill ')) {
            const program = running.get(command.slice(5));
            assert.ok(program, `${command}: it was started here`);
            await program.stop('SIGTERM');
            said = [];
        } else if (command.endsWith(' &')) {
            // exec: the pid that is written is the program's own.
            const program = run(`exec ${command.slice(0, -2).replace('flatfoot serve', 'flatfoot serve --listen 127.0.0.1:0')}`);
            await program.says(command.includes('serve') ? /Ctrl-C ends it/ : /^ready.*$/m, 90_000);
            said = plain(program.stdout, home);
            const was = /pid=(\d+)/.exec(block.lines[0] ?? '')?.[1];
            if (was) {
                pids.set(was, String(program.pid));
                running.set(String(program.pid), program);
                await until('a dozen births', () => command.includes('shutdown') || pools(program.pid) >= 12);
            }
            const address = /http:\/\/127\.0\.0\.1:\d+/.exec(program.stdout)?.[0];
            if (address) {
                // The document has the port that it is without --listen.
                said = said.map((line) => line.replaceAll(new URL(address).port, '9417'));
                // What the document says of the page is seen there.
                const page = await open(t, address);
                await page.getByText('pool-*-thread-1').first().waitFor();
                await expectAccessible(page);
                await page.context().close();
                await program.stop();
            }
        } else {
            const ended = await run(command).end();
            said = plain(ended.stdout, home);
            assert.ok([0, 1, 3].includes(ended.code), `${command}: ${JSON.stringify(ended, null, 1)}`);
        }
        const found = match(block.lines, said);
        assert.ok(found.lines, `docs/walk.md, line ${block.from}: ${command}\n${JSON.stringify(found, null, 1)}\nsaid:\n${said.join('\n')}`);
        text.splice(block.from - 1, 1, `$ ${command}`);
        text.splice(block.from, block.lines.length, ...found.lines);
    }
    // What the walk leaves behind.
    const report = join(home, 'case.html');
    assert.ok(existsSync(report) && statSync(report).size < 300 * 1024);
    if (process.env.FLATFOOT_WALK === 'write') {
        writeFileSync(DOCUMENT, text.join('\n'));
    }
});
