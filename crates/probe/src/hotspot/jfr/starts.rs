//! Thread starts in a flight recording: who, by whom, when and from which stack.
//!
//! Of a file's chunks only three kinds of events are read: metadata (type 0), the constant pool (type 1) and
//! jdk.ThreadStart. The crate jfrs reads all of them into memory and trusts counts, sizes and offsets, which a file out
//! of a process that is looked into must not be trusted with; the part that is needed here is small.

use std::collections::{HashMap, HashSet};

use model::{JavaBirth, JavaFrame, SpawnStack, Text};

use super::bytes::{Broken, Cursor};
use super::types::{self, Types};
use super::values::{Pool, Reader, Value};

/// `FLR\0`, version, six 64-bit numbers, ticks a second, flags.
const HEADER: usize = 68;
/// Chunks of a file.
const MOST_CHUNKS: usize = 256;
/// Values read of a file: its constants, and thread starts.
const MOST_VALUES: usize = 4_000_000;
/// Different stacks kept.
const MOST_STACKS: usize = 1000;
/// Frames kept of a stack: as many as JFR can be told to keep.
const MOST_FRAMES: usize = 2048;
/// Births kept of a stack.
const MOST_BIRTHS: usize = 1000;

/// Thread starts by stack, of any number of files, each start once.
#[derive(Debug, Default)]
pub(super) struct Starts {
    stacks: Vec<SpawnStack>,
    by_stack: HashMap<(Vec<JavaFrame>, bool), usize>,
    /// Java id and time, in nanoseconds: files overlap.
    seen: HashSet<(i64, i64)>,
    left_out: u64,
}

impl Starts {
    /// Those of a file. `boot_of_wall`: what turns a Unix time in seconds into seconds since boot.
    ///
    /// A chunk that makes no sense is skipped when where it ends is known; the first such error is returned.
    pub(super) fn add(&mut self, file: &[u8], boot_of_wall: impl Fn(f64) -> f64) -> Result<(), Broken> {
        let mut rest = file;
        let mut first_error = Ok(());
        let mut left = MOST_VALUES;
        for _ in 0..MOST_CHUNKS {
            if rest.is_empty() {
                return first_error;
            }
            let header = Header::parse(rest)?;
            let (chunk, after) = rest.split_at_checked(header.size).ok_or(Broken("a chunk is cut short"))?;
            first_error = first_error.and(self.chunk(chunk, &header, &mut left, &boot_of_wall));
            rest = after;
        }
        first_error.and(Err(Broken("too many chunks")))
    }

    /// Most births first.
    pub(super) fn stacks(&self) -> Vec<SpawnStack> {
        let mut stacks = self.stacks.clone();
        stacks.sort_by_key(|stack| std::cmp::Reverse(stack.count));
        stacks
    }

    /// Starts beyond the bound on stacks.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    fn chunk(
        &mut self,
        chunk: &[u8],
        header: &Header,
        left: &mut usize,
        boot_of_wall: &impl Fn(f64) -> f64,
    ) -> Result<(), Broken> {
        let types = types::parse(Cursor::at(chunk, header.metadata))?;
        let Some((start_type, _)) = types.iter().find(|(_, known)| known.name == "jdk.ThreadStart") else {
            return Ok(());
        };
        let mut reader = Reader::new(&types, left);
        let (mut pool, mut starts) = (Pool::default(), Vec::new());
        let mut rest = chunk.get(HEADER..).unwrap_or_default();
        while !rest.is_empty() {
            let mut cursor = Cursor::new(rest);
            let size = cursor.event_size(rest.len())?;
            let (event, after) = rest.split_at_checked(size).ok_or(Broken("an event is cut short"))?;
            let kind = cursor.number()?;
            let mut inside = Cursor::at(event, rest.len() - cursor.left());
            if kind == 1 {
                pool.add(&mut inside, &mut reader)?;
            } else if kind == *start_type
                && let Some(known) = types.get(&kind)
            {
                starts.push(Value::Record(kind, reader.fields(&mut inside, known, 0)?));
            }
            rest = after;
        }
        let mut known = HashMap::new();
        for start in &starts {
            self.start(View { types: &types, pool: &pool }, header, start, &mut known, boot_of_wall);
        }
        Ok(())
    }

    fn start<'v>(
        &mut self,
        view: View<'v>,
        header: &Header,
        start: &'v Value,
        known: &mut HashMap<(i64, i64), Option<usize>>,
        boot_of_wall: &impl Fn(f64) -> f64,
    ) {
        let thread = view.field(start, "thread");
        let id = view.field(thread, "javaThreadId").number().unwrap_or(0);
        let nanos = header.nanos(view.field(start, "startTime").number().unwrap_or(0));
        if !self.seen.insert((id, nanos)) {
            return;
        }
        // Stacks of a chunk have numbers, so that each is spelled out once.
        let stack = match raw(view.types, start, "stackTrace") {
            Some(Value::Pooled(class, index)) => {
                *known.entry((*class, *index)).or_insert_with(|| self.stack(view, start))
            }
            _ => self.stack(view, start),
        };
        let Some(stack) = stack.and_then(|index| self.stacks.get_mut(index)) else {
            self.left_out += 1;
            return;
        };
        stack.count += 1;
        if stack.births.len() < MOST_BIRTHS {
            stack.births.push(JavaBirth {
                name: view.text(view.field(thread, "javaName")),
                java_id: id.unsigned_abs(),
                starter: view.text(view.field(view.field(start, "parentThread"), "javaName")),
                at_boot_s: boot_of_wall(nanos as f64 / 1e9),
                failed: false,
            });
        }
    }

    /// Which of the stacks it is.
    fn stack<'v>(&mut self, view: View<'v>, start: &'v Value) -> Option<usize> {
        let trace = view.field(start, "stackTrace");
        let frames = match view.field(trace, "frames") {
            Value::List(frames) => frames.as_slice(),
            _ => &[],
        };
        let cut = view.field(trace, "truncated").number() == Some(1) || frames.len() > MOST_FRAMES;
        let frames: Vec<JavaFrame> = frames.iter().take(MOST_FRAMES).map(|value| view.frame(value)).collect();
        let key = (frames, cut);
        if let Some(index) = self.by_stack.get(&key) {
            return Some(*index);
        }
        if self.stacks.len() >= MOST_STACKS {
            return None;
        }
        self.stacks.push(SpawnStack {
            source: "jfr".into(),
            frames: key.0.clone(),
            cut,
            ..SpawnStack::default()
        });
        self.by_stack.insert(key, self.stacks.len() - 1);
        Some(self.stacks.len() - 1)
    }
}

