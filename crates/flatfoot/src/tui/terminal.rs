//! The terminal: taken over, drawn on, and given back as it was, however the view ends.

use std::io::{self, BufWriter, Stdout, Write as _};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::Rect;

use super::app::App;
use super::draw::{Look, draw};

/// Is the terminal ours? Then it is to be given back, by whoever comes first: the end, a panic, a signal.
static OURS: AtomicBool = AtomicBool::new(false);
/// Is somebody giving it back? That takes for ever where nobody reads what is written.
static GIVING_BACK: AtomicBool = AtomicBool::new(false);

/// A frame is written at once: on a slow link a half of it is worse than a late one.
const FRAME: usize = 64 * 1024;

/// A terminal that was taken over; given back when it is dropped.
pub(crate) struct Screen {
    /// Not dropped: ratatui's own end shows the cursor, which was done, and panics where the terminal is gone and stderr
    /// with it.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>,
    look: Look,
}

impl Screen {
    /// Takes it over.
    pub(crate) fn take(look: Look) -> io::Result<Self> {
        enter()?;
        let out = BufWriter::with_capacity(FRAME, io::stdout());
        match Terminal::new(CrosstermBackend::new(out)) {
            Ok(terminal) => Ok(Self { terminal: ManuallyDrop::new(terminal), look }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    /// Draws what changed since it was drawn last. Nothing once the terminal was given back.
    pub(crate) fn draw(&mut self, app: &mut App) -> io::Result<()> {
        if !OURS.load(Ordering::SeqCst) {
            return Ok(());
        }
        let look = self.look;
        self.terminal.draw(|frame| draw(app, look, frame.area(), frame.buffer_mut()))?;
        Ok(())
    }

    /// What is on the terminal is not known any more: everything is drawn next time.
    ///
    /// By way of the size: ratatui's own `clear` asks the terminal where the cursor is, and the thread that reads keys
    /// would take the answer.
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        let area = self.size()?;
        self.terminal.resize(area)
    }

    /// Takes the mouse, or gives it back.
    pub(crate) fn mouse(wanted: bool) -> io::Result<()> {
        if wanted {
            execute!(io::stdout(), EnableMouseCapture)
        } else {
            execute!(io::stdout(), DisableMouseCapture)
        }
    }

    /// Gives the terminal back and stops until somebody says `fg`. Where nobody could (no shell waits for us), the kernel
    /// ignores the stop, and nothing happened.
    pub(crate) fn suspend(&mut self, mouse: bool) -> io::Result<()> {
        restore();
        signal_hook::low_level::raise(signal_hook::consts::SIGTSTP)?;
        self.resume(mouse)
    }

    /// After a stop: takes it over again, and the mouse, where that was ours.
    pub(crate) fn resume(&mut self, mouse: bool) -> io::Result<()> {
        enter()?;
        if mouse {
            Self::mouse(true)?;
        }
        self.forget()
    }

    /// The size, in columns and rows.
    pub(crate) fn size(&self) -> io::Result<Rect> {
        let size = self.terminal.size()?;
        Ok(Rect::new(0, 0, size.width, size.height))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    OURS.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen)
}

/// Gives the terminal back, if it is ours. May be called from anywhere, as often as one likes.
pub(crate) fn restore() {
    GIVING_BACK.store(true, Ordering::SeqCst);
    if OURS.swap(false, Ordering::SeqCst) {
        // The modes first: they need no room in a terminal's queue.
        let _ = disable_raw_mode();
        let mut out = io::stdout();
        let _ = execute!(out, DisableMouseCapture, LeaveAlternateScreen, Show);
        let _ = out.flush();
    }
    GIVING_BACK.store(false, Ordering::SeqCst);
}

/// Gives back the modes alone where the terminal was not given back yet, as output may be stuck; tells whether that is so.
pub(crate) fn restore_modes() -> bool {
    let ours = OURS.load(Ordering::SeqCst) || GIVING_BACK.load(Ordering::SeqCst);
    if ours {
        let _ = disable_raw_mode();
    }
    ours
}

/// From now on a panic is told on a terminal that was given back before.
pub(crate) fn restore_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        restore();
        before(info);
    }));
}
