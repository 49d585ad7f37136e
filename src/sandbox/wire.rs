//! The frames between the tool and its agent. Standard library only: the agent is built from this file too.
//!
//! A frame is `length: u32` (of what follows), `kind: u8`, then its fields; numbers are big-endian, byte strings are
//! `length: u32` and their bytes. What a command prints is a field, so it cannot forge a frame.

use std::io::{self, Read, Write};
use std::time::Duration;

/// Version of the frames; both sides come from one source, so another version means another build.
pub const VERSION: u32 = 2;

/// The longest frame in bytes; a longer one is a broken peer.
pub const MAX_FRAME: usize = 64 << 20;

/// A frame from the tool to the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// The first frame: what the agent is for.
    Start(Start),
    /// A piece of a tar stream that is unpacked into the working directory, as the shell's user; an empty piece ends it.
    Files(Vec<u8>),
    /// Run one command in the shell.
    Run {
        /// Number of the command; commands and openings are counted together from 1, without a gap.
        id: u32,
        /// Milliseconds until it is given up.
        timeout: u64,
        /// Milliseconds until it is interrupted, 0 for never, and never before it has begun. If that does not end it, it is
        /// killed [`GRACE`] later.
        interrupt: u64,
        /// What it reads from and prints to.
        streams: Streams,
        /// The command.
        script: Vec<u8>,
    },
    /// Start a command beside the shell, as it stands in this moment, and go on.
    Open {
        /// Number, as of a command that is run.
        id: u32,
        /// What it reads from and prints to.
        streams: Streams,
        /// The command.
        script: Vec<u8>,
    },
    /// Type at the terminal of a command; nothing happens if it has none or has ended.
    Type {
        /// The command.
        id: u32,
        /// What the keyboard sends.
        bytes: Vec<u8>,
    },
    /// Press Ctrl-C for a command, run or opened, and kill it [`GRACE`] later; nothing happens if it has ended.
    Interrupt {
        /// The command.
        id: u32,
    },
    /// Ask a server on the sandbox's loopback address.
    Probe {
        /// Its port.
        port: u16,
        /// Path of a page; empty to see whether anybody listens.
        path: String,
    },
    /// Ask the engine's API.
    Get {
        /// Path with query, `/images/json`; [`NOW`] in it becomes the time in seconds, with nine decimals, of the sandbox's clock.
        path: String,
    },
}

/// Stands in the path of a question to the engine for the moment in which it is asked.
pub const NOW: &str = "{now}";

/// From an interrupt until what has not ended by it is killed. Longer than the ten seconds that an interrupted
/// `docker compose up` gives its containers.
pub const GRACE: Duration = Duration::from_secs(12);

/// Rows and columns of every terminal.
pub const TERMINAL_SIZE: (u16, u16) = (40, 120);

/// What a command reads from and prints to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Streams {
    /// It reads these bytes and prints to a pipe.
    Pipe {
        /// All there is to read.
        input: Vec<u8>,
    },
    /// Both are a terminal of its own.
    Terminal,
}

/// What an agent is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// Command that starts the engine, run as the shell's user; empty for no engine.
    pub engine: Vec<String>,
    /// Socket of the engine's API.
    pub socket: String,
    /// User and group of engine and shell, `1000:1000`; empty for the agent's own.
    pub user: String,
    /// Folder of the agent's own files: pipes and scripts.
    pub scratch: String,
    /// Working directory of the shell.
    pub workspace: String,
    /// The shell's whole environment, `NAME=value`.
    pub environment: Vec<String>,
    /// Certificate in PEM that the system shall trust; empty for none.
    pub authority: String,
    /// Bytes kept of what one command prints, half from the head and half from the tail.
    pub output_limit: u64,
    /// Milliseconds after which the agent ends, whatever happens.
    pub lifetime: u64,
}

