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
 * Finds the lines of a block in what a command said, in their order: what stands between two `…` together. Gives the lines
 * as they are now, or says which is missing.
 */
export function match(lines, said) {
    const shapes = said.map(shape);
    const out = [];
    let [at, skips] = [0, true];
    for (let from = 0; from < lines.length; ) {
        if (lines[from] === '…') {
            out.push(lines[from]);
            [from, skips] = [from + 1, true];
            continue;
        }
        const part = lines.slice(from, lines.indexOf('…', from) < 0 ? lines.length : lines.indexOf('…', from));
        const wanted = part.map(shape);
        // The whole of it somewhere; or else where most of it is.
        let best = { fits: -1 };
        for (let place = at; place <= (skips ? said.length : at); place += 1) {
            const differs = wanted.findIndex((one, index) => one !== shapes[place + index]);
            const fits = differs < 0 ? part.length : differs;
            if (fits > best.fits) best = { fits, place };
        }
        if (best.fits < part.length) {
            const after = best.place + best.fits;
            return { missing: part[best.fits], wanted: wanted[best.fits], after: shapes.slice(after, after + 4) };
        }
        at = best.place + part.length;
        out.push(...said.slice(best.place, at));
        [from, skips] = [from + part.length, false];
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
