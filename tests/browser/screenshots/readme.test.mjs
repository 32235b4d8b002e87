// The README's pictures, taken for real: the page's overview and threads, and the report, of the founding case; and the
// live view as text. Each run of the tests takes them and looks whether they are pictures of what they should be;
// FLATFOOT_SCREENSHOTS=write leaves them in docs/images and README.md.
//
// FLATFOOT_SCREENSHOTS_STORE, _PID: a store that was recorded for longer, and the pid of the leak in it.
// FLATFOOT_SCREENSHOTS_CASE: a case file of it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import { ROOT, flatfoot, flatfootPath, folder, open, serve, startFlatfoot, startLeaker, until } from '../launch.mjs';
import { shown } from '../page/support.mjs';
import { caseFile, threads } from '../report/cases.mjs';
import { small } from '../support/png.mjs';

const WRITE = process.env.FLATFOOT_SCREENSHOTS === 'write';
const LARGEST = 150 * 1024;

/** What the pictures are of. */
async function subject(t) {
    const { FLATFOOT_SCREENSHOTS_STORE: store, FLATFOOT_SCREENSHOTS_PID: pid, FLATFOOT_SCREENSHOTS_CASE: found } = process.env;
    if (store) {
        return { store, pid: Number(pid), found };
    }
    const app = await startLeaker(t, 'run-jruby.sh', ['leak', '* * * * * ?']);
    const made = { store: join(folder(t), 'store.flatfoot'), pid: app.pid };
    const recorder = startFlatfoot(t, ['record', '--store', made.store, '--interval', '500ms']);
    await recorder.says(/Recording into/);
    const before = threads(app.pid);
    await until('births', () => threads(app.pid) >= before + 15);
    const state = folder(t);
    await flatfoot(t, ['diagnose', app.pid, '--access', 'agent'], { codes: [1], env: { XDG_STATE_HOME: state } });
    made.found = caseFile(state);
    await recorder.stop();
    return made;
}

test('the pictures of the README', async (t) => {
    const folderOf = WRITE ? join(ROOT, 'docs/images') : folder(t);
    mkdirSync(folderOf, { recursive: true });
    const { store: whole, pid, found } = await subject(t);
    // Whoever else leaks on the machine that this is run on is no part of the story: the process, and the host around it.
    // A path that can be read in a picture.
    const cwd = WRITE ? '/tmp/case' : folder(t);
    mkdirSync(cwd, { recursive: true });
    const store = 'founding.flatfoot';
    await flatfoot(t, ['save', pid, '--store', resolve(whole), '--since', '3h', '-o', store], { codes: [0], cwd });
    const blank = await open(t, 'about:blank');
    const take = async (page, name, height, from) => {
        // Whatever is pointed at or focused looks different.
        await page.mouse.move(0, 0);
        const whole = await page.evaluate(() => document.documentElement.scrollHeight);
        const y = from ? Math.max(0, (await from.boundingBox()).y + (await page.evaluate(() => scrollY)) - 90) : 0;
        const clip = { x: 0, y, width: page.viewportSize().width, height: Math.min(height, whole - y) };
        const png = await small(blank, await page.screenshot({ fullPage: true, clip, animations: 'disabled' }));
        assert.ok(png.length <= LARGEST, `${name}: ${png.length} bytes`);
        writeFileSync(join(folderOf, `${name}.png`), png);
    };

    const server = await serve(t, ['--store', store], { cwd });
    const answer = async (path) => (await fetch(`${server.url}/api/v1/${path}`)).json();
    await until('the finding', async () => {
        const { findings } = await answer('overview?pixels=16');
        return findings.some((finding) => finding.process.pid === pid);
    }, 120_000);
    const { processes } = await answer(`processes?filter=${pid}`);
    const id = processes.find((process) => process.pid === pid).id;
    const overview = await open(t, server.url);
    await shown(overview);
    assert.match(await overview.locator('main').innerText(), /THREAD LEAK/);
    await take(overview, 'overview', 940);
    const births = await open(t, server.url, { path: `/?page=threads&id=${id}` });
    await shown(births);
    assert.match(await births.locator('main').innerText(), /pool-\*-thread-1/);
    await take(births, 'threads', 430, births.locator('[data-chart="raster"]'));
    await Promise.all([overview, births].map((page) => page.context().close()));
    await server.stop();

    const path = join(folder(t), 'report.html');
    await flatfoot(t, ['report', found, '-o', path], { codes: [0] });
    const report = await open(t, path);
    await report.getByRole('heading', { name: /THREAD LEAK/ }).waitFor();
    await take(report, 'report', 1150);

    await live(t, cwd, store, pid);
});

/** The live view on a store, in a terminal, as text. */
async function live(t, cwd, store, pid) {
    const socket = join(folder(t), 'tmux');
    const tmux = (...args) => execFileSync('tmux', ['-S', socket, ...args], { encoding: 'utf8' });
    const command = `LC_ALL=C.UTF-8 NO_COLOR=1 '${flatfootPath()}' top ${pid} --store '${store}'`;
    tmux('-f', '/dev/null', 'new-session', '-d', '-x', '118', '-y', '23', '-c', cwd, 'sh', '-c', `${command}; exec sleep 600`);
    let screen = '';
    try {
        await until('the finding on the screen', () => {
            screen = tmux('capture-pane', '-p');
            return /THREAD LEAK/.test(screen) && /thread stack/.test(screen) && !/reading…/.test(screen);
        }).catch((error) => assert.fail(`${error.message}\n${screen}`));
    } finally {
        // Before its folder goes.
        tmux('kill-server');
    }
    const text = screen.split('\n').map((line) => line.trimEnd()).join('\n').trimEnd();
    assert.ok(text.split('\n').length > 10, text);
    if (WRITE) {
        const readme = join(ROOT, 'README.md');
        const [before, after] = ['<!-- live view -->\n', '<!-- live view: end -->'];
        const all = readFileSync(readme, 'utf8');
        assert.ok(all.includes(before) && all.includes(after), 'README.md has a place for it');
        const [head, rest] = [all.slice(0, all.indexOf(before) + before.length), all.slice(all.indexOf(after))];
        writeFileSync(readme, `${head}\`\`\`\n${text}\n\`\`\`\n${rest}`);
    }
}