/// A frame from the agent to the tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The first frame.
    Hello {
        /// [`VERSION`] of the agent.
        version: u32,
    },
    /// Shell and, if asked for, engine answer.
    Ready {
        /// Microseconds since the agent began.
        micros: u64,
    },
    /// The files are unpacked; `message` is empty or says why not.
    Unpacked {
        /// What `tar` said.
        message: String,
    },
    /// Something a command printed; comes after its end too, from what it left in the background.
    Output {
        /// The command.
        id: u32,
        /// Bytes.
        bytes: Vec<u8>,
    },
    /// A command ended, and everything that it wrote before its end has been reported.
    Done {
        /// The command.
        id: u32,
        /// How.
        end: End,
        /// Microseconds that it took.
        micros: u64,
        /// Whether a process was started in the meantime; if not, no image can have changed.
        forked: bool,
        /// Whether it was interrupted before.
        interrupted: bool,
    },
    /// An opened command ended, and so did everything that could print for it.
    Closed {
        /// The command.
        id: u32,
        /// Its status, 128 and the signal if one killed it; `None` if nobody saw it.
        status: Option<i32>,
    },
    /// What [`Order::Probe`] found.
    Probed {
        /// Whether somebody listens.
        listens: bool,
        /// HTTP status of the page; 0 for none.
        status: u16,
    },
    /// What the engine's API said.
    Got {
        /// HTTP status; 0 if there was no answer.
        status: u16,
        /// Body, or why there was no answer.
        body: Vec<u8>,
    },
    /// The agent cannot go on.
    Failed {
        /// Why.
        message: String,
    },
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With a status; the shell goes on.
    Exited(i32),
    /// With the shell, that left this status.
    ShellExited(i32),
    /// With the shell, that this signal killed.
    ShellKilled(i32),
    /// It did not, within its time.
    TimedOut,
}

/// Writes an order.
pub fn write_order(to: &mut impl Write, order: &Order) -> io::Result<()> {
    let mut frame = Frame::default();
    match order {
        Order::Start(start) => {
            frame.byte(1);
            frame.strings(&start.engine);
            frame.bytes(start.socket.as_bytes());
            frame.bytes(start.user.as_bytes());
            frame.bytes(start.scratch.as_bytes());
            frame.bytes(start.workspace.as_bytes());
            frame.strings(&start.environment);
            frame.bytes(start.authority.as_bytes());
            frame.u64(start.output_limit);
            frame.u64(start.lifetime);
        }
        Order::Files(piece) => {
            frame.byte(2);
            frame.bytes(piece);
        }
        Order::Run {
            id,
            timeout,
            interrupt,
            streams,
            script,
        } => {
            frame.byte(3);
            frame.u32(*id);
            frame.u64(*timeout);
            frame.u64(*interrupt);
            frame.streams(streams);
            frame.bytes(script);
        }
        Order::Get { path } => {
            frame.byte(4);
            frame.bytes(path.as_bytes());
        }
        Order::Open {
            id,
            streams,
            script,
        } => {
            frame.byte(5);
            frame.u32(*id);
            frame.streams(streams);
            frame.bytes(script);
        }
        Order::Type { id, bytes } => {
            frame.byte(6);
            frame.u32(*id);
            frame.bytes(bytes);
        }
        Order::Interrupt { id } => {
            frame.byte(7);
            frame.u32(*id);
        }
        Order::Probe { port, path } => {
            frame.byte(8);
            frame.u32(u32::from(*port));
            frame.bytes(path.as_bytes());
        }
    }
    frame.send(to)
}

