// docs/walk.md as commands with their output: read, run, compared, and written anew with today's figures.
//
//     ```console
//     $ flatfoot diagnose 4711
//     THREAD LEAK  java[4711] org.jruby.Main   11 × pool-*-thread-1, one every 1.00 s      likely
//     …
//     ```
//
// A line `…` stands for lines that are left out. Figures may differ, words may not.

import { homedir, hostname } from 'node:os';

/** The console blocks of a document: [{ command, lines, from, to }], `from` and `to` being lines of the document. */
export function blocks(document) {
    const all = [];
    let open = false;
    document.split('\n').forEach((line, at) => {
        if (line === '```console') {
            open = true;
        } else if (line === '```') {
            open = false;
        } else if (open && line.startsWith('$ ')) {
            all.push({ command: line.slice(2), lines: [], from: at + 1, to: at + 1 });
        } else if (open) {
            all.at(-1).lines.push(line);
            all.at(-1).to = at + 1;
        }
    });
    return all;
}

/** What depends on the machine: of these lines only the beginning is compared. */
const OF_THE_MACHINE = /^(RISK|NOW|LIMIT|UNEXPLAINED|IMPACT|TOO SMALL TO EXPLAIN IT|RULED OUT|OWNERS|LIBRARIES|JDK \d+)/;

const UNIT = '(?: ?(?:ns|µs|us|ms|s|m|h|d|B|KiB|MiB|GiB|[KMG])(?![A-Za-z]))?';
const FIGURE = new RegExp(`\\d[\\d,]*(?:\\.\\d+)?${UNIT}`, 'g');

/** A line without its figures. */
export function shape(line) {
    const label = OF_THE_MACHINE.exec(line);
    if (label) {
        return label[1].replace(/\d+/, '#');
    }
    return line
        .replace(/\b(class|thread|pool|Worker|guard|JDK|Deadline\$FreshPool\.arm):?-\d+/g, '$1-#')
        .replace(FIGURE, '#')
        .replace(/[+-]#/g, '#')
        .replace(/#(?: #)+/g, '#')
        .replace(/ \((?:# to #|# or later|±#)\)/g, '')
        .replace(/\s+/g, ' ')
        .trim();
}

/**
 * Finds the lines of a block in what a command said, in their order. Gives the lines as they are now, or says which is
 * missing.
 */
export function match(lines, said) {
    const out = [];
    let at = 0;
    let skips = false;
    for (const line of lines) {
        if (line === '…') {
            skips = true;
            out.push(line);
            continue;
        }
        const wanted = shape(line);
        const found = skips || out.length === 0
            ? said.findIndex((one, index) => index >= at && shape(one) === wanted)
            : shape(said[at] ?? '') === wanted ? at : -1;
        if (found < 0) {
            return { missing: line, wanted, after: said.slice(at, at + 4).map(shape) };
        }
        out.push(said[found]);
        at = found + 1;
        skips = false;
    }
    if (!skips && at < said.length) {
        return { more: said.slice(at) };
    }
    return { lines: out };
}

/** What a command said, as the document has it: the home of this run is `~`, the host is `host`. */
export function plain(text, home) {
    const names = [[home, '~'], [homedir(), '~'], [` ${hostname()} `, ' host ']];
    const lines = names.reduce((all, [from, to]) => all.split(from).join(to), text).split('\n');
    // What is shown on a terminal only, and empty lines at the end.
    return lines.map((line) => line.replace(/\s+$/, '')).filter((line, at, all) => line !== '' || at < all.length - 1);
}