/// A field as it stands in a record.
fn raw<'v>(types: &Types, record: &'v Value, name: &str) -> Option<&'v Value> {
    let Value::Record(class, values) = record else { return None };
    values.get(types.get(class)?.fields.iter().position(|field| field.name == name)?)
}

/// A chunk's types and constants, through which its events are seen.
#[derive(Clone, Copy)]
struct View<'v> {
    types: &'v Types,
    pool: &'v Pool,
}

impl<'v> View<'v> {
    fn field(self, record: &'v Value, name: &str) -> &'v Value {
        self.pool.field(self.types, record, name)
    }

    /// A string, or the one that a symbol holds.
    fn text(self, value: &'v Value) -> Text {
        match value {
            Value::Text(text) => text.clone(),
            record => match self.field(record, "string") {
                Value::Text(text) => text.clone(),
                _ => Text::default(),
            },
        }
    }

    fn frame(self, value: &'v Value) -> JavaFrame {
        let method = self.field(value, "method");
        let class = self.field(method, "type");
        let module = self.field(self.field(class, "package"), "module");
        let module = self.text(self.field(module, "name"));
        // Java 8 has no modules: what its own loader brings is the JDK's.
        let of_boot_loader = match self.field(class, "classLoader") {
            Value::Nothing => true,
            loader => self.text(self.field(loader, "name")).as_str() == "bootstrap",
        };
        let line = self.field(value, "lineNumber").number().and_then(|line| u32::try_from(line).ok());
        JavaFrame {
            class: self.text(self.field(class, "name")).as_str().replace('/', ".").into(),
            method: self.text(self.field(method, "name")),
            file: None,
            line: line.filter(|line| *line > 0),
            origin: None,
            of_jdk: ["java.", "jdk."].iter().any(|own| module.as_str().starts_with(own)) || of_boot_loader,
        }
    }
}

/// What a chunk says about itself.
struct Header {
    size: usize,
    metadata: usize,
    start_nanos: i64,
    start_ticks: i64,
    ticks_per_s: i64,
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, Broken> {
        let mut cursor = Cursor::new(bytes);
        let magic = cursor.take(4)?;
        let version = cursor.take(4)?;
        if magic != b"FLR\0" || !matches!(version.get(..2), Some([0, 1 | 2])) {
            return Err(Broken("not a flight recording of a known version"));
        }
        let mut number = || {
            let bytes: [u8; 8] = cursor.take(8)?.try_into().map_err(|_| Broken("the header"))?;
            Ok(i64::from_be_bytes(bytes))
        };
        let offset = |number: i64| usize::try_from(number).map_err(|_| Broken("the header: an offset"));
        let size = offset(number()?)?;
        number()?; // the constant pool: met on the way
        let metadata = offset(number()?)?;
        let start_nanos = number()?;
        number()?; // duration
        let (start_ticks, ticks_per_s) = (number()?, number()?);
        let flags = cursor.take(4)?;
        if flags.last().is_none_or(|flags| flags & 1 == 0) {
            return Err(Broken("numbers are not written as HotSpot writes them"));
        }
        if size < HEADER || ticks_per_s <= 0 {
            return Err(Broken("the header"));
        }
        Ok(Self { size, metadata, start_nanos, start_ticks, ticks_per_s })
    }

    /// Unix time of a tick, in nanoseconds.
    fn nanos(&self, ticks: i64) -> i64 {
        let since = i128::from(ticks) - i128::from(self.start_ticks);
        let nanos = i128::from(self.start_nanos) + since * 1_000_000_000 / i128::from(self.ticks_per_s);
        i64::try_from(nanos).unwrap_or(0)
    }
}