/// Writes a report.
pub fn write_report(to: &mut impl Write, report: &Report) -> io::Result<()> {
    let mut frame = Frame::default();
    match report {
        Report::Hello { version } => {
            frame.byte(1);
            frame.u32(*version);
        }
        Report::Ready { micros } => {
            frame.byte(2);
            frame.u64(*micros);
        }
        Report::Unpacked { message } => {
            frame.byte(3);
            frame.bytes(message.as_bytes());
        }
        Report::Output { id, bytes } => {
            frame.byte(4);
            frame.u32(*id);
            frame.bytes(bytes);
        }
        Report::Done {
            id,
            end,
            micros,
            forked,
            interrupted,
        } => {
            frame.byte(5);
            frame.u32(*id);
            let (kind, value) = match end {
                End::Exited(status) => (0, *status),
                End::ShellExited(status) => (1, *status),
                End::ShellKilled(signal) => (2, *signal),
                End::TimedOut => (3, 0),
            };
            frame.byte(kind);
            frame.u32(value as u32);
            frame.u64(*micros);
            frame.byte(u8::from(*forked));
            frame.byte(u8::from(*interrupted));
        }
        Report::Got { status, body } => {
            frame.byte(6);
            frame.u32(u32::from(*status));
            frame.bytes(body);
        }
        Report::Failed { message } => {
            frame.byte(7);
            frame.bytes(message.as_bytes());
        }
        Report::Closed { id, status } => {
            frame.byte(8);
            frame.u32(*id);
            frame.byte(u8::from(status.is_some()));
            frame.u32(status.unwrap_or_default() as u32);
        }
        Report::Probed { listens, status } => {
            frame.byte(9);
            frame.byte(u8::from(*listens));
            frame.u32(u32::from(*status));
        }
    }
    frame.send(to)
}

/// Takes the first whole frame's body out of `buffer`; `None` if it is not there yet.
pub fn take_frame(buffer: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let Some(head) = buffer.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*head) as usize;
    if length > MAX_FRAME {
        return Err(broken("a frame is too long"));
    }
    if buffer.len() < 4 + length {
        return Ok(None);
    }
    let frame = buffer[4..4 + length].to_vec();
    buffer.drain(..4 + length);
    Ok(Some(frame))
}

/// Reads an order from a frame's body.
pub fn parse_order(frame: &[u8]) -> io::Result<Order> {
    let mut fields = Fields { rest: frame };
    let order = match fields.byte()? {
        1 => Order::Start(Start {
            engine: fields.strings()?,
            socket: fields.string()?,
            user: fields.string()?,
            scratch: fields.string()?,
            workspace: fields.string()?,
            environment: fields.strings()?,
            authority: fields.string()?,
            output_limit: fields.u64()?,
            lifetime: fields.u64()?,
        }),
        2 => Order::Files(fields.bytes()?),
        3 => Order::Run {
            id: fields.u32()?,
            timeout: fields.u64()?,
            interrupt: fields.u64()?,
            streams: fields.streams()?,
            script: fields.bytes()?,
        },
        4 => Order::Get {
            path: fields.string()?,
        },
        5 => Order::Open {
            id: fields.u32()?,
            streams: fields.streams()?,
            script: fields.bytes()?,
        },
        6 => Order::Type {
            id: fields.u32()?,
            bytes: fields.bytes()?,
        },
        7 => Order::Interrupt { id: fields.u32()? },
        8 => Order::Probe {
            port: fields.u16()?,
            path: fields.string()?,
        },
        _ => return Err(broken("an order of unknown kind")),
    };
    fields.end()?;
    Ok(order)
}

