// flatfoot and the programs that leak: started, awaited, read, and gone when the test is over.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Where tests/leakers/build.sh left the programs: $LEAKERS, which run.sh sets. */
export const LEAKERS = process.env.LEAKERS ?? join(ROOT, 'target/leakers');

/** A JVM beside other tests takes its time. */
const READY_MS = 90_000;
/** No look of the tests takes so long, besides what --for asks for. */
const RUN_MS = 120_000;

/** The binary: $FLATFOOT, else what cargo built. */
export function flatfootPath() {
    const built = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug/flatfoot');
    const path = process.env.FLATFOOT ?? built;
    assert.ok(existsSync(path), `${path} is missing: cargo build -p flatfoot, or FLATFOOT=/path/to/flatfoot`);
    return path;
}

/** A folder for a test, removed at its end. */
export function folder(t) {
    const made = mkdtempSync(join(tmpdir(), 'flatfoot-browser-'));
    t.after(() => rmSync(made, { recursive: true, force: true }));
    return made;
}

/** Asks again and again until `condition` gives something that is true, and gives that. */
export async function until(what, condition, timeoutMs = 60_000) {
    const end = performance.now() + timeoutMs;
    for (;;) {
        const value = await condition();
        if (value) {
            return value;
        }
        assert.ok(performance.now() < end, `waited ${timeoutMs / 1000} s in vain: ${what}`);
        await sleep(20);
    }
}

/** A program that was started. It is killed when the test is over. */
export class Program {
    /** What it has said on stdout so far. */
    stdout = '';
    /** What it has said on stderr so far. */
    stderr = '';
    /** { code, signal } when it is over. */
    ended = null;

    constructor(t, path, args, { env = {}, cwd = ROOT, input } = {}) {
        this.name = `${path.split('/').at(-1)} ${args.join(' ')}`;
        // stdin stays open for those who are told something: `stdin.write`.
        this.child = spawn(path, args.map(String), { cwd, env: { ...process.env, ...env }, stdio: 'pipe' });
        for (const stream of ['stdout', 'stderr']) {
            this.child[stream].setEncoding('utf8').on('data', (text) => (this[stream] += text));
        }
        this.child.stdin.on('error', () => {});
        if (input !== undefined) {
            this.child.stdin.end(input);
        }
        this.child.on('error', (error) => {
            this.stderr += `${error}\n`;
            this.ended ??= { code: null, signal: null };
        });
        this.over = new Promise((resolve) => {
            this.child.on('close', (code, signal) => resolve((this.ended = { code, signal })));
        });
        t?.after(() => this.kill());
    }

    get pid() {
        return this.child.pid;
    }

    get stdin() {
        return this.child.stdin;
    }

    /** Waits until it has said something like this, on stdout or stderr; gives the match. */
    async says(pattern, timeoutMs = 60_000) {
        const match = () => pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
        return until(`${this.name} says ${pattern}`, () => {
            const found = match();
            assert.ok(found || !this.ended, `${this.name} ended before it said ${pattern}: ${this.all()}`);
            return found;
        }, timeoutMs);
    }

    /** Waits for its end; gives { code, signal, stdout, stderr }. */
    async end(timeoutMs = RUN_MS) {
        await until(`${this.name} ends`, () => this.ended, timeoutMs);
        return { ...(await this.over), stdout: this.stdout, stderr: this.stderr };
    }

    /** Asks it to end, as ctrl-C does, and waits until it has. */
    async stop(signal = 'SIGINT') {
        if (!this.ended) {
            this.child.kill(signal);
        }
        return this.end(30_000);
    }

    /** Ends it whatever it does. */
    async kill() {
        if (!this.ended) {
            this.child.kill('SIGKILL');
            await this.over;
        }
    }

    all() {
        return `${JSON.stringify(this.ended)}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`;
    }
}

/** Starts flatfoot, with a state folder of its own (or `env.XDG_STATE_HOME`). */
export function startFlatfoot(t, args, { env = {}, ...others } = {}) {
    const state = env.XDG_STATE_HOME ?? folder(t);
    return new Program(t, flatfootPath(), args, { env: { NO_COLOR: '1', ...env, XDG_STATE_HOME: state }, ...others });
}

/**
 * Runs flatfoot to its end; gives { code, stdout, stderr }. `codes`: the exit codes that are well. Without it: any that says
 * something about the target (0, 1, 3).
 */
export async function flatfoot(t, args, { codes = [0, 1, 3], timeoutMs = RUN_MS, ...others } = {}) {
    const run = await startFlatfoot(t, args, { input: '', ...others }).end(timeoutMs);
    assert.ok(codes.includes(run.code), `flatfoot ${args.join(' ')}: ${JSON.stringify(run, null, 1)}`);
    return run;
}

/**
 * Starts a program of tests/leakers (see its README) and waits for its line `ready`: `leak`, `shape`, or a script there:
 * `run-java.sh`, `run-jruby.sh`, `python/threads.py`.
 */
export async function startLeaker(t, program, args = [], { env = {}, ...others } = {}) {
    const path = program.includes('.') ? join(ROOT, 'tests/leakers', program) : join(LEAKERS, program);
    const leaker = new Program(t, path, args, { env: { ...env, LEAKERS }, ...others });
    leaker.ready = (await leaker.says(/^ready.*$/m, READY_MS))[0];
    return leaker;
}

/** Starts `flatfoot serve` on a free port; the Program has `url`, its address without a path: http://127.0.0.1:PORT. */
export async function serve(t, args = [], options = {}) {
    const server = startFlatfoot(t, ['serve', '--listen', '127.0.0.1:0', ...args], options);
    server.url = (await server.says(/http:\/\/127\.0\.0\.1:\d+/, READY_MS))[0];
    return server;
}

