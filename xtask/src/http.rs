//! The smallest HTTP client that can ask the agent something: one GET, with a deadline.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

/// Bounds connecting and every single read and write.
const PATIENCE: Duration = Duration::from_secs(2);

/// Far above the answer for a full node (22 kB for 8 GPUs); keeps a wrong peer from filling the memory.
const LARGEST_ANSWER: u64 = 4 << 20;

/// What a server answered.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// Everything after the head.
    pub(crate) body: String,
}

/// Asks for one path.
pub(crate) fn get(address: SocketAddr, path: &str) -> Result<Answer> {
    get_encoded(address, path, "identity")
}

/// Asks for one path in one encoding.
pub(crate) fn get_encoded(address: SocketAddr, path: &str, encoding: &str) -> Result<Answer> {
    parse(&String::from_utf8_lossy(&ask(address, path, encoding)?))
}

/// Bytes of the body of one path in one encoding.
pub(crate) fn size(address: SocketAddr, path: &str, encoding: &str) -> Result<usize> {
    let bytes = ask(address, path, encoding)?;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    Ok(bytes.len() - end.context("the answer has no end of its head")? - 4)
}

/// Everything that comes back. HTTP/1.0 on purpose: its answers are never chunked and end with the connection.
fn ask(address: SocketAddr, path: &str, encoding: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!(
        "GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: application/json\r\nAccept-Encoding: {encoding}\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.take(LARGEST_ANSWER).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(text: &str) -> Result<Answer> {
    let (head, body) = text
        .split_once("\r\n\r\n")
        .context("the answer has no end of its head")?;
    let status = head.split_whitespace().nth(1).and_then(|code| code.parse().ok());
    Ok(Answer {
        status: status.context("the answer has no status code")?,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Answer, parse};

    #[test]
    fn an_answer_is_taken_apart() {
        let answer = parse("HTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\n{\"ready\":false}").unwrap();
        assert_eq!(
            answer,
            Answer {
                status: 503,
                body: "{\"ready\":false}".to_owned()
            }
        );
    }

    #[test]
    fn what_is_not_http_is_an_error() {
        assert!(parse("SSH-2.0-OpenSSH_9.2\r\n").is_err());
        assert!(parse("HTTP/1.1 okay\r\n\r\n").is_err());
    }
}