/// Reads a report from a frame's body.
pub fn parse_report(frame: &[u8]) -> io::Result<Report> {
    let mut fields = Fields { rest: frame };
    let report = match fields.byte()? {
        1 => Report::Hello {
            version: fields.u32()?,
        },
        2 => Report::Ready {
            micros: fields.u64()?,
        },
        3 => Report::Unpacked {
            message: fields.string()?,
        },
        4 => Report::Output {
            id: fields.u32()?,
            bytes: fields.bytes()?,
        },
        5 => {
            let id = fields.u32()?;
            let kind = fields.byte()?;
            let value = fields.u32()? as i32;
            let end = match kind {
                0 => End::Exited(value),
                1 => End::ShellExited(value),
                2 => End::ShellKilled(value),
                3 => End::TimedOut,
                _ => return Err(broken("an end of unknown kind")),
            };
            Report::Done {
                id,
                end,
                micros: fields.u64()?,
                forked: fields.byte()? != 0,
                interrupted: fields.byte()? != 0,
            }
        }
        6 => Report::Got {
            status: fields.u16()?,
            body: fields.bytes()?,
        },
        7 => Report::Failed {
            message: fields.string()?,
        },
        8 => {
            let id = fields.u32()?;
            let is_known = fields.byte()? != 0;
            let status = fields.u32()? as i32;
            Report::Closed {
                id,
                status: is_known.then_some(status),
            }
        }
        9 => Report::Probed {
            listens: fields.byte()? != 0,
            status: fields.u16()?,
        },
        _ => return Err(broken("a report of unknown kind")),
    };
    fields.end()?;
    Ok(report)
}

#[derive(Default)]
struct Frame {
    body: Vec<u8>,
}

impl Frame {
    fn byte(&mut self, value: u8) {
        self.body.push(value);
    }

    fn u32(&mut self, value: u32) {
        self.body.extend(value.to_be_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.body.extend(value.to_be_bytes());
    }

    fn bytes(&mut self, value: &[u8]) {
        self.u32(value.len() as u32);
        self.body.extend(value);
    }

    fn strings(&mut self, values: &[String]) {
        self.u32(values.len() as u32);
        for value in values {
            self.bytes(value.as_bytes());
        }
    }

    fn streams(&mut self, streams: &Streams) {
        match streams {
            Streams::Pipe { input } => {
                self.byte(0);
                self.bytes(input);
            }
            Streams::Terminal => self.byte(1),
        }
    }

    fn send(self, to: &mut impl Write) -> io::Result<()> {
        if self.body.len() > MAX_FRAME {
            return Err(broken("a frame is too long"));
        }
        // One write, so that a small frame is one wake-up for its reader.
        let mut frame = (self.body.len() as u32).to_be_bytes().to_vec();
        frame.extend(self.body);
        to.write_all(&frame)?;
        to.flush()
    }
}

struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    fn byte(&mut self) -> io::Result<u8> {
        let mut value = [0];
        self.rest.read_exact(&mut value)?;
        Ok(value[0])
    }

    fn u32(&mut self) -> io::Result<u32> {
        let mut value = [0; 4];
        self.rest.read_exact(&mut value)?;
        Ok(u32::from_be_bytes(value))
    }

    fn u16(&mut self) -> io::Result<u16> {
        u16::try_from(self.u32()?).map_err(|_| broken("a number out of range"))
    }

    fn u64(&mut self) -> io::Result<u64> {
        let mut value = [0; 8];
        self.rest.read_exact(&mut value)?;
        Ok(u64::from_be_bytes(value))
    }

    fn bytes(&mut self) -> io::Result<Vec<u8>> {
        let length = self.u32()? as usize;
        if length > self.rest.len() {
            return Err(broken("a field is longer than its frame"));
        }
        let (value, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(value.to_vec())
    }

    fn string(&mut self) -> io::Result<String> {
        String::from_utf8(self.bytes()?).map_err(|_| broken("a text that is not UTF-8"))
    }

    fn strings(&mut self) -> io::Result<Vec<String>> {
        let count = self.u32()?;
        (0..count).map(|_| self.string()).collect()
    }

    fn streams(&mut self) -> io::Result<Streams> {
        match self.byte()? {
            0 => Ok(Streams::Pipe {
                input: self.bytes()?,
            }),
            1 => Ok(Streams::Terminal),
            _ => Err(broken("streams of unknown kind")),
        }
    }

    fn end(&self) -> io::Result<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(broken("bytes after the last field"))
        }
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("broken wire: {what}"))
}
