// Pictures for a README: a screenshot's PNG with a palette of 256 colours, a third of its size.

import * as zlib from 'node:zlib';

const COLOURS = 256;

/** Decoded by the browser: { width, height, data: RGBA }. */
async function decode(page, png) {
    const encoded = await page.evaluate(async (base64) => {
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
        const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
        context.drawImage(bitmap, 0, 0);
        const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
        let text = '';
        for (let at = 0; at < data.length; at += 32_768) {
            text += String.fromCharCode(...data.subarray(at, at + 32_768));
        }
        return { width: bitmap.width, height: bitmap.height, data: btoa(text) };
    }, png.toString('base64'));
    return { ...encoded, data: Buffer.from(encoded.data, 'base64') };
}

/** The most frequent colours, and for each colour that occurs the nearest of them. */
function palette(data) {
    const counts = new Map();
    for (let at = 0; at < data.length; at += 4) {
        const colour = data.readUIntBE(at, 3);
        counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
    const colours = [...counts].sort((a, b) => b[1] - a[1]).slice(0, COLOURS).map(([colour]) => colour);
    const parts = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];
    const distance = (a, b) => parts(a).reduce((sum, part, at) => sum + (part - parts(b)[at]) ** 2, 0);
    const places = new Map(colours.map((colour, at) => [colour, at]));
    for (const colour of counts.keys()) {
        if (!places.has(colour)) {
            let best = 0;
            for (let at = 1; at < colours.length; at += 1) {
                if (distance(colour, colours[at]) < distance(colour, colours[best])) {
                    best = at;
                }
            }
            places.set(colour, best);
        }
    }
    return { colours: Buffer.from(colours.flatMap(parts)), places };
}

/** crc32 of zlib came with node 20.15; before that by hand. */
function checksum(bytes) {
    if (zlib.crc32) {
        return zlib.crc32(bytes);
    }
    let crc = ~0;
    for (const byte of bytes) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit += 1) {
            crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    return ~crc >>> 0;
}

function chunk(name, content) {
    const body = Buffer.concat([Buffer.from(name, 'latin1'), content]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(content.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(checksum(body), body.length + 4);
    return out;
}

/** The same picture, smaller. `page` is any page whose policy lets it decode a picture: about:blank. */
export async function small(page, png) {
    const { width, height, data } = await decode(page, png);
    const { colours, places } = palette(data);
    const rows = Buffer.alloc((width + 1) * height);
    for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1) {
            rows[y * (width + 1) + 1 + x] = places.get(data.readUIntBE((y * width + x) * 4, 3));
        }
    }
    const header = Buffer.alloc(13);
    header.writeUInt32BE(width, 0);
    header.writeUInt32BE(height, 4);
    header.set([8, 3, 0, 0, 0], 8);
    return Buffer.concat([
        Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
        chunk('IHDR', header),
        chunk('PLTE', colours),
        chunk('IDAT', zlib.deflateSync(rows, { level: 9 })),
        chunk('IEND', Buffer.alloc(0)),
    ]);
}
