//! A client of a stream: HTTP/1.1 in chunks, Server-Sent Events within.

use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    net::{SocketAddr, TcpStream},
};

use serde_json::Value;

use crate::support::{Agent, connect};

/// A stream that is read.
pub(super) struct Stream {
    lines: BufReader<Chunks>,
    /// The head of the answer.
    pub(super) head: String,
    /// Data of the first event.
    pub(super) hello: Value,
}

/// What a stream said.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Frame {
    pub(super) kind: String,
    pub(super) id: Option<u64>,
    pub(super) data: Value,
    pub(super) comment: String,
}

/// The bytes of a body that comes in chunks.
struct Chunks {
    stream: BufReader<TcpStream>,
    /// Bytes of the present chunk that are still to come.
    rest: usize,
    is_over: bool,
}

impl Stream {
    /// Asks, and reads head and `hello`.
    #[track_caller]
    pub(super) fn open(agent: &Agent, query: &str, headers: &str) -> Self {
        Self::at(agent.address(), query, headers)
    }

    #[track_caller]
    pub(super) fn at(address: SocketAddr, query: &str, headers: &str) -> Self {
        let mut stream = connect(address);
        let request = format!("GET /api/v1/stream{query} HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(stream.read_line(&mut head).unwrap() > 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        let chunks = Chunks {
            stream,
            rest: 0,
            is_over: false,
        };
        let mut opened = Self {
            lines: BufReader::new(chunks),
            head,
            hello: Value::Null,
        };
        let hello = opened.next();
        assert_eq!(hello.kind, "hello");
        opened.hello = hello.data;
        opened
    }

    /// The next frame.
    ///
    /// # Panics
    ///
    /// If the stream ends.
    #[track_caller]
    pub(super) fn next(&mut self) -> Frame {
        self.frame().expect("the stream goes on")
    }

    /// The next snapshot; what comes before it is passed over.
    #[track_caller]
    pub(super) fn snapshot(&mut self) -> Frame {
        self.until(|frame| frame.kind == "snapshot")
    }

    /// The next frame of which that is true.
    #[track_caller]
    pub(super) fn until(&mut self, is_wanted: impl Fn(&Frame) -> bool) -> Frame {
        loop {
            let frame = self.next();
            if is_wanted(&frame) {
                return frame;
            }
        }
    }

    /// The next frame but for `retry`; nothing once the stream has ended as it should.
    pub(super) fn frame(&mut self) -> Option<Frame> {
        let mut frame = Frame::default();
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                assert_eq!(frame, Frame::default(), "broken off");
                return None;
            }
            match line.trim_end_matches('\n').split_once(": ") {
                Some(("event", kind)) => frame.kind = kind.to_owned(),
                Some(("id", id)) => frame.id = Some(id.parse().unwrap()),
                Some(("data", data)) => frame.data = serde_json::from_str(data).unwrap(),
                Some(("", comment)) => frame.comment = comment.to_owned(),
                Some(("retry", _)) => {}
                None if frame == Frame::default() => {}
                None => return Some(frame),
                Some(_) => panic!("{line:?}"),
            }
        }
    }
}

impl Read for Chunks {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        if self.rest == 0 && !self.is_over {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            self.rest = usize::from_str_radix(line.trim_end(), 16).map_err(std::io::Error::other)?;
            self.is_over = self.rest == 0;
        }
        let most = room.len().min(self.rest);
        let count = self.stream.read(&mut room[..most])?;
        self.rest -= count;
        if self.rest == 0 && count > 0 {
            self.stream.read_exact(&mut [0; 2])?;
        }
        Ok(count)
    }
}

impl Frame {
    /// The generation of a snapshot.
    #[track_caller]
    pub(super) fn generation(&self) -> u64 {
        assert_eq!(self.data["generation"].as_u64(), self.id);
        self.id.unwrap()
    }

    /// A GPU's number of good samples.
    #[track_caller]
    pub(super) fn sequence(&self, place: usize) -> u64 {
        self.data["gpus"][place]["sequence"].as_u64().unwrap()
    }
}
